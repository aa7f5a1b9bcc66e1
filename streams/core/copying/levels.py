"""Stops and takes of copied positions: the leader's levels, or the follower's own distances.

The leader's level is copied as it is. A reversed copy takes the leader's stop as its take and the
other way round; another instrument gets the same distance in percent, as all do when the setting
`exit_levels` is `distance`. When the leader edits its levels the copies follow on the next ticks,
at the values that then stand: a burst of edits is one.
Source: domain.md, section 4.5 (edits of stop and take).
"""

from __future__ import annotations

from itertools import islice

from streams.core.books.levels import entry_ticks_of
from streams.core.context import Context, Evolvers
from streams.core.copying.holdings import position_of
from streams.core.copying.watch import WATCHED
from streams.core.events import ExitLevelsSet, LevelEditsFollowed
from streams.core.money import BPS
from streams.core.state import Copy, Instrument, Position, State


Levels = tuple[int, int]
"""Stop and take in ticks of the follower's instrument, 0 = none."""


def copied_levels(
    copy: Copy,
    symbol: str,
    own: Instrument,
    side: int,
    price_ticks: int,
    leaders: Position,
    leader_price: int,
) -> Levels:
    """Return the levels a copied position should have.

    Args:
        copy: the relationship.
        symbol: the leader's.
        own: the follower's instrument.
        side: +1 or -1, the follower's direction.
        price_ticks: the follower's entry, in ticks of its instrument.
        leaders: the leader's position.
        leader_price: the leader's entry, in ticks of its instrument; > 0.
    """
    settings = copy.settings
    stop = leaders.stop_ticks if settings.copy_stop_loss else 0
    take = leaders.take_ticks if settings.copy_take_profit else 0
    if settings.reverse:
        stop, take = take, stop
    if own.symbol != symbol or settings.exit_levels == "distance":
        stop = _moved(stop, leader_price, price_ticks)
        take = _moved(take, leader_price, price_ticks)
    if settings.stop_loss_bps:
        stop = max(price_ticks * (BPS - side * settings.stop_loss_bps) // BPS, 1)
    if settings.take_profit_bps:
        take = max(price_ticks * (BPS + side * settings.take_profit_bps) // BPS, 1)
    return stop, take


def _moved(level_ticks: int, from_ticks: int, to_ticks: int) -> int:
    """Return the level as far in percent from another price, 0 stays none."""
    return max(level_ticks * to_ticks // from_ticks, 1) if level_ticks else 0


def note_edit(state: State, trader: str, symbol: str) -> None:
    """Have the copies of a trader follow its levels in a symbol. Called by `evolve_*` only."""
    if trader in state.copies:
        state.copy_desk.level_edits.setdefault(trader, {})[symbol] = 0


def follow_edits(ctx: Context, budget: int) -> None:
    """Bring the levels of some copies to those that their leader has now."""
    leader, edits = next(iter(ctx.state.copy_desk.level_edits.items()))
    symbol, first = next(iter(edits.items()))
    copies = list(islice(ctx.state.copies[leader].values(), first, first + budget))
    leaders = ctx.state.traders[leader].ledger.positions.get(symbol)
    if leaders is not None:
        for copy in copies:
            _follow(ctx, copy, symbol, leaders)
    reached = first + budget if len(copies) == budget else -1
    ctx.emit(LevelEditsFollowed(leader, symbol, reached, ctx.time(0)))


def _follow(ctx: Context, copy: Copy, symbol: str, leaders: Position) -> None:
    if copy.status not in WATCHED or symbol in copy.detached:
        return
    held = position_of(copy, symbol)
    if held is None:
        return
    instruments = ctx.state.instruments
    own = instruments[copy.mapped.get(symbol, symbol)]
    price = entry_ticks_of(own, held.lots, held.cost_micros)
    entry = max(entry_ticks_of(instruments[symbol], leaders.lots, leaders.cost_micros), 1)
    side = 1 if held.lots > 0 else -1
    stop, take = copied_levels(copy, symbol, own, side, price, leaders, entry)
    if (stop, take) != (held.stop_ticks, held.take_ticks):
        at_us = ctx.time(0)
        ctx.emit(ExitLevelsSet(copy.follower, copy.leader, own.symbol, stop, take, at_us))


def evolve_level_edits_followed(state: State, event: LevelEditsFollowed) -> None:
    """Go on from here, or be done."""
    edits = state.copy_desk.level_edits[event.leader]
    if event.reached >= 0:
        edits[event.symbol] = event.reached
        return
    del edits[event.symbol]
    if not edits:
        del state.copy_desk.level_edits[event.leader]


EVOLVERS: Evolvers = {LevelEditsFollowed: evolve_level_edits_followed}
