"""Values as clients see them: times, prices, quantities, money.

Numbers that must be exact are decimal strings in their shortest form; ratios are JSON numbers;
what is not known is null, never 0. Recent texts are remembered, because the many decisions that
follow one fill share most of their numbers.

Source: api.md, "Conventions".
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from streams.core.money import MICROS, Step, divide_half_even, format_scaled
from streams.core.state import Instrument


REMEMBERED_TEXTS_MAX = 8_192
"""Number texts remembered; the least recently used leaves."""

REMEMBERED_SECONDS_MAX = 256
"""Second texts remembered; the least recently used leaves."""

ENTRY_DIGITS_MORE = 4
"""Decimal places of an average entry price beyond those of the tick."""

STANCES = {1: "bullish", -1: "bearish"}
"""Names of declared stances; none declared is null."""


@lru_cache(REMEMBERED_SECONDS_MAX)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def format_time(at_us: int) -> str:
    """Return RFC 3339 in UTC with microseconds: `2026-02-01T12:00:00.000000Z`."""
    seconds, fraction = divmod(at_us, 1_000_000)
    return f"{_second(seconds)}.{fraction:06d}Z"


def format_time_or_none(at_us: int) -> str | None:
    """Return the time, or None for 0 (has not happened)."""
    return format_time(at_us) if at_us else None


scaled = lru_cache(REMEMBERED_TEXTS_MAX)(format_scaled)
"""`format_scaled` that remembers: (value, exponent) to text."""


def money(micros: int) -> str:
    """Return micro-units as a decimal string."""
    return scaled(micros, 6)


def steps(count: int, step: Step) -> str:
    """Return ticks or lots as a decimal string."""
    return scaled(count * step[0], step[1])


def price_or_none(price_ticks: int, tick: Step) -> str | None:
    """Return a price, or None for 0 (not given)."""
    return scaled(price_ticks * tick[0], tick[1]) if price_ticks else None


def entry_price(instrument: Instrument, lots: int, cost_micros: int) -> str | None:
    """Return the average entry price of a position, or None when it is flat.

    Rounded half to even, `ENTRY_DIGITS_MORE` places beyond the tick's.
    """
    if lots == 0:
        return None
    exponent = instrument.tick[1] + ENTRY_DIGITS_MORE
    mantissa, places = instrument.lot
    numerator = abs(cost_micros) * 10 ** (exponent + places)
    return scaled(divide_half_even(numerator, abs(lots) * mantissa * MICROS), exponent)


def side_of(lots: int) -> str | None:
    """Return `buy` for lots > 0, `sell` for lots < 0, None for none."""
    if lots == 0:
        return None
    return "buy" if lots > 0 else "sell"


def confidence(confidence_bps: int) -> float | None:
    """Return a confidence as a percentage, or None when none is stated."""
    return confidence_bps / 100 if confidence_bps else None
