"""The Sharpe ratio and how sure one can be of it.

A Sharpe ratio is an estimate from few numbers: `standard_error` says how far off it may be,
`lower_bound` and `probabilistic` what is left of it, and `deflated` asks how likely the best of
many tries without skill would have been better. "Daily" ratios are a return, not annualised;
`threshold` is always daily. Moments are of returns over the risk-free rate.

Source: Bailey and Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier; Bailey and Lopez
de Prado (2014), The Deflated Sharpe Ratio; domain.md, section 3.
"""

from __future__ import annotations

from math import ceil, e, sqrt
from statistics import NormalDist
from typing import NamedTuple

from streams.core.performance.moments import Moments
from streams.core.performance.periods import DAYS_A_YEAR
from streams.core.performance.undefined import Metric, undefined


EULER_MASCHERONI = 0.5772156649015329

LOWER_BOUND_Z = 1.645
"""Standard errors below the estimate at which it is exceeded with 95 % confidence."""

NORMAL = NormalDist()


class Trials(NamedTuple):
    """Between how many records one was picked.

    Attributes:
        deviation: sample deviation (n - 1) of the daily Sharpe ratios of all records.
        records: effective number of independent ones, see `effective_trials`.
    """

    deviation: float
    records: float


def daily_sharpe(moments: Moments, resolution: float = 0.0) -> Metric:
    """Return mean over sample deviation; undefined below two returns or without variation.

    Args:
        moments: of returns over the risk-free rate.
        resolution: spread of returns that is only rounding.
    """
    if moments.count < 2:
        return undefined("TOO_FEW_RETURNS")
    if not moments.varies(resolution):
        return undefined("NO_VARIATION")
    return moments.mean / sqrt(moments.m2 / (moments.count - 1))


def sharpe(moments: Moments, annualisation: float = DAYS_A_YEAR, resolution: float = 0.0) -> Metric:
    """Return the annualised Sharpe ratio, see `daily_sharpe`."""
    daily = daily_sharpe(moments, resolution)
    return daily * sqrt(annualisation) if isinstance(daily, float) else daily


def skew(moments: Moments) -> Metric:
    """Return the population skew; undefined without variation."""
    if moments.count < 2:
        return undefined("TOO_FEW_RETURNS")
    second = moments.m2 / moments.count
    if not moments.varies() or second * sqrt(second) == 0.0:
        return undefined("NO_VARIATION")
    return moments.m3 / moments.count / (second * sqrt(second))


def kurtosis(moments: Moments) -> Metric:
    """Return the raw population kurtosis (normal = 3); undefined without variation."""
    if moments.count < 2:
        return undefined("TOO_FEW_RETURNS")
    second = moments.m2 / moments.count
    if not moments.varies() or second * second == 0.0:
        return undefined("NO_VARIATION")
    return moments.m4 / moments.count / (second * second)


def standard_error(moments: Moments, resolution: float = 0.0) -> Metric:
    """Return the standard error of the daily Sharpe ratio."""
    spread = _radicand(moments, resolution)
    if not isinstance(spread, float):
        return spread
    return sqrt(spread / (moments.count - 1))


def lower_bound(
    moments: Moments,
    annualisation: float = DAYS_A_YEAR,
    resolution: float = 0.0,
    z: float = LOWER_BOUND_Z,
) -> Metric:
    """Return the annualised Sharpe ratio less `z` standard errors."""
    daily = daily_sharpe(moments, resolution)
    error = standard_error(moments, resolution)
    if not isinstance(daily, float):
        return daily
    return (daily - z * error) * sqrt(annualisation) if isinstance(error, float) else error


def probabilistic(moments: Moments, threshold: float = 0.0, resolution: float = 0.0) -> Metric:
    """Return the probability that the true daily Sharpe ratio exceeds a threshold, in 0...1."""
    daily = daily_sharpe(moments, resolution)
    error = standard_error(moments, resolution)
    if not isinstance(daily, float):
        return daily
    return NORMAL.cdf((daily - threshold) / error) if isinstance(error, float) else error


def minimum_track_record(
    moments: Moments, threshold: float = 0.0, confidence: float = 0.95, resolution: float = 0.0
) -> Metric:
    """Return how many returns it takes to be this sure that a threshold is exceeded.

    Undefined when the ratio is not above the threshold: more of the same never proves it.
    """
    daily = daily_sharpe(moments, resolution)
    if not isinstance(daily, float):
        return daily
    spread = _radicand(moments, resolution)
    if not isinstance(spread, float):
        return spread
    if daily <= threshold:
        return undefined("NOT_ABOVE_THRESHOLD")
    return 1.0 + spread * (NORMAL.inv_cdf(confidence) / (daily - threshold)) ** 2


def deflated(moments: Moments, trials: Trials | None, resolution: float = 0.0) -> Metric:
    """Return the probability that the record is better than the best of many without skill.

    Args:
        moments: of the record in question.
        trials: among how many it was found; None when nobody knows.
        resolution: spread of returns that is only rounding.
    """
    if trials is None:
        return undefined("NO_TRIALS")
    threshold = trials.deviation * expected_maximum(trials.records)
    return probabilistic(moments, threshold, resolution)


def expected_maximum(trials: float) -> float:
    """Return the expected largest of independent standard normal numbers.

    Args:
        trials: how many; one number and less have the expectation 0.
    """
    if trials <= 1.0:
        return 0.0
    first = NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = NORMAL.inv_cdf(1.0 - 1.0 / (trials * e))
    return (1.0 - EULER_MASCHERONI) * first + EULER_MASCHERONI * second


def effective_trials(records: int, correlation: float) -> int:
    """Return how many independent records correlated ones are worth, rounded up.

    Args:
        records: number of all records, closed accounts included.
        correlation: mean correlation of two of them, in 0...1.
    """
    return ceil(correlation + (1.0 - correlation) * records)


def _radicand(moments: Moments, resolution: float) -> Metric:
    daily = daily_sharpe(moments, resolution)
    if not isinstance(daily, float):
        return daily
    third, fourth = skew(moments), kurtosis(moments)
    if not isinstance(third, float) or not isinstance(fourth, float):
        return undefined("NO_VARIATION")
    spread = 1.0 - third * daily + (fourth - 1.0) / 4.0 * daily * daily
    return spread if spread > 0.0 else undefined("RADICAND_NOT_POSITIVE")
