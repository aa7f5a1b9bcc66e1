"""A metric that has no value says why: never 0, infinity, nan or -100 in its place.

Source: domain.md, section 3 ("undefined = null + reason").
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class UndefinedReason(StrEnum):
    """Why a metric has no value; docs/reference/performance.md says when."""

    NO_RECORD = "NO_RECORD"
    TOO_FEW_RETURNS = "TOO_FEW_RETURNS"
    RECORD_TOO_SHORT = "RECORD_TOO_SHORT"
    NO_VARIATION = "NO_VARIATION"
    NO_DOWNSIDE = "NO_DOWNSIDE"
    NO_DRAWDOWN = "NO_DRAWDOWN"
    DRAWDOWN_OPEN = "DRAWDOWN_OPEN"
    WIPED = "WIPED"
    RADICAND_NOT_POSITIVE = "RADICAND_NOT_POSITIVE"
    NOT_ABOVE_THRESHOLD = "NOT_ABOVE_THRESHOLD"
    NO_TRIALS = "NO_TRIALS"
    NO_LOWER_TAIL = "NO_LOWER_TAIL"
    NO_BENCHMARK = "NO_BENCHMARK"
    TOO_FEW_COMMON_DAYS = "TOO_FEW_COMMON_DAYS"
    NO_CLOSED_TRADES = "NO_CLOSED_TRADES"
    TOO_FEW_TRADES = "TOO_FEW_TRADES"
    NO_WINS = "NO_WINS"
    NO_LOSSES = "NO_LOSSES"
    NO_INITIAL_STOP = "NO_INITIAL_STOP"


class Undefined(NamedTuple):
    """A metric without a value."""

    reason: UndefinedReason


Metric = float | Undefined


def undefined(name: str) -> Undefined:
    """Return a metric without a value by the name of its reason."""
    return Undefined(UndefinedReason(name))
