"""Stop and take levels of open positions, sorted by price, so that a quote asks four list ends.

A long position ends at the bid: at its stop when the bid falls to it, at its take when the bid
rises to it. A short position ends at the ask, the other way round.

Invariants:
    * A position is in the index exactly while it has a level, under its side and its `holder`.
    * A position that ends or flips loses its levels; one that grows or shrinks keeps them.
    * Lists ascend by (ticks, leader, trader); own accounts (leader "") come before copies.

Only `evolve_*` functions call what changes something here.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

from streams.core.state import ExitLevels, Instrument, Position, State


class Due(NamedTuple):
    """A position whose level the quote has reached.

    Attributes:
        leader: of the copy that holds it, or empty for the trader's own account.
        trader: whose it is.
        reason: `stop_loss` or `take_profit`.
    """

    leader: str
    trader: str
    reason: str


def next_due(levels: ExitLevels, instrument: Instrument) -> Due | None:
    """Return the position that the present quote ends next, None if it reaches no level.

    Stops before takes, longs before shorts, and the level that was reached first before the
    others. An instrument without a quote ends nothing.
    """
    bid, ask = instrument.bid_ticks, instrument.ask_ticks
    if bid == 0:
        return None
    if levels.long_stops and levels.long_stops[-1][0] >= bid:
        ticks = levels.long_stops[-1][0]
        first = levels.long_stops[bisect_left(levels.long_stops, (ticks, "", ""))]
        return Due(first[1], first[2], "stop_loss")
    if levels.short_stops and levels.short_stops[0][0] <= ask:
        return Due(*levels.short_stops[0][1:], "stop_loss")
    if levels.long_takes and levels.long_takes[0][0] <= bid:
        return Due(*levels.long_takes[0][1:], "take_profit")
    if levels.short_takes and levels.short_takes[-1][0] >= ask:
        ticks = levels.short_takes[-1][0]
        first = levels.short_takes[bisect_left(levels.short_takes, (ticks, "", ""))]
        return Due(first[1], first[2], "take_profit")
    return None


def set_levels(
    state: State,
    symbol: str,
    position: Position,
    holder: tuple[str, str],
    stop_ticks: int,
    take_ticks: int,
) -> None:
    """Give an open position these levels; 0 removes one.

    Args:
        state: changed in place.
        symbol: the instrument.
        position: an open position.
        holder: (leader or "", trader).
        stop_ticks: level at which it ends with a loss.
        take_ticks: level at which it ends with a profit.
    """
    forget(state, symbol, position)
    if not stop_ticks and not take_ticks:
        return
    levels = state.exit_levels.get(symbol)
    if levels is None:
        levels = state.exit_levels[symbol] = ExitLevels()
    stops, takes = _lists(levels, position)
    if stop_ticks:
        insort(stops, (stop_ticks, *holder))
    if take_ticks:
        insort(takes, (take_ticks, *holder))
    position.stop_ticks, position.take_ticks, position.holder = stop_ticks, take_ticks, holder


def forget(state: State, symbol: str, position: Position) -> None:
    """Take a position's levels away, while its `lots` still say on which side it stands."""
    if not position.stop_ticks and not position.take_ticks:
        return
    levels = state.exit_levels[symbol]
    stops, takes = _lists(levels, position)
    if position.stop_ticks:
        del stops[bisect_left(stops, (position.stop_ticks, *position.holder))]
    if position.take_ticks:
        del takes[bisect_left(takes, (position.take_ticks, *position.holder))]
    position.stop_ticks = position.take_ticks = 0
    position.holder = ("", "")
    if not (levels.long_stops or levels.long_takes or levels.short_stops or levels.short_takes):
        del state.exit_levels[symbol]


def _lists(
    levels: ExitLevels, position: Position
) -> tuple[list[tuple[int, str, str]], list[tuple[int, str, str]]]:
    if position.lots > 0:
        return levels.long_stops, levels.long_takes
    return levels.short_stops, levels.short_takes
