from streams.core.leaderboard import BOARD_KEYS, Boards
from streams.core.leaderboard.boards import VALUE_MICRO_MAX
from streams.core.performance.periods import PERIOD_DAYS
from streams.core.performance.track import record_fill, record_flow, record_round_trip
from streams.core.state import State
from streams.core.valuation import CAPACITY_MIN, Valuation
from tests.unit.core.records import CASH, add, close_tracks, hold, mark, market, next_day


def boards_of(state: State) -> Boards:
    return Boards(state, Valuation.from_state(state))


def names(boards: Boards, metric: str, period: str = "all") -> list[str]:
    return [boards.valuation.traders[row] for row in boards.order(metric, period).tolist()]


def test_there_are_18_boards():
    assert len(BOARD_KEYS) == 18
    assert BOARD_KEYS["sharpe:1m"] == ("sharpe", "1m")


def test_order_of_total_return():
    state = market(A=10_000)
    for name, lots in (("loser", -100), ("winner", 300), ("idle", 0)):
        trader = add(state, name)
        if lots:
            hold(state, trader, "A", lots)
    mark(state, "A", 11_000)
    boards = boards_of(state)
    assert names(boards, "total_return") == ["winner", "idle", "loser"]
    assert boards.board("total_return", "1w").values.tolist() == [-100, 300, 0]


def test_ties_go_to_the_longer_record_then_the_earlier_join_then_the_id():
    state = market()
    for name, first_fill_us, joined_at_us in (
        ("late", 9, 1),
        ("id_b", 5, 5),
        ("id_a", 5, 5),
        ("joined", 5, 4),
        ("id_c", 5, 5),
        ("first", 3, 9),
    ):
        add(state, name, first_fill_us, joined_at_us)
    boards = boards_of(state)
    expected = ["first", "joined", "id_a", "id_b", "id_c", "late"]
    assert names(boards, "total_return") == expected
    rows, values = boards.head("total_return", "all", 4)
    assert [boards.valuation.traders[row] for row in rows.tolist()] == expected[:4]
    assert values.tolist() == [0, 0, 0, 0]


def test_who_is_ranked():
    state = market()
    add(state, "no_fill", first_fill_us=0)
    add(state, "no_money", cash=0)
    record_round_trip(add(state, "even").track, 0)
    record_round_trip(add(state, "won").track, 1)
    record_round_trip(add(state, "lost").track, -1)
    boards = boards_of(state)
    assert names(boards, "total_return") == ["even", "lost", "won"]
    assert names(boards, "win_rate") == ["won", "lost"]
    assert names(boards, "sharpe") == []


def test_sharpe_needs_a_closed_day_and_variation():
    state = market(A=10_000)
    hold(state, add(state, "holder"), "A", 100)
    add(state, "idle")
    boards = boards_of(state)
    mark(state, "A", 10_100)
    day = close_tracks(state)
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    boards.close(state, day)
    next_day(state)
    mark(state, "A", 10_050)
    boards = boards_of(state)
    assert names(boards, "sharpe") == ["holder"]


def test_an_account_wiped_before_a_period_is_ranked_in_the_whole_record_only():
    state = market()
    trader = add(state, "gone", cash=1)
    trader.ledger.cash_micros = 0
    for _ in range(10):
        close_tracks(state)
        next_day(state)
    boards = boards_of(state)
    assert names(boards, "total_return", "1w") == []
    assert boards.board("total_return", "all").values.tolist() == [-1_000_000]


def test_closing_a_day_keeps_the_arrays_in_step():
    state = market(A=10_000)
    lucky, gone = add(state, "lucky"), add(state, "gone")
    hold(state, gone, "A", 1_000_000)
    record_round_trip(lucky.track, 1)
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    mark(state, "A", 10)
    valuation.set_mark("A", 10.0)
    boards.close(state, close_tracks(state))
    boards.compute(state)
    assert gone.track.wiped
    assert boards.board("total_return", "all").values.tolist() == [0, -1_000_000]
    mark(state, "A", 20_000)
    valuation.set_mark("A", 20_000.0)
    next_day(state)
    record_round_trip(lucky.track, -1)
    valuation.set_cash("lucky", CASH)
    boards.compute(state)
    assert boards.board("total_return", "all").values.tolist() == [0, -1_000_000]
    assert boards.board("win_rate", "1w").values.tolist() == [500_000]
    assert boards.board("win_rate", "1w").trades.tolist() == [2, 0]


def test_closing_a_day_without_a_record_changes_nothing():
    state = market()
    add(state, "new", first_fill_us=0)
    boards = boards_of(state)
    boards.close(state, close_tracks(state))
    boards.compute(state)
    assert names(boards, "total_return") == []


def test_traders_may_join_later_even_within_a_day_that_closes():
    state = market()
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    for number in range(3 * CAPACITY_MIN):
        trader = add(state, f"t{number:03}", first_fill_us=number + 1)
        valuation.add_trader(trader.trader, CASH)
    boards.close(state, close_tracks(state))
    boards.compute(state)
    assert names(boards, "total_return") == list(state.traders)


def test_a_first_fill_later_gives_a_place():
    state = market()
    add(state, "a", first_fill_us=5)
    late = add(state, "b", first_fill_us=0)
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    record_fill(late.track, 2)
    valuation.set_cash("b", CASH)
    boards.compute(state)
    assert names(boards, "total_return") == ["b", "a"]


def test_periods_without_a_difference_share_one_board():
    state = market()
    add(state, "a")
    boards = boards_of(state)
    assert len({boards.same_board("sharpe", period) for period in PERIOD_DAYS}) == 1
    for _ in range(9):
        close_tracks(state)
        next_day(state)
    boards = boards_of(state)
    assert len({boards.same_board("sharpe", period) for period in PERIOD_DAYS}) == 2


def test_values_are_bounded():
    state = market()
    trader = add(state, "a", cash=1)
    record_flow(trader.track, 1, 1)
    trader.ledger.cash_micros = 2**62
    boards = boards_of(state)
    assert boards.board("total_return", "all").values.tolist() == [VALUE_MICRO_MAX - 1_000_000]
