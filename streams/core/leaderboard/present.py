"""Values of every metric for all traders: closed days of a period and the day that is running.

`Present` holds what only changes when a day closes; its methods do what a mark changes. Each
returns values and where they are defined; values elsewhere are finite and mean nothing. Every
step is correctly rounded, so values are equal on every processor.

Source: domain.md, section 3; `streams.core.performance` says the same for one trader, and a
property test holds the two together.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from streams.core.leaderboard.windows import Window
from streams.core.performance.periods import DAYS_A_YEAR, RESOLUTION
from streams.core.performance.returns import CONSISTENCY_DAYS_MIN
from streams.core.valuation import Flags, Floats, Integers


NOISE = 4.0 * sys.float_info.epsilon
"""Relative spread of returns that is only rounding."""

WILD = 1e6
"""Return of a day beyond which `NOISE` of it may exceed `RESOLUTION`."""


class Today(NamedTuple):
    """The running day of all traders.

    Attributes:
        units: value of a unit now, in billionths.
        returns: return of the day so far; 0 where none counts.
        dips: square of the negative ones.
        is_open: whose return counts.
        is_wild: whether one of them is beyond `WILD`.
        trades: round trips closed today, `wins` and `losses` among them.
        won: sum of the wins in micro-units, `lost` of the losses, without sign.
    """

    units: Floats
    returns: Floats
    dips: Floats
    is_open: Flags
    is_wild: bool
    trades: Integers
    wins: Integers
    losses: Integers
    won: Integers
    lost: Integers

    @classmethod
    def of(
        cls, units: Floats, last_units: Floats, is_open: Flags, counts: tuple[Integers, ...]
    ) -> Today:
        """Return the running day.

        Args:
            units: now.
            last_units: at the newest close.
            is_open: whose return of today counts.
            counts: the five last attributes.
        """
        returns = units / np.where(is_open, last_units, 1.0)
        returns -= 1.0
        np.putmask(returns, ~is_open, 0.0)
        dips = np.minimum(returns, 0.0)
        dips *= dips
        is_wild = bool(np.any(returns > WILD))
        return cls(units, returns, dips, is_open, is_wild, *counts)


class Present:
    """One period of all traders, ready for marks to change."""

    __slots__ = (
        "_count",
        "_inverse",
        "_is_open",
        "_means",
        "_settled",
        "_sharpe_factor",
        "_sortino_factor",
        "_unsettled",
        "window",
    )

    def __init__(self, window: Window, is_open: Flags) -> None:
        """Prepare a period.

        Args:
            window: its closed days.
            is_open: whose return of today is not among them.
        """
        count = window.returns + is_open
        self.window = window
        self._count = count
        self._is_open = is_open.astype(np.float64)
        self._inverse = 1.0 / np.maximum(count, 1.0)
        self._sharpe_factor = np.sqrt(DAYS_A_YEAR * np.maximum(count - 1.0, 0.0))
        # Once closed days vary, one day more cannot make them vary less, see `sharpe`.
        self._settled: Flags = varies(window.low, window.high) & (window.squares > 0.0)
        self._unsettled = np.flatnonzero(~self._settled)
        self._means: tuple[Today, Floats, Floats] | None = None
        self._sortino_factor = np.sqrt(DAYS_A_YEAR * count)

    def trades(self, today: Today) -> Integers:
        """Return the round trips closed in the period."""
        counts: Integers = self.window.trades[: len(today.trades)] + today.trades
        return counts

    def total_return(self, today: Today) -> tuple[Floats, Flags]:
        """Return the growth of a unit; undefined for who was wiped before the period."""
        start = self.window.start[: len(today.units)]
        defined = start > 0.0
        return today.units / np.where(defined, start, 1.0) - 1.0, defined

    def sharpe(self, today: Today) -> tuple[Floats, Flags]:
        """Return the annualised Sharpe ratio."""
        size = len(today.units)
        window = self.window
        mean, delta = self._mean(today)
        squares = today.returns - mean
        squares *= delta
        squares += window.squares[:size]
        defined = self._settled[:size].copy()
        # Only a return in the millions makes rounding as large as what varied before.
        rows = np.arange(size) if today.is_wild else self._unsettled
        rows = rows[: np.searchsorted(rows, size)]
        if len(rows):
            returns, is_open = today.returns[rows], today.is_open[rows]
            low = np.minimum(window.low[rows], np.where(is_open, returns, np.inf))
            high = np.maximum(window.high[rows], np.where(is_open, returns, -np.inf))
            defined[rows] = varies(low, high) & (squares[rows] > 0.0)
            np.putmask(squares, ~defined, 1.0)
        ratio = mean * self._sharpe_factor[:size]
        ratio /= np.sqrt(squares, out=squares)
        return ratio, defined

    def sortino(self, today: Today) -> tuple[Floats, Flags]:
        """Return the annualised Sortino ratio; undefined without a losing day."""
        size = len(today.units)
        below = self.window.below[:size] + today.dips
        defined = below > 0.0
        defined &= self._count[:size] >= 2.0
        np.putmask(below, ~defined, 1.0)
        ratio = self._mean(today)[0] * self._sortino_factor[:size]
        ratio /= np.sqrt(below, out=below)
        return ratio, defined

    def max_drawdown(self, today: Today) -> tuple[Floats, Flags]:
        """Return the largest fall from a peak, in 0...1."""
        size = len(today.units)
        start = self.window.start[:size]
        defined = start > 0.0
        fall = today.units / np.where(defined, self.window.peak[:size], 1.0)
        np.subtract(1.0, fall, out=fall)
        fall *= self._is_open[:size]
        return np.maximum(fall, self.window.deepest[:size], out=fall), defined

    def consistency(self, today: Today) -> tuple[Floats, Flags]:
        """Return the share of days that gained among those that gained or lost."""
        size = len(today.units)
        ups = self.window.ups[:size] + (today.returns > 0.0)
        moved = self.window.downs[:size] + (today.returns < 0.0)
        moved += ups
        ups /= np.maximum(moved, 1.0)
        return ups, moved >= CONSISTENCY_DAYS_MIN

    def win_rate(self, today: Today) -> tuple[Floats, Flags]:
        """Return the share of wins in wins and losses."""
        size = len(today.wins)
        wins = self.window.wins[:size] + today.wins
        decided = self.window.losses[:size] + today.losses
        decided += wins
        return wins / np.maximum(decided, 1), decided > 0

    def profit_factor(self, today: Today) -> tuple[Floats, Flags]:
        """Return the wins over the losses, in money; undefined without a loss."""
        size = len(today.won)
        lost = self.window.lost[:size] + today.lost
        return (self.window.won[:size] + today.won) / np.maximum(lost, 1), lost > 0

    def _mean(self, today: Today) -> tuple[Floats, Floats]:
        """Return the mean with today's return in it, and how far that is from the one before."""
        if self._means is None or self._means[0] is not today:
            size = len(today.units)
            before = self.window.mean[:size]
            delta = today.returns - before
            delta *= self._is_open[:size]
            self._means = today, before + delta * self._inverse[:size], delta
        return self._means[1:]


def varies(low: Floats, high: Floats) -> Flags:
    """Return where returns differ by more than their rounding.

    Below two returns the spread is 0 or minus infinity: no variation either.
    """
    noise = np.maximum(high, -low)
    noise *= NOISE
    np.maximum(noise, RESOLUTION, out=noise)
    found: Flags = high - low > noise
    return found


VALUES: dict[str, Callable[[Present, Today], tuple[Floats, Flags]]] = {
    "total_return": Present.total_return,
    "sharpe": Present.sharpe,
    "sortino": Present.sortino,
    "win_rate": Present.win_rate,
    "profit_factor": Present.profit_factor,
    "max_drawdown": Present.max_drawdown,
    "consistency": Present.consistency,
}
"""How each metric with a board is computed."""

OF_TRADES = frozenset({"win_rate", "profit_factor"})
"""Metrics of closed round trips: they need no funded record, and marks do not change them."""
