"""What the worst and best days look like: quantiles need the returns themselves.

Quantiles interpolate between the two nearest returns. Values at risk are returns: a loss is
negative.

Source: domain.md, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from streams.core.performance.undefined import Metric, undefined


TAIL_RETURNS_MIN = 60
"""Returns below which a 5 % tail is a guess."""

TAIL_SHARE = 20
"""One in so many returns is in the tail: 5 %."""


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of at least one value.

    Args:
        ordered: rising.
        share: which one, in 0...1.
    """
    place = share * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def value_at_risk_95(ordered: Sequence[float]) -> Metric:
    """Return the 5 % quantile of daily returns; undefined below 60.

    Args:
        ordered: returns, rising.
    """
    if len(ordered) < TAIL_RETURNS_MIN:
        return undefined("TOO_FEW_RETURNS")
    return quantile(ordered, 1.0 / TAIL_SHARE)


def expected_shortfall_95(ordered: Sequence[float]) -> Metric:
    """Return the mean of the worst floor(0.05 (n - 1)) + 1 daily returns; undefined below 60.

    Args:
        ordered: returns, rising.
    """
    count = len(ordered)
    if count < TAIL_RETURNS_MIN:
        return undefined("TOO_FEW_RETURNS")
    worst = (count - 1) // TAIL_SHARE + 1
    return fsum(ordered[:worst]) / worst


def tail_ratio(ordered: Sequence[float]) -> Metric:
    """Return the 95 % quantile over the 5 % quantile, both without sign.

    Args:
        ordered: returns, rising.
    """
    if not ordered:
        return undefined("TOO_FEW_RETURNS")
    lower = abs(quantile(ordered, 0.05))
    if lower == 0.0:
        return undefined("NO_LOWER_TAIL")
    return abs(quantile(ordered, 0.95)) / lower
