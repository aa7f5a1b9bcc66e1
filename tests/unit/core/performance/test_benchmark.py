from math import isclose

from streams.core.performance.benchmark import against
from tests.unit.core.performance.vectors import reason


MARKET = [0.01 * (day % 7 - 3) for day in range(60)]


def test_a_record_that_is_twice_the_market_and_a_little():
    beta, alpha = against([2 * value + 0.001 for value in MARKET], MARKET, 365)
    assert isclose(2.0, beta)
    assert isclose(0.365, alpha)


def test_without_a_market_there_is_no_beta():
    for expected, returns, benchmark in (
        ("NO_BENCHMARK", MARKET, None),
        ("TOO_FEW_COMMON_DAYS", MARKET[:59], MARKET[:59]),
        ("NO_VARIATION", MARKET, [0.01] * 60),
        ("NO_VARIATION", MARKET, [0.0] * 59 + [5e-324]),
    ):
        assert [expected] * 2 == [reason(value) for value in against(returns, benchmark)]
