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

from streams.core.leaderboard.history import History
from streams.core.leaderboard.windows import Window
from streams.core.market_clock import day_of
from streams.core.performance.periods import PERIOD_DAYS
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
        self._ranked: dict[tuple[str, int], Ranked] = {}
        self._orders: dict[tuple[str, int], Integers] = {}
        self._grow(len(valuation.traders))
        self._history = History.from_state(state, len(self._growth))
        for row, trader in enumerate(valuation.traders):
            self._take(state, row, trader)
        self.compute(state)

    @property
    def seniority(self) -> Integers:
        """Place of each trader, by row, in the order that settles ties."""
        return self._seniority

    def close(self, state: State, day: int) -> None:
        """Take over a day that every track has just closed."""
        self._take_changed(state)
        self._history.close(state, day)
        # Closing a day empties today's counts, and wipes whose equity is gone.
        self._trades[:] = self._wins[:] = self._losses[:] = 0
        for row in self._history.gone():
            self._take(state, row, self.valuation.traders[row])

    def compute(self, state: State) -> None:
        """Compute all boards at the present marks."""
        self._take_changed(state)
        self._history.refresh(day_of(state.market_at_us))
        if self._seniority_stale:
            self._refresh_seniority()
        self._ranked.clear()
        self._orders.clear()
        units = self._units()
        for number, window in enumerate(self._history.windows):
            self._rank_gains(number, window, units)
        self._rank_ratios(units)

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

    def _take_changed(self, state: State) -> None:
        traders = self.valuation.traders
        if len(traders) > self._size:
            self._grow(len(traders))
            if len(self._growth) > self._history.capacity:
                self._history.resize(len(self._growth))
        for row in self.valuation.take_changed():
            self._take(state, row, traders[row])

    def _take(self, state: State, row: int, trader_id: str) -> None:
        trader = state.traders[trader_id]
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
            self._joined_at_us[row] = trader.joined_at_us
            self._seniority_stale = True

    def _grow(self, rows: int) -> None:
        self._size = rows
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

    def _rank_gains(self, number: int, window: Window, units: Floats) -> None:
        size = self._size
        traded = self._traded[:size]
        trades = window.trades[:size] + self._trades[:size]
        wins = window.wins[:size] + self._wins[:size]
        decided = wins + window.losses[:size] + self._losses[:size]

        start = window.start[:size]
        eligible = traded & self._funded[:size] & (start > 0.0)
        gains = units / np.where(eligible, start, 1.0) - 1.0
        self._put("total_return", number, gains, eligible, trades)
        self._put("win_rate", number, wins / np.maximum(decided, 1), traded & (decided > 0), trades)

    def _rank_ratios(self, units: Floats) -> None:
        size = self._size
        history = self._history
        before = history.last_units[:size]
        running = before > 0.0
        today = units / np.where(running, before, 1.0) - 1.0
        if history.last_day >= history.today:
            running = np.zeros_like(running)
        lowest, highest = np.where(running, today, np.inf), np.where(running, today, -np.inf)
        eligible = self._traded[:size] & self._funded[:size]
        for number, ratios in enumerate(history.ratios):
            values, defined = ratios.ratio(today, lowest, highest)
            trades = self._ranked["total_return", number].trades
            self._put("sharpe", number, values, defined & eligible, trades)

    def _put(
        self, metric: str, number: int, values: Floats, eligible: Flags, trades: Integers
    ) -> None:
        rows = np.flatnonzero(eligible)
        micros = np.rint(values[rows] * VALUE_MICRO)
        np.clip(micros, -VALUE_MICRO_MAX, VALUE_MICRO_MAX, out=micros)
        self._ranked[metric, number] = Ranked(rows, micros.astype(np.int64), trades)
