"""Everybody's equity and unit at once against one trader at a time."""

from __future__ import annotations

from hypothesis import given, strategies as st

from streams.core.money import Step
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import (
    close_day,
    record_flow,
    unit_now,
)
from streams.core.state import Position, State, Track, Trader
from streams.core.valuation import Valuation, value_per_lot
from tests.unit.core.records import instrument


MICROS_MAX = 2**50
"""Value of a position up to which the fast valuation promises one micro-unit."""

steps = st.builds(Step, st.sampled_from([1, 5, 25]), st.integers(0, 9))
prices = st.integers(0, 10**9)


@st.composite
def states(draw: st.DrawFn) -> State:
    state = State()
    for number in range(draw(st.integers(1, 4))):
        symbol = f"S{number}"
        state.instruments[symbol] = instrument(symbol, draw(prices), draw(steps), draw(steps))
    symbols = [*state.instruments, "UNKNOWN"]
    for number in range(draw(st.integers(1, 5))):
        trader = Trader(f"t{number}", f"t{number}", "", "account", 0)
        trader.ledger.cash_micros = draw(st.integers(-(2**50), 2**50))
        for symbol in draw(st.lists(st.sampled_from(symbols), unique=True)):
            lots = draw(st.integers(-(10**12), 10**12).filter(bool))
            known = state.instruments.get(symbol)
            if known and abs(known.value_micros(known.mark_ticks, lots)) > MICROS_MAX:
                lots = 1
            cost = draw(st.integers(0, 2**50))
            trader.ledger.positions[symbol] = Position(lots, cost if lots > 0 else -cost, 0)
        state.traders[trader.trader] = trader
    return state


def worst(state: State, valuation: Valuation) -> int:
    """Return the largest difference over what is allowed, in micro-units."""
    differences = []
    for trader, fast in zip(state.traders.values(), valuation.equities().tolist(), strict=True):
        slow = ledger_equity(state, trader.ledger)
        differences.append(abs(slow - fast) - len(trader.ledger.positions))
    return max(differences)


@given(states(), st.data())
def test_fast_equity_is_slow_equity_within_a_micro_a_position(state, data):
    valuation = Valuation.from_state(state)
    assert worst(state, valuation) <= 0
    for _ in range(data.draw(st.integers(0, 10))):
        trader = data.draw(st.sampled_from(list(state.traders.values())))
        symbol = data.draw(st.sampled_from(list(state.instruments)))
        if data.draw(st.booleans()):
            held = state.instruments[symbol]
            held.bid_ticks = held.ask_ticks = data.draw(prices) // 10**6
            valuation.set_mark(symbol, value_per_lot(held))
        else:
            lots, cost = data.draw(st.integers(-100, 100)), data.draw(st.integers(0, 10**9))
            trader.ledger.positions.pop(symbol, None)
            if lots:
                trader.ledger.positions[symbol] = Position(lots, cost, 0)
            trader.ledger.cash_micros += cost
            valuation.set_cash(trader.trader, trader.ledger.cash_micros)
            valuation.set_position(trader.trader, symbol, lots, cost)
    assert valuation.equities().tolist() == Valuation.from_state(state).equities().tolist()
    assert worst(state, valuation) <= 0


equities = st.integers(1, 10**15)


@given(equities, st.lists(st.tuples(st.fractions(0.5, 2), st.booleans(), equities), max_size=20))
def test_flows_never_make_a_return(start, moves):
    track = Track()
    record_flow(track, 0, start)
    equity, product, growths = start, 1.0, []
    for number, (factor, flows, after) in enumerate(moves):
        moved = max(int(equity * factor), 1)
        growths.append(moved / equity)
        product *= moved / equity
        equity = moved
        if flows:
            before = unit_now(track, equity)
            record_flow(track, equity, after)
            equity = after
            assert abs(unit_now(track, equity) - before) <= 1e-12 * before
        else:
            close_day(track, number, equity)
    bounded = min(product, 1e9)
    assert abs(unit_now(track, equity) - bounded) <= 1e-9 * bounded or max(growths) > 1e6
    assert all(0 <= day.unit_ppb < 2**63 for day in track.days)
