import pytest
from hypothesis import given, strategies as st

from streams.core.books.levels import (
    choose_level_ticks,
    entry_level,
    entry_ticks_of,
    fix_level,
    level_of,
)
from streams.core.money import Step
from streams.core.state import Instrument, value_factors


def instrument_of(tick: Step, lot: Step) -> Instrument:
    numerator, denominator = value_factors(tick, lot)
    return Instrument(
        "BTC", "", "hl", "perp", tick, lot, 0, value_numerator=numerator,
        value_denominator=denominator,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (0, 1), (1, 1), (999, 1), (1_999, 1), (2_000, 2), (4_999, 2), (5_000, 5), (9_999, 5),
        (10_000, 10), (19_999, 10), (20_000, 20), (642_505, 500), (1_000_000, 1_000),
        (2**62, 2_000_000_000_000_000),
    ],
)  # fmt: skip
def test_width_is_about_a_thousandth_of_the_price(price: int, expected: int) -> None:
    assert expected == choose_level_ticks(price)


def test_the_width_is_fixed_once_and_by_a_price() -> None:
    instrument = instrument_of(Step(5, 1), Step(1, 3))
    fix_level(instrument, 0)
    assert instrument.level_ticks == 0
    assert level_of(instrument, 120_099) == 120_099
    fix_level(instrument, 120_000)
    fix_level(instrument, 1)
    assert instrument.level_ticks == 100
    assert level_of(instrument, 120_099) == 120_000
    assert level_of(instrument, 99) == 0


@pytest.mark.parametrize(("lots", "cost"), [(10, 600_025_000), (-10, -600_025_000)])
def test_average_entry_is_rounded_half_to_even(lots: int, cost: int) -> None:
    instrument = instrument_of(Step(5, 1), Step(1, 3))
    assert entry_ticks_of(instrument, lots, cost) == 120_005
    assert entry_ticks_of(instrument, lots, cost // abs(cost) * 600_022_500) == 120_004


@given(
    st.integers(-1_000, 1_000).filter(bool), st.integers(0, 10**9), st.sampled_from([0, 1, 2, 500])
)
def test_the_level_of_an_entry_is_that_of_its_rounded_price(
    lots: int, size_micros: int, width: int
) -> None:
    cost = size_micros if lots > 0 else -size_micros
    one, other = (instrument_of(Step(5, 1), Step(1, 3)) for _ in range(2))
    one.level_ticks = other.level_ticks = width
    level = entry_level(one, lots, cost)
    price = entry_ticks_of(other, lots, cost)
    fix_level(other, price)
    assert (level, one.level_ticks) == (level_of(other, price), other.level_ticks)
