"""What ranking needs about every trader, in arrays: a cache of the state.

`Boards` takes over what changed (the valuation knows whose account was touched), computes the
value of each board for everybody, and answers who is where. `ranking` publishes the streamed
heads into the state; `pages` reads the rest.

Invariants:
    * A pure function of state and valuation: after a restore it ranks as the node before would.
    * Values are whole millionths. Order: value falling, then the longer record (earlier first
      fill), the earlier join, the id. No two traders are equal, so ranks are 1...n.
    * Arrays are indexed by the valuation's rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from streams.core.leaderboard.history import History, Window
from streams.core.market_clock import day_of
from streams.core.performance.metrics import DAYS_A_YEAR
from streams.core.performance.periods import PERIOD_DAYS, RESOLUTION
from streams.core.performance.track import UNIT_MAX, UNIT_PPB, has_record
from streams.core.state import State, Track
from streams.core.valuation import CAPACITY_MIN, Flags, Floats, Integers, Valuation, grown


METRICS = ("total_return", "win_rate", "sharpe")
"""Metrics that have a board."""

BOARD_KEYS = {
    f"{metric}:{period}": (metric, period) for metric in METRICS for period in PERIOD_DAYS
}
"""Key of each board in `State.boards` with its metric and period."""

VALUE_MICRO = 1_000_000
"""Board values are kept in these parts of 1."""

VALUE_MICRO_MAX = 10**15
"""Largest board value, in millionths: beyond it the value stays there."""


class Ranked(NamedTuple):
    """One board's value for everybody who has one.

    Attributes:
        rows: valuation rows, rising.
        values: their values in millionths.
        trades: round trips closed in the period, of every trader by valuation row.
    """

    rows: Integers
    values: Integers
    trades: Integers


class Boards:
    """Arrays of all traders' records; sole owner of them."""

    __slots__ = (
        "_base",
        "_first_fill_us",
        "_funded",
        "_growth",
        "_history",
        "_joined_at_us",
        "_losses",
        "_orders",
        "_ranked",
        "_seniority",
        "_seniority_stale",
        "_size",
        "_traded",
        "_trades",
        "_wins",
        "valuation",
    )

    def __init__(self, state: State, valuation: Valuation) -> None:
        self.valuation = valuation
        self._size = 0
        self._growth: Floats = np.zeros(CAPACITY_MIN)
        self._base: Floats = np.zeros(CAPACITY_MIN)
        self._funded: Flags = np.zeros(CAPACITY_MIN, np.bool_)
        self._traded: Flags = np.zeros(CAPACITY_MIN, np.bool_)
        # Round trips of the present day; closed days are in the history.
        self._trades: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._wins: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._losses: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._first_fill_us: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._joined_at_us: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._seniority: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._seniority_stale = True
        self._history = History.from_state(state, CAPACITY_MIN)
        self._ranked: dict[tuple[str, int], Ranked] = {}
        self._orders: dict[tuple[str, int], Integers] = {}
        for row, trader in enumerate(valuation.traders):
            self._take(state, row, trader)
        self.compute(state)

    @property
    def seniority(self) -> Integers:
        """Place of each trader, by row, in the order that settles ties."""
        return self._seniority

    def close(self, state: State, day: int) -> None:
        """Take over a day that every track has just closed."""
        self._history.close(state, day)
        for row, trader in enumerate(self.valuation.traders):
            self._take(state, row, trader)

    def compute(self, state: State) -> None:
        """Compute all boards at the present marks."""
        traders = self.valuation.traders
        for row in self.valuation.take_changed():
            self._take(state, row, traders[row])
        self._history.refresh(day_of(state.market_at_us))
        if self._seniority_stale:
            self._refresh_seniority()
        self._ranked.clear()
        self._orders.clear()
        units = self._units()
        for number, window in enumerate(self._history.windows):
            self._rank_window(number, window, units)

    def board(self, metric: str, period: str) -> Ranked:
        """Return a board as it was computed last.

        Raises:
            KeyError: no such board.
        """
        return self._ranked[metric, self._history.window_of[period]]

    def same_board(self, metric: str, period: str) -> tuple[str, int]:
        """Return a key that boards with equal contents share, for instance in a young record."""
        return metric, self._history.window_of[period]

    def order(self, metric: str, period: str) -> Integers:
        """Return the valuation rows of a whole board by rank; kept until the next `compute`."""
        key = self.same_board(metric, period)
        order = self._orders.get(key)
        if order is None:
            board = self._ranked[key]
            by_rank = np.lexsort((self._seniority[board.rows], -board.values))
            order = self._orders[key] = board.rows[by_rank]
        return order

    def head(self, metric: str, period: str, count: int) -> tuple[Integers, Integers]:
        """Return valuation rows and values of the first `count` ranks, by rank."""
        rows, values, _ = self.board(metric, period)
        if len(rows) > count:
            last = np.partition(values, len(values) - count)[len(values) - count]
            above = values > last
            tied = rows[values == last]
            wanted = count - int(np.count_nonzero(above))
            if len(tied) > wanted:
                tied = tied[np.argsort(self._seniority[tied])[:wanted]]
            tied_values = np.full(len(tied), last)
            rows = np.concatenate((rows[above], tied))
            values = np.concatenate((values[above], tied_values))
        by_rank = np.lexsort((self._seniority[rows], -values))
        return rows[by_rank], values[by_rank]

    def _take(self, state: State, row: int, trader_id: str) -> None:
        trader = state.traders[trader_id]
        if row >= self._size:
            self._grow(row + 1)
            self._joined_at_us[row] = trader.joined_at_us
        track: Track = trader.track
        self._growth[row] = track.growth
        self._base[row] = track.base_micros
        self._funded[row] = has_record(track)
        self._trades[row] = track.today_trades
        self._wins[row] = track.today_wins
        self._losses[row] = track.today_losses
        if track.fills > 0 and not self._traded[row]:
            self._traded[row] = True
            self._first_fill_us[row] = track.first_fill_us
            self._seniority_stale = True

    def _grow(self, rows: int) -> None:
        self._size = rows
        if rows <= len(self._growth):
            return
        for name in (
            "_growth",
            "_base",
            "_funded",
            "_traded",
            "_trades",
            "_wins",
            "_losses",
            "_first_fill_us",
            "_joined_at_us",
            "_seniority",
        ):
            setattr(self, name, grown(getattr(self, name), rows))
        self._history.grow(len(self._growth))

    def _refresh_seniority(self) -> None:
        # Only traders with a fill are ever ranked, so only they get a place.
        rows = np.flatnonzero(self._traded[: self._size])
        first, joined = self._first_fill_us[rows], self._joined_at_us[rows]
        order = np.lexsort((joined, first))
        first, joined, rows = first[order], joined[order], rows[order]
        equal = (first[1:] == first[:-1]) & (joined[1:] == joined[:-1])
        begin, traders = 0, self.valuation.traders
        for end in [*(np.flatnonzero(~equal) + 1).tolist(), len(rows)]:
            if end - begin > 1:
                rows[begin:end] = sorted(rows[begin:end].tolist(), key=traders.__getitem__)
            begin = end
        self._seniority[rows] = np.arange(len(rows))
        self._seniority_stale = False

    def _units(self) -> Floats:
        # As `track.unit_ppb`, for everybody.
        size = self._size
        growth, base = self._growth[:size], self._base[:size]
        equity = self.valuation.equities()
        running = base > 0.0
        moved = growth * equity / np.where(running, base, 1.0)
        units = np.where(running, np.where(equity > 0, np.minimum(moved, UNIT_MAX), 0.0), growth)
        rounded: Floats = np.rint(units * UNIT_PPB)
        return rounded

    def _rank_window(self, number: int, window: Window, units: Floats) -> None:
        size = self._size
        traded, funded = self._traded[:size], self._funded[:size]
        trades = window.trades[:size] + self._trades[:size]
        wins = window.wins[:size] + self._wins[:size]
        decided = wins + window.losses[:size] + self._losses[:size]

        start = window.start[:size]
        eligible = traded & funded & (start > 0.0)
        gains = units / np.where(eligible, start, 1.0) - 1.0
        self._put("total_return", number, gains, eligible, trades)

        eligible = traded & (decided > 0)
        self._put("win_rate", number, wins / np.maximum(decided, 1), eligible, trades)

        ratio, defined = self._sharpe(window, units)
        self._put("sharpe", number, ratio, traded & funded & defined, trades)

    def _put(
        self, metric: str, number: int, values: Floats, eligible: Flags, trades: Integers
    ) -> None:
        rows = np.flatnonzero(eligible)
        micros = np.rint(values[rows] * VALUE_MICRO)
        np.clip(micros, -VALUE_MICRO_MAX, VALUE_MICRO_MAX, out=micros)
        self._ranked[metric, number] = Ranked(rows, micros.astype(np.int64), trades)

    def _sharpe(self, window: Window, units: Floats) -> tuple[Floats, Flags]:
        # As `metrics.sharpe` over the closed days and today so far, for everybody.
        size = self._size
        count, mean = window.returns[:size], window.mean[:size]
        squares, low, high = window.squares[:size], window.low[:size], window.high[:size]
        if self._history.last_day < self._history.today:
            before = self._history.last_units[:size]
            valid = before > 0.0
            today = units / np.where(valid, before, 1.0) - 1.0
            count = count + valid
            delta = np.where(valid, today - mean, 0.0)
            mean = mean + delta / np.maximum(count, 1.0)
            squares = squares + delta * (today - mean)
            low = np.where(valid, np.minimum(low, today), low)
            high = np.where(valid, np.maximum(high, today), high)
        enough = count >= 2.0
        low, high = np.where(enough, low, 0.0), np.where(enough, high, 0.0)
        noise = 4.0 * np.finfo(np.float64).eps * np.maximum(np.abs(low), np.abs(high))
        defined = enough & (high - low > np.maximum(noise, RESOLUTION)) & (squares > 0.0)
        deviation = np.sqrt(np.where(defined, squares, 1.0) / np.maximum(count - 1.0, 1.0))
        return mean / deviation * np.sqrt(float(DAYS_A_YEAR)), defined
