"""Metrics against the golden vectors of the domain document, and where they have no value."""

from math import isclose

import pytest

from streams.core.performance import metrics
from streams.core.performance.metrics import Undefined, UndefinedReason


RETURNS = [0.01, -0.02, 0.015, 0.0, 0.03, -0.005]
RESULTS = [120.0, -80.0, 60.0, -40.0, 200.0, -100.0, 30.0]


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (0.005, metrics.mean(RETURNS)),
        (0.0173205080757, metrics.deviation(RETURNS)),
        (4.58257569496, metrics.sharpe(RETURNS, annualisation=252)),
        (0.00841625411530, metrics.downside_deviation(RETURNS)),
        (9.43086297592, metrics.sortino(RETURNS, annualisation=252)),
        (0.02961247795, metrics.total_return(RETURNS)),
        (0.02, metrics.max_drawdown(RETURNS)),
        (0.452493093870, metrics.sharpe_standard_error(RETURNS)),
        (0.738252039975, metrics.probabilistic_sharpe(RETURNS)),
        (0.0173205080757 * 252**0.5, metrics.annual_volatility(RETURNS, annualisation=252)),
    ],
)
def test_vector_1(expected, actual):
    assert isclose(expected, actual, rel_tol=1e-10)


def test_vector_1_moments():
    skew, kurtosis = metrics.skew_and_kurtosis(RETURNS)
    assert isclose(0.0, skew, abs_tol=1e-12)
    assert isclose(2.14, kurtosis, rel_tol=1e-12)


def test_vector_2():
    assert metrics.win_rate(4, 3) == 4 / 7
    assert isclose(1.863636, metrics.profit_factor(RESULTS), abs_tol=1e-6)
    assert isclose(1.397727, metrics.payoff_ratio(RESULTS), abs_tol=1e-6)
    assert isclose(27.142857, metrics.expectancy(RESULTS), abs_tol=1e-6)


UNDEFINED = """
    sharpe                 0.01          TOO_FEW_RETURNS
    sharpe                 0.01 0.01     NO_VARIATION
    sharpe                 0 0 0         NO_VARIATION
    sharpe                 5e-324 0      NO_VARIATION
    annual_volatility      0.01          TOO_FEW_RETURNS
    downside_deviation     -             TOO_FEW_RETURNS
    sortino                0.01          TOO_FEW_RETURNS
    sortino                0.01 0.02     NO_DOWNSIDE
    skew_and_kurtosis      0.01          TOO_FEW_RETURNS
    skew_and_kurtosis      0.01 0.01     NO_VARIATION
    sharpe_standard_error  0.01          TOO_FEW_RETURNS
    sharpe_standard_error  1e-100 2e-100 NO_VARIATION
    probabilistic_sharpe   0.01          TOO_FEW_RETURNS
    probabilistic_sharpe   1e-100 2e-100 NO_VARIATION
    profit_factor          -             NO_CLOSED_TRADES
    profit_factor          10 0          NO_LOSSES
    payoff_ratio           10 0          NO_LOSSES
    payoff_ratio           -10 0         NO_CLOSED_TRADES
    expectancy             -             NO_CLOSED_TRADES
"""


@pytest.mark.parametrize("line", UNDEFINED.strip().splitlines())
def test_a_metric_without_a_value_says_why(line):
    name, *numbers, reason = line.split()
    values = [float(number) for number in numbers if number != "-"]
    assert Undefined(UndefinedReason(reason)) == getattr(metrics, name)(values)


def test_win_rate_leaves_trades_that_broke_even_out():
    assert metrics.win_rate(1, 0) == 1.0
    assert metrics.win_rate(0, 0) == Undefined(UndefinedReason.NO_CLOSED_TRADES)


def test_a_radicand_of_a_skewed_record_may_be_negative(monkeypatch):
    monkeypatch.setattr(metrics, "skew_and_kurtosis", lambda _: (10.0, 1.0))
    reason = Undefined(UndefinedReason.RADICAND_NOT_POSITIVE)
    assert metrics.sharpe_standard_error(RETURNS) == reason
    assert metrics.probabilistic_sharpe(RETURNS) == reason


def test_half_gained_then_half_lost_is_a_quarter_lost():
    assert metrics.total_return([0.5, -0.5]) == -0.25


def test_a_day_that_lost_everything_ends_the_record():
    assert metrics.total_return([0.5, -1.0, 3.0]) == -1.0
    assert metrics.max_drawdown([0.5, -1.5, 3.0]) == 1.0


def test_a_loss_on_the_first_day_is_a_drawdown():
    assert isclose(0.1, metrics.max_drawdown([-0.1, 0.2]))
    assert metrics.max_drawdown([]) == 0.0


def test_rounding_is_not_variation():
    assert not metrics.varies([1.0, 1.0 + 2**-52])
    assert not metrics.varies([0.01, 0.01 + 1e-9], resolution=4e-9)
    assert metrics.varies([0.01, 0.01 + 1e-8], resolution=4e-9)


def test_a_risk_free_rate_is_taken_off_each_day():
    daily = 1.05 ** (1 / 365) - 1
    assert metrics.excess([0.01], 0.05, 365) == [0.01 - daily]
    shifted = metrics.sharpe([value + daily for value in RETURNS], risk_free=0.05)
    assert isclose(metrics.sharpe(RETURNS), shifted, rel_tol=1e-9)
