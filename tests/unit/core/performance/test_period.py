"""The layer as a whole: names, what hides what, and a record whose beginning is only sums."""

from math import isclose

from streams.core.performance.drawdown import Drawdown
from streams.core.performance.moments import Moments
from streams.core.performance.period import Record, is_underwater, period_metrics
from streams.core.performance.returns import total_return
from streams.core.performance.sharpe import Trials
from streams.core.performance.stability import Line, logarithm
from streams.core.state import Earlier
from tests.unit.core.performance.vectors import RETURNS, reason


LONG = [0.001 * (day * 7919 % 41 - 19) for day in range(400)]


def record(returns, **changes):
    days = range(1, len(returns) + 1)
    length = len(returns)
    given = {"total": total_return(returns), "years": length / 252, "length_days": length}
    return Record(returns=returns, days=days, start_day=0, annualisation=252, **(given | changes))


def test_vector_1():
    numbers = period_metrics(record(RETURNS))
    for name, expected in {
        "total_return": 0.02961247795,
        "sharpe": 4.58257569496,
        "downside_deviation": 0.00841625411530,
        "sortino": 9.43086297592,
        "max_drawdown": 0.02,
        "kurtosis": 2.14,
        "sharpe_standard_error": 0.452493093870,
        "probabilistic_sharpe": 0.738252039975,
        "minimum_track_record": 34.2376013336,
        "best_return": 0.03,
        "worst_return": -0.02,
        "average_return": 0.005,
    }.items():
        assert isclose(expected, numbers[name], rel_tol=1e-9), name
    assert {name: reason(value) for name, value in numbers.items() if reason(value) != "-"} == {
        "annual_return": "RECORD_TOO_SHORT",
        "deflated_sharpe": "NO_TRIALS",
        "calmar": "RECORD_TOO_SHORT",
        "ulcer_performance_index": "RECORD_TOO_SHORT",
        "value_at_risk_95": "TOO_FEW_RETURNS",
        "expected_shortfall_95": "TOO_FEW_RETURNS",
        "stability": "TOO_FEW_RETURNS",
        "stability_slope_sign": "TOO_FEW_RETURNS",
        "beta": "NO_BENCHMARK",
        "alpha": "NO_BENCHMARK",
    }
    assert is_underwater(record(RETURNS))


def test_nothing_has_hardly_any_number():
    numbers = period_metrics(record([]))
    assert {name for name, value in numbers.items() if reason(value) == "-"} == {
        "total_return",
        "max_drawdown",
        "drawdown_days",
    }


def test_a_long_record_has_every_number():
    numbers = period_metrics(record(LONG, benchmark=LONG, trials=Trials(0.05, 10)))
    assert [name for name, value in numbers.items() if reason(value) != "-"] == []
    assert isclose(1.0, numbers["beta"])
    assert isclose(0.0, numbers["alpha"], abs_tol=1e-12)


def test_a_benchmark_counts_on_common_days_only():
    holes = [None if day % 2 else value for day, value in enumerate(LONG)]
    assert isclose(1.0, period_metrics(record(LONG, benchmark=holes))["beta"])
    few = period_metrics(record(LONG[:100], benchmark=holes[:100]))
    assert reason(few["beta"]) == "TOO_FEW_COMMON_DAYS"


def test_a_risk_free_rate_lowers_ratios_and_leaves_the_curve():
    bare, over = (period_metrics(record(LONG, risk_free=rate)) for rate in (0.0, 0.05))
    daily = 1.05 ** (1 / 252) - 1
    moments = Moments.of([value - daily for value in LONG])
    assert isclose(moments.mean / (moments.m2 / 399) ** 0.5 * 252**0.5, over["sharpe"])
    for name in ("total_return", "annual_volatility", "max_drawdown", "value_at_risk_95"):
        assert bare[name] == over[name]
    for name in ("sharpe", "sortino", "omega", "probabilistic_sharpe"):
        assert over[name] < bare[name]


def test_sums_of_what_is_kept_no_longer_stand_for_it():
    old, new = LONG[:150], LONG[150:]
    line, unit = Line(), 1.0
    for value in old:
        unit *= 1.0 + value
        line.add(logarithm(unit))
    earlier = Earlier(1, 0, Moments.of(old), Drawdown.of(old, range(1, 151)), line)
    whole = record(LONG)
    parts = Record(
        returns=new,
        days=range(151, 401),
        start_day=0,
        total=whole.total,
        years=whole.years,
        length_days=whole.length_days,
        annualisation=252,
        earlier=earlier,
    )
    expected, actual = period_metrics(whole), period_metrics(parts)
    of_the_newest = {"value_at_risk_95", "expected_shortfall_95", "tail_ratio"}
    for name, value in expected.items():
        if reason(value) != "-" or name in of_the_newest:
            assert reason(value) == reason(actual[name])
        else:
            assert isclose(value, actual[name], rel_tol=1e-9), name
    assert isclose(actual["max_drawdown"], period_metrics(parts)["max_drawdown"])
    assert is_underwater(whole) == is_underwater(parts)


def test_a_wiped_curve_has_no_line():
    numbers = period_metrics(record([0.01] * 30 + [-1.0, 0.5]))
    assert (numbers["total_return"], numbers["max_drawdown"]) == (-1.0, 1.0)
    assert reason(numbers["stability"]) == reason(numbers["stability_slope_sign"]) == "WIPED"
