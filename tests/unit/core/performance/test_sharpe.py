from math import isclose, sqrt

import pytest

from streams.core.performance import sharpe
from streams.core.performance.moments import Moments
from streams.core.performance.sharpe import Trials
from tests.unit.core.performance.vectors import RETURNS, numbers, reason


MOMENTS = Moments.of(RETURNS)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (4.58257569496, sharpe.sharpe(MOMENTS, 252)),
        (0.005 / 0.0173205080757, sharpe.daily_sharpe(MOMENTS)),
        (2.14, sharpe.kurtosis(MOMENTS)),
        (0.452493093870, sharpe.standard_error(MOMENTS)),
        (0.738252039975, sharpe.probabilistic(MOMENTS)),
        (34.2376013336, sharpe.minimum_track_record(MOMENTS)),
        (4.58257569496 - 1.645 * 0.45249309387 * sqrt(252), sharpe.lower_bound(MOMENTS, 252)),
    ],
)
def test_vector_1(expected, actual):
    assert isclose(expected, actual, rel_tol=1e-9)


def test_vector_1_has_no_skew():
    assert isclose(0.0, sharpe.skew(MOMENTS), abs_tol=1e-12)


def test_kurtosis_of_a_normal_is_taken_off_once():
    # Fed with excess kurtosis, the probability would be the wrong one of the domain document.
    assert not isclose(0.744853, sharpe.probabilistic(MOMENTS), abs_tol=1e-3)


@pytest.mark.parametrize(
    ("trials", "expected"), [(10, 1.57460), (100, 2.53060), (1000, 3.25512), (1, 0.0), (0.5, 0.0)]
)
def test_the_best_of_many_without_skill(trials, expected):
    assert isclose(expected, sharpe.expected_maximum(trials), abs_tol=5e-6)


UNDEFINED = """
    0.01                        TOO_FEW_RETURNS
    0.01 0.01                   NO_VARIATION
    0x3                         NO_VARIATION
    5e-324 0                    NO_VARIATION
    0.1 0.1000000000000000055   NO_VARIATION
"""


@pytest.mark.parametrize("line", UNDEFINED.strip().splitlines())
@pytest.mark.parametrize(
    "metric",
    [
        sharpe.daily_sharpe,
        sharpe.sharpe,
        sharpe.skew,
        sharpe.kurtosis,
        sharpe.standard_error,
        sharpe.lower_bound,
        sharpe.probabilistic,
        sharpe.minimum_track_record,
        lambda moments: sharpe.deflated(moments, Trials(0.1, 10)),
    ],
)
def test_a_metric_without_a_value_says_why(line, metric):
    *values, expected = line.split()
    assert expected == reason(metric(Moments.of(numbers(" ".join(values)))))


def test_powers_that_vanish_are_no_variation():
    tiny = Moments.of([1e-100, 2e-100])
    assert isclose(1.5e-100 / (1e-100 / sqrt(2)), sharpe.daily_sharpe(tiny))
    for metric in (sharpe.kurtosis, sharpe.standard_error, sharpe.minimum_track_record):
        assert reason(metric(tiny)) == "NO_VARIATION"
    assert reason(sharpe.skew(Moments.of([1e-120, 2e-120]))) == "NO_VARIATION"


def test_moments_that_no_returns_have_may_have_no_error():
    # Rounding alone can get there: of real numbers kurtosis is at least 1 + skew squared.
    moments = Moments(count=10, mean=0.5, m2=2.5, m3=12.0, m4=0.625, low=0.0, high=1.0)
    metrics = (sharpe.standard_error, sharpe.lower_bound, sharpe.probabilistic)
    for metric in (*metrics, sharpe.minimum_track_record):
        assert reason(metric(moments)) == "RADICAND_NOT_POSITIVE"


def test_more_of_the_same_never_proves_what_is_not_there():
    loser = Moments.of([-value for value in RETURNS])
    assert reason(sharpe.minimum_track_record(loser)) == "NOT_ABOVE_THRESHOLD"
    assert reason(sharpe.minimum_track_record(MOMENTS, threshold=1.0)) == "NOT_ABOVE_THRESHOLD"


def test_a_record_found_among_many_is_worth_less():
    alone = sharpe.deflated(MOMENTS, Trials(0.2, 1))
    assert alone == sharpe.probabilistic(MOMENTS)
    found = sharpe.deflated(MOMENTS, Trials(0.2, 10))
    assert found == sharpe.probabilistic(MOMENTS, 0.2 * sharpe.expected_maximum(10))
    assert found < alone
    assert reason(sharpe.deflated(MOMENTS, None)) == "NO_TRIALS"


def test_records_that_move_together_are_few_trials():
    assert sharpe.effective_trials(100, 0.0) == 100
    assert sharpe.effective_trials(100, 1.0) == 1
    assert sharpe.effective_trials(100, 0.5) == 51  # 50.5 rounded up
