from datetime import UTC, datetime

import pytest

from streams.core.money import Step
from streams.core.state import Instrument
from streams.core.view.values import (
    confidence,
    entry_price,
    format_time,
    format_time_or_none,
    money,
    price_or_none,
    side_of,
    steps,
)
from tests.unit.core.support import START_US


BITCOIN = Instrument("BTC", "", "hl", "perp", Step(5, 1), Step(1, 3), 0)


@pytest.mark.parametrize(
    ("at_us", "expected"),
    [
        (START_US, "2026-02-01T12:00:00.000000Z"),
        (START_US + 999_999, "2026-02-01T12:00:00.999999Z"),
        (START_US + 1_000_001, "2026-02-01T12:00:01.000001Z"),
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_times_are_utc_with_microseconds(at_us: int, expected: str) -> None:
    assert expected == format_time(at_us)
    assert datetime.fromisoformat(expected) == datetime.fromtimestamp(at_us // 10**6, UTC).replace(
        microsecond=at_us % 10**6
    )


def test_what_is_not_known_is_null() -> None:
    assert format_time_or_none(0) is None
    assert format_time_or_none(START_US) == "2026-02-01T12:00:00.000000Z"
    assert price_or_none(0, Step(5, 1)) is None
    assert confidence(0) is None
    assert side_of(0) is None
    assert entry_price(BITCOIN, 0, 0) is None


def test_numbers_are_shortest_decimals() -> None:
    assert money(-1_500_000) == "-1.5"
    assert steps(120_001, Step(5, 1)) == "60000.5"
    assert price_or_none(2, Step(1, 2)) == "0.02"
    assert confidence(6_550) == 65.5
    assert (side_of(3), side_of(-3)) == ("buy", "sell")


@pytest.mark.parametrize(
    ("lots", "cost", "expected"),
    [
        (1_000, 60_000_500_000, "60000.5"),
        (-1_000, -60_000_500_000, "60000.5"),
        (3, 180_000_001, "60000.00033"),
        (3, 180_000_002, "60000.00067"),
        (5, 0, "0"),
    ],
)
def test_average_entry_has_four_places_more_than_the_tick(
    lots: int, cost: int, expected: str
) -> None:
    assert expected == entry_price(BITCOIN, lots, cost)
