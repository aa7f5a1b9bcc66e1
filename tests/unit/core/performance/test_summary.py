from itertools import pairwise
from math import isclose, sqrt

import pytest

from streams.core.limits import DAYS_MAX
from streams.core.market_clock import DAY_US, day_of
from streams.core.performance import returns as ratios, sharpe, trades
from streams.core.performance.market import close_marks
from streams.core.performance.moments import Moments
from streams.core.performance.period import Record, period_metrics
from streams.core.performance.periods import PERIOD_DAYS, first_day
from streams.core.performance.summary import performance, window
from streams.core.performance.track import (
    UNIT_PPB,
    close_day,
    record_exposure,
    record_round_trip,
)
from streams.core.performance.trades import Results
from streams.core.performance.undefined import Undefined
from streams.core.state import Day, Trader
from tests.unit.core.records import CASH, TODAY, add, close_tracks, hold, mark, market, next_day


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
    assert answer["trades"] == answer["wins"] == answer["losses"] == answer["break_even"] == 0
    reasons = answer["reasons"]
    assert set(reasons.values()) == {"NO_RECORD", "NO_CLOSED_TRADES"}
    assert (reasons["sharpe"], reasons["win_rate"]) == ("NO_RECORD", "NO_CLOSED_TRADES")
    assert all(answer[name] is None for name in reasons)
    assert answer["flags"] == []


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


def test_a_long_record_loses_only_its_tails():
    state = market()
    trader = add(state, "t", first_fill_us=TODAY * DAY_US)
    whole: list[Day] = []
    for number in range(DAYS_MAX + 30):
        trader.ledger.cash_micros = CASH + (number * 7919 % 1013) * 100_000
        record_round_trip(trader.track, number % 3 - 1)
        close_tracks(state)
        whole.append(trader.track.days[-1])
        next_day(state)
    answer = performance(state, trader, "all")
    trader.track.days, trader.track.earlier = whole, None
    units = [UNIT_PPB, *[day.unit_ppb for day in whole], whole[-1].unit_ppb]
    returns = [after / before - 1 for before, after in pairwise(units)]
    slow = period_metrics(
        Record(
            returns=returns,
            days=range(TODAY, TODAY + len(returns)),
            start_day=TODAY - 1,
            total=units[-1] / UNIT_PPB - 1,
            years=len(returns) / 365.25,
            length_days=len(returns),
        )
    )
    for name, value in slow.items():
        if name not in {"value_at_risk_95", "expected_shortfall_95", "tail_ratio"}:
            if isinstance(value, Undefined):
                assert value.reason.value == answer["reasons"][name], name
            else:
                assert isclose(value, answer[name], rel_tol=1e-8), name
    assert "tails_of_newest_days" in answer["flags"]
    assert (answer["trades"], answer["wins"], answer["losses"]) == (430, 143, 144)
    assert answer["expectancy"] == "0"
    assert answer["exposure"] == 0.0


def test_round_trips_and_risk_of_an_account():
    state = market(A=10_000)
    trader = add(state, "t", first_fill_us=TODAY * DAY_US)
    next_day(state)
    begin = state.market_at_us
    trader.track.first_fill_us = begin
    hour = 3_600_000_000
    for result, entered, hours in ((120, 1_000, 1), (-80, 400, 2), (60, 600, 3)):
        micros = 1_000_000
        record_round_trip(
            trader.track, result * micros, entered * micros, hours * hour, 40 * micros
        )
    hold(state, trader, "A", 100_000)  # 10 at 100.00
    record_exposure(trader.track, begin, is_open=True)
    trader.track.today_traded_micros = 2 * CASH
    mark(state, "A", 9_000)
    state.market_at_us = begin + 10 * hour
    answer = performance(state, trader, "1m")
    expected = {
        "profit_factor": 180 / 80,
        "expectancy": "33.333333",
        "best_trade": "120",
        "worst_trade": "-80",
        "average_trade_return": (0.12 - 0.2 + 0.1) / 3,
        "best_trade_return": 0.12,
        "worst_trade_return": -0.2,
        "average_duration_s": 7_200.0,
        "average_risk_multiple": (3 - 2 + 1.5) / 3,
        "stopless_share": 0.0,
        "exposure": 1.0,
        "average_leverage": 1.0,
        "max_leverage": 1.0,
        "turnover": 2 / 0.9,
        "open_loss_share": 0.1,
    }
    for name, value in expected.items():
        if isinstance(value, str):
            assert value == answer[name], name
        else:
            assert isclose(value, answer[name], abs_tol=1e-6), name
    multiples = [3.0, -2.0, 1.5]
    assert isclose(trades.system_quality(Results.of(multiples)), answer["system_quality"])
    assert answer["flags"] == ["drawdown_open", "few_trades"]
    record_round_trip(trader.track, 10)
    answer = performance(state, trader, "1m")
    assert answer["stopless_share"] == 0.25
    money = [120e6, -80e6, 60e6, 10]
    assert isclose(trades.system_quality(Results.of(money)), answer["system_quality"])


def test_beta_against_an_instrument():
    state = market(A=10_000)
    trader = add(state, "t", first_fill_us=TODAY * DAY_US)
    hold(state, trader, "A", 100_000)
    for number in range(70):
        mark(state, "A", 10_000 + number * 37 % 101)
        state.instruments["A"].marked_at_us = state.market_at_us
        close_marks(state, day_of(state.market_at_us))
        close_tracks(state)
        next_day(state)
    instrument = state.instruments["A"]
    week, whole = (performance(state, trader, name, instrument) for name in ("1w", "all"))
    assert week["reasons"]["beta"] == "TOO_FEW_COMMON_DAYS"
    assert isclose(1.0, whole["beta"], rel_tol=1e-2)
    assert performance(state, trader, "all")["reasons"]["beta"] == "NO_BENCHMARK"
