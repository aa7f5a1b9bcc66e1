import pytest

from streams.core.money import Step
from streams.core.performance.equity import (
    ledger_equity,
    ledger_worth,
    lot_values,
    position_profit,
)
from streams.core.state import Instrument, Ledger, Position, State, Trader, value_factors


def instrument(symbol: str, bid: int, ask: int, settled: bool = False) -> Instrument:
    tick, lot = Step(1, 2), Step(1, 3)
    numerator, denominator = value_factors(tick, lot)
    return Instrument(
        symbol=symbol,
        name=symbol,
        venue="hl",
        asset_class="crypto",
        tick=tick,
        lot=lot,
        fee_ppm=0,
        bid_ticks=bid,
        ask_ticks=ask,
        settled=settled,
        value_numerator=numerator,
        value_denominator=denominator,
    )


def test_cash_alone():
    assert ledger_equity(State(), Ledger(cash_micros=7)) == 7


def test_long_and_short_at_the_middle():
    state = State(instruments={"A": instrument("A", 9_999, 10_001), "B": instrument("B", 500, 501)})
    ledger = Ledger(
        cash_micros=1_000,
        positions={
            "A": Position(lots=3, cost_micros=250_000, opened_at_us=0),
            "B": Position(lots=-2, cost_micros=-12_000, opened_at_us=0),
        },
    )
    # A: 100.00 x 0.003 = 0.3; B: middle 500 (rounded down), 5.00 x -0.002 = -0.01
    assert ledger_equity(state, ledger) == 1_000 + (300_000 - 250_000) + (-10_000 + 12_000)


@pytest.mark.parametrize("instruments", [{}, {"A": instrument("A", 0, 0)}])
def test_without_a_quote_a_position_is_valued_at_cost(instruments):
    state = State(instruments=instruments)
    ledger = Ledger(cash_micros=5, positions={"A": Position(1, 400, 0)})
    assert ledger_equity(state, ledger) == 5


def test_equity_of_a_trader():
    state = State(
        instruments={"A": instrument("A", 100, 100)},
        traders={
            "t_1": Trader("t_1", "one", "One", "account", 0, ledger=Ledger(9, 0, 0, {})),
        },
    )
    assert ledger_equity(state, state.traders["t_1"].ledger) == 9


def test_profit_of_one_position():
    assert position_profit(instrument("A", 200, 200), Position(5, 1_000, 0)) == 9_000


def test_a_position_without_a_quote_makes_no_profit() -> None:
    assert position_profit(None, Position(5, 100, 0)) == 0


def test_worth_of_many_ledgers_at_once():
    state = State(instruments={"A": instrument("A", 9_999, 10_001), "B": instrument("B", 500, 501)})
    state.instruments["C"] = instrument("C", 0, 0)
    positions = {
        "A": Position(lots=3, cost_micros=250_000, opened_at_us=0),
        "B": Position(lots=-2, cost_micros=-12_000, opened_at_us=0),
        "C": Position(lots=-2, cost_micros=-7, opened_at_us=0),
        "UNKNOWN": Position(lots=1, cost_micros=5, opened_at_us=0),
    }
    ledger = Ledger(cash_micros=1_000, positions=positions)
    equity, gross = ledger_worth(lot_values(state, positions), ledger)
    assert equity == ledger_equity(state, ledger)
    assert gross == 300_000 + 10_000 + 7 + 5
