"""The idea book of an instrument: open published ideas by the prices they name.

Invariants:
    * The entry of an idea to buy or cover stands on side `b`, of one to sell or short on side
      `s`; its target and stop are exits and stand on the other side.
    * Each price is one entry of its level, with the idea's confidence as weight; a level without
      entries is deleted.
    * The terms of a published idea never change, so `remove` takes away what `add` brought.

Rows are identified by `level x 2`, plus 1 on side `s`, in channel `book:{symbol}`.

Source: domain.md, section 7, "Idea book".
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.core.books.levels import fix_level, level_of
from streams.core.channels import touch
from streams.core.state import Idea, IdeaBook, Instrument, Level, State


WEIGHT_BPS_DEFAULT = 5_000
"""Weight of an idea that states no confidence."""

BUY, SELL = 0, 1


def side_of(trade_type: str) -> int:
    """Return the side of an idea's entry: `BUY` or `SELL`."""
    return BUY if trade_type in ("buy", "cover") else SELL


def entries_of(instrument: Instrument, idea: Idea) -> Iterator[tuple[int, int]]:
    """Yield (side, level in ticks) of each price the idea names."""
    side = side_of(idea.trade_type)
    if idea.entry_ticks:
        yield side, level_of(instrument, idea.entry_ticks)
    if idea.target_ticks:
        yield 1 - side, level_of(instrument, idea.target_ticks)
    if idea.stop_ticks:
        yield 1 - side, level_of(instrument, idea.stop_ticks)


def weight_bps_of(idea: Idea) -> int:
    """Return the weight of the idea's entries in ten-thousandths."""
    return idea.confidence_bps or WEIGHT_BPS_DEFAULT


def add(state: State, idea: Idea) -> None:
    """Add a published idea's entries. Called by `evolve_*` only.

    The first price ever named fixes the width of the instrument's levels.
    """
    instrument = state.instruments[idea.symbol]
    first = idea.entry_ticks or idea.target_ticks or idea.stop_ticks
    if first:
        fix_level(instrument, first)
    _change(state, instrument, idea, 1)


def remove(state: State, idea: Idea) -> None:
    """Remove the entries of an idea that was added."""
    _change(state, state.instruments[idea.symbol], idea, -1)


def _change(state: State, instrument: Instrument, idea: Idea, count: int) -> None:
    symbol = idea.symbol
    book = state.idea_books.get(symbol)
    if book is None:
        book = state.idea_books[symbol] = IdeaBook()
    weight_bps = weight_bps_of(idea) * count
    for side, price in entries_of(instrument, idea):
        levels = book.buys if side == BUY else book.sells
        level = levels.get(price)
        if level is None:
            level = levels[price] = Level()
        level.weight_bps += weight_bps
        level.ideas += count
        if level.ideas < 0:
            raise AssertionError(f"expected an idea at {symbol} {price}, {idea.idea} was not there")
        if level.ideas == 0:
            del levels[price]
        touch(state, f"book:{symbol}", price * 2 + side)
