"""Exact equity of a ledger at the present marks.

Equity is cash plus, for each open position, what its lots are worth now less what they cost. A
position moves no cash when it opens; a fill moves only realised profit and fees. Integers
throughout: this is the number that copying sizes by. `valuation` is the fast approximation for
ranking everybody at once.
"""

from __future__ import annotations

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


def ledger_gross(state: State, ledger: Ledger) -> int:
    """Return the value of the open positions of a ledger without signs, in micro-units.

    A position without a quote is taken at its cost.
    """
    gross = 0
    for symbol, position in ledger.positions.items():
        instrument = state.instruments.get(symbol)
        if instrument is None or not instrument.quoted:
            gross += abs(position.cost_micros)
        else:
            gross += abs(instrument.value_micros(instrument.mark_ticks, position.lots))
    return gross


def equity_of(state: State, trader: str) -> int:
    """Return the equity of a trader's own account in micro-units, exactly.

    Raises:
        KeyError: no such trader.
    """
    return ledger_equity(state, state.traders[trader].ledger)
