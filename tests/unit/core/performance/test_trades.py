from math import isclose

import pytest

from streams.core.performance import trades
from streams.core.performance.trades import Results
from tests.unit.core.performance.vectors import RESULTS, numbers, reason


def test_vector_2():
    results = Results.of(RESULTS)
    assert trades.win_rate(results.wins, results.losses) == 4 / 7
    assert isclose(1.863636, trades.profit_factor(results), abs_tol=1e-6)
    assert isclose(1.397727, trades.payoff_ratio(results), abs_tol=1e-6)
    assert isclose(27.142857, trades.expectancy(results), abs_tol=1e-6)
    assert isclose(0.370130, trades.expectancy_ratio(results), abs_tol=1e-6)
    assert isclose(0.656736, trades.system_quality(results), abs_tol=1e-6)
    assert isclose(4 / 7 - 3 / 7 / 1.397727, trades.kelly(results), abs_tol=1e-6)
    assert (results.best, results.worst) == (200.0, -100.0)


@pytest.mark.parametrize(
    ("wins", "count", "expected"),
    [(3, 3, 0.438503), (9, 10, 0.595850), (60, 100, 0.502003), (600, 1000, 0.569309), (0, 0, 0.0)],
)
def test_wilson(wins, count, expected):
    assert isclose(expected, trades.wilson_lower_bound(wins, count - wins), abs_tol=6e-7)


def test_wilson_without_a_win_is_nothing():
    assert [trades.wilson_lower_bound(0, losses) for losses in range(1, 50)] == [0.0] * 49


UNDEFINED = """
    profit_factor     -         NO_CLOSED_TRADES
    profit_factor     10 0      NO_LOSSES
    profit_factor     -10       -
    payoff_ratio      -         NO_CLOSED_TRADES
    payoff_ratio      10 0      NO_LOSSES
    payoff_ratio      -10 0     NO_WINS
    expectancy        -         NO_CLOSED_TRADES
    expectancy        10        -
    expectancy_ratio  -         NO_CLOSED_TRADES
    expectancy_ratio  10 0      NO_LOSSES
    expectancy_ratio  -10       -
    system_quality    -         NO_CLOSED_TRADES
    system_quality    10        TOO_FEW_TRADES
    system_quality    10 10     NO_VARIATION
    kelly             -         NO_CLOSED_TRADES
    kelly             10 0      NO_LOSSES
    kelly             -10 0     NO_WINS
"""


@pytest.mark.parametrize("line", UNDEFINED.strip().splitlines())
def test_a_metric_without_a_value_says_why(line):
    name, *values, expected = line.split()
    assert expected == reason(getattr(trades, name)(Results.of(numbers(" ".join(values)))))


def test_trades_that_broke_even_are_in_no_share():
    assert trades.win_rate(1, 0) == 1.0
    assert reason(trades.win_rate(0, 0)) == "NO_CLOSED_TRADES"
    # A shortcut, (1 + payoff) p - 1, would say 1 for these: it has no place for the zeros.
    results = Results.of([20.0, -10.0, 0.0, 0.0])
    assert trades.expectancy_ratio(results) == 0.25


def test_more_trades_than_a_hundred_do_not_make_a_system_better():
    edge = Results.of([3.0, -1.0] * 50)
    assert isclose(
        trades.system_quality(edge),
        trades.system_quality(Results.of([3.0, -1.0] * 5000)),
        rel_tol=0.01,
    )
