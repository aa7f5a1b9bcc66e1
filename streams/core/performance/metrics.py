"""Performance metrics as plain functions of daily returns or of the results of closed trades.

Returns are fractions (0.01 = 1 %), results of trades are money of any unit. A metric that has no
value says why: `Undefined(reason)`, never 0, infinity or nan. Sums are exactly rounded
(`math.fsum`), so the order of the numbers does not matter. Standard deviations divide by n - 1,
skew and kurtosis are population moments (normal kurtosis = 3).

Nothing here is fed back into a ledger or into replicated state; the boards compute the same
numbers for everybody at once (`leaderboard.windows`), and a test holds the two together.

Source: domain.md, section 3; Bailey & Lopez de Prado (2012) for the error of a Sharpe ratio.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from math import erf, fsum, sqrt
from typing import NamedTuple


DAYS_A_YEAR = 365
"""Annualisation of markets that never close."""


class UndefinedReason(StrEnum):
    """Why a metric has no value."""

    NO_RECORD = "NO_RECORD"
    TOO_FEW_RETURNS = "TOO_FEW_RETURNS"
    NO_VARIATION = "NO_VARIATION"
    NO_DOWNSIDE = "NO_DOWNSIDE"
    NO_CLOSED_TRADES = "NO_CLOSED_TRADES"
    NO_LOSSES = "NO_LOSSES"
    WIPED = "WIPED"
    RADICAND_NOT_POSITIVE = "RADICAND_NOT_POSITIVE"


class Undefined(NamedTuple):
    """A metric without a value."""

    reason: UndefinedReason


Metric = float | Undefined


def excess(returns: Sequence[float], risk_free: float, annualisation: float) -> list[float]:
    """Return the returns over the daily equivalent of an annual risk-free rate."""
    if risk_free == 0.0:
        return list(returns)
    daily = (1.0 + risk_free) ** (1.0 / annualisation) - 1.0
    return [value - daily for value in returns]


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean of at least one value."""
    return fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation (n - 1) of at least two values."""
    middle = mean(values)
    return sqrt(fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


def varies(values: Sequence[float], resolution: float = 0.0) -> bool:
    """Whether the values differ by more than their rounding.

    Args:
        values: at least one.
        resolution: step in which the values were measured, 0 when exact. Comparing the deviation
            with 0 would take rounding noise of equal returns for risk.
    """
    high, low = max(values), min(values)
    noise = 4.0 * sys.float_info.epsilon * max(abs(high), abs(low))
    return high - low > max(noise, resolution)


def total_return(returns: Sequence[float]) -> Metric:
    """Return the compounded return; -1 once a day lost everything."""
    growth = 1.0
    for value in returns:
        if value <= -1.0:
            return -1.0
        growth *= 1.0 + value
    return growth - 1.0


def annual_volatility(returns: Sequence[float], annualisation: float = DAYS_A_YEAR) -> Metric:
    """Return the annualised standard deviation; undefined below two returns."""
    if len(returns) < 2:
        return Undefined(UndefinedReason.TOO_FEW_RETURNS)
    return deviation(returns) * sqrt(annualisation)


def sharpe(
    returns: Sequence[float],
    annualisation: float = DAYS_A_YEAR,
    risk_free: float = 0.0,
    resolution: float = 0.0,
) -> Metric:
    """Return the annualised Sharpe ratio; undefined below two returns or without variation."""
    daily = _daily_sharpe(excess(returns, risk_free, annualisation), resolution)
    return daily if isinstance(daily, Undefined) else daily * sqrt(annualisation)


def downside_deviation(returns: Sequence[float]) -> Metric:
    """Return the root mean square of the negative returns, divided by the number of all."""
    if not returns:
        return Undefined(UndefinedReason.TOO_FEW_RETURNS)
    return sqrt(fsum(min(value, 0.0) ** 2 for value in returns) / len(returns))


def sortino(
    returns: Sequence[float], annualisation: float = DAYS_A_YEAR, risk_free: float = 0.0
) -> Metric:
    """Return the annualised Sortino ratio; undefined below two returns or without a loss."""
    values = excess(returns, risk_free, annualisation)
    if len(values) < 2:
        return Undefined(UndefinedReason.TOO_FEW_RETURNS)
    downside = downside_deviation(values)
    if isinstance(downside, Undefined) or downside == 0.0:
        return Undefined(UndefinedReason.NO_DOWNSIDE)
    return mean(values) / downside * sqrt(annualisation)


def max_drawdown(returns: Sequence[float]) -> Metric:
    """Return the largest fall from a peak of the unit curve that starts at 1, in 0...1."""
    unit = peak = 1.0
    deepest = 0.0
    for value in returns:
        unit *= max(1.0 + value, 0.0)
        peak = max(peak, unit)
        deepest = max(deepest, 1.0 - unit / peak)
    return deepest


def skew_and_kurtosis(values: Sequence[float]) -> tuple[float, float] | Undefined:
    """Return population skew and raw kurtosis; undefined without variation."""
    if len(values) < 2:
        return Undefined(UndefinedReason.TOO_FEW_RETURNS)
    middle = mean(values)
    second = fsum((value - middle) ** 2 for value in values) / len(values)
    # The square must not vanish either: it is what the kurtosis divides by.
    if not varies(values) or second * second == 0.0:
        return Undefined(UndefinedReason.NO_VARIATION)
    third = fsum((value - middle) ** 3 for value in values) / len(values)
    fourth = fsum((value - middle) ** 4 for value in values) / len(values)
    return third / (second * sqrt(second)), fourth / (second * second)


def sharpe_standard_error(returns: Sequence[float]) -> Metric:
    """Return the standard error of the daily (not annualised) Sharpe ratio."""
    daily = _daily_sharpe(returns, 0.0)
    if isinstance(daily, Undefined):
        return daily
    moments = skew_and_kurtosis(returns)
    if isinstance(moments, Undefined):
        return moments
    skew, kurtosis = moments
    radicand = 1.0 - skew * daily + (kurtosis - 1.0) / 4.0 * daily * daily
    if radicand <= 0.0:
        return Undefined(UndefinedReason.RADICAND_NOT_POSITIVE)
    return sqrt(radicand / (len(returns) - 1))


def probabilistic_sharpe(returns: Sequence[float], daily_threshold: float = 0.0) -> Metric:
    """Return the probability that the true daily Sharpe ratio exceeds a threshold, in 0...1."""
    daily = _daily_sharpe(returns, 0.0)
    error = sharpe_standard_error(returns)
    if isinstance(daily, Undefined):
        return daily
    if isinstance(error, Undefined):
        return error
    return 0.5 * (1.0 + erf((daily - daily_threshold) / error / sqrt(2.0)))


def win_rate(wins: int, losses: int) -> Metric:
    """Return the share of wins in wins and losses; trades that broke even are not counted."""
    if wins + losses == 0:
        return Undefined(UndefinedReason.NO_CLOSED_TRADES)
    return wins / (wins + losses)


def profit_factor(results: Sequence[float]) -> Metric:
    """Return the sum of winning results over the sum of losing ones; undefined without a loss."""
    if not results:
        return Undefined(UndefinedReason.NO_CLOSED_TRADES)
    lost = fsum(min(value, 0.0) for value in results)
    if lost == 0.0:
        return Undefined(UndefinedReason.NO_LOSSES)
    return fsum(max(value, 0.0) for value in results) / -lost


def expectancy(results: Sequence[float]) -> Metric:
    """Return the mean result of a trade, in the unit of the results."""
    return mean(results) if results else Undefined(UndefinedReason.NO_CLOSED_TRADES)


def payoff_ratio(results: Sequence[float]) -> Metric:
    """Return the mean win over the mean loss; undefined without a loss or without a win."""
    wins = [value for value in results if value > 0]
    losses = [-value for value in results if value < 0]
    if not losses:
        return Undefined(UndefinedReason.NO_LOSSES)
    if not wins:
        return Undefined(UndefinedReason.NO_CLOSED_TRADES)
    return mean(wins) / mean(losses)


def _daily_sharpe(values: Sequence[float], resolution: float) -> Metric:
    if len(values) < 2:
        return Undefined(UndefinedReason.TOO_FEW_RETURNS)
    if not varies(values, resolution):
        return Undefined(UndefinedReason.NO_VARIATION)
    spread = deviation(values)
    if spread == 0.0:
        return Undefined(UndefinedReason.NO_VARIATION)
    return mean(values) / spread
