"""Windows of all traders against the track of one."""

from math import isclose

import numpy as np

from streams.core.leaderboard.history import History
from streams.core.leaderboard.windows import SharpeNow, Window
from streams.core.limits import DAYS_MAX
from streams.core.performance import sharpe
from streams.core.performance.moments import Moments
from streams.core.performance.periods import PERIOD_DAYS, first_day
from streams.core.performance.summary import window
from streams.core.performance.track import close_day, record_round_trip
from tests.unit.core.records import CASH, add, market


def test_returns_are_added_one_by_one():
    values = [0.01, -0.02, 0.015]
    sums = Window.empty(2)
    for value in values:
        sums.add_returns(np.array([value, 9.0]), np.array([True, False]))
    assert sums.returns.tolist() == [3, 0]
    moments = Moments.of(values)
    assert isclose(moments.mean, sums.mean[0])
    assert isclose(moments.m2, sums.squares[0])
    assert (sums.low[0], sums.high[0]) == (-0.02, 0.015)
    assert (sums.low[1], sums.high[1]) == (np.inf, -np.inf)


def test_todays_return_is_the_last_one():
    values = np.array([0.01, 0.01])
    sums = Window.empty(2)
    sums.add_returns(values, np.array([True, True]))
    ratios = SharpeNow(sums, np.array([True, False]))
    today = np.array([-0.02, -0.02])
    ratio, defined = ratios.ratio(today, np.array([-0.02, np.inf]), np.array([-0.02, -np.inf]))
    assert defined.tolist() == [True, False]
    assert isclose(sharpe.sharpe(Moments.of([0.01, -0.02])), ratio[0])


def test_every_period_holds_what_the_track_holds():
    state = market()
    days = DAYS_MAX + 20
    old, young = add(state, "old"), add(state, "young")
    for day in range(days):
        for trader, begin in ((old, 0), (young, days - 50)):
            if day >= begin:
                record_round_trip(trader.track, day % 3 - 1)
                close_day(trader.track, day, CASH + (day * 7919 % 1013) * 100_000)
    add(state, "new")
    history = History.from_state(state, 4)
    history.refresh(days)
    assert history.last_day == days - 1
    for period in PERIOD_DAYS:
        closed = history.windows[history.window_of[period]]
        for column, trader in enumerate((old, young)):
            slow = window(trader.track, 0, days - 1, first_day(period, days))
            assert closed.start[column] == slow.start_ppb
            assert closed.returns[column] == len(slow.returns)
            assert isclose(Moments.of(slow.returns).mean, closed.mean[column], rel_tol=1e-9)
            assert closed.low[column] == min(slow.returns)
            assert closed.high[column] == max(slow.returns)
        assert closed.returns[2] == 0
    week = history.windows[history.window_of["1w"]]
    assert (week.trades[0], week.wins[0] + week.losses[0]) == (7, 5)


def test_a_history_that_followed_equals_one_that_was_built():
    state = market()
    trader = add(state, "a")
    followed = History(2)
    for day in range(DAYS_MAX + 2):
        close_day(trader.track, day, CASH + day * 1_000)
        followed.close(state, day)
    built = History.from_state(state, 2)
    for history in (followed, built):
        history.refresh(DAYS_MAX + 2)
    assert followed.window_of == built.window_of
    for one, other in zip(followed.windows, built.windows, strict=True):
        for name in Window.__slots__:
            assert getattr(one, name).tolist() == getattr(other, name).tolist()
    followed.resize(9)
    followed.refresh(DAYS_MAX + 2)
    assert followed.windows[0].returns.tolist()[2:] == [0] * 7
    assert followed.gone() == []
    assert History(1).gone() == []
