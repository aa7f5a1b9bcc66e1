"""Closed days of all traders as rows of arrays, and the windows that the periods make of them.

One row a UTC day, one column a trader. A window's closed part changes only when a day closes, so
the work of each second is one more return for everybody, not a year of them.

Invariants:
    * A pure function of the tracks in the state and of the present day.
    * A trader's closed days have no hole, so rows hold no day twice and at most `DAYS_MAX` days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.core.leaderboard.present import Present
from streams.core.leaderboard.windows import Window, started
from streams.core.limits import DAYS_MAX
from streams.core.performance.periods import PERIOD_DAYS, first_day
from streams.core.performance.track import UNIT_PPB
from streams.core.state import Day, State
from streams.core.valuation import Flags, Floats, Integers


ABSENT = -1
"""Unit of a trader without a record on a day."""

Counts = npt.NDArray[np.int32]


class DayLists(NamedTuple):
    """What some traders closed a day with; the columns say whose it is."""

    columns: list[int]
    units: list[int]
    trades: list[int]
    wins: list[int]
    losses: list[int]
    won: list[int]
    lost: list[int]

    @classmethod
    def empty(cls) -> DayLists:
        """Return lists without a trader."""
        return cls([], [], [], [], [], [], [])

    def add(self, column: int, day: Day) -> None:
        """Add the day of one trader."""
        self.columns.append(column)
        self.units.append(day.unit_ppb)
        self.trades.append(day.trades)
        self.wins.append(day.wins)
        self.losses.append(day.losses)
        self.won.append(day.won_micros)
        self.lost.append(day.lost_micros)


@dataclass(slots=True)
class DayRow:
    """One closed day of all traders: units in billionths, round trips closed in it."""

    day: int
    units: Integers
    trades: Counts
    wins: Counts
    losses: Counts
    won: Integers
    lost: Integers

    @classmethod
    def of(cls, day: int, capacity: int, closed: DayLists) -> DayRow:
        """Return a row from the closed days of some traders."""
        at = np.array(closed.columns, np.int64)

        def filled(values: list[int], kind: type[Any], fill: int = 0) -> npt.NDArray[Any]:
            array = np.full(capacity, fill, kind)
            array[at] = values
            return array

        return cls(
            day,
            filled(closed.units, np.int64, ABSENT),
            filled(closed.trades, np.int32),
            filled(closed.wins, np.int32),
            filled(closed.losses, np.int32),
            filled(closed.won, np.int64),
            filled(closed.lost, np.int64),
        )

    def resize(self, capacity: int) -> None:
        """Make room for more traders, who are absent."""
        self.units = _padded(self.units, capacity, ABSENT)
        for name in ("trades", "wins", "losses", "won", "lost"):
            setattr(self, name, _padded(getattr(self, name), capacity, 0))


class History:
    """All closed days and the windows of the periods; sole owner of both."""

    __slots__ = ("_rows", "capacity", "is_open", "last_units", "present", "today", "window_of")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._rows: list[DayRow] = []
        self.today = -1
        self.window_of: dict[str, int] = {}
        self.present: list[Present] = []
        self.is_open: Flags = np.zeros(capacity, np.bool_)
        self.last_units: Floats = started(capacity)

    @classmethod
    def from_state(cls, state: State, capacity: int) -> History:
        """Collect the closed days of every trader; all traders must fit."""
        history = cls(capacity)
        closed: dict[int, DayLists] = {}
        # Each day is touched once, in the order of memory: looking for them row by row is slower.
        for column, trader in enumerate(state.traders.values()):
            for day in trader.track.days:
                lists = closed.get(day.day)
                if lists is None:
                    lists = closed[day.day] = DayLists.empty()
                lists.add(column, day)
        history._rows = [DayRow.of(day, capacity, closed[day]) for day in sorted(closed)]
        return history

    @property
    def last_day(self) -> int:
        """Number of the newest closed day, or -1."""
        return self._rows[-1].day if self._rows else -1

    def close(self, state: State, day: int) -> None:
        """Take over a day that every track has just closed; windows are stale until `refresh`."""
        closed = DayLists.empty()
        for column, trader in enumerate(state.traders.values()):
            days = trader.track.days
            if days and days[-1].day == day:
                closed.add(column, days[-1])
        if not closed.columns:
            return
        self._rows.append(DayRow.of(day, self.capacity, closed))
        if len(self._rows) > DAYS_MAX:
            del self._rows[0]
        self.today = -1

    def sample(self, columns: Integers, first: int) -> tuple[Floats, Flags]:
        """Return the daily returns of some traders, from a day on.

        Args:
            columns: whose.
            first: number of the first day.

        Returns:
            One row a closed day in order of time, one column a trader, 0 where there is none;
            and where there is one.
        """
        begin = sum(1 for row in self._rows if row.day < first)
        # What a record at its maximum began with has left: its first day is only a base.
        begin = max(begin, 1 if len(self._rows) >= DAYS_MAX else 0)
        returns = np.zeros((len(self._rows) - begin, len(columns)))
        valid = np.zeros(returns.shape, np.bool_)
        before = self._units(begin - 1)[columns]
        for place in range(len(returns)):
            units = self._rows[begin + place].units[columns]
            here = (units != ABSENT) & (before > 0.0)
            returns[place] = np.where(here, units / np.where(here, before, 1.0) - 1.0, 0.0)
            valid[place] = here
            before = np.where(units != ABSENT, units, UNIT_PPB).astype(np.float64)
        return returns, valid

    def gone(self) -> list[int]:
        """Return the columns of the traders whose unit was 0 at the newest close."""
        return np.flatnonzero(self._rows[-1].units == 0).tolist() if self._rows else []

    def resize(self, capacity: int) -> None:
        """Make room for more traders; windows are stale until `refresh`."""
        for row in self._rows:
            row.resize(capacity)
        self.capacity = capacity
        self.today = -1

    def refresh(self, today: int) -> bool:
        """Compute the windows of all periods that end on a day; periods of equal days share one.

        Returns:
            Whether they have changed.
        """
        if today == self.today:
            return False
        self.today = today
        rows = self._rows
        bases = {period: self._base(period, today) for period in PERIOD_DAYS}
        wanted = dict.fromkeys(bases.values())
        self.last_units = self._units(len(rows) - 1)
        found: dict[int, Window] = {}
        sums = Window.empty(self.last_units)
        for index in range(len(rows) - 1, -1, -1):
            if index in wanted:
                found[index] = _begun(sums.copy(), self._units(index))
            row = rows[index]
            sums.trades += row.trades
            sums.wins += row.wins
            sums.losses += row.losses
            sums.won += row.won
            sums.lost += row.lost
            # What a record at its maximum began with has left: its first day is only a base.
            if index > 0 or len(rows) < DAYS_MAX:
                self._add_day(sums, index)
        found[-1] = _begun(sums, started(self.capacity))
        numbered = {base: number for number, base in enumerate(wanted)}
        self.window_of = {period: numbered[base] for period, base in bases.items()}
        self.is_open = (self.last_units > 0.0) & (self.last_day < today)
        self.present = [Present(found[base], self.is_open) for base in wanted]
        return True

    def _base(self, period: str, today: int) -> int:
        # Index of the last closed day before the period, -1 without one.
        first = first_day(period, today)
        if first is None:
            return -1
        return sum(1 for row in self._rows if row.day < first) - 1

    def _units(self, index: int) -> Floats:
        # Units at the close of a row; who had no record yet stands at the start of the curve.
        if index < 0:
            return started(self.capacity)
        units = self._rows[index].units
        return np.where(units == ABSENT, UNIT_PPB, units).astype(np.float64)

    def _add_day(self, sums: Window, index: int) -> None:
        before = self._units(index - 1)
        units = self._rows[index].units
        sums.add_day(before, units.astype(np.float64), (units != ABSENT) & (before > 0.0))


def _begun(window: Window, start: Floats) -> Window:
    window.start = start
    np.maximum(window.peak, start, out=window.peak)
    return window


def _padded(array: npt.NDArray[Any], capacity: int, fill: int) -> npt.NDArray[Any]:
    larger = np.full(capacity, fill, array.dtype)
    larger[: len(array)] = array
    return larger
