"""States with instruments, traders and records, built without a kernel."""

from __future__ import annotations

from streams.core.market_clock import DAY_US, day_of
from streams.core.money import Step
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import close_day, record_fill, record_flow
from streams.core.state import Instrument, Position, State, Trader, value_factors


CASH = 1_000_000_000
"""Money that a trader of these tests starts with: a thousand."""

CENT, LOT = Step(1, 2), Step(1, 4)

TODAY = 20_000
"""The UTC day on which the market clock of these tests starts."""


def instrument(symbol: str, price: int, tick: Step = CENT, lot: Step = LOT) -> Instrument:
    numerator, denominator = value_factors(tick, lot)
    return Instrument(
        symbol=symbol,
        name=symbol,
        venue="hl",
        asset_class="crypto",
        tick=tick,
        lot=lot,
        fee_ppm=0,
        bid_ticks=price,
        ask_ticks=price,
        value_numerator=numerator,
        value_denominator=denominator,
    )


def market(**prices: int) -> State:
    instruments = {symbol: instrument(symbol, price) for symbol, price in prices.items()}
    return State(instruments=instruments, market_at_us=TODAY * DAY_US + 1)


def add(
    state: State, name: str, first_fill_us: int = 1, joined_at_us: int = 1, cash: int = CASH
) -> Trader:
    """Add a funded trader; without a first fill it is never ranked."""
    trader = Trader(name, name, name, "account", joined_at_us)
    state.traders[name] = trader
    trader.ledger.cash_micros = cash
    record_flow(trader.track, 0, cash)
    if first_fill_us:
        record_fill(trader.track, first_fill_us)
    return trader


def hold(state: State, trader: Trader, symbol: str, lots: int) -> None:
    """Open a position at the mark."""
    held = state.instruments[symbol]
    cost = held.value_micros(held.mark_ticks, lots)
    trader.ledger.positions[symbol] = Position(lots, cost, 0)


def mark(state: State, symbol: str, price: int) -> None:
    held = state.instruments[symbol]
    held.bid_ticks = held.ask_ticks = price


def close_tracks(state: State) -> int:
    """Close the present day in every track with a fill, as the kernel does; return its number."""
    day = day_of(state.market_at_us)
    for trader in state.traders.values():
        if trader.track.fills:
            close_day(trader.track, day, ledger_equity(state, trader.ledger))
    return day


def next_day(state: State) -> None:
    state.market_at_us = (day_of(state.market_at_us) + 1) * DAY_US
