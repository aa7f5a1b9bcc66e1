"""The replay format's values: ids, decimals and defaults of recorded markets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN
from typing import Any

from streams.core.commands import PublishMarks
from streams.core.limits import HANDLE_LENGTH_MAX
from streams.core.money import Step, bounded, parse_decimal
from streams.core.state import State


Record = Mapping[str, Any]

SERVICE = "feed"
"""Principal of everything a feed submits."""

OPENING_CASH: dict[str, int] = {"hl": 1_000_000, "nof1": 10_000, "pm": 100_000}
"""Account units a recorded account starts with, by the prefix of its id; others start with 0."""

FEE_PPM: dict[str, int] = {"hyperliquid": 230}
"""Fee of paper fills by venue: the taker fee that the recorded fills paid, 0.023 %."""

TICK_DEFAULT = Step(1, 10)
LOT_DEFAULT = Step(1, 6)
"""Steps of an instrument whose record names none (`tick`, `lot`)."""

CANDLE_US = {"candle_1m": 60_000_000, "candle_5m": 300_000_000, "candle_1h": 3_600_000_000}
"""Length of the bar that a mark closes, by its source; its high and low are of this time."""

STANCES = {"bullish": 1, "bearish": -1}


def handle_of(trader: str) -> str:
    """Return a handle for a recorded trader's id, for instance `hl_513b8629fe877bb5`."""
    venue, _, name = trader.partition(":")
    name = re.sub(r"[^a-z0-9]+", "_", name.lower().removeprefix("0x")).strip("_")
    if re.fullmatch(r"[0-9a-f]{24,}", name):
        name = name[:16]
    return f"{venue}_{name}"[:HANDLE_LENGTH_MAX]


def rounded_steps(text: str, step: Step) -> int:
    """Return the nearest count of steps of a decimal, half to even.

    Raises:
        ValueError: not a finite decimal, or beyond 62 bits.
    """
    scaled = parse_decimal(text).scaleb(step.exponent) / step.mantissa
    return bounded(int(scaled.to_integral_value(ROUND_HALF_EVEN)))


def micros(text: str) -> int:
    """Return micro-units of a decimal, half to even.

    Raises:
        ValueError: not a finite decimal, or beyond 62 bits.
    """
    scaled = parse_decimal(text).scaleb(6).to_integral_value(ROUND_HALF_EVEN)
    return bounded(int(scaled))


def time_passes(at_us: int) -> PublishMarks:
    """Return the command for a record that changes nothing but must be remembered by its key."""
    return PublishMarks([], at_us, recorded=True)


def was_taken(state: State, key: str) -> bool:
    """Return whether a feed's command with this key was answered before."""
    return f"{SERVICE}:{key}" in state.keys
