from math import isclose

from streams.core.limits import DAYS_MAX
from streams.core.market_clock import DAY_US
from streams.core.performance.curve import curve
from streams.core.performance.track import close_day
from tests.unit.core.records import CASH, TODAY, add, close_tracks, market, next_day


def test_closes_then_now():
    state = market()
    trader = add(state, "t")
    for factor in (110, 99, 108):
        trader.ledger.cash_micros = CASH * factor // 100
        if factor != 108:
            close_tracks(state)
            next_day(state)
    points = curve(state, trader, "all")
    assert [point.at_us // DAY_US for point in points] == [TODAY + 1, TODAY + 2, TODAY + 2]
    assert [point.unit for point in points] == [1.1, 0.99, 1.08]
    assert [point.closed for point in points] == [True, True, False]
    assert points[2].equity_micros == CASH * 108 // 100
    for expected, point in zip((0.0, 0.1, 1 - 1.08 / 1.1), points, strict=True):
        assert isclose(expected, point.drawdown, abs_tol=1e-12)


def test_the_first_loss_of_a_period_is_a_fall_from_the_close_before_it():
    state = market()
    trader = add(state, "t")
    for day in range(20):
        close_day(trader.track, TODAY - 20 + day, CASH - day * CASH // 100)
    trader.ledger.cash_micros = CASH // 2
    points = curve(state, trader, "1w")
    assert len(points) == 8
    assert isclose(1 - 0.87 / 0.88, points[0].drawdown)
    assert isclose(1 - 0.5 / 0.88, points[-1].drawdown)
    assert isclose(0.5, curve(state, trader, "all")[-1].drawdown)


def test_a_curve_that_is_gone_is_all_drawdown():
    state = market()
    trader = add(state, "t")
    for day in range(DAYS_MAX + 9):
        close_day(trader.track, TODAY - DAYS_MAX - 9 + day, 0)
    for period in ("all", "1w"):
        assert {point.drawdown for point in curve(state, trader, period)} == {1.0}
