"""Ticks and lots read off a recording make all its prices and sizes exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streams.core.money import parse_step, parse_steps
from streams.replica.feeds.steps import LOT_PLACES_MAX, PRICES, SIZES, TICK_PLACES_MAX, with_steps


SYMBOLS = ("hl:BTC", "pm:1", "st:X")


def decimals(places: int, *, least: int) -> st.SearchStrategy[str]:
    exact = st.decimals(min_value=least, max_value=10**5, places=places)
    return exact.map(str) | exact.map(lambda value: f"{value:e}") | exact.map(lambda v: f"{v:f}")


@st.composite
def recordings(draw: st.DrawFn) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = [
        {"t": 0, "type": "inst", "inst": symbol, "venue": "v"} for symbol in SYMBOLS
    ]
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from([*PRICES, "message", "account"]))
        record: dict[str, Any] = {"t": 1, "type": kind, "inst": draw(st.sampled_from(SYMBOLS))}
        for name in PRICES.get(kind, ()):
            record[name] = draw(decimals(draw(st.integers(0, TICK_PLACES_MAX)), least=0))
        for name in SIZES.get(kind, ()):
            record[name] = draw(decimals(draw(st.integers(0, LOT_PLACES_MAX)), least=-100))
        records.append(record)
    return records


@given(recordings())
def test_every_price_and_size_is_exact(records: list[dict[str, Any]]) -> None:
    steps = {}
    for record in with_steps(records):
        if record["type"] == "inst":
            steps[record["inst"]] = parse_step(record["tick"]), parse_step(record["lot"])
        kind = record["type"]
        for index, names in enumerate((PRICES.get(kind, ()), SIZES.get(kind, ()))):
            for name in names:
                step = steps[record["inst"]][index]
                count = parse_steps(record[name], step)
                assert Decimal(record[name]) == count * Decimal(step.text())


@given(recordings())
def test_records_stay_as_they_are_otherwise(records: list[dict[str, Any]]) -> None:
    found = with_steps(records)

    without = [{k: v for k, v in record.items() if k not in ("tick", "lot")} for record in found]
    assert records == without


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        ("100", "1"),
        ("1e3", "1"),
        ("0.50", "0.1"),
        ("0.0000001", "0.0000001"),
        ("1e-10", "0.0000000001"),
        ("1e-12", "0.0000000001"),  # bounded: the feed rounds what is finer
    ],
)
def test_tick_of_one_price(price: str, tick: str) -> None:
    records = [
        {"t": 0, "type": "inst", "inst": "X"},
        {"t": 1, "type": "mark", "inst": "X", "px": price},
    ]

    assert {"t": 0, "type": "inst", "inst": "X", "tick": tick, "lot": "1"} == with_steps(records)[0]


def test_steps_that_a_line_names_are_kept() -> None:
    named = {"t": 0, "type": "inst", "inst": "X", "tick": "0.5", "lot": "0.25"}

    assert [named] == with_steps([named])


def test_a_size_that_is_missing_needs_no_places() -> None:
    records = [
        {"t": 0, "type": "inst", "inst": "X"},
        {"t": 1, "type": "fill", "inst": "X", "px": "1.5", "qty": "2", "pos0": ""},
    ]

    assert with_steps(records)[0]["lot"] == "1"
