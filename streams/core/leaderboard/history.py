"""Closed days of all traders as rows of arrays, and what each period's window makes of them.

One row a UTC day, one column a trader. A window's closed part changes only when a day closes, so
the work of each second is one more return for everybody, not a year of them.

Invariants:
    * A pure function of the tracks in the state and of the present day.
    * A trader's closed days have no hole, so rows hold no day twice and at most `DAYS_MAX` days.
    * Moments are added up day by day in one order of operations: equal on every processor.

Source: Welford (1962) for mean and squared deviations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streams.core.limits import DAYS_MAX
from streams.core.performance.periods import PERIOD_DAYS, first_day
from streams.core.performance.track import UNIT_PPB
from streams.core.state import State, Track
from streams.core.valuation import Flags, Floats, Integers, grown


ABSENT = -1
"""Unit of a trader without a record on a day."""

Counts = npt.NDArray[np.int32]


@dataclass(slots=True)
class DayRow:
    """One closed day of all traders: units in billionths, round trips closed in it."""

    day: int
    units: Integers
    trades: Counts
    wins: Counts
    losses: Counts

    @classmethod
    def empty(cls, day: int, capacity: int) -> DayRow:
        """Return a row in which everybody is absent."""
        counts = [np.zeros(capacity, np.int32) for _ in range(3)]
        return cls(day, np.full(capacity, ABSENT, np.int64), *counts)

    def put(self, row: int, track: Track, index: int) -> None:
        """Write one closed day of one trader."""
        day = track.days[index]
        self.units[row] = day.unit_ppb
        self.trades[row] = day.trades
        self.wins[row] = day.wins
        self.losses[row] = day.losses

    def grow(self, rows: int) -> None:
        """Make room for more traders."""
        self.units = grown(self.units, rows, ABSENT)
        self.trades = grown(self.trades, rows)
        self.wins = grown(self.wins, rows)
        self.losses = grown(self.losses, rows)


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

    def add_day(self, row: DayRow) -> None:
        """Count the round trips of a day."""
        self.trades += row.trades
        self.wins += row.wins
        self.losses += row.losses

    def add_returns(self, values: Floats, valid: Flags) -> None:
        """Add one return for each trader where `valid`."""
        self.returns += valid
        delta = np.where(valid, values - self.mean, 0.0)
        self.mean += delta / np.maximum(self.returns, 1.0)
        self.squares += np.where(valid, delta * (values - self.mean), 0.0)
        np.minimum(self.low, values, out=self.low, where=valid)
        np.maximum(self.high, values, out=self.high, where=valid)

    def grow(self, rows: int) -> None:
        """Make room for more traders."""
        fills: dict[str, Any] = {"start": float(UNIT_PPB), "low": np.inf, "high": -np.inf}
        for name in self.__slots__:
            setattr(self, name, grown(getattr(self, name), rows, fills.get(name, 0)))


class History:
    """All closed days and the windows of the periods; sole owner of both."""

    __slots__ = ("_capacity", "_rows", "last_units", "today", "window_of", "windows")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._rows: list[DayRow] = []
        self.today = -1
        self.window_of: dict[str, int] = {}
        self.windows: list[Window] = []
        self.last_units: Floats = np.full(capacity, float(UNIT_PPB))

    @classmethod
    def from_state(cls, state: State, capacity: int) -> History:
        """Collect the closed days of every trader."""
        history = cls(max(capacity, len(state.traders)))
        rows: dict[int, DayRow] = {}
        for column, trader in enumerate(state.traders.values()):
            for index, day in enumerate(trader.track.days):
                row = rows.get(day.day)
                if row is None:
                    row = rows[day.day] = DayRow.empty(day.day, history._capacity)
                row.put(column, trader.track, index)
        history._rows = [rows[day] for day in sorted(rows)]
        return history

    @property
    def last_day(self) -> int:
        """Number of the newest closed day, or -1."""
        return self._rows[-1].day if self._rows else -1

    def close(self, state: State, day: int) -> None:
        """Take over a day that every track has just closed; windows are stale until `refresh`."""
        row = DayRow.empty(day, self._capacity)
        closed = False
        for column, trader in enumerate(state.traders.values()):
            days = trader.track.days
            if days and days[-1].day == day:
                row.put(column, trader.track, -1)
                closed = True
        if not closed:
            return
        self._rows.append(row)
        if len(self._rows) > DAYS_MAX:
            del self._rows[0]
        self.today = -1

    def grow(self, rows: int) -> None:
        """Make room for more traders: without closed days they need no refresh."""
        if rows <= self._capacity:
            return
        for row in self._rows:
            row.grow(rows)
        for window in self.windows:
            window.grow(rows)
        self.last_units = grown(self.last_units, rows, float(UNIT_PPB))
        self._capacity = len(self.last_units)

    def refresh(self, today: int) -> None:
        """Compute the windows of all periods that end on a day; periods of equal days share one."""
        if today == self.today:
            return
        self.today = today
        rows = self._rows
        bases = {period: self._base(period, today) for period in PERIOD_DAYS}
        wanted = dict.fromkeys(bases.values())
        found: dict[int, Window] = {}
        sums = Window.empty(self._capacity)
        for index in range(len(rows) - 1, -1, -1):
            if index in wanted:
                found[index] = sums.copy(self._units(index))
            sums.add_day(rows[index])
            # What a record at its maximum began with has left: its first day is only a base.
            if index > 0 or len(rows) < DAYS_MAX:
                self._add_returns(sums, index)
        found[-1] = sums
        numbered = {base: number for number, base in enumerate(wanted)}
        self.windows = [found[base] for base in wanted]
        self.window_of = {period: numbered[base] for period, base in bases.items()}
        self.last_units = self._units(len(rows) - 1)

    def _base(self, period: str, today: int) -> int:
        # Index of the last closed day before the period, -1 without one.
        first = first_day(period, today)
        if first is None:
            return -1
        return sum(1 for row in self._rows if row.day < first) - 1

    def _units(self, index: int) -> Floats:
        # Units at the close of a row; who had no record yet stands at the start of the curve.
        if index < 0:
            return np.full(self._capacity, float(UNIT_PPB))
        units = self._rows[index].units
        return np.where(units == ABSENT, UNIT_PPB, units).astype(np.float64)

    def _add_returns(self, sums: Window, index: int) -> None:
        before = self._units(index - 1)
        units = self._rows[index].units
        valid = (units != ABSENT) & (before > 0.0)
        sums.add_returns(units / np.where(valid, before, 1.0) - 1.0, valid)
