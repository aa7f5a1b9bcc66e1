"""Boards against naive ones, clients against servers, restored nodes against continuing ones."""

from __future__ import annotations

import msgspec
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from streams.core import channels
from streams.core.leaderboard import (
    BOARD_KEYS,
    BOARDS,
    Boards,
    channel_of,
    checksum,
    close_boards,
    delta,
    moment,
    page,
    previous_rank,
    rank_boards,
    ranks_of,
    snapshot,
)
from streams.core.leaderboard.definitions import COMPOSITE, LOWEST_FIRST, METRICS
from streams.core.leaderboard.present import OF_TRADES
from streams.core.market_clock import DAY_US, day_of
from streams.core.performance.periods import PERIOD_DAYS
from streams.core.performance.track import has_record, record_fill, record_flow, record_round_trip
from streams.core.state import State, Trader
from streams.core.valuation import Valuation, value_per_lot
from tests.unit.core.leaderboard.plain import plain_metrics
from tests.unit.core.records import CASH, add, close_tracks, hold, mark, market, next_day


HEAD = 4
"""Streamed rows in this test, so that traders enter and leave the head."""

names = st.integers(0, 7).map(lambda number: f"t{number}")
symbols = st.sampled_from(["A", "B"])


class Client:
    """What a subscriber of one board holds, made of a snapshot and deltas."""

    def __init__(self) -> None:
        self.rows: dict[str, list[object]] = {}

    def apply(self, change: dict[str, list[object]]) -> None:
        for trader in change["left"]:
            self.rows.pop(str(trader), None)
        for row in change["rows"]:
            self.rows[row[0]] = row

    def by_rank(self) -> list[list[object]]:
        return sorted(self.rows.values(), key=lambda row: row[1])


