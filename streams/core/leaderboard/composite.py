"""The composite score: five numbers about a record, each as a percentile among the eligible.

The numbers are lower bounds or shrunk towards nothing, so that a short lucky record does not win:

| Share | Number |
|--|--|
| 40 % | Sharpe ratio less 1.645 of its standard errors, annualised |
| 20 % | Calmar ratio x n / (n + 120 days), months credited with at most 10 % |
| 20 % | median net return of followers x k / (k + 20 followers) |
| 10 % | stability: R squared of the log curve, where it rises |
| 10 % | expected shortfall of the worst 5 % of days |

A number that is not defined is below all that are. Scores are computed when a day closes, over
closed days, for many traders at once; sums go day by day in one order, logarithms are `steady`,
and percentiles are of whole millionths, so scores are equal on every processor.

Source: domain.md, section 5; Bailey and Lopez de Prado (2012) for the standard error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from streams.core.leaderboard.keys import VALUE_MICRO
from streams.core.leaderboard.present import varies
from streams.core.leaderboard.steady import exponentials, logarithms
from streams.core.performance.drawdown import CALMAR_DAYS_MIN
from streams.core.performance.periods import DAYS_A_CALENDAR_YEAR, DAYS_A_YEAR
from streams.core.performance.sharpe import LOWER_BOUND_Z
from streams.core.performance.stability import STABILITY_RETURNS_MIN
from streams.core.performance.tails import TAIL_RETURNS_MIN, TAIL_SHARE
from streams.core.valuation import Flags, Floats, Integers


WEIGHTS = {
    "sharpe_lower_bound": 40,
    "calmar": 20,
    "followers": 20,
    "stability": 10,
    "shortfall": 10,
}
"""Share of each number in the score, in percent."""

MONTH_DAYS = 30
MONTH_GROWTH_MAX = 1.1
"""Growth that is credited for one month of days at most."""

SHRUNK_DAYS = 120
SHRUNK_FOLLOWERS = 20
"""Days and followers at which a number counts half."""

UNSCATHED = 1e6
"""Calmar ratio of a record that rose without a drawdown: above all others."""

SCORE_MAX = 100
"""Score of who is first in everything."""


class Numbers(NamedTuple):
    """One number of many traders: values, and where they are defined."""

    values: Floats
    defined: Flags


class Sums:
    """Sums over the daily returns of many traders, one day after the other."""

    def __init__(self, traders: int) -> None:
        def zeros() -> Floats:
            return np.zeros(traders)

        self.count = zeros()
        self.total = zeros()
        self.low, self.high = np.full(traders, np.inf), np.full(traders, -np.inf)
        self.unit, self.peak, self.deepest = np.ones(traders), np.ones(traders), zeros()
        self.credited, self._month = np.ones(traders), np.ones(traders)
        # Of the line through the logs of the curve, see `stability.Line`.
        self._log_mean, self.numbers, self.logs, self.products = (zeros() for _ in range(4))

    def add(self, returns: Floats, valid: Flags, *, month_ends: bool) -> None:
        """Add one day.

        Args:
            returns: as fractions; 0 where there is none.
            valid: who has one.
            month_ends: whether a month of days is full with it.
        """
        before = self.count
        self.count = count = before + valid
        self.total = self.total + returns
        np.minimum(self.low, returns, out=self.low, where=valid)
        np.maximum(self.high, returns, out=self.high, where=valid)
        growth = np.maximum(1.0 + returns, 0.0)
        self.unit = self.unit * growth
        np.maximum(self.peak, self.unit, out=self.peak)
        np.maximum(self.deepest, 1.0 - self.unit / self.peak, out=self.deepest)
        self._month = self._month * growth
        if month_ends:
            self.end_month()
        self._add_to_line(before, count, valid)

    def end_month(self) -> None:
        """Credit the growth of a month and begin the next one."""
        self.credited = self.credited * np.minimum(self._month, MONTH_GROWTH_MAX)
        self._month = np.ones_like(self._month)

    def _add_to_line(self, before: Floats, count: Floats, valid: Flags) -> None:
        on = valid & (self.unit > 0.0)
        divisor = np.maximum(count, 1.0)
        from_number = np.where(on, count - (before + 1.0) / 2.0, 0.0)
        log = logarithms(np.where(on, self.unit, 1.0))
        from_log = np.where(on, log - self._log_mean, 0.0)
        share = before / divisor
        self._log_mean = self._log_mean + from_log / divisor
        self.numbers = self.numbers + from_number * from_number * share
        self.logs = self.logs + from_log * from_log * share
        self.products = self.products + from_number * from_log * share


def scores(returns: Floats, valid: Flags, followers: Numbers) -> Iterator[Integers | None]:
    """Compute scores in short steps.

    Args:
        returns: one row a closed day in order of time, one column a trader; 0 where there is none.
        valid: where there is one.
        followers: see `follower_returns`.

    Yields:
        None after each step, at last the scores in millionths, 0...`SCORE_MAX`.
    """
    days, traders = returns.shape
    sums = Sums(traders)
    for day in range(days):
        sums.add(returns[day], valid[day], month_ends=(days - 1 - day) % MONTH_DAYS == 0)
        yield None
    moments = Moments(sums)
    for day in range(days):
        moments.add(returns[day], valid[day])
        yield None
    numbers = {
        "sharpe_lower_bound": moments.lower_bound(),
        "calmar": _calmar(sums),
        "followers": followers,
        "stability": _stability(sums),
    }
    yield None
    numbers["shortfall"] = _shortfall(returns, valid, sums.count)
    yield None
    blended = np.zeros(traders, np.int64)
    for name, weight in WEIGHTS.items():
        blended += weight * percentiles(*numbers[name])
    yield blended // 100 * SCORE_MAX


class Moments:
    """Central sums of daily returns about a mean that is known."""

    def __init__(self, sums: Sums) -> None:
        self._sums = sums
        self.mean = sums.total / np.maximum(sums.count, 1.0)
        self.second, self.third, self.fourth = (np.zeros_like(self.mean) for _ in range(3))

    def add(self, returns: Floats, valid: Flags) -> None:
        """Add one day."""
        delta = np.where(valid, returns - self.mean, 0.0)
        square = delta * delta
        self.second = self.second + square
        self.third = self.third + square * delta
        self.fourth = self.fourth + square * square

    def lower_bound(self) -> Numbers:
        """Return the annualised Sharpe ratio less its standard errors."""
        count = self._sums.count
        several = np.maximum(count - 1.0, 1.0)
        variance = self.second / np.maximum(count, 1.0)
        cube = variance * np.sqrt(variance)
        fourth = variance * variance
        # The fourth power of a small spread may be nothing: then so is what is known of it.
        defined = varies(self._sums.low, self._sums.high) & (fourth > 0.0) & (cube > 0.0)
        cube, fourth = np.where(defined, cube, 1.0), np.where(defined, fourth, 1.0)
        spread = np.where(defined, self.second, 1.0) / several
        sharpe = self.mean / np.sqrt(spread)
        skew = self.third / np.maximum(count, 1.0) / cube
        kurtosis = self.fourth / np.maximum(count, 1.0) / fourth
        radicand = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
        defined &= radicand > 0.0
        error = np.sqrt(np.where(defined, radicand, 0.0) / several)
        return Numbers((sharpe - LOWER_BOUND_Z * error) * np.sqrt(float(DAYS_A_YEAR)), defined)


def percentiles(values: Floats, defined: Flags) -> Integers:
    """Return the share of the others that each value exceeds, in millionths.

    Equal values share their places; what is not defined has the percentile 0.
    """
    traders = len(values)
    micros = np.rint(np.clip(values, -1e9, 1e9) * VALUE_MICRO).astype(np.int64)
    ordered = np.sort(micros[defined])
    below = np.searchsorted(ordered, micros, "left") + (traders - len(ordered))
    equal = np.searchsorted(ordered, micros, "right") - np.searchsorted(ordered, micros, "left")
    if traders == 1:
        return np.where(defined, VALUE_MICRO, 0)
    places = (2 * below + equal - 1) * (VALUE_MICRO // 2) // (traders - 1)
    return np.where(defined, places, 0)


def shrunk_followers(medians: Floats, counts: Floats) -> Numbers:
    """Return the median net return of followers, shrunk towards 0 where they are few."""
    return Numbers(medians * (counts / (counts + SHRUNK_FOLLOWERS)), counts > 0.0)


def _calmar(sums: Sums) -> Numbers:
    defined = sums.count >= CALMAR_DAYS_MIN
    years = np.maximum(sums.count, 1.0) / DAYS_A_CALENDAR_YEAR
    alive = sums.credited > 0.0
    growth = exponentials(logarithms(np.where(alive, sums.credited, 1.0)) / years)
    rate = np.where(alive, growth, 0.0) - 1.0
    fell = sums.deepest > 0.0
    ratio = rate / np.where(fell, sums.deepest, 1.0) * (sums.count / (sums.count + SHRUNK_DAYS))
    return Numbers(np.where(fell | (rate <= 0.0), ratio, UNSCATHED), defined)


def _stability(sums: Sums) -> Numbers:
    defined = (sums.count >= STABILITY_RETURNS_MIN) & (sums.logs > 0.0)
    numbers, logs = np.where(defined, sums.numbers, 1.0), np.where(defined, sums.logs, 1.0)
    fit = np.minimum(sums.products / numbers * (sums.products / logs), 1.0)
    return Numbers(np.where(sums.products > 0.0, fit, 0.0), defined)


def _shortfall(returns: Floats, valid: Flags, count: Floats) -> Numbers:
    defined = count >= TAIL_RETURNS_MIN
    worst = (np.maximum(count, 1.0).astype(np.int64) - 1) // TAIL_SHARE + 1
    ordered = np.sort(np.where(valid, returns, np.inf), axis=0)
    total = np.zeros(len(count))
    for place in range(int(worst.max(initial=0))):
        total = total + np.where(defined & (place < worst), ordered[place], 0.0)
    return Numbers(total / worst, defined)
