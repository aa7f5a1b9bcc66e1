from zlib import crc32

import msgspec
import pytest

from streams.core.leaderboard import checksum, delta, page, ranks_of, snapshot
from streams.core.performance.track import record_round_trip
from streams.core.state import Board, State
from tests.unit.core.leaderboard.test_ranking import Floor
from tests.unit.core.records import CASH


KEY = "total_return:1w"


def published() -> State:
    board = Board(["b", "a"], [250_000, -100], [7, 2], [0, 1], 9)
    return State(boards={KEY: board})


def test_a_snapshot():
    rows = [["b", 1, 0.25, 7, None], ["a", 2, -0.0001, 2, 1]]
    assert snapshot(published(), KEY) == {"rows": rows, "n": 9}
    assert snapshot(published(), "sharpe:1y") == {"rows": [], "n": 0}


def test_a_delta_holds_pending_rows_and_who_left():
    assert delta(published(), KEY, ["gone", "a"]) == {
        "rows": [["a", 2, -0.0001, 2, 1]],
        "left": ["gone"],
        "n": 9,
    }
    assert delta(published(), "sharpe:1y", ["x"]) == {"rows": [], "left": ["x"], "n": 0}


def test_the_checksum_of_a_board():
    assert checksum(published(), KEY) == crc32(b"1:b:0.25|2:a:-0.0001")
    assert checksum(State(), KEY) == crc32(b"")


@pytest.mark.parametrize(
    "micro",
    [10**15, 10**12 + 1, 1_000_000, 123_456, 101, 100, 51, 50, 1, 0, -1, -60, -100, -999_999],
)
def test_every_value_is_written_alike_by_json_and_python(micro):
    board = Board(["a"], [micro], [0], [0], 1)
    state = State(boards={KEY: board})
    sent = msgspec.json.encode(snapshot(state, KEY)["rows"][0][2]).decode()
    assert sent == str(msgspec.json.decode(sent))
    assert checksum(state, KEY) == crc32(f"1:a:{sent}".encode())
    assert abs(float(sent) - micro / 10**6) <= 0.00005


def floor() -> Floor:
    made = Floor("a", "b", "c", "d")
    for name, trips in (("a", 3), ("b", 1), ("c", 2)):
        for _ in range(trips):
            record_round_trip(made.state.traders[name].track, 1)
    for name, percent in (("a", 100), ("b", 130), ("c", 120), ("d", 110)):
        made.cash(name, percent)
    made.rank()
    return made


def test_pages_of_a_board():
    made = floor()
    state, boards = made.state, made.boards
    first = page(state, boards, "total_return", "1w", limit=3)
    assert first == {
        "rows": [["b", 1, 0.3, 1, 0], ["c", 2, 0.2, 2, 0], ["d", 3, 0.1, 0, 0]],
        "next": 3,
        "n": 4,
    }
    assert page(state, boards, "total_return", "1w", after=3, limit=3) == {
        "rows": [["a", 4, 0.0, 3, 0]],
        "next": None,
        "n": 4,
    }
    assert page(state, boards, "total_return", "1w", after=4)["rows"] == []


def test_a_page_of_traders_with_enough_trades_keeps_the_ranks():
    made = floor()
    rows = page(made.state, made.boards, "total_return", "all", min_trades=2)["rows"]
    assert [row[:2] for row in rows] == [["c", 2], ["a", 4]]
    first = page(made.state, made.boards, "total_return", "all", min_trades=2, limit=1)
    assert first["next"] == 2
    second = page(made.state, made.boards, "total_return", "all", min_trades=2, after=2, limit=1)
    assert [row[0] for row in second["rows"]] == ["a"]
    assert second["next"] is None


def test_previous_ranks_on_pages_and_in_a_traders_ranks():
    made = floor()
    made.close()
    made.state.market_at_us += 86_400_000_000
    made.cash("a", 140)
    made.rank()
    rows = page(made.state, made.boards, "total_return", "1w")["rows"]
    assert [(row[0], row[4]) for row in rows] == [("a", 4), ("b", 1), ("c", 2), ("d", 3)]
    ranks = ranks_of(made.state, made.boards, "a")
    assert ranks["total_return:1w"] == {
        "rank": 1,
        "before": 4,
        "value": 0.4,
        "trades": 3,
        "n": 4,
    }


def test_ranks_of_a_trader_leave_boards_out_that_do_not_rank_it():
    made = floor()
    ranks = ranks_of(made.state, made.boards, "d")
    assert sorted({key.split(":")[0] for key in ranks}) == ["max_drawdown", "total_return"]
    tied = ranks_of(made.state, made.boards, "c")["win_rate:1w"]
    assert (tied["rank"], tied["n"], tied["before"]) == (3, 3, 0)


def test_pages_can_be_read_before_the_first_tick():
    made = Floor("a")
    made.cash("a", 150)
    assert page(made.state, made.boards, "total_return", "1w")["rows"] == [["a", 1, 0.0, 0, 0]]
    assert made.state.traders["a"].ledger.cash_micros == CASH * 150 // 100
