"""Closed days of one period for all traders: sums to which the present day is added.

Sums grow day by day, from the newest to the oldest, in one order of operations with correctly
rounded steps, so they are equal on every processor; a library's sum over an axis need not be.

Source: Welford (1962) for mean and squared deviations; domain.md, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from streams.core.performance.track import UNIT_PPB
from streams.core.valuation import Flags, Floats, Integers


@dataclass(slots=True)
class Window:
    """The closed days of one period, for all traders.

    Attributes:
        start: unit at the start of the period, in billionths.
        returns: number of daily returns.
        mean: their mean.
        squares: sum of their squared deviations.
        below: sum of the squares of the negative ones.
        low: smallest return; infinity without one.
        high: largest return; minus infinity without one.
        ups: days that gained.
        downs: days that lost.
        peak: largest unit at `start` and at every close.
        trough: smallest unit at a close after `start`; infinity without one.
        deepest: largest drawdown between two of these, 0...1.
        trades: round trips closed, `wins` and `losses` among them.
        won: sum of the wins in micro-units, `lost` of the losses, without sign.
    """

    start: Floats
    returns: Floats
    mean: Floats
    squares: Floats
    below: Floats
    low: Floats
    high: Floats
    ups: Floats
    downs: Floats
    peak: Floats
    trough: Floats
    deepest: Floats
    trades: Integers
    wins: Integers
    losses: Integers
    won: Integers
    lost: Integers

    @classmethod
    def empty(cls, start: Floats) -> Window:
        """Return the window of traders that have no closed day.

        Args:
            start: units now, at the end of the closed days.
        """
        capacity = len(start)

        def zeros() -> Floats:
            return np.zeros(capacity)

        def none() -> Integers:
            return np.zeros(capacity, np.int64)

        return cls(
            start=start,
            returns=zeros(),
            mean=zeros(),
            squares=zeros(),
            below=zeros(),
            low=np.full(capacity, np.inf),
            high=np.full(capacity, -np.inf),
            ups=zeros(),
            downs=zeros(),
            peak=start.copy(),
            trough=np.full(capacity, np.inf),
            deepest=zeros(),
            trades=none(),
            wins=none(),
            losses=none(),
            won=none(),
            lost=none(),
        )

    def copy(self) -> Window:
        """Return a copy that later days do not change."""
        return Window(**{field.name: getattr(self, field.name).copy() for field in fields(self)})

    def add_day(self, before: Floats, units: Floats, valid: Flags) -> None:
        """Put one day before all that are there.

        Args:
            before: units at its beginning.
            units: units at its close.
            valid: who has a return on it; of the others nothing changes.
        """
        values = units / np.where(valid, before, 1.0) - 1.0
        self._add_returns(np.where(valid, values, 0.0), valid)
        np.minimum(self.trough, units, out=self.trough, where=valid)
        np.maximum(self.peak, before, out=self.peak, where=valid)
        fall = 1.0 - self.trough / np.where(valid, before, 1.0)
        np.maximum(self.deepest, fall, out=self.deepest, where=valid)

    def _add_returns(self, values: Floats, valid: Flags) -> None:
        self.returns += valid
        delta = np.where(valid, values - self.mean, 0.0)
        self.mean += delta / np.maximum(self.returns, 1.0)
        self.squares += np.where(valid, delta * (values - self.mean), 0.0)
        dips = np.minimum(values, 0.0)
        dips *= dips
        self.below += dips
        self.ups += values > 0.0
        self.downs += values < 0.0
        np.minimum(self.low, values, out=self.low, where=valid)
        np.maximum(self.high, values, out=self.high, where=valid)


def started(capacity: int) -> Floats:
    """Return the units of traders whose curves have not begun."""
    return np.full(capacity, float(UNIT_PPB))
