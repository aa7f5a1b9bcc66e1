"""Period metrics of level and spread, from daily returns of the mark-to-market unit curve.

Returns are fractions (0.01 = 1 %), in order of time. `annualisation` is the number of returns a
year: 365 for markets that never close, 252 for exchanges, 12 for monthly returns. Metrics over a
risk-free rate take the moments of `excess` returns.

Source: domain.md, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from streams.core.performance.moments import Moments
from streams.core.performance.periods import DAYS_A_YEAR
from streams.core.performance.undefined import Metric, undefined


CONSISTENCY_DAYS_MIN = 5
"""Days with a gain or a loss below which consistency says nothing."""


def excess(returns: Sequence[float], risk_free: float, annualisation: float) -> list[float]:
    """Return the returns over the daily equivalent of an annual risk-free rate."""
    if risk_free == 0.0:
        return list(returns)
    daily = (1.0 + risk_free) ** (1.0 / annualisation) - 1.0
    return [value - daily for value in returns]


def total_return(returns: Sequence[float]) -> float:
    """Return the compounded return; -1 from the day on that lost everything."""
    growth = 1.0
    for value in returns:
        if value <= -1.0:
            return -1.0
        growth *= 1.0 + value
    return growth - 1.0


def annual_return(total: Metric, years: float) -> Metric:
    """Return the compound annual growth rate; hidden below a year, when it would be a guess.

    Args:
        total: total return over the whole record.
        years: length of the record.
    """
    if years < 1.0:
        return undefined("RECORD_TOO_SHORT")
    return growth_rate(total, years)


def growth_rate(total: Metric, years: float) -> Metric:
    """Return the compound annual growth rate of a record of any length, for ratios."""
    if not isinstance(total, float):
        return total
    if years <= 0.0:
        return undefined("RECORD_TOO_SHORT")
    if total <= -1.0:
        return -1.0
    try:
        return float((1.0 + total) ** (1.0 / years) - 1.0)
    except OverflowError:
        # Days that multiply the account: a year of them is beyond what a number holds.
        return undefined("RECORD_TOO_SHORT")


def annual_volatility(moments: Moments, annualisation: float = DAYS_A_YEAR) -> Metric:
    """Return the annualised sample deviation (n - 1); undefined below two returns."""
    if moments.count < 2:
        return undefined("TOO_FEW_RETURNS")
    return sqrt(moments.m2 / (moments.count - 1)) * sqrt(annualisation)


def downside_deviation(moments: Moments) -> Metric:
    """Return the root mean square of the negative returns, over the number of all; a day."""
    if not moments.count:
        return undefined("TOO_FEW_RETURNS")
    return sqrt(moments.below / moments.count)


def sortino(moments: Moments, annualisation: float = DAYS_A_YEAR) -> Metric:
    """Return the annualised Sortino ratio; undefined below two returns or without a loss."""
    if moments.count < 2:
        return undefined("TOO_FEW_RETURNS")
    if moments.below == 0.0:
        return undefined("NO_DOWNSIDE")
    return moments.mean / sqrt(moments.below / moments.count) * sqrt(annualisation)


def omega(moments: Moments) -> Metric:
    """Return the sum of gains over the sum of losses; undefined without a loss."""
    if moments.lost == 0.0:
        return undefined("NO_DOWNSIDE" if moments.count else "TOO_FEW_RETURNS")
    return moments.gained / moments.lost


def consistency(moments: Moments) -> Metric:
    """Return the share of days that gained among the days that gained or lost, in 0...1."""
    moved = moments.ups + moments.downs
    if moved < CONSISTENCY_DAYS_MIN:
        return undefined("TOO_FEW_RETURNS")
    return moments.ups / moved
