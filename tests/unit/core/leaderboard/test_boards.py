from streams.core.leaderboard import BOARD_KEYS, BOARDS, Boards, moment
from streams.core.leaderboard.keys import PLACE_MASK, UNRANKED, VALUE_MICRO_MAX
from streams.core.limits import TRADERS_MAX
from streams.core.market_clock import DAY_US
from streams.core.performance.periods import PERIOD_DAYS
from streams.core.performance.track import record_fill, record_flow, record_round_trip
from streams.core.state import State
from streams.core.valuation import CAPACITY_MIN, Valuation
from tests.unit.core.records import CASH, TODAY, add, close_tracks, hold, mark, market, next_day


def boards_of(state: State) -> Boards:
    return Boards(state, Valuation.from_state(state))


def names(boards: Boards, metric: str, period: str = "all") -> list[str]:
    return [boards.valuation.traders[row] for row in boards.order(metric, period)[0].tolist()]


def values(boards: Boards, metric: str, period: str = "all") -> list[int]:
    """Return the values of the ranked traders by their row."""
    keys = [key for key in boards.keys(metric, period).tolist() if key != UNRANKED]
    return [boards.value_of(metric, key) for key in keys]


def rank(boards: Boards, state: State) -> None:
    for _ in boards.prepare(state):
        pass


def test_every_metric_and_preset_has_a_board_for_each_period():
    assert list(BOARD_KEYS.values()) == [
        (name, period) for name in BOARDS for period in PERIOD_DAYS
    ]
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
    assert values(boards, "total_return", "1w") == [-100, 300, 0]


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


def test_the_board_by_drawdown_puts_the_smallest_first():
    """Mistake 9 of the prototype: the worst was first."""
    state = market(A=10_000)
    for name, lots in (("deep", 900_000), ("calm", 0), ("shallow", 90_000)):
        trader = add(state, name)
        if lots:
            hold(state, trader, "A", lots)
    mark(state, "A", 9_000)
    boards = boards_of(state)
    assert names(boards, "max_drawdown") == ["calm", "shallow", "deep"]
    assert values(boards, "max_drawdown") == [900_000, 0, 90_000]


def test_a_gain_and_a_loss_of_half_is_a_loss_and_a_drawdown_of_half():
    """Mistake 7 of the prototype: percents were added, giving 0 and drawdowns beyond 100 %."""
    state = market(A=10_000)
    trader = add(state, "a")
    trader.ledger.cash_micros = CASH * 3 // 2
    close_tracks(state)
    next_day(state)
    trader.ledger.cash_micros = CASH * 3 // 4
    boards = boards_of(state)
    assert values(boards, "total_return") == [-250_000]
    assert values(boards, "max_drawdown") == [500_000]


def test_a_week_is_not_answered_with_a_day_nor_with_what_is_old():
    """Mistake 8 of the prototype: stale values counted as fresh, a week got a day's answer."""
    state = market()
    trader = add(state, "a")
    for percent in (110, 121, 110, 110, 110, 110, 110, 110, 99):
        trader.ledger.cash_micros = CASH * percent // 100
        close_tracks(state)
        next_day(state)
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    assert values(boards, "total_return", "1w") == [round((99 / 121 - 1) * 1_000_000)]
    assert values(boards, "total_return", "1m") == [-10_000]
    next_day(state)
    rank(boards, state)
    assert values(boards, "total_return", "1w") == [-100_000]


def test_presets_ask_for_trades_and_age():
    state = market()
    for name, first_fill_day, trades in (
        ("old", TODAY - 91, 20),
        ("star", TODAY - 90, 5),
        ("few", TODAY, 4),
    ):
        trader = add(state, name, first_fill_us=first_fill_day * DAY_US)
        for _ in range(trades):
            record_round_trip(trader.track, 1)
    boards = boards_of(state)
    assert names(boards, "top_performers") == ["old", "star"]
    assert names(boards, "rising_stars") == ["star"]
    assert names(boards, "total_return") == ["old", "star", "few"]


