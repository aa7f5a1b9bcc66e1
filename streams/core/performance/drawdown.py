"""Falls of the unit curve from its peaks, followed one return at a time.

The curve starts at 1 before the first return, so that a loss on the first day is a drawdown; it
ends at 0 on the day that lost everything. A drawdown lies in 0...1.

Invariants of `Drawdown`: `unit` <= `peak`; a curve at its peak has no open drawdown.

Source: domain.md, section 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

import msgspec

from streams.core.performance.undefined import Metric, undefined


CALMAR_DAYS_MIN = 90
"""Days of record below which Calmar says nothing."""


class Drawdown(msgspec.Struct, array_like=True, gc=False):
    """What has been seen of a curve so far. Times are in days, of any beginning.

    Attributes:
        unit: value of the curve now.
        peak: its largest value so far.
        peak_day: when it was there last.
        deepest: the largest drawdown so far.
        returns: number of returns taken.
        below: number of those after which the curve was below its peak.
        squares: sum of the squared drawdowns after each return.
        longest_days: from a peak until it was reached again, the longest of the ended ones.
        deepest_day: when `deepest` was reached.
        recovery_days: from there until the peak was reached again; -1 while it was not.
    """

    unit: float = 1.0
    peak: float = 1.0
    peak_day: int = 0
    deepest: float = 0.0
    returns: int = 0
    below: int = 0
    squares: float = 0.0
    longest_days: int = 0
    deepest_day: int = 0
    recovery_days: int = -1

    @classmethod
    def of(cls, returns: Iterable[float], days: Iterable[int], start_day: int = 0) -> Drawdown:
        """Follow returns in order of time.

        Args:
            returns: as fractions.
            days: when each was complete, rising.
            start_day: when the curve was at 1, a day before the first return.
        """
        seen = cls(peak_day=start_day)
        for value, day in zip(returns, days, strict=True):
            seen.add(value, day)
        return seen

    def add(self, value: float, day: int) -> None:
        """Take the next return.

        Args:
            value: the return as a fraction; -1 and less ends the curve at 0.
            day: when it was complete, later than all before.
        """
        self.returns += 1
        was_open = self.is_open
        self.unit *= max(1.0 + value, 0.0)
        if self.unit >= self.peak:
            if was_open:
                self._recover(day)
            self.peak, self.peak_day = self.unit, day
            return
        depth = 1.0 - self.unit / self.peak
        self.below += 1
        self.squares += depth * depth
        if depth > self.deepest:
            self.deepest, self.deepest_day, self.recovery_days = depth, day, -1

    @property
    def is_open(self) -> bool:
        """Whether the curve is below its peak."""
        return self.unit < self.peak

    def _recover(self, day: int) -> None:
        self.longest_days = max(self.longest_days, day - self.peak_day)
        if self.recovery_days < 0:
            self.recovery_days = day - self.deepest_day


def days_max(seen: Drawdown, today: int) -> int:
    """Return the longest time from a peak until it was reached again, an open one until today."""
    return max(seen.longest_days, today - seen.peak_day if seen.is_open else 0)


def time_under_water(seen: Drawdown) -> Metric:
    """Return the share of the returns after which the curve was below its peak."""
    if not seen.returns:
        return undefined("TOO_FEW_RETURNS")
    return seen.below / seen.returns


def recovery_days(seen: Drawdown) -> Metric:
    """Return the days from the deepest point until the peak before it was reached again."""
    if seen.deepest == 0.0:
        return undefined("NO_DRAWDOWN")
    if seen.recovery_days < 0:
        return undefined("DRAWDOWN_OPEN")
    return float(seen.recovery_days)


def ulcer_index(seen: Drawdown) -> Metric:
    """Return the root mean square of the drawdowns after each return."""
    if not seen.returns:
        return undefined("TOO_FEW_RETURNS")
    return sqrt(seen.squares / seen.returns)


def calmar(growth: Metric, deepest: float, days: float) -> Metric:
    """Return annual growth over the largest drawdown.

    Args:
        growth: compound annual growth rate, also of records under a year.
        deepest: the largest drawdown.
        days: length of the record.
    """
    if deepest == 0.0:
        return undefined("NO_DRAWDOWN")
    if days < CALMAR_DAYS_MIN:
        return undefined("RECORD_TOO_SHORT")
    return growth / deepest if isinstance(growth, float) else growth


def ulcer_performance_index(growth: Metric, ulcer: Metric, days: float) -> Metric:
    """Return annual growth over the ulcer index, for as long a record as Calmar needs."""
    if not isinstance(ulcer, float):
        return ulcer
    return calmar(growth, ulcer, days)


def risk_adjusted_return(total: Metric, deepest: float) -> Metric:
    """Return the total return over the largest drawdown: defined from the first loss on."""
    if deepest == 0.0:
        return undefined("NO_DRAWDOWN")
    return total / deepest if isinstance(total, float) else total
