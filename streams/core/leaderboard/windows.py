"""Closed days of one period for all traders, and the Sharpe ratio that today makes of them.

Moments are added up day by day in one order of operations with correctly rounded steps, so they
are equal on every processor; a library's sum over an axis need not be.

Source: Welford (1962) for mean and squared deviations; domain.md, section 3.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from streams.core.performance.periods import DAYS_A_YEAR, RESOLUTION
from streams.core.performance.track import UNIT_PPB
from streams.core.valuation import Flags, Floats, Integers


NOISE = 4.0 * sys.float_info.epsilon
"""Relative spread of returns that is only rounding, see `Moments.varies`."""


@dataclass(slots=True)
class Window:
    """The closed days of one period, for all traders.

    Attributes:
        start: unit at the start of the period, in billionths.
        returns: number of daily returns.
        mean: their mean.
        squares: sum of their squared deviations.
        low: smallest return; infinity without one.
        high: largest return; minus infinity without one.
        trades: round trips closed, `wins` and `losses` among them.
    """

    start: Floats
    returns: Floats
    mean: Floats
    squares: Floats
    low: Floats
    high: Floats
    trades: Integers
    wins: Integers
    losses: Integers

    @classmethod
    def empty(cls, capacity: int) -> Window:
        """Return the window of traders that have no closed day."""
        return cls(
            start=np.full(capacity, float(UNIT_PPB)),
            returns=np.zeros(capacity),
            mean=np.zeros(capacity),
            squares=np.zeros(capacity),
            low=np.full(capacity, np.inf),
            high=np.full(capacity, -np.inf),
            trades=np.zeros(capacity, np.int64),
            wins=np.zeros(capacity, np.int64),
            losses=np.zeros(capacity, np.int64),
        )

    def copy(self, start: Floats) -> Window:
        """Return a copy that begins at other units."""
        return Window(
            start=start,
            returns=self.returns.copy(),
            mean=self.mean.copy(),
            squares=self.squares.copy(),
            low=self.low.copy(),
            high=self.high.copy(),
            trades=self.trades.copy(),
            wins=self.wins.copy(),
            losses=self.losses.copy(),
        )

    def add_returns(self, values: Floats, valid: Flags) -> None:
        """Add one return for each trader where `valid`."""
        self.returns += valid
        delta = np.where(valid, values - self.mean, 0.0)
        self.mean += delta / np.maximum(self.returns, 1.0)
        self.squares += np.where(valid, delta * (values - self.mean), 0.0)
        np.minimum(self.low, values, out=self.low, where=valid)
        np.maximum(self.high, values, out=self.high, where=valid)


class SharpeNow:
    """Sharpe ratio of one window with today's return as its last one, for all traders.

    What a day leaves unchanged is computed here once, what a second changes in `ratio`.
    """

    __slots__ = ("_factor", "_inverse", "_open", "_window")

    def __init__(self, window: Window, open_today: Flags) -> None:
        """Prepare a window.

        Args:
            window: of the closed days.
            open_today: who has a return today that is not in the window yet.
        """
        count = window.returns + open_today
        self._window = window
        self._open = open_today.astype(np.float64)
        self._inverse = 1.0 / np.maximum(count, 1.0)
        self._factor = np.sqrt(DAYS_A_YEAR * np.maximum(count - 1.0, 0.0))

    def ratio(self, today: Floats, lowest: Floats, highest: Floats) -> tuple[Floats, Flags]:
        """Return annualised ratios, and where they are defined.

        Args:
            today: today's return so far of each trader.
            lowest: the same, plus infinity for those without one.
            highest: the same, minus infinity for those without one.
        """
        size = len(today)
        window = self._window
        mean = window.mean[:size]
        delta = today - mean
        delta *= self._open[:size]
        mean = mean + delta * self._inverse[:size]
        squares = today - mean
        squares *= delta
        squares += window.squares[:size]
        low = np.minimum(window.low[:size], lowest)
        high = np.maximum(window.high[:size], highest)
        noise = np.maximum(high, -low)
        noise *= NOISE
        np.maximum(noise, RESOLUTION, out=noise)
        high -= low
        # Below two returns the spread is 0 or minus infinity: not defined either.
        defined = high > noise
        defined &= squares > 0.0
        np.copyto(squares, 1.0, where=~defined)
        mean *= self._factor[:size]
        mean /= np.sqrt(squares, out=squares)
        return mean, defined
