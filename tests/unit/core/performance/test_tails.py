from math import isclose

from streams.core.performance import tails
from tests.unit.core.performance.vectors import reason


HUNDRED = [number / 100 for number in range(-50, 51)]
"""-0.50 to 0.50: 101 returns, so that quantiles are returns."""


def test_tails_of_a_hundred_and_one_returns():
    assert isclose(-0.45, tails.value_at_risk_95(HUNDRED))
    # The worst floor(0.05 x 100) + 1 = 6.
    assert isclose(-0.475, tails.expected_shortfall_95(HUNDRED))
    assert isclose(1.0, tails.tail_ratio(HUNDRED))


def test_quantiles_lie_between_returns():
    assert isclose(0.25, tails.quantile([0.0, 1.0], 0.25))
    assert tails.quantile([3.0], 0.95) == 3.0
    assert tails.quantile([1.0, 2.0], 1.0) == 2.0


def test_too_few_returns_have_no_tail():
    for metric in (tails.value_at_risk_95, tails.expected_shortfall_95):
        assert reason(metric(HUNDRED[:59])) == "TOO_FEW_RETURNS"
        assert reason(metric(HUNDRED[:60])) == "-"
    assert reason(tails.tail_ratio([])) == "TOO_FEW_RETURNS"
    assert reason(tails.tail_ratio([0.0] * 20)) == "NO_LOWER_TAIL"
