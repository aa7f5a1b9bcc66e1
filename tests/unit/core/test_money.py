from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from streams.core.money import (
    BPS,
    PPM,
    Step,
    bounded,
    divide_half_even,
    divide_toward_zero,
    divide_up,
    format_money,
    format_parts,
    format_scaled,
    format_steps,
    parse_decimal,
    parse_money,
    parse_parts,
    parse_step,
    parse_steps,
)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("0.5", Step(5, 1)),
        ("1", Step(1, 0)),
        ("0.0100", Step(1, 2)),
        ("250", Step(250, 0)),
        ("1e-18", Step(1, 18)),
    ],
)
def test_steps_are_parsed(text: str, step: Step) -> None:
    assert step == parse_step(text)


@pytest.mark.parametrize("text", ["0", "-1", "1e-19", "x", "", "NaN", "Infinity"])
def test_what_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_step(text)


@pytest.mark.parametrize(
    ("text", "count"), [("64250.5", 128_501), ("0", 0), ("-1.5", -3), ("1E2", 200)]
)
def test_decimals_become_whole_steps(text: str, count: int) -> None:
    assert count == parse_steps(text, Step(5, 1))


@pytest.mark.parametrize("text", ["0.25", "9" * 43, "1e30", "a", "--1"])
def test_decimals_off_the_step_or_out_of_bounds_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_steps(text, Step(5, 1))


def test_money_has_six_places() -> None:
    assert parse_money("12.345678") == 12_345_678
    with pytest.raises(ValueError, match="6 decimal places"):
        parse_money("0.0000001")


def test_ratios_are_whole_parts() -> None:
    assert (parse_parts("1.5", PPM), parse_parts("0.25", BPS)) == (1_500_000, 2_500)
    with pytest.raises(ValueError, match="multiple of 1/10000"):
        parse_parts("0.00001", BPS)


def test_bounds() -> None:
    assert bounded(2**62) == 2**62
    with pytest.raises(ValueError, match="at most"):
        bounded(-(2**62) - 1)


@pytest.mark.parametrize(
    ("value", "exponent", "text"),
    [(5, 0, "5"), (-1_050, 2, "-10.5"), (7, 3, "0.007"), (-7, 3, "-0.007"), (1_000, 3, "1")],
)
def test_numbers_are_written_shortest(value: int, exponent: int, text: str) -> None:
    assert text == format_scaled(value, exponent)


def test_formats_by_unit() -> None:
    assert format_money(-1_500_000) == "-1.5"
    assert format_parts(1_500_000, PPM) == "1.5"
    assert format_parts(2_500, BPS) == "0.25"
    assert format_steps(3, Step(25, 2)) == "0.75"
    assert Step(5, 1).text() == "0.5"


@given(st.integers(-(2**60), 2**60), st.integers(1, 999), st.integers(0, 12))
def test_writing_and_parsing_are_inverse(count: int, mantissa: int, exponent: int) -> None:
    step = Step(mantissa, exponent)
    text = format_steps(count, step)
    if abs(Decimal(text)).adjusted() < 38:
        assert count == parse_steps(text, step)


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_divisions_round_as_they_say(numerator: int, denominator: int) -> None:
    exact = Decimal(numerator) / denominator
    assert divide_toward_zero(numerator, denominator) == int(exact)
    assert divide_up(numerator, denominator) == -(-numerator // denominator)
    assert divide_half_even(numerator, denominator) == round(exact)


def test_plain_decimals_only() -> None:
    assert parse_decimal("1.50") == Decimal("1.5")
    with pytest.raises(ValueError, match="finite"):
        parse_decimal("sNaN")


@pytest.mark.parametrize(
    "text",
    ["1_0", "\uff11", "\u0663", " 5", "5 ", "0x5", "", ".", "+", "e5", "1e", "1e1000", "5\n"],
)
def test_look_alikes_of_decimals_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="plain finite decimal"):
        parse_decimal(text)


@pytest.mark.parametrize("text", ["1e999990", "1e99999", "9e40", "-1e999", "0e999"])
def test_an_exponent_cannot_make_a_number_of_a_million_digits(text: str) -> None:
    # each of these held the event loop for seconds, the first one for a minute
    for parse in (parse_decimal, parse_money):
        with pytest.raises(ValueError, match="expected"):
            parse(text)


def test_no_digit_is_rounded_away() -> None:
    for text in ("0.5000000000000000000000000001", "1.0000000000000000000000000001"):
        with pytest.raises(ValueError, match="multiple"):
            parse_steps(text, Step(5, 1))
        with pytest.raises(ValueError, match="multiple"):
            parse_parts(text, BPS)
        with pytest.raises(ValueError, match="decimal places"):
            parse_money(text)
