import numpy as np
import pytest

from streams.core.performance.equity import ledger_equity
from streams.core.state import State
from streams.core.valuation import CAPACITY_MIN, Valuation, grown, value_per_lot
from tests.unit.core.records import CASH, add, hold, instrument, mark, market


def test_equities_follow_marks_in_the_order_of_traders():
    state = market(BTC=10_000, ETH=5_000)
    one, two = add(state, "b_one"), add(state, "a_two")
    hold(state, one, "BTC", 500)
    hold(state, two, "ETH", -20)
    valuation = Valuation.from_state(state)
    assert valuation.traders == ["b_one", "a_two"]
    assert valuation.equities().tolist() == [CASH, CASH]
    for symbol, price in (("BTC", 10_100), ("ETH", 5_050)):
        mark(state, symbol, price)
        valuation.set_mark(symbol, value_per_lot(state.instruments[symbol]))
    assert valuation.equities().tolist() == [CASH + 50_000, CASH - 1_000]
    assert [
        ledger_equity(state, each.ledger) for each in state.traders.values()
    ] == valuation.equities().tolist()


def test_a_position_without_a_quote_is_valued_at_cost():
    valuation = Valuation(State())
    valuation.add_trader("t", 5)
    valuation.set_position("t", "NEW", 10, 700)
    assert valuation.equities().tolist() == [5]
    valuation.set_mark("NEW", 80.0)
    assert valuation.equities().tolist() == [105]
    valuation.set_mark("NEW", None)
    assert valuation.equities().tolist() == [5]


def test_value_per_lot():
    assert value_per_lot(instrument("A", 10_000)) == 10_000.0
    assert value_per_lot(instrument("A", 0)) is None


def test_positions_change_leave_and_come_back():
    valuation = Valuation(State())
    valuation.add_trader("t")
    valuation.set_mark("A", 10.0)
    valuation.set_position("t", "A", 0, 0)
    valuation.set_position("t", "A", 3, 0)
    valuation.set_position("t", "A", 5, 1)
    assert valuation.equities().tolist() == [49]
    valuation.set_position("t", "A", 0, 0)
    assert valuation.equities().tolist() == [0]
    valuation.add_trader("u")
    valuation.set_position("u", "A", 2, 0)
    assert valuation.equities().tolist() == [0, 20]


def test_equities_are_read_only_and_kept_until_a_change():
    valuation = Valuation(State())
    valuation.add_trader("t", 1)
    before = valuation.equities()
    assert valuation.equities() is before
    with pytest.raises(ValueError, match="read-only"):
        before[0] = 2
    valuation.set_cash("t", 9)
    assert before.tolist() == [1]
    assert valuation.equities().tolist() == [9]


def test_changed_rows_are_told_once():
    valuation = Valuation(State())
    for trader in "abc":
        valuation.add_trader(trader)
    assert valuation.take_changed() == [0, 1, 2]
    valuation.set_position("c", "A", 1, 1)
    valuation.set_cash("a", 1)
    valuation.set_cash("c", 1)
    assert valuation.take_changed() == [2, 0]
    assert valuation.take_changed() == []


def test_a_trader_is_added_once():
    valuation = Valuation(State())
    valuation.add_trader("t")
    with pytest.raises(ValueError, match="expected a new trader"):
        valuation.add_trader("t")


def test_arrays_grow():
    state = market(**{f"S{number}": 100 + number for number in range(3 * CAPACITY_MIN)})
    for number in range(3 * CAPACITY_MIN):
        trader = add(state, f"t{number}", cash=number)
        hold(state, trader, f"S{number}", number)
        hold(state, trader, "S0", -number)
        trader.ledger.positions.setdefault("NEW", trader.ledger.positions.pop("S0"))
    valuation = Valuation.from_state(state)
    assert valuation.equities().tolist() == [
        ledger_equity(state, each.ledger) for each in state.traders.values()
    ]


def test_growth_doubles_and_fills():
    array = np.arange(3)
    assert grown(array, 3) is array
    assert grown(array, 4, 7).tolist() == [0, 1, 2, 7, 7, 7]
    assert len(grown(array, 10)) == 10


def test_values_beyond_all_bounds_stay_within_integers():
    valuation = Valuation(State())
    valuation.add_trader("t")
    valuation.set_mark("A", 1e12)
    valuation.set_position("t", "A", 2**62, 0)
    assert valuation.equities().tolist() == [2**62]


def test_equities_are_the_same_in_steps(monkeypatch: pytest.MonkeyPatch):
    valuation = Valuation(State())
    for row in range(3):
        valuation.add_trader(f"t{row}", 100 * row)
        for number in range(6):
            valuation.set_position(f"t{row}", f"S{number}", number + 1, number)
    for number in range(6):
        valuation.set_mark(f"S{number}", 2.0)
    whole = valuation.equities().tolist()
    monkeypatch.setattr("streams.core.valuation.BLOCK_SLOTS", 2)
    valuation.set_mark("S0", 2.0)
    assert len(list(valuation.prepare())) == 2
    assert list(valuation.prepare()) == []
    assert valuation.equities().tolist() == whole == [27, 127, 227]
    valuation.set_mark("S0", 2.0)
    assert valuation.equities().tolist() == whole
