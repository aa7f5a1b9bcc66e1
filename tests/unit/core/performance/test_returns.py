from math import isclose

import pytest

from streams.core.performance import returns
from streams.core.performance.moments import Moments
from streams.core.performance.undefined import undefined
from tests.unit.core.performance.vectors import RETURNS, numbers, reason


MOMENTS = Moments.of(RETURNS)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (0.02961247795, returns.total_return(RETURNS)),
        (0.0173205080757 * 252**0.5, returns.annual_volatility(MOMENTS, 252)),
        (0.00841625411530, returns.downside_deviation(MOMENTS)),
        (9.43086297592, returns.sortino(MOMENTS, 252)),
        (0.055 / 0.025, returns.omega(MOMENTS)),
        (3 / 5, returns.consistency(MOMENTS)),
    ],
)
def test_vector_1(expected, actual):
    assert isclose(expected, actual, rel_tol=1e-9)


UNDEFINED = """
    annual_volatility   0.01                TOO_FEW_RETURNS
    annual_volatility   0.01 0.01           -
    downside_deviation  -                   TOO_FEW_RETURNS
    downside_deviation  0.01                -
    sortino             0.01                TOO_FEW_RETURNS
    sortino             -0.01               TOO_FEW_RETURNS
    sortino             0.01 0.02           NO_DOWNSIDE
    sortino             0.01 -0.02          -
    omega               -                   TOO_FEW_RETURNS
    omega               0.01 0              NO_DOWNSIDE
    omega               -0.01               -
    consistency         0.01x4 0            TOO_FEW_RETURNS
    consistency         0.01x4 0 -0.01      -
"""


@pytest.mark.parametrize("line", UNDEFINED.strip().splitlines())
def test_a_metric_without_a_value_says_why(line):
    name, *values, expected = line.split()
    assert expected == reason(getattr(returns, name)(Moments.of(numbers(" ".join(values)))))


def test_half_gained_then_half_lost_is_a_quarter_lost():
    assert returns.total_return([0.5, -0.5]) == -0.25


def test_a_day_that_lost_everything_ends_the_record():
    assert returns.total_return([0.5, -1.0, 3.0]) == -1.0


def test_a_risk_free_rate_is_taken_off_each_day():
    daily = 1.05 ** (1 / 365) - 1
    assert returns.excess([0.01], 0.05, 365) == [0.01 - daily]
    assert returns.excess([0.01], 0.0, 365) == [0.01]


GROWTH = """
    0.21    2      0.1     -
    0.21    0.99   hidden  RECORD_TOO_SHORT
    -1.0    2      -1.0    -
"""


@pytest.mark.parametrize("line", GROWTH.strip().splitlines())
def test_annual_return_is_hidden_below_a_year(line):
    total, years, expected, why = line.split()
    annual = returns.annual_return(float(total), float(years))
    assert why == reason(annual)
    if why == "-":
        assert isclose(float(expected), annual)
    else:
        assert isclose(1.21 ** (1 / 0.99) - 1, returns.growth_rate(0.21, 0.99))


def test_growth_of_what_has_no_return_or_no_time():
    wiped = undefined("WIPED")
    assert returns.annual_return(wiped, 2.0) == wiped
    assert reason(returns.growth_rate(0.1, 0.0)) == "RECORD_TOO_SHORT"
    assert reason(returns.growth_rate(1e9, 1 / 365)) == "RECORD_TOO_SHORT"
