"""Numbering of channels: replicated, so that a client can resume on any node.

Lossless channels count one number an event. Conflatable channels have three numbered streams
(`@raw`, default 100 ms, `@1s`); a change marks a row as pending in each, and a cut gives the
pending rows one number: raw at the end of each entry, the others on ticks. Counters run whether
or not anybody listens.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.core.state import INTERVALS, Conflated, State


RAW, TENTHS, SECONDS = 0, 1, 2


def touch(state: State, base: str, row: int | str) -> None:
    """Mark a row of a conflatable channel as changed. Called by `evolve_*` only.

    Args:
        state: changed in place.
        base: channel name without interval, for instance `book:hl:BTC`.
        row: what identifies the row there: a level in ticks, a symbol, a trader.
    """
    channel = state.conflated.get(base)
    if channel is None:
        channel = state.conflated[base] = Conflated()
    # Written out for each interval: this runs several times for every fill and mark. A cut of the
    # seconds is one of the tenths too, so what is pending there is pending in the seconds.
    raw, tenths, seconds = channel.pending
    if row in raw and row in tenths:
        return
    if row not in raw:
        if not raw:
            state.pending_channels[RAW][base] = None
        raw[row] = None
    if row not in tenths:
        if not tenths:
            state.pending_channels[TENTHS][base] = None
        tenths[row] = None
    if row not in seconds:
        if not seconds:
            state.pending_channels[SECONDS][base] = None
        seconds[row] = None


def touch_rows(state: State, base: str, rows: Iterable[int | str]) -> None:
    """Mark many rows of a conflatable channel as changed, in order. See `touch`."""
    changed = dict.fromkeys(rows)
    if not changed:
        return
    channel = state.conflated.get(base)
    if channel is None:
        channel = state.conflated[base] = Conflated()
    for interval in (RAW, TENTHS, SECONDS):
        pending_rows = channel.pending[interval]
        if not pending_rows:
            state.pending_channels[interval][base] = None
        pending_rows.update(changed)


def pending(state: State, interval: int) -> dict[str, None]:
    """Return the channels that a cut of this interval would number, in order of first change."""
    return state.pending_channels[interval]


def cut(state: State, interval: int) -> None:
    """Give every pending channel of the interval its next number and forget the rows."""
    channels = state.pending_channels[interval]
    if not channels:
        return
    for base in channels:
        channel = state.conflated[base]
        channel.seqs[interval] += 1
        channel.pending[interval].clear()
    channels.clear()


def split_interval(key: str) -> tuple[str, int]:
    """Split a channel key into base and interval index (`marks@1s` → `marks`, 2)."""
    for interval in (RAW, SECONDS):
        suffix = INTERVALS[interval]
        if key.endswith(suffix):
            return key[: -len(suffix)], interval
    return key.removesuffix("@100ms"), TENTHS
