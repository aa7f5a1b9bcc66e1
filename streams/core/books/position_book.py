"""The position book of an instrument: open lots of the crowd by average entry price.

Invariants:
    * A level stands in `longs` (or `shorts`) with the sum of the unsigned lots of every open
      position entered there; a sum of 0 is no entry.
    * A position leaves at the level at which it came: `Position.level_ticks` keeps it.

Rows are identified by their level in ticks, in channel `positions:{symbol}`.
"""

from __future__ import annotations

from streams.core.channels import touch
from streams.core.limits import CROWD_LOTS_MAX
from streams.core.state import PositionBook, State


def add(state: State, symbol: str, lots: int, level: int) -> None:
    """Add an open position at its level. Called by `evolve_*` only.

    Args:
        state: changed in place.
        symbol: a registered instrument.
        lots: signed; 0 changes nothing.
        level: level in ticks, see `levels.level_of`.
    """
    if lots:
        _change(state, symbol, level, lots > 0, abs(lots))


def remove(state: State, symbol: str, lots: int, level: int) -> None:
    """Remove a position that was added with the same signed lots and level."""
    if lots:
        _change(state, symbol, level, lots > 0, -abs(lots))


def move(state: State, symbol: str, before: int, level_before: int, after: int, level: int) -> None:
    """Replace what a position adds to the book. Called by `evolve_*` only.

    Args:
        state: changed in place.
        symbol: a registered instrument.
        before: signed lots before; 0 = there was no position.
        level_before: the level it was added at.
        after: signed lots after; 0 = it is gone.
        level: the level it stands at now.
    """
    if level == level_before and before * after > 0:
        _change(state, symbol, level, after > 0, abs(after) - abs(before))
        return
    remove(state, symbol, before, level_before)
    add(state, symbol, after, level)


def has_room(state: State, symbol: str, lots: int) -> bool:
    """Whether the crowd's open lots stay within `CROWD_LOTS_MAX` with these unsigned lots more."""
    book = state.position_books.get(symbol)
    return (book.lots if book else 0) + lots <= CROWD_LOTS_MAX


def _change(state: State, symbol: str, level: int, long: bool, lots: int) -> None:
    book = state.position_books.get(symbol)
    if book is None:
        book = state.position_books[symbol] = PositionBook()
    book.lots += lots
    side = book.longs if long else book.shorts
    after = side.get(level, 0) + lots
    if after > 0:
        side[level] = after
    else:
        if after < 0:
            raise AssertionError(
                f"expected at least {-lots} lots at {symbol} {level}, {after} left"
            )
        side.pop(level, None)
    touch(state, f"positions:{symbol}", level)
