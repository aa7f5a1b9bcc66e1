"""Average-cost positions: one pure transition, shared by accounts and copies.

Invariants:
    * `cost_micros` has the sign of `lots`; a flat position does not exist.
    * What a close realises plus what stays as cost is exactly what was there: no rounding leak.
    * A fill through zero ends one round trip and begins the next at the fill's price.
"""

from __future__ import annotations

from streams.core.books import position_book
from streams.core.books.levels import entry_level
from streams.core.context import Refusal
from streams.core.events import PositionResult
from streams.core.execution.exit_levels import forget
from streams.core.limits import CASH_MICROS_MAX, LOTS_MAX, NOTIONAL_MICROS_MAX
from streams.core.money import divide_toward_zero, format_money
from streams.core.reasons import Reason
from streams.core.state import Instrument, Ledger, Position, State


FLAT = Position(lots=0, cost_micros=0, opened_at_us=0)


def fill_result(
    position: Position | None, instrument: Instrument, lots: int, price_ticks: int, fee_micros: int
) -> PositionResult:
    """Return what a fill does to a position (None = flat). Changes nothing.

    Args:
        position: the position before.
        instrument: for the value of a lot.
        lots: signed, not zero.
        price_ticks: price of the fill.
        fee_micros: what the fill cost; booked to the round trip that the fill ends or continues.
    """
    before = position or FLAT
    held = before.lots
    if held == 0 or (held > 0) == (lots > 0):
        cost = before.cost_micros + instrument.value_micros(price_ticks, lots)
        trip = before.trip_micros - fee_micros
        return PositionResult(held + lots, cost, 0, held, 0, trip)
    return _reduced(before, instrument, lots, price_ticks, fee_micros)


def _reduced(
    before: Position, instrument: Instrument, lots: int, price_ticks: int, fee_micros: int
) -> PositionResult:
    held = before.lots
    closed = min(abs(lots), abs(held))
    closing = closed if lots > 0 else -closed
    removed = divide_toward_zero(before.cost_micros * closed, abs(held))
    realised = -instrument.value_micros(price_ticks, closing) - removed
    trip = before.trip_micros + realised - fee_micros
    after = held + lots
    if after == 0:
        return PositionResult(0, 0, realised, held, 1, trip)
    if (after > 0) == (held > 0):
        return PositionResult(after, before.cost_micros - removed, realised, held, 0, trip)
    opening = instrument.value_micros(price_ticks, after)
    return PositionResult(after, opening, realised, held, 1, trip)


def check_size(
    state: State, ledger: Ledger, instrument: Instrument, lots: int, price_ticks: int
) -> Refusal | None:
    """Refuse a fill that would not fit the bounds of a ledger.

    Args:
        state: for the crowd's open lots.
        ledger: the ledger it would be booked to.
        instrument: for the value of a lot.
        lots: signed lots to add.
        price_ticks: their price.
    """
    position = ledger.positions.get(instrument.symbol)
    after = abs((position.lots if position else 0) + lots)
    if after > LOTS_MAX or abs(lots) > LOTS_MAX:
        return Refusal(
            Reason.LIMIT_REACHED, f"expected at most {LOTS_MAX} lots in a position", "quantity"
        )
    if not position_book.has_room(state, instrument.symbol, abs(lots)):
        return Refusal(Reason.LIMIT_REACHED, "the crowd's open lots are at their bound", "quantity")
    value = abs(instrument.value_micros(price_ticks, lots))
    cost = abs(position.cost_micros) if position else 0
    if value + cost > NOTIONAL_MICROS_MAX:
        most = format_money(NOTIONAL_MICROS_MAX)
        return Refusal(Reason.LIMIT_REACHED, f"expected a value of at most {most}", "quantity")
    if abs(ledger.cash_micros) > CASH_MICROS_MAX:
        return Refusal(Reason.LIMIT_REACHED, "the account is out of bounds", "quantity")
    return None


def evolve_position(
    state: State,
    ledger: Ledger,
    symbol: str,
    lots: int,
    cost_micros: int,
    trip_micros: int,
    at_us: int,
) -> None:
    """Put a position into a ledger and move it in the crowd's position book.

    Args:
        state: changed in place.
        ledger: the account or the ring fence that holds the position.
        symbol: the instrument.
        lots: signed lots after; 0 removes the position.
        cost_micros: signed cost after.
        trip_micros: running profit of the round trip the position is in.
        at_us: market time; becomes the opening time when the position begins or flips.
    """
    instrument = state.instruments[symbol]
    positions = ledger.positions
    position = positions.get(symbol)
    if lots == 0:
        if position is not None:
            position_book.remove(state, symbol, position.lots, position.level_ticks)
            forget(state, symbol, position)
            del positions[symbol]
            state.totals.open_positions -= 1
        return
    level = entry_level(instrument, lots, cost_micros)
    if position is None:
        position_book.add(state, symbol, lots, level)
        positions[symbol] = Position(
            lots, cost_micros, at_us, trip_micros, level, entered_micros=abs(cost_micros)
        )
        state.totals.open_positions += 1
        return
    position_book.move(state, symbol, position.lots, position.level_ticks, lots, level)
    if (position.lots > 0) != (lots > 0):
        forget(state, symbol, position)
        position.opened_at_us = at_us
        position.close_carry_ppb = 0
        position.entered_micros, position.risk_micros = abs(cost_micros), 0
    else:
        added = (
            cost_micros - position.cost_micros if lots > 0 else position.cost_micros - cost_micros
        )
        # A fill that reduces makes the cost smaller and adds nothing.
        if added > 0:
            position.entered_micros += added
    position.lots = lots
    position.cost_micros = cost_micros
    position.trip_micros = trip_micros
    position.level_ticks = level


def evolve_ledger_fill(
    state: State, ledger: Ledger, symbol: str, result: PositionResult, fee_micros: int, at_us: int
) -> None:
    """Apply a fill's result to a ledger: cash, totals, position, book."""
    ledger.cash_micros += result.realised_micros - fee_micros
    ledger.realised_micros += result.realised_micros
    ledger.fees_micros += fee_micros
    trip = 0 if result.trip else result.trip_micros
    evolve_position(state, ledger, symbol, result.lots, result.cost_micros, trip, at_us)


def evolve_reported_fill(
    ledger: Ledger, symbol: str, result: PositionResult, fee_micros: int, at_us: int
) -> None:
    """Apply a self-reported fill to the ledger kept for such: no book and no total sees it."""
    ledger.cash_micros += result.realised_micros - fee_micros
    ledger.realised_micros += result.realised_micros
    ledger.fees_micros += fee_micros
    if result.lots == 0:
        ledger.positions.pop(symbol, None)
        return
    trip = 0 if result.trip else result.trip_micros
    before = ledger.positions.get(symbol)
    opened = before.opened_at_us if before and not result.trip else at_us
    ledger.positions[symbol] = Position(result.lots, result.cost_micros, opened, trip)
