"""Exact numbers: decimals at the edge, integers inside.

Prices are counted in ticks of the instrument, quantities in lots, money in micro-units of the
account currency (1 USD = 1,000,000). A tick or a lot is `mantissa x 10**-exponent`. Rounding is
named by its direction wherever it happens; no float ever enters this module.

Source: architecture.md, "The core"; ADR 0003 (integer money).
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Final, NamedTuple

from streams.core.limits import DECIMAL_DIGITS_MAX, INTEGER_MAX


MICROS = 1_000_000
PPM = 1_000_000
BPS = 10_000

_PLAIN: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
"""ASCII digits only; `Decimal` would also take `1_0`, spaces and the digits of other scripts."""

_EXACT: Final = Context(prec=100)
"""Holds every decimal that is parsed, times a unit, to its last digit."""


class Step(NamedTuple):
    """A tick or lot size: `mantissa x 10**-exponent`, mantissa > 0, exponent 0…18."""

    mantissa: int
    exponent: int

    def text(self) -> str:
        """Return the size as a decimal string."""
        return format_scaled(self.mantissa, self.exponent)


def parse_decimal(text: str) -> Decimal:
    """Parse a finite decimal of bounded length.

    Ten characters can name a number of a million digits: what is beyond `DECIMAL_DIGITS_MAX`
    digits by its exponent is refused before anything makes an integer of it.

    Raises:
        ValueError: not a plain finite decimal number, or more than `DECIMAL_DIGITS_MAX` digits.
    """
    if len(text) > DECIMAL_DIGITS_MAX + 2:
        raise ValueError(f"expected at most {DECIMAL_DIGITS_MAX} digits, was {len(text)} long")
    if _PLAIN.fullmatch(text) is None:
        raise ValueError(f"expected a plain finite decimal number, was {text!r}")
    value = Decimal(text)
    if value.adjusted() >= DECIMAL_DIGITS_MAX:
        raise ValueError(f"expected at most {DECIMAL_DIGITS_MAX} digits, was {text!r}")
    return value


def parse_step(text: str) -> Step:
    """Parse a tick or lot size such as `"0.5"`.

    Raises:
        ValueError: not a positive decimal with at most 18 places.
    """
    value = parse_decimal(text).normalize()
    _, digits, exponent = value.as_tuple()
    mantissa = int("".join(map(str, digits)))
    exponent = int(exponent)
    if value <= 0 or exponent < -18:
        raise ValueError(f"expected a positive decimal with at most 18 places, was {text!r}")
    if exponent > 0:
        mantissa, exponent = mantissa * 10**exponent, 0
    return Step(mantissa, -exponent)


def parse_steps(text: str, step: Step) -> int:
    """Return how many whole steps a decimal is.

    Raises:
        ValueError: not a multiple of the step, or beyond 63 bits.
    """
    scaled = parse_decimal(text).scaleb(step.exponent, _EXACT)
    count, rest = divmod(int(scaled), step.mantissa)
    if rest or int(scaled) != scaled:
        raise ValueError(f"expected a multiple of {step.text()}, was {text}")
    return bounded(count)


def parse_money(text: str) -> int:
    """Return micro-units of a decimal amount with at most six places.

    Raises:
        ValueError: more than six decimal places, or beyond 63 bits.
    """
    scaled = parse_decimal(text).scaleb(6, _EXACT)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"expected at most 6 decimal places, was {text}")
    return bounded(whole)


def parse_parts(text: str, unit: int) -> int:
    """Return a ratio such as `"1.5"` in parts of `unit` (`PPM` or `BPS`).

    Raises:
        ValueError: finer than one part, or beyond 63 bits.
    """
    scaled = _EXACT.multiply(parse_decimal(text), Decimal(unit))
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"expected a multiple of 1/{unit}, was {text}")
    return bounded(whole)


def bounded(value: int) -> int:
    """Return the value if it fits 63 bits.

    Raises:
        ValueError: it does not.
    """
    if not -INTEGER_MAX <= value <= INTEGER_MAX:
        raise ValueError(f"expected at most {INTEGER_MAX} in absolute value, was more")
    return value


def format_scaled(value: int, exponent: int) -> str:
    """Return `value x 10**-exponent` as the shortest plain decimal string."""
    if exponent == 0:
        return str(value)
    sign = "-" if value < 0 else ""
    whole, fraction = divmod(abs(value), 10**exponent)
    if fraction == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{str(fraction).zfill(exponent).rstrip('0')}"


def format_steps(count: int, step: Step) -> str:
    """Return `count` ticks or lots as a decimal string."""
    return format_scaled(count * step.mantissa, step.exponent)


def format_money(micros: int) -> str:
    """Return micro-units as a decimal string."""
    return format_scaled(micros, 6)


def format_parts(value: int, unit: int) -> str:
    """Return parts of `unit` (`PPM` or `BPS`) as a decimal string."""
    return format_scaled(value, 6 if unit == PPM else 4)


def divide_half_even(numerator: int, denominator: int) -> int:
    """Divide integers, ties to even. `denominator` > 0."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient


def divide_toward_zero(numerator: int, denominator: int) -> int:
    """Divide integers, dropping the fraction. `denominator` > 0."""
    if numerator >= 0:
        return numerator // denominator
    return -(-numerator // denominator)


def divide_up(numerator: int, denominator: int) -> int:
    """Divide integers, rounding toward positive infinity. `denominator` > 0."""
    return -(-numerator // denominator)