def test_profit_factor_is_money_and_needs_a_loss():
    state = market()
    for name, trips in (("even", [100, -100]), ("good", [300, -100, 0]), ("lucky", [5])):
        trader = add(state, name)
        for trip in trips:
            record_round_trip(trader.track, trip)
    boards = boards_of(state)
    assert names(boards, "profit_factor") == ["good", "even"]
    assert values(boards, "profit_factor") == [1_000_000, 3_000_000]


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
    assert values(boards, "total_return", "all") == [-1_000_000]


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
    rank(boards, state)
    assert gone.track.wiped
    assert values(boards, "total_return", "all") == [0, -1_000_000]
    mark(state, "A", 20_000)
    valuation.set_mark("A", 20_000.0)
    next_day(state)
    record_round_trip(lucky.track, -1)
    valuation.set_cash("lucky", CASH)
    rank(boards, state)
    assert values(boards, "total_return", "all") == [0, -1_000_000]
    assert values(boards, "win_rate", "1w") == [500_000]
    assert boards.trades("1w").tolist() == [2, 0]


def test_closing_a_day_without_a_record_changes_nothing():
    state = market()
    add(state, "new", first_fill_us=0)
    boards = boards_of(state)
    boards.close(state, close_tracks(state))
    rank(boards, state)
    assert names(boards, "total_return") == []


def test_traders_may_join_later_even_within_a_day_that_closes():
    state = market()
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    for number in range(3 * CAPACITY_MIN):
        trader = add(state, f"t{number:03}", first_fill_us=number + 1)
        valuation.add_trader(trader.trader, CASH)
    boards.close(state, close_tracks(state))
    rank(boards, state)
    assert names(boards, "total_return") == list(state.traders)


def test_a_first_fill_later_gives_a_place():
    state = market()
    add(state, "a", first_fill_us=5)
    late = add(state, "b", first_fill_us=0)
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    record_fill(late.track, 2)
    valuation.set_cash("b", CASH)
    rank(boards, state)
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
    assert values(boards, "total_return", "all") == [VALUE_MICRO_MAX]


def test_newcomers_of_older_days_move_everybodys_place():
    state = market()
    add(state, "a", first_fill_us=5)
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    for name, first_fill_us in (("b", 9), ("c", 7), ("d", 3)):
        add(state, name, first_fill_us=first_fill_us)
        valuation.add_trader(name, CASH)
        rank(boards, state)
    assert names(boards, "total_return") == ["d", "a", "c", "b"]
    assert boards_of(state).order("total_return", "1w")[0].tolist() == [3, 0, 2, 1]


def test_what_was_prepared_is_used_only_when_nothing_has_changed():
    state = market()
    add(state, "a")
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    rank(boards, state)
    assert list(boards.prepare(state)) == []
    assert boards.rank(state)
    assert boards.rank(state) == {}
    valuation.set_cash("a", 2 * CASH)
    state.traders["a"].ledger.cash_micros = 2 * CASH
    assert len(list(boards.prepare(state))) > len(BOARDS)
    valuation.set_cash("a", 3 * CASH)
    assert boards.rank(state)["total_return:1w"].head.values == [2_000_000]


def test_every_trader_has_a_place_in_a_sort_key():
    assert TRADERS_MAX <= PLACE_MASK


def test_hints_never_change_a_head(monkeypatch):
    state = market()
    for number in range(40):
        add(state, f"t{number:02}", first_fill_us=number + 1)
    for names, value in (("BOARD_ROWS_STREAMED_MAX", 4), ("HINT_ROWS", 8), ("FEW_ROWS", 1)):
        monkeypatch.setattr(moment, names, value)
    valuation = Valuation.from_state(state)
    boards = Boards(state, valuation)
    for turn in range(4):
        for number in range(40):
            cash = CASH + (number * 37 + turn * 11) % 41 * 1_000_000 * (1 - 2 * (turn == 2))
            state.traders[f"t{number:02}"].ledger.cash_micros = cash
            valuation.set_cash(f"t{number:02}", cash)
        published = boards.rank(state)
        for name in ("total_return", "max_drawdown"):
            head = published[f"{name}:all"].head
            order, values = boards_of(state).order(name, "all")
            assert head.rows.tolist() == order[:4].tolist()
            assert head.values == values[:4].tolist()


def test_the_graveyard_pages_through_blown_and_closed_accounts():
    state = market()
    for name in ("ann", "bob", "cat", "dan"):
        add(state, name)
    state.traders["bob"].track.wiped = True
    state.closed_traders["dan"] = None
    boards = boards_of(state)
    assert boards.ended(state, 0, 9) == [(2, "bob"), (4, "dan")]
    assert boards.ended(state, 2, 9) == [(4, "dan")]
    assert boards.ended(state, 0, 1) == [(2, "bob")]
