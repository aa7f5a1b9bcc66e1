"""Values of the replay format: handles, steps and money of recorded markets."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from streams.core.limits import HANDLE_LENGTH_MAX
from streams.core.money import Step
from streams.replica.feeds.records import handle_of, micros, rounded_steps


@pytest.mark.parametrize(
    ("trader", "handle"),
    [
        ("hl:0x513b8629fe877bb581bf244e326a047b249c4ff1", "hl_513b8629fe877bb5"),
        ("nof1:claude-sonnet-4-5", "nof1_claude_sonnet_4_5"),
        ("st:123", "st_123"),
        ("pm:-_-Loud Voice-_-", "pm_loud_voice"),
        ("pm:0xABCDEF", "pm_abcdef"),
        ("nof1:" + "m" * 60, "nof1_" + "m" * 25),
    ],
)
def test_handle_of(trader: str, handle: str) -> None:
    assert handle == handle_of(trader)


@given(st.sampled_from(["hl", "pm", "nof1", "st"]), st.text(max_size=60))
def test_a_handle_is_never_longer_or_of_other_letters_than_allowed(venue: str, name: str) -> None:
    handle = handle_of(f"{venue}:{name}")

    assert len(handle) <= HANDLE_LENGTH_MAX
    assert re.fullmatch(r"[a-z0-9_]+", handle)


@pytest.mark.parametrize(
    ("text", "step", "count"),
    [
        ("1.5", Step(5, 1), 3),
        ("0.25", Step(5, 1), 0),  # ties to even
        ("0.75", Step(5, 1), 2),
        ("-0.75", Step(5, 1), -2),
        ("1e-3", Step(1, 3), 1),
        ("12", Step(1, 0), 12),
    ],
)
def test_rounded_steps(text: str, step: Step, count: int) -> None:
    assert count == rounded_steps(text, step)


@given(st.decimals(min_value=-(10**8), max_value=10**8, places=12), st.integers(0, 10))
def test_steps_are_never_further_than_half_a_step_away(value: Decimal, exponent: int) -> None:
    step = Decimal(1).scaleb(-exponent)

    count = rounded_steps(str(value), Step(1, exponent))

    assert abs(count * step - value) * 2 <= step


@pytest.mark.parametrize(
    ("text", "amount"), [("1.0000005", 1_000_000), ("1.0000015", 1_000_002), ("-2.5", -2_500_000)]
)
def test_micros(text: str, amount: int) -> None:
    assert amount == micros(text)


@pytest.mark.parametrize("text", ["", "x", "NaN", "Infinity", "1e30"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        rounded_steps(text, Step(1, 1))
    with pytest.raises(ValueError, match="expected"):
        micros(text)
