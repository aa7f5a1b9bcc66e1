"""Windows of all traders against the track of one."""

from itertools import pairwise
from math import isclose

import numpy as np

from streams.core.leaderboard.history import History
from streams.core.leaderboard.windows import Window
from streams.core.limits import DAYS_MAX
from streams.core.performance.moments import Moments
from streams.core.performance.periods import PERIOD_DAYS, first_day
from streams.core.performance.summary import window
from streams.core.performance.track import close_day, record_round_trip
from tests.unit.core.records import CASH, add, market


def test_days_are_put_before_each_other():
    curve = [1.0, 1.01, 0.99, 1.05]
    window = Window.empty(np.array([1.05e9, 1e9]))
    valid = np.array([True, False])
    for place in (2, 1, 0):
        before, after = curve[place] * 1e9, curve[place + 1] * 1e9
        window.add_day(np.array([before, 0.0]), np.array([after, 9.0]), valid)
    values = [after / before - 1.0 for before, after in pairwise(curve)]
    assert window.returns.tolist() == [3, 0]
    assert isclose(Moments.of(values).mean, window.mean[0])
    assert isclose(Moments.of(values).m2, window.squares[0])
    assert isclose(values[1] ** 2, window.below[0])
    assert (window.ups[0], window.downs[0]) == (2, 1)
    assert (window.low[1], window.high[1]) == (np.inf, -np.inf)
    assert isclose(1 - 0.99 / 1.01, window.deepest[0])
    assert window.deepest[1] == 0.0


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
        closed = history.present[history.window_of[period]].window
        for column, trader in enumerate((old, young)):
            slow = window(trader.track, 0, days - 1, first_day(period, days))
            assert closed.start[column] == slow.start_ppb
            assert closed.returns[column] == len(slow.returns)
            assert isclose(Moments.of(slow.returns).mean, closed.mean[column], rel_tol=1e-9)
            assert closed.low[column] == min(slow.returns)
            assert closed.high[column] == max(slow.returns)
        assert closed.returns[2] == 0
    week = history.present[history.window_of["1w"]].window
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
    for one, other in zip(followed.present, built.present, strict=True):
        for name in Window.__slots__:
            assert getattr(one.window, name).tolist() == getattr(other.window, name).tolist()
    followed.resize(9)
    followed.refresh(DAYS_MAX + 2)
    assert followed.present[0].window.returns.tolist()[2:] == [0] * 7
    assert followed.gone() == []
    assert History(1).gone() == []
