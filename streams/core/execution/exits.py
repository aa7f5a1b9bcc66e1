"""Ends positions whose stop or take the quote has reached, at the quote.

A gap through a level gives the first quote beyond it, better or worse. What ends a position is
never refused. At most `EXITS_PER_COMMAND_MAX` end in one command; each second looks again.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.core.commands import SetExitLevels
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.levels import note_edit
from streams.core.copying.pipeline import close_copy_position
from streams.core.events import ExitLevelsSet
from streams.core.execution.exit_levels import Due, next_due, set_levels
from streams.core.fills import book_fill
from streams.core.limits import EXITS_PER_COMMAND_MAX
from streams.core.money import PPM, divide_up
from streams.core.reasons import Reason
from streams.core.state import Instrument, Ledger, Position, State


def end_at_levels(ctx: Context, symbols: Iterable[str]) -> None:
    """End the positions in these instruments whose levels the newest quotes have reached."""
    state = ctx.state
    if not state.exit_levels:
        return
    left = EXITS_PER_COMMAND_MAX
    for symbol in symbols:
        instrument = state.instruments[symbol]
        while symbol in state.exit_levels and left:
            due = next_due(state.exit_levels[symbol], instrument)
            if due is None:
                break
            _end(ctx, instrument, due)
            left -= 1


def _end(ctx: Context, instrument: Instrument, due: Due) -> None:
    state, symbol = ctx.state, instrument.symbol
    at_us = ctx.time(0)
    if due.leader:
        copy = state.copies[due.leader][due.trader]
        price = closing_ticks(instrument, copy.ledger.positions[symbol].lots)
        close_copy_position(ctx, copy, symbol, price, due.reason, at_us)
        return
    close_own_position(ctx, due.trader, symbol, due.reason, at_us)


def closing_ticks(instrument: Instrument, lots: int) -> int:
    """Return the quote at which signed lots would be closed: the bid ends a long position."""
    return instrument.bid_ticks if lots > 0 else instrument.ask_ticks


def close_own_position(ctx: Context, trader: str, symbol: str, reason: str, at_us: int) -> None:
    """Close a trader's whole position in a quoted instrument at the quote.

    Args:
        ctx: the command's context.
        trader: whose own account.
        symbol: an instrument it holds a position in.
        reason: what made the venue close it: `stop_loss`, `take_profit`, `liquidation`.
        at_us: market time.
    """
    instrument = ctx.state.instruments[symbol]
    lots = -ctx.state.traders[trader].ledger.positions[symbol].lots
    price = closing_ticks(instrument, -lots)
    value = instrument.value_micros(price, abs(lots))
    fee = divide_up(value * instrument.fee_ppm, PPM)
    book_fill(ctx, trader, symbol, lots, price, fee, source="paper", at_us=at_us, reason=reason)


def check_levels(side: int, price_ticks: int, stop_ticks: int, take_ticks: int) -> Refusal | None:
    """Refuse levels that stand on the wrong side of a price.

    Args:
        side: +1 for a long position, -1 for a short one.
        price_ticks: what the levels are compared with: a quote or a limit.
        stop_ticks: 0 = none.
        take_ticks: 0 = none.
    """
    if stop_ticks < 0 or take_ticks < 0:
        field = "stop_loss" if stop_ticks < 0 else "take_profit"
        return Refusal(Reason.INVALID_PRICE, "expected a price above 0", field)
    below, above = ("below", "above") if side > 0 else ("above", "below")
    if stop_ticks and stop_ticks * side >= price_ticks * side:
        message = f"expected a stop {below} {price_ticks} ticks, was {stop_ticks}"
        return Refusal(Reason.EXIT_LEVELS_INVALID, message, "stop_loss")
    if take_ticks and take_ticks * side <= price_ticks * side:
        message = f"expected a take {above} {price_ticks} ticks, was {take_ticks}"
        return Refusal(Reason.EXIT_LEVELS_INVALID, message, "take_profit")
    return None


def decide_set_exit_levels(ctx: Context, command: SetExitLevels) -> Decision:
    """Change the levels of one's own position, or of a position of one's own copy.

    Checks in order: UNKNOWN_TRADER, UNKNOWN_COPY, UNKNOWN_POSITION, NO_QUOTE, INVALID_PRICE,
    EXIT_LEVELS_INVALID.
    """
    state = ctx.state
    ledger = _ledger(ctx, command.leader)
    if isinstance(ledger, Refusal):
        return ledger
    position = ledger.positions.get(command.symbol)
    if position is None:
        message = f"expected an open position in {command.symbol}, was none"
        return Refusal(Reason.UNKNOWN_POSITION, message, "symbol")
    instrument = state.instruments[command.symbol]
    if not instrument.quoted:
        return Refusal(Reason.NO_QUOTE, f"{command.symbol} has no quote yet", "symbol")
    stop, take = patched(position, command.stop_ticks, command.take_ticks)
    side = 1 if position.lots > 0 else -1
    refusal = check_levels(side, closing_ticks(instrument, position.lots), stop, take)
    if refusal is not None:
        return refusal
    ctx.emit(ExitLevelsSet(ctx.principal, command.leader, command.symbol, stop, take, ctx.time(0)))
    return command.symbol


def patched(position: Position, stop_ticks: int | None, take_ticks: int | None) -> tuple[int, int]:
    """Return (stop, take) of a position after a patch; None leaves a level as it is."""
    return (
        position.stop_ticks if stop_ticks is None else stop_ticks,
        position.take_ticks if take_ticks is None else take_ticks,
    )


def _ledger(ctx: Context, leader: str) -> Ledger | Refusal:
    state = ctx.state
    trader = state.traders.get(ctx.principal)
    if trader is None:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {ctx.principal}")
    if not leader:
        return trader.ledger
    copy = state.copies.get(leader, {}).get(ctx.principal)
    if copy is None:
        return Refusal(Reason.UNKNOWN_COPY, f"no copy of {leader}", "leader")
    return copy.ledger


def evolve_exit_levels_set(state: State, event: ExitLevelsSet) -> None:
    """Put the levels into the position and the index."""
    if event.leader:
        ledger = state.copies[event.leader][event.trader].ledger
    else:
        ledger = state.traders[event.trader].ledger
    position = ledger.positions[event.symbol]
    holder = (event.leader, event.trader)
    set_levels(state, event.symbol, position, holder, event.stop_ticks, event.take_ticks)
    if not event.leader:
        note_edit(state, event.trader, event.symbol)


DECIDERS: Deciders = {SetExitLevels: decide_set_exit_levels}
EVOLVERS: Evolvers = {ExitLevelsSet: evolve_exit_levels_set}
