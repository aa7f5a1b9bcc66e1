from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from streams.core.events import PositionResult
from streams.core.limits import CROWD_LOTS_MAX
from streams.core.money import Step
from streams.core.positions import check_size, fill_result
from streams.core.state import Instrument, Ledger, Position, PositionBook, State, value_factors


def instrument() -> Instrument:
    tick, lot = Step(1, 2), Step(1, 3)
    numerator, denominator = value_factors(tick, lot)
    return Instrument(
        "X", "X", "v", "spot", tick, lot, 0,
        value_numerator=numerator, value_denominator=denominator,
    )  # fmt: skip


X = instrument()

# held lots, held cost, trip | lots, price, fee | after: lots, cost, realised, before, trip?, trip
TABLE = """
     0        0     0 |  1000 10000     0 |  1000  100000000         0     0 0         0
  1000 100000000    0 |  1000 12000     0 |  2000  220000000         0  1000 0         0
  2000 220000000    0 |  -500 13000  1000 |  1500  165000000  10000000  2000 0   9999000
  1500 165000000 9999000 | -1500 10000  0 |     0          0 -15000000  1500 1  -5001000
  1000 100000000    0 | -3000 11000    50 | -2000 -220000000  10000000  1000 1   9999950
 -2000 -220000000   0 |  2000 12000     0 |     0          0 -20000000 -2000 1 -20000000
 -1000 -100000000  10 |   400  9000     5 |  -600  -60000000   4000000 -1000 0   4000005
     0        0     0 | -1000 10000     7 | -1000 -100000000         0     0 0        -7
"""


@pytest.mark.parametrize("row", list(TABLE.strip().splitlines()))
def test_a_fill_moves_a_position(row: str) -> None:
    held, fill, after = (list(map(int, part.split())) for part in row.split("|"))
    position = Position(held[0], held[1], 0, held[2]) if held[0] else None
    assert PositionResult(*after) == fill_result(position, X, *fill)


fills = st.lists(
    st.tuples(st.integers(-5_000, 5_000).filter(bool), st.integers(1, 50_000)), max_size=30
)


@given(fills)
def test_what_is_realised_and_what_stays_is_what_was_paid(trades: list[tuple[int, int]]) -> None:
    position: Position | None = None
    paid = realised = 0
    for lots, price in trades:
        result = fill_result(position, X, lots, price, 0)
        paid += X.value_micros(price, lots)
        realised += result.realised_micros
        position = Position(result.lots, result.cost_micros, 0) if result.lots else None
    cost = position.cost_micros if position else 0
    assert paid == cost - realised


@given(fills)
def test_lots_add_up_and_cost_has_their_sign(trades: list[tuple[int, int]]) -> None:
    position: Position | None = None
    held = 0
    for lots, price in trades:
        result = fill_result(position, X, lots, price, 0)
        held += lots
        assert held == result.lots
        assert result.lots * result.cost_micros >= 0
        position = Position(result.lots, result.cost_micros, 0) if result.lots else None


@pytest.mark.parametrize(
    ("lots", "price", "cash", "expected"),
    [
        (10**16, 1, 0, None),
        (10**16 + 1, 1, 0, "LIMIT_REACHED"),
        (10**9, 10**13, 0, "LIMIT_REACHED"),
        (1, 1, 2 * 10**18, "LIMIT_REACHED"),
    ],
)
def test_sizes_are_bounded(lots: int, price: int, cash: int, expected: str | None) -> None:
    refusal = check_size(State(), Ledger(cash_micros=cash), X, lots, price)
    assert expected == (refusal.reason.value if refusal else None)


def test_the_crowds_open_lots_are_bounded() -> None:
    state = State(position_books={"X": PositionBook(lots=CROWD_LOTS_MAX)})
    refusal = check_size(state, Ledger(), X, 1, 1)
    assert refusal is not None
    assert refusal.reason == "LIMIT_REACHED"
