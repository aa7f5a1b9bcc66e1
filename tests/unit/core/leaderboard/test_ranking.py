import numpy as np

from streams.core import channels
from streams.core.leaderboard import (
    BOARD_KEYS,
    Boards,
    change,
    channel_of,
    close_boards,
    rank_boards,
    snapshot,
)
from streams.core.leaderboard.heads import NEVER_RANKED, RETURNING, closed_ranks
from streams.core.limits import BOARD_ROWS_STREAMED_MAX
from streams.core.performance.track import record_round_trip
from streams.core.state import State
from streams.core.valuation import Valuation
from tests.unit.core.records import CASH, add, close_tracks, market, next_day


KEY = "total_return:1w"


class Floor:
    """A state with its arrays, as the kernel holds them."""

    def __init__(self, *traders: str) -> None:
        self.state: State = market()
        for number, name in enumerate(traders):
            add(self.state, name, first_fill_us=number + 1)
        self.valuation = Valuation.from_state(self.state)
        self.boards = Boards(self.state, self.valuation)

    def cash(self, name: str, percent: int) -> None:
        cash = CASH * percent // 100
        self.state.traders[name].ledger.cash_micros = cash
        self.valuation.set_cash(name, cash)

    def rank(self) -> list[str]:
        """Rank, cut the raw channel, and return its rows that were pending on the board."""
        rank_boards(self.state, self.boards)
        return self.cut()

    def cut(self) -> list[str]:
        conflated = self.state.conflated.get(channel_of(KEY))
        rows = [] if conflated is None else list(conflated.pending[channels.RAW])
        channels.cut(self.state, channels.RAW)
        return rows

    def close(self) -> None:
        day = close_tracks(self.state)
        close_boards(self.state, self.boards, day)


def test_the_first_ranking_publishes_everybody():
    floor = Floor("a", "b")
    assert floor.rank() == ["a", "b"]
    board = floor.state.boards[KEY]
    assert (board.traders, board.values, board.trades) == (["a", "b"], [0, 0], [0, 0])
    assert (board.previous, board.ranked) == ([0, 0], 2)
    # Boards that rank nobody are not made.
    assert [key for key in floor.state.boards if not floor.state.boards[key].ranked] == []
    close_boards(floor.state, floor.boards, 0)
    assert len(floor.state.boards) == len(BOARD_KEYS)


def test_nothing_is_published_when_nothing_changed():
    floor = Floor("a", "b")
    floor.rank()
    assert floor.rank() == []


def test_a_changed_value_is_published():
    floor = Floor("a", "b")
    floor.rank()
    floor.cash("a", 110)
    assert floor.rank() == ["a"]
    assert floor.state.boards[KEY].values == [100_000, 0]


def test_changed_trades_are_published():
    floor = Floor("a", "b")
    floor.rank()
    record_round_trip(floor.state.traders["b"].track, 0)
    floor.cash("b", 100)
    assert floor.rank() == ["b"]
    assert floor.state.boards[KEY].trades == [0, 1]


def test_everybody_who_moved_is_published():
    floor = Floor("a", "b", "c")
    floor.rank()
    floor.cash("c", 110)
    assert floor.rank() == ["c", "a", "b"]
    assert floor.state.boards[KEY].traders == ["c", "a", "b"]


def test_who_enters_and_who_leaves_is_published():
    floor = Floor(*[f"t{number:03}" for number in range(BOARD_ROWS_STREAMED_MAX + 1)])
    floor.rank()
    board = floor.state.boards[KEY]
    assert len(board.traders) == BOARD_ROWS_STREAMED_MAX
    assert board.ranked == BOARD_ROWS_STREAMED_MAX + 1
    last = f"t{BOARD_ROWS_STREAMED_MAX:03}"
    floor.cash("t098", 90)
    assert floor.rank() == ["t099", last, "t098"]
    assert board.traders[-2:] == ["t099", last]


def test_a_new_number_of_ranked_traders_goes_out_with_the_first_row():
    floor = Floor(*[f"t{number:03}" for number in range(BOARD_ROWS_STREAMED_MAX)])
    floor.rank()
    add(floor.state, "late", first_fill_us=10**6)
    floor.valuation.add_trader("late", CASH)
    assert floor.rank() == ["t000"]
    assert floor.state.boards[KEY].ranked == BOARD_ROWS_STREAMED_MAX + 1


def test_ranks_at_the_close_become_previous_ranks():
    floor = Floor("a", "b", "c")
    floor.rank()
    floor.cash("c", 110)
    floor.close()
    board = floor.state.boards[KEY]
    assert board.traders == ["c", "a", "b"]
    assert board.previous == [1, 2, 3]
    assert floor.cut() == ["c", "a", "b"]
    next_day(floor.state)
    add(floor.state, "d", first_fill_us=9)
    floor.valuation.add_trader("d", CASH)
    floor.cash("a", 120)
    floor.rank()
    assert board.traders == ["a", "c", "b", "d"]
    assert board.previous == [2, 1, 3, 0]
    assert closed_ranks(board, np.array([3, 0])) == [0, 2]


def test_an_unranked_trader_has_no_previous_rank():
    floor = Floor("a")
    add(floor.state, "watcher", first_fill_us=0)
    floor.valuation.add_trader("watcher", CASH)
    floor.close()
    assert closed_ranks(floor.state.boards[KEY], np.array([0, 1])) == [1, 0]


def test_who_comes_back_to_a_board_is_not_new():
    floor = Floor("a", "b")
    record_round_trip(floor.state.traders["b"].track, 1)
    floor.cash("b", 100)
    floor.close()
    week = floor.state.boards["win_rate:1w"]
    for _ in range(9):
        next_day(floor.state)
        floor.close()
    assert week.traders == []
    assert closed_ranks(week, np.array([0, 1])) == [NEVER_RANKED, RETURNING]
    record_round_trip(floor.state.traders["b"].track, 1)
    record_round_trip(floor.state.traders["a"].track, 1)
    floor.cash("a", 100)
    floor.cash("b", 100)
    floor.rank()
    assert (week.traders, week.previous) == (["a", "b"], [NEVER_RANKED, RETURNING])
    rows = snapshot(floor.state, "win_rate:1w")["rows"]
    assert [row[4] for row in rows] == [None, None]
    assert [change(1, before) for before in (NEVER_RANKED, RETURNING, 4, 1)] == ["NEW", "RE", 3, 0]
