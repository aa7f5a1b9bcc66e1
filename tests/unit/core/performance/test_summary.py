from math import isclose, sqrt

import pytest

from streams.core.limits import DAYS_MAX
from streams.core.performance import returns as ratios, sharpe
from streams.core.performance.moments import Moments
from streams.core.performance.periods import PERIOD_DAYS, first_day
from streams.core.performance.summary import performance, window
from streams.core.performance.track import UNIT_PPB, close_day, record_round_trip
from streams.core.state import Trader
from tests.unit.core.records import CASH, TODAY, add, close_tracks, market, next_day


def live(trader: Trader, state, *equities: int) -> None:
    """Close one day at each equity but the last, which is the present one."""
    for equity in equities[:-1]:
        trader.ledger.cash_micros = equity
        close_tracks(state)
        next_day(state)
    trader.ledger.cash_micros = equities[-1]


@pytest.mark.parametrize("period", list(PERIOD_DAYS))
def test_a_trader_without_a_record_has_no_numbers(period):
    state = market()
    trader = add(state, "t", first_fill_us=0, cash=0)
    answer = performance(state, trader, period)
    assert answer["trades"] == answer["wins"] == answer["losses"] == 0
    reasons = answer["reasons"]
    assert reasons.pop("win_rate") == "NO_CLOSED_TRADES"
    assert set(reasons.values()) == {"NO_RECORD"}
    assert all(answer[name] is None for name in reasons)


def test_three_days():
    state = market()
    trader = add(state, "t")
    record_round_trip(trader.track, 5)
    live(trader, state, CASH * 110 // 100, CASH * 99 // 100, CASH * 108 // 100)
    record_round_trip(trader.track, 0)
    answer = performance(state, trader, "1w")
    moments = Moments.of([1.1 / 1 - 1, 0.99 / 1.1 - 1, 1.08 / 0.99 - 1])
    assert isclose(0.08, answer["total_return"])
    assert isclose(0.1, answer["max_drawdown"])
    assert isclose(sharpe.sharpe(moments), answer["sharpe"])
    assert isclose(ratios.sortino(moments), answer["sortino"])
    assert isclose(sqrt(moments.m2 / 2 * 365), answer["annual_volatility"])
    assert (answer["win_rate"], answer["trades"], answer["wins"], answer["losses"]) == (
        1.0,
        2,
        1,
        0,
    )
    assert answer["reasons"]["annual_return"] == "RECORD_TOO_SHORT"


def test_a_period_begins_at_the_close_before_it():
    state = market()
    trader = add(state, "t")
    equities = [CASH + 1_000_000 * day for day in range(1, 12)]
    record_round_trip(trader.track, 5)
    live(trader, state, *equities)
    week = performance(state, trader, "1w")
    # 10 closed days; the last 7 and today lie in the week, the third close is its start.
    assert week["total_return"] == (CASH + 11_000_000) / (CASH + 3_000_000) - 1
    assert week["trades"] == 0
    assert performance(state, trader, "1m")["trades"] == 1
    assert isclose(0.011, performance(state, trader, "all")["total_return"])


def test_a_period_after_the_end_of_a_record():
    state = market()
    trader = add(state, "t")
    live(trader, state, 0, *[CASH] * 10)
    whole, week = performance(state, trader, "all"), performance(state, trader, "1w")
    assert whole["total_return"] == -1.0
    assert whole["max_drawdown"] == 1.0
    assert week["total_return"] is None
    assert week["reasons"]["total_return"] == "WIPED"


def test_a_closed_day_is_not_counted_twice():
    state = market()
    trader = add(state, "t")
    trader.ledger.cash_micros = CASH * 2
    close_tracks(state)
    part = window(trader.track, 2 * UNIT_PPB, TODAY, None)
    assert part.returns == [1.0]
    assert window(trader.track, 2 * UNIT_PPB, TODAY + 1, None).returns == [1.0, 0.0]


def test_the_first_day_of_a_record_at_its_maximum_is_only_a_base():
    state = market()
    trader = add(state, "t")
    for day in range(DAYS_MAX + 5):
        close_day(trader.track, day, CASH + day * 1_000_000)
    part = window(trader.track, UNIT_PPB, DAYS_MAX + 5, None)
    assert len(part.returns) == DAYS_MAX
    assert isclose(1.006 / 1.005 - 1, part.returns[0], rel_tol=1e-6)


def test_periods_in_days():
    assert [first_day(period, 1000) for period in PERIOD_DAYS] == [993, 970, 909, 818, 635, None]
