"""State and changes of conflatable channels as frame data, by kind.

Each kind has a delta (of the rows that are pending), a snapshot, and a checksum where the wire
protocol asks for one. Everything here only reads, and is a function of the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from streams.core import leaderboard
from streams.core.books.frames import (
    book_crc,
    book_delta,
    book_snapshot,
    position_crc,
    position_delta,
    position_snapshot,
)
from streams.core.channels import split_interval
from streams.core.ideas import trending
from streams.core.sentiment import views as sentiment
from streams.core.state import State
from streams.core.view import mark_row
from streams.ports import Frame


CHECKSUM_EVERY = 10
"""A delta whose number is a multiple of this carries a checksum."""


class Renderer(NamedTuple):
    """How one kind of channel is shown. `argument` is the channel's name after the kind."""

    delta: Callable[[State, str, Iterable[int | str]], dict[str, Any]]
    snapshot: Callable[[State, str], dict[str, Any]]
    crc: Callable[[State, str], int] | None = None


def _marks_delta(state: State, _: str, rows: Iterable[int | str]) -> dict[str, Any]:
    return {"rows": [mark_row(state.instruments[str(symbol)]) for symbol in rows]}


def _marks_snapshot(state: State, argument: str) -> dict[str, Any]:
    chosen = [state.instruments[argument]] if argument else state.instruments.values()
    return {"rows": [mark_row(instrument) for instrument in chosen if instrument.quoted]}


def _sentiment_delta(state: State, symbol: str, _: Iterable[int | str]) -> dict[str, Any]:
    return sentiment.row(state, symbol)


RENDERERS: dict[str, Renderer] = {
    "marks": Renderer(_marks_delta, _marks_snapshot),
    "book": Renderer(book_delta, book_snapshot, book_crc),
    "positions": Renderer(position_delta, position_snapshot, position_crc),
    "leaderboard": Renderer(leaderboard.delta, leaderboard.snapshot, leaderboard.checksum),
    "sentiment": Renderer(_sentiment_delta, sentiment.row),
    "trending": Renderer(trending.delta, trending.snapshot),
}


def delta_frame(state: State, base: str, key: str, interval: int) -> Frame:
    """Return the delta that the coming cut of a channel makes. Call it before the cut.

    Args:
        state: read only.
        base: channel name without interval.
        key: channel name with its interval suffix.
        interval: index of the interval.
    """
    kind, _, argument = base.partition(":")
    renderer = RENDERERS[kind]
    channel = state.conflated[base]
    seq = channel.seqs[interval] + 1
    data = renderer.delta(state, argument, channel.pending[interval])
    crc = None
    if renderer.crc is not None and seq % CHECKSUM_EVERY == 0:
        crc = renderer.crc(state, argument)
    return Frame(key, key, "delta", seq, state.entry_ms * 1000, data, crc)


def snapshot_frame(state: State, key: str) -> Frame:
    """Return the whole state of a conflatable channel at its newest number.

    The state shown may be newer than that number by changes that the next delta repeats: a delta
    carries the newest values of its rows, so applying it again changes nothing.
    """
    base, interval = split_interval(key)
    kind, _, argument = base.partition(":")
    renderer = RENDERERS[kind]
    channel = state.conflated.get(base)
    seq = 0 if channel is None else channel.seqs[interval]
    crc = None if renderer.crc is None else renderer.crc(state, argument)
    data = renderer.snapshot(state, argument)
    return Frame(key, key, "snap", seq, state.entry_ms * 1000, data, crc)
