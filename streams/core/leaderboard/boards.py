"""What ranking needs about every trader, in arrays: a cache of the state.

`Boards` takes over what changed (the valuation knows whose account was touched), computes the
values of each board for everybody, and answers who is where. `ranking` publishes the streamed
heads into the state; `views` reads the rest.

Invariants:
    * A pure function of state and valuation: after a restore it ranks as the node before would.
    * Order: value, then the longer record (earlier first fill), the earlier join, the id. No two
      traders are equal, so ranks are 1...n.
    * Arrays are indexed by the valuation's rows.
    * `prepare` only saves time: what it computed is used if nothing has changed since, and
      `rank` computes the rest. So nodes may prepare as they find time and still agree.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from streams.core.integrity.flags import is_excluded, is_red
from streams.core.leaderboard import keys as sort_keys
from streams.core.leaderboard.composite import scores
from streams.core.leaderboard.definitions import BOARD_KEYS, COMPOSITE
from streams.core.leaderboard.eligibility import eligible_rows
from streams.core.leaderboard.followers import follower_numbers
from streams.core.leaderboard.heads import Head, Publication, publication
from streams.core.leaderboard.history import History
from streams.core.leaderboard.moment import UNSCORED, Moment, Standing, is_lowest_first
from streams.core.leaderboard.present import Today
from streams.core.leaderboard.seniority import Seniority
from streams.core.leaderboard.trials import Crowd, crowd
from streams.core.market_clock import DAY_US, day_of
from streams.core.performance.periods import PERIOD_DAYS, first_day
from streams.core.performance.track import UNIT_MAX, UNIT_PPB, has_record
from streams.core.state import Board, State, Track
from streams.core.valuation import CAPACITY_MIN, Flags, Floats, Integers, Valuation, grown


COUNTS = ("_trades", "_wins", "_losses", "_won", "_lost")
"""Round trips of the present day; closed days are in the history."""

ARRAYS = ("_growth", "_base", "_funded", "_traded", "_excluded", "_barred", "_ended", "_first_day")

Same = tuple[str, int]
"""Name of a board and number of its window: periods of equal days share it."""

SCORES = np.dtype("<i8")
"""Element of `Board.scores`."""

_NOTHING = Board()

_NO_SCORES: Integers = np.zeros(0, np.int64)


class Boards:
    """Arrays of all traders' records; sole owner of them.

    Attributes:
        crowd: all accounts as trials, as of the newest close.
        valuation: whose rows index the arrays.
    """

    __slots__ = (
        "_barred",
        "_base",
        "_ended",
        "_excluded",
        "_first_day",
        "_funded",
        "_growth",
        "_hints",
        "_history",
        "_losses",
        "_lost",
        "_moments",
        "_moments_before",
        "_orders",
        "_prepared",
        "_published",
        "_records",
        "_sames",
        "_scores",
        "_seniority",
        "_size",
        "_standing",
        "_traded",
        "_trades",
        "_wins",
        "_won",
        "crowd",
        "valuation",
    )

    def __init__(self, state: State, valuation: Valuation) -> None:
        self.valuation = valuation
        self._size = 0
        self._growth: Floats = np.zeros(CAPACITY_MIN)
        self._base: Floats = np.zeros(CAPACITY_MIN)
        self._funded: Flags = np.zeros(CAPACITY_MIN, np.bool_)
        self._traded: Flags = np.zeros(CAPACITY_MIN, np.bool_)
        self._first_day: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._trades: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._wins: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._losses: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._won: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._lost: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._seniority = Seniority(valuation.traders)
        self._moments: dict[str | int, Moment] = {}
        self._moments_before: dict[str | int, Moment] = {}
        self._scores: dict[str, Integers] = {}
        self._excluded: Flags = np.zeros(CAPACITY_MIN, np.bool_)
        self._barred: Flags = np.zeros(CAPACITY_MIN, np.bool_)
        self._ended: Flags = np.zeros(CAPACITY_MIN, np.bool_)
        self._records = 0
        self._orders: dict[Same, Integers] = {}
        self._hints: dict[Same, int | None] = {}
        self._prepared: dict[str, Publication] | None = None
        self._sames: dict[Same, list[str]] = {}
        self._published: tuple[int, int] | None = None
        self._grow(len(valuation.traders))
        self._history = History.from_state(state, len(self._growth))
        for row, trader in enumerate(valuation.traders):
            self._take(state, row, trader)
        valuation.take_changed()
        self._read_scores(state)
        self._standing = self._stand(state)
        self.crowd: Crowd = crowd(self._history, int(np.count_nonzero(self._traded)))

    def close(self, state: State, day: int) -> None:
        """Take over a day that every track has just closed."""
        self._take_changed(state)
        self._history.close(state, day)
        # Closing a day empties today's counts, and wipes whose equity is gone.
        for name in COUNTS:
            getattr(self, name)[:] = 0
        for row in self._history.gone():
            self._take(state, row, self.valuation.traders[row])
        self._score(state, day)
        self.valuation.version += 1
        self._refresh(day_of(state.market_at_us))
        self.crowd = crowd(self._history, int(np.count_nonzero(self._traded)))

    def prepare(self, state: State) -> Iterator[None]:
        """Compute what a ranking would publish at the present marks, in short steps.

        Args:
            state: read only.

        Yields:
            None after each step.
        """
        if self._prepared is not None and self._standing.token == self._token(state):
            return
        self._prepared = None
        yield from self.valuation.prepare()
        self._standing = self._stand(state)
        yield
        heads: dict[Same, Head] = {}
        for same, keys in self._sames.items():
            name, period = BOARD_KEYS[keys[0]]
            moment, hint = self._moment(name, period), self._hints.get(same)
            heads[same], self._hints[same] = moment.head(name, self.valuation.traders, hint)
            yield
        yield from self._compare(state, heads)

    def rank(self, state: State) -> dict[str, Publication]:
        """Return what to publish by board key; nothing when nothing has changed.

        Args:
            state: read only.
        """
        if self._published == self._token(state):
            return {}
        for _ in self.prepare(state):
            pass
        self._published = self._standing.token
        return self._prepared or {}

    def ended(self, state: State, after: int, count: int) -> list[tuple[int, str]]:
        """Return traders whose account was blown or closed, as (place, trader) in order of join.

        Args:
            state: read only.
            after: place after which to begin, 0 = with the first.
            count: how many at most.
        """
        self._take_changed(state)
        rows = np.flatnonzero(self._ended[after : self._size])[:count] + after
        return [(row + 1, self.valuation.traders[row]) for row in rows.tolist()]

    def same_board(self, name: str, period: str) -> Same:
        """Return a key that boards of equal contents share, for instance in a young record."""
        # Scores are of the newest close: whether two periods were equal then is another question.
        shown = f"{name}:{period}" if name == COMPOSITE else name
        return shown, self._history.window_of[period]

    def _same_boards(self) -> dict[Same, list[str]]:
        """Return the keys of all boards by what they share."""
        found: dict[Same, list[str]] = {}
        for key, (name, period) in BOARD_KEYS.items():
            found.setdefault(self.same_board(name, period), []).append(key)
        return found

    def keys(self, name: str, period: str) -> Integers:
        """Return everybody's sort key on a board, by row."""
        return self._moment(name, period).keys(name)

    def order(self, name: str, period: str) -> tuple[Integers, Integers]:
        """Return the valuation rows of a whole board by rank, and their values in millionths."""
        same, moment = self.same_board(name, period), self._moment(name, period)
        ordered = self._orders.get(same)
        if ordered is None:
            keys = moment.keys(name)
            ordered = self._orders[same] = sort_keys.best(keys, len(keys))
        return moment.rows_of(ordered), moment.values_of(name, ordered)

    def value_of(self, name: str, key: int) -> int:
        """Return the value in millionths that one sort key of a board holds."""
        return int(sort_keys.values_of(np.array([key]), lowest_first=is_lowest_first(name))[0])

    def trades(self, period: str) -> Integers:
        """Return the round trips of every trader that closed in a period, by row."""
        trades: Integers = self._moment("total_return", period).trades
        return trades

    def _moment(self, name: str, period: str) -> Moment:
        number = self._history.window_of[period]
        same = period if name == COMPOSITE else number
        found = self._moments.get(same)
        if found is None:
            before = self._moments_before.get(same)
            scores = None
            if name == COMPOSITE:
                scores = self._scores.get(period, _NO_SCORES)
            found = self._moments[same] = Moment(
                self._standing, self._history.present[number], self._seniority, before, scores
            )
        return found

    def _read_scores(self, state: State) -> None:
        for period in PERIOD_DAYS:
            board = state.boards.get(f"{COMPOSITE}:{period}", _NOTHING)
            scores = np.frombuffer(board.scores, SCORES).astype(np.int64)
            self._scores[period] = grown(scores, len(self._growth), UNSCORED)

    def _score(self, state: State, day: int) -> None:
        """Score who is eligible at the close of a day, for the composite board."""
        eligible = eligible_rows(state, self.valuation.traders)
        rows = np.array(eligible, np.int64)
        followers = follower_numbers(state, [self.valuation.traders[row] for row in eligible])
        for period in PERIOD_DAYS:
            first = first_day(period, day + 1)
            returns, valid = self._history.sample(rows, 0 if first is None else first)
            found: Integers = np.full(len(self.valuation.traders), UNSCORED, np.int64)
            for step in scores(returns, valid, followers) if eligible else ():
                if step is not None:
                    found[rows] = step
            board = state.boards.setdefault(f"{COMPOSITE}:{period}", Board())
            board.scores = found.astype(SCORES).tobytes()
        self._records += 1
        self._read_scores(state)

    def _compare(self, state: State, heads: dict[Same, Head]) -> Iterator[None]:
        """Compare all heads with what is published; set what `rank` answers."""
        prepared: dict[str, Publication] = {}
        for same, keys in self._sames.items():
            head, shared = heads[same], dict[tuple[object, ...], Publication]()
            for key in keys:
                board = state.boards.get(key, _NOTHING)
                if not head.ranked and not board.ranked:
                    continue
                # Periods that show the same lists and now have the same head change alike.
                shown = (board.traders, board.values, board.trades, board.closed_ranks)
                alike = (board.ranked, *map(id, shown))
                found = shared.get(alike)
                if found is None:
                    found = shared[alike] = publication(board, head)
                    yield
                if found.changed:
                    prepared[key] = found
        self._prepared = prepared

    def _token(self, state: State) -> tuple[int, int]:
        return self.valuation.version, day_of(state.market_at_us)

    def _stand(self, state: State) -> Standing:
        """Take over what changed and compute where everybody is now."""
        self._take_changed(state)
        history, day = self._history, day_of(state.market_at_us)
        self._refresh(day)
        self._seniority.refresh(state)
        self._moments_before, self._moments = self._moments, {}
        self._orders.clear()
        size = self._size
        units = self._units()
        counts = tuple(getattr(self, name)[:size] for name in COUNTS)
        today = Today.of(units, history.last_units[:size], history.is_open[:size], counts)
        traded = self._traded[:size] & ~self._excluded[:size]
        barred = self._barred[:size]
        funded = traded & self._funded[:size]
        first_day = self._first_day[:size]
        return Standing(
            self._token(state), day, self._records, today, traded, barred, funded, first_day
        )

    def _refresh(self, day: int) -> None:
        if self._history.refresh(day):
            self._records += 1
            self._sames = self._same_boards()

    def _take_changed(self, state: State) -> None:
        traders = self.valuation.traders
        if len(traders) > self._size:
            self._grow(len(traders))
            if len(self._growth) > self._history.capacity:
                self._history.resize(len(self._growth))
        changed = self.valuation.take_changed()
        for row in changed:
            self._take(state, row, traders[row])
        if changed:
            self._records += 1

    def _take(self, state: State, row: int, trader_id: str) -> None:
        trader = state.traders[trader_id]
        track: Track = trader.track
        self._growth[row] = track.growth
        self._base[row] = track.base_micros
        self._funded[row] = has_record(track)
        self._trades[row] = track.today_trades
        self._wins[row] = track.today_wins
        self._losses[row] = track.today_losses
        self._won[row] = track.today_won_micros
        self._lost[row] = track.today_lost_micros
        self._excluded[row] = is_red(state, trader_id)
        self._barred[row] = is_excluded(state, trader_id)
        self._ended[row] = track.wiped or trader_id in state.closed_traders
        if track.fills > 0 and not self._traded[row]:
            self._traded[row] = True
            self._first_day[row] = track.first_fill_us // DAY_US
            self._seniority.add(row)

    def _grow(self, rows: int) -> None:
        self._size = rows
        for name in (*ARRAYS, *COUNTS):
            setattr(self, name, grown(getattr(self, name), rows))
        self._seniority.grow(rows)

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