class BoardMachine(RuleBasedStateMachine):
    """Traders fill, win, lose, deposit and join while days pass; boards must follow."""

    def __init__(self) -> None:
        super().__init__()
        self.usual = moment.BOARD_ROWS_STREAMED_MAX, moment.HINT_ROWS, moment.FEW_ROWS
        moment.BOARD_ROWS_STREAMED_MAX, moment.HINT_ROWS, moment.FEW_ROWS = HEAD, HEAD + 1, 3
        self.state: State = market(A=10_000, B=500)
        self.valuation = Valuation.from_state(self.state)
        self.boards = Boards(self.state, self.valuation)
        self.clients = {key: Client() for key in BOARD_KEYS}
        self.ranked = False

    def teardown(self) -> None:
        moment.BOARD_ROWS_STREAMED_MAX, moment.HINT_ROWS, moment.FEW_ROWS = self.usual

    def take(self, name: str) -> Trader:
        trader = self.state.traders.get(name)
        if trader is None:
            trader = add(self.state, name, first_fill_us=0, joined_at_us=len(name))
            self.valuation.add_trader(name, CASH)
        return trader

    def changed(self, trader: Trader, symbol: str = "A") -> None:
        position = trader.ledger.positions.get(symbol)
        lots, cost = (position.lots, position.cost_micros) if position else (0, 0)
        self.valuation.set_position(trader.trader, symbol, lots, cost)
        self.valuation.set_cash(trader.trader, trader.ledger.cash_micros)
        self.ranked = False

    @initialize(lots=st.lists(st.integers(-500_000, 500_000), min_size=1, max_size=6))
    def begin(self, lots: list[int]) -> None:
        for number, held in enumerate(lots):
            self.fill(f"t{number}", 2, "A", held)
            self.fill(f"t{number}", 2, "B", -held // 100)

    @rule(name=names, at_us=st.integers(1, 3), symbol=symbols, lots=st.integers(-500_000, 500_000))
    def fill(self, name: str, at_us: int, symbol: str, lots: int) -> None:
        trader = self.take(name)
        record_fill(trader.track, at_us)
        before = trader.ledger.positions.pop(symbol, None)
        if before is not None:
            held = self.state.instruments[symbol]
            profit = held.value_micros(held.mark_ticks, before.lots) - before.cost_micros
            trader.ledger.cash_micros += profit
            record_round_trip(trader.track, profit)
        if lots:
            hold(self.state, trader, symbol, lots)
        self.changed(trader, symbol)

    @rule(name=names, amount=st.sampled_from([-2 * CASH, -CASH, CASH // 3, 5 * CASH]))
    def flow(self, name: str, amount: int) -> None:
        trader = self.take(name)
        before = self.exact(trader)
        trader.ledger.cash_micros += amount
        record_flow(trader.track, before, before + amount)
        self.changed(trader)

    @rule(symbol=symbols, price=st.integers(1, 20_000))
    def quote(self, symbol: str, price: int) -> None:
        mark(self.state, symbol, price)
        self.valuation.set_mark(symbol, value_per_lot(self.state.instruments[symbol]))
        self.ranked = False

    @rule(
        prices=st.lists(st.tuples(symbols, st.integers(1, 20_000)), min_size=1, max_size=3),
        gap=st.sampled_from([0, 0, 5, 40]),
    )
    def close_days(self, prices: list[tuple[str, int]], gap: int) -> None:
        for symbol, price in prices:
            self.quote(symbol, price)
            day = close_tracks(self.state)
            close_boards(self.state, self.boards, day)
            self.boards_are_the_naive_ones()
            next_day(self.state)
        for _ in range(gap):
            next_day(self.state)
        self.rank()

    @rule()
    def rank(self) -> None:
        rank_boards(self.state, self.boards)
        self.ranked = True

    @rule()
    def cut(self) -> None:
        for base in channels.pending(self.state, channels.TENTHS):
            key = base.removeprefix("leaderboard:")
            rows = list(self.state.conflated[base].pending[channels.TENTHS])
            assert base == channel_of(key)
            self.clients[key].apply(delta(self.state, key, rows))
        channels.cut(self.state, channels.TENTHS)
        for key, client in self.clients.items():
            assert snapshot(self.state, key)["rows"] == client.by_rank()
            assert list(range(1, len(client.rows) + 1)) == [row[1] for row in client.by_rank()]

    @rule()
    def restore(self) -> None:
        raw = msgspec.msgpack.encode(self.state)
        state = msgspec.msgpack.decode(raw, type=State)
        valuation = Valuation.from_state(state)
        boards = Boards(state, valuation)
        rank_boards(state, boards)
        rank_boards(self.state, self.boards)
        self.ranked = True
        assert msgspec.msgpack.encode(state) == msgspec.msgpack.encode(self.state)
        for key in BOARD_KEYS:
            assert checksum(state, key) == checksum(self.state, key)
        self.state, self.valuation, self.boards = state, valuation, boards

    @rule(steps=st.integers(1, 60))
    def prepare(self, steps: int) -> None:
        for _ in zip(self.boards.prepare(self.state), range(steps), strict=False):
            pass
        self.ranked = False

    @precondition(lambda self: self.ranked)
    @invariant()
    def boards_are_the_naive_ones(self) -> None:
        naive = {period: self.naive(period) for period in PERIOD_DAYS}
        for key, (name, period) in BOARD_KEYS.items():
            rows = page(self.state, self.boards, name, period, limit=100)["rows"]
            definition = BOARDS[name]
            expected = {
                trader: row
                for trader, row in naive[period][definition.metric].items()
                if row[1] >= definition.trades_min
                and (not definition.record_days_max or self.is_young(trader))
            }
            assert sorted(expected) == sorted(row[0] for row in rows)
            for row in rows:
                value, trades = expected[row[0]]
                assert abs(value - row[2]) <= 2e-6 + max(
                    1e-6 * abs(value), 5e-5 * (abs(value) < 1e-4)
                )
                assert trades == row[3]
            keys = self.boards.keys(name, period)
            exact = {
                trader: self.boards.value_of(name, int(keys[self.valuation.rows[trader]]))
                for trader in expected
            }
            lowest_first = definition.metric in LOWEST_FIRST
            placed = [self.sort_key(str(row[0]), exact, lowest_first) for row in rows]
            assert placed == sorted(placed)
            head = [[*row[:4], previous_rank(row[4])] for row in rows[:HEAD]]
            assert snapshot(self.state, key) == {"rows": head, "n": len(rows)}

    @precondition(lambda self: self.ranked)
    @invariant()
    def a_traders_ranks_are_those_of_the_boards(self) -> None:
        ranks = {name: ranks_of(self.state, self.boards, name) for name in self.state.traders}
        for key, (name, period) in BOARD_KEYS.items():
            for row in page(self.state, self.boards, name, period, limit=100)["rows"]:
                place = ranks[row[0]].pop(key)
                assert row == [
                    row[0],
                    place["rank"],
                    place["value"],
                    place["trades"],
                    place["before"],
                ]
        assert all(not left for left in ranks.values())

    def is_young(self, name: str) -> bool:
        first = self.state.traders[name].track.first_fill_us
        return first // DAY_US >= day_of(self.state.market_at_us) - 90

    def exact(self, trader: Trader) -> int:
        row = self.valuation.rows[trader.trader]
        return int(self.valuation.equities()[row])

    def sort_key(self, name: str, exact: dict[str, int], lowest_first: bool) -> tuple[object, ...]:
        trader = self.state.traders[name]
        value = exact[name] if lowest_first else -exact[name]
        return value, trader.track.first_fill_us, trader.joined_at_us, name

    def naive(self, period: str) -> dict[str, dict[str, tuple[float, int]]]:
        found: dict[str, dict[str, tuple[float, int]]] = {
            name: {} for name in (COMPOSITE, *METRICS)
        }
        for name, trader in self.state.traders.items():
            answer = plain_metrics(self.state, trader, period)
            # Nobody here is verified, so nobody is on the composite board.
            for metric in METRICS:
                board = found[metric]
                funded = metric in OF_TRADES or has_record(trader.track)
                if trader.track.fills and funded and answer[metric] is not None:
                    board[name] = (answer[metric], answer["trades"])
        return found


BoardMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
test_boards = BoardMachine.TestCase
