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
    Boards,
    channel_of,
    checksum,
    close_boards,
    delta,
    page,
    rank_boards,
    ranking,
    ranks_of,
    snapshot,
)
from streams.core.performance.summary import performance
from streams.core.performance.track import has_record, record_fill, record_flow, record_round_trip
from streams.core.state import State, Trader
from streams.core.valuation import Valuation, value_per_lot
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
        self.streamed = ranking.BOARD_ROWS_STREAMED_MAX
        ranking.BOARD_ROWS_STREAMED_MAX = HEAD
        self.state: State = market(A=10_000, B=500)
        self.valuation = Valuation.from_state(self.state)
        self.boards = Boards(self.state, self.valuation)
        self.clients = {key: Client() for key in BOARD_KEYS}
        self.ranked = False

    def teardown(self) -> None:
        ranking.BOARD_ROWS_STREAMED_MAX = self.streamed

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
            close_boards(self.state, self.valuation, self.boards, day)
            self.boards_are_the_naive_ones()
            next_day(self.state)
        for _ in range(gap):
            next_day(self.state)
        self.rank()

    @rule()
    def rank(self) -> None:
        rank_boards(self.state, self.valuation, self.boards)
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
        rank_boards(state, valuation, boards)
        rank_boards(self.state, self.valuation, self.boards)
        self.ranked = True
        assert msgspec.msgpack.encode(state) == msgspec.msgpack.encode(self.state)
        for key in BOARD_KEYS:
            assert checksum(state, key) == checksum(self.state, key)
        self.state, self.valuation, self.boards = state, valuation, boards

    @precondition(lambda self: self.ranked)
    @invariant()
    def boards_are_the_naive_ones(self) -> None:
        naive = {period: self.naive(period) for _, period in BOARD_KEYS.values()}
        for key, (metric, period) in BOARD_KEYS.items():
            rows = page(self.state, self.boards, metric, period, limit=100)["rows"]
            expected = naive[period][metric]
            assert sorted(expected) == sorted(row[0] for row in rows)
            for row in rows:
                value, trades = expected[row[0]]
                assert abs(value - row[2]) <= 2e-6 + max(
                    1e-6 * abs(value), 5e-5 * (abs(value) < 1e-4)
                )
                assert trades == row[3]
            board = self.boards.board(metric, period)
            exact = dict(zip(board.rows.tolist(), board.values.tolist(), strict=True))
            keys = [self.sort_key(str(row[0]), exact) for row in rows]
            assert keys == sorted(keys)
            head = snapshot(self.state, key)
            assert head == {"rows": rows[:HEAD], "n": len(rows)}

    @precondition(lambda self: self.ranked)
    @invariant()
    def a_traders_ranks_are_those_of_the_boards(self) -> None:
        ranks = {name: ranks_of(self.state, self.boards, name) for name in self.state.traders}
        for key, (metric, period) in BOARD_KEYS.items():
            for row in page(self.state, self.boards, metric, period, limit=100)["rows"]:
                place = ranks[row[0]].pop(key)
                actual = [row[0], place["rank"], place["value"], place["trades"]]
                assert row == [*actual, place["previous_rank"]]
        assert all(not left for left in ranks.values())

    def exact(self, trader: Trader) -> int:
        row = self.valuation.rows[trader.trader]
        return int(self.valuation.equities()[row])

    def sort_key(self, name: str, exact: dict[int, int]) -> tuple[object, ...]:
        trader = self.state.traders[name]
        value = exact[self.valuation.rows[name]]
        return -value, trader.track.first_fill_us, trader.joined_at_us, name

    def naive(self, period: str) -> dict[str, dict[str, tuple[float, int]]]:
        found: dict[str, dict[str, tuple[float, int]]] = {
            "total_return": {},
            "win_rate": {},
            "sharpe": {},
        }
        for name, trader in self.state.traders.items():
            answer = performance(self.state, trader, period)
            for metric, board in found.items():
                funded = metric == "win_rate" or has_record(trader.track)
                if trader.track.fills and funded and answer[metric] is not None:
                    board[name] = (answer[metric], answer["trades"])
        return found


BoardMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
test_boards = BoardMachine.TestCase
