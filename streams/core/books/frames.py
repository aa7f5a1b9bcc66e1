"""What the crowd books look like on the wire, and how a client proves that it has the same.

Rows hold values exactly as sent: decimal strings and, in an idea book, the count of entries. A
delta row carries the newest values of its level, not a difference; a level that is gone is sent
with weight "0" (position book: both sides "0").

Checksums: unsigned CRC-32 of the ASCII text of the best 25 levels a side, joined by `|`:
    * idea book: `price:weight`, side b by price falling, then side s by price rising;
    * position book: `price:long:short` by price rising, one list of 25.

Source: wire-protocol.md, "Channels" and "Checksums".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import islice

from streams.core.money import BPS, format_parts, format_steps
from streams.core.state import Instrument, Level, State


CHECKSUM_LEVELS_MAX = 25
"""Levels of a side that a checksum covers."""

IdeaRow = list[str | int]
"""`[price, weight, ideas]`: weight 1 = one idea of full confidence."""

PositionRow = list[str]
"""`[price, long, short]`: quantities of the instrument."""


def book_snapshot(state: State, symbol: str, depth: int | None = None) -> dict[str, list[IdeaRow]]:
    """Return the whole idea book: `b` by price falling, `s` by price rising.

    Args:
        state: read only.
        symbol: a registered instrument.
        depth: most levels a side; None = all.
    """
    instrument = state.instruments[symbol]
    book = state.idea_books.get(symbol)
    if book is None:
        return {"b": [], "s": []}
    buys = islice(sorted(book.buys, reverse=True), depth)
    sells = islice(sorted(book.sells), depth)
    return {
        "b": [_idea_row(instrument, price, book.buys[price]) for price in buys],
        "s": [_idea_row(instrument, price, book.sells[price]) for price in sells],
    }


def book_delta(state: State, symbol: str, keys: Iterable[int | str]) -> dict[str, list[IdeaRow]]:
    """Return the newest rows of the touched keys, in the order of the keys.

    Args:
        state: read only.
        symbol: a registered instrument.
        keys: rows touched by `idea_book`.
    """
    instrument = state.instruments[symbol]
    book = state.idea_books.get(symbol)
    rows: dict[str, list[IdeaRow]] = {"b": [], "s": []}
    for key in keys:
        price, side = divmod(int(key), 2)
        levels = {} if book is None else book.sells if side else book.buys
        rows["s" if side else "b"].append(_idea_row(instrument, price, levels.get(price)))
    return rows


def book_checksum(buys: Iterable[Sequence[object]], sells: Iterable[Sequence[object]]) -> int:
    """Return the checksum of an idea book's rows, best first, as in a snapshot."""
    best = [*islice(buys, CHECKSUM_LEVELS_MAX), *islice(sells, CHECKSUM_LEVELS_MAX)]
    return zlib.crc32("|".join([f"{row[0]}:{row[1]}" for row in best]).encode("ascii"))


def book_crc(state: State, symbol: str) -> int:
    """Return the checksum of the idea book as it is now."""
    best = book_snapshot(state, symbol, CHECKSUM_LEVELS_MAX)
    return book_checksum(best["b"], best["s"])


def position_snapshot(
    state: State, symbol: str, depth: int | None = None
) -> dict[str, list[PositionRow]]:
    """Return the whole position book as `{"rows": [...]}`, by price rising.

    Args:
        state: read only.
        symbol: a registered instrument.
        depth: most levels, from the lowest price; None = all.
    """
    book = state.position_books.get(symbol)
    if book is None:
        return {"rows": []}
    prices = islice(sorted(book.longs | book.shorts), depth)
    return position_delta(state, symbol, prices)


def position_delta(
    state: State, symbol: str, keys: Iterable[int | str]
) -> dict[str, list[PositionRow]]:
    """Return the newest rows of the touched levels as `{"rows": [...]}`, in their order."""
    instrument = state.instruments[symbol]
    book = state.position_books.get(symbol)
    longs: dict[int, int] = {} if book is None else book.longs
    shorts: dict[int, int] = {} if book is None else book.shorts
    tick, lot = instrument.tick, instrument.lot
    rows = []
    for key in keys:
        level = int(key)
        rows.append(
            [
                format_steps(level, tick),
                format_steps(longs.get(level, 0), lot),
                format_steps(shorts.get(level, 0), lot),
            ]
        )
    return {"rows": rows}


def position_checksum(rows: Iterable[Sequence[object]]) -> int:
    """Return the checksum of a position book's rows, by price rising, as in a snapshot."""
    best = islice(rows, CHECKSUM_LEVELS_MAX)
    return zlib.crc32("|".join([f"{row[0]}:{row[1]}:{row[2]}" for row in best]).encode("ascii"))


def position_crc(state: State, symbol: str) -> int:
    """Return the checksum of the position book as it is now."""
    return position_checksum(position_snapshot(state, symbol, CHECKSUM_LEVELS_MAX)["rows"])


def _idea_row(instrument: Instrument, price_ticks: int, level: Level | None) -> IdeaRow:
    price = format_steps(price_ticks, instrument.tick)
    if level is None:
        return [price, "0", 0]
    return [price, format_parts(level.weight_bps, BPS), level.ideas]
