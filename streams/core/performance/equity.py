"""Exact equity of a ledger at the present marks.

Equity is cash plus, for each open position, what its lots are worth now less what they cost. A
position moves no cash when it opens; a fill moves only realised profit and fees. Integers
throughout: this is the number that copying sizes by. `valuation` is the fast approximation for
ranking everybody at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.core.state import Instrument, Ledger, Position, State


def position_profit(instrument: Instrument | None, position: Position) -> int:
    """Return the unrealised profit of a position in micro-units.

    A position whose instrument is unknown or has no quote is valued at cost: profit 0.
    """
    if instrument is None or not instrument.quoted:
        return 0
    return instrument.value_micros(instrument.mark_ticks, position.lots) - position.cost_micros


def ledger_equity(state: State, ledger: Ledger) -> int:
    """Return cash plus unrealised profit of one ledger, in micro-units, exactly."""
    instruments = state.instruments
    equity = ledger.cash_micros
    for symbol, position in ledger.positions.items():
        instrument = instruments.get(symbol)
        if instrument is not None and instrument.bid_ticks > 0:
            # `position_profit` without its four calls: this is the hottest loop of copying
            mark_ticks = (instrument.bid_ticks + instrument.ask_ticks) // 2
            product = mark_ticks * position.lots * instrument.value_numerator
            divisor = instrument.value_denominator
            value = product // divisor if product >= 0 else -(-product // divisor)
            equity += value - position.cost_micros
    return equity


def lot_values(state: State, symbols: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return what one lot of each quoted instrument is worth, as (numerator, denominator)."""
    values = {}
    for symbol in symbols:
        instrument = state.instruments.get(symbol)
        if instrument is not None and instrument.quoted:
            numerator = instrument.mark_ticks * instrument.value_numerator
            values[symbol] = numerator, instrument.value_denominator
    return values


def ledger_worth(values: dict[str, tuple[int, int]], ledger: Ledger) -> tuple[int, int]:
    """Return `ledger_equity`, and the value of the open positions without signs.

    One pass, for many ledgers at one moment. A position without a quote is worth its cost.

    Args:
        values: of this moment, see `lot_values`.
        ledger: read only.
    """
    equity, gross = ledger.cash_micros, 0
    for symbol, position in ledger.positions.items():
        cost = position.cost_micros
        worth = values.get(symbol)
        if worth is None:
            gross += cost if cost > 0 else -cost
            continue
        product = worth[0] * position.lots
        value = product // worth[1] if product >= 0 else -(-product // worth[1])
        equity += value - cost
        gross += value if value > 0 else -value
    return equity, gross
