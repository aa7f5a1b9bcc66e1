from math import isclose, sqrt

from streams.core.performance import drawdown
from streams.core.performance.drawdown import Drawdown
from streams.core.performance.undefined import undefined
from tests.unit.core.performance.vectors import RETURNS, reason


def followed(*returns):
    return Drawdown.of(returns, range(1, len(returns) + 1))


def test_vector_1():
    seen = followed(*RETURNS)
    assert isclose(0.02, seen.deepest)
    # Peak after day 1, below it on 2, 3, 4, above it on 5, below again on 6.
    assert (seen.below, seen.longest_days, seen.is_open) == (4, 4, True)
    assert drawdown.days_max(seen, 6) == 4
    assert drawdown.days_max(seen, 20) == 15
    assert drawdown.recovery_days(seen) == 3.0
    assert isclose(4 / 6, drawdown.time_under_water(seen))
    depths = [0.02, 1 - 0.98 * 1.015, 1 - 0.98 * 1.015, 0.005]
    ulcer = sqrt(sum(depth * depth for depth in depths) / 6)
    assert isclose(ulcer, drawdown.ulcer_index(seen), rel_tol=1e-12)


def test_a_loss_on_the_first_day_is_a_drawdown():
    seen = followed(-0.1, 0.2)
    assert isclose(0.1, seen.deepest)
    assert (drawdown.days_max(seen, 2), drawdown.recovery_days(seen)) == (2, 1.0)


def test_a_drawdown_never_exceeds_everything():
    seen = followed(0.5, -1.5, 3.0)
    assert (seen.deepest, seen.unit, seen.is_open) == (1.0, 0.0, True)
    assert reason(drawdown.recovery_days(seen)) == "DRAWDOWN_OPEN"


def test_a_record_without_a_loss_has_no_drawdown():
    seen = followed(0.1, 0.0, 0.1)
    assert (seen.deepest, seen.is_open, drawdown.days_max(seen, 3)) == (0.0, False, 0)
    assert drawdown.time_under_water(seen) == drawdown.ulcer_index(seen) == 0.0
    assert reason(drawdown.recovery_days(seen)) == "NO_DRAWDOWN"


def test_nothing_was_seen():
    seen = followed()
    assert reason(drawdown.time_under_water(seen)) == "TOO_FEW_RETURNS"
    assert reason(drawdown.ulcer_index(seen)) == "TOO_FEW_RETURNS"
    assert reason(drawdown.ulcer_performance_index(0.1, drawdown.ulcer_index(seen), 400)) == (
        "TOO_FEW_RETURNS"
    )


def test_a_later_smaller_drawdown_leaves_the_recovery_of_the_deepest():
    seen = followed(-0.2, 0.3, -0.1)
    assert (isclose(0.2, seen.deepest), drawdown.recovery_days(seen), seen.is_open) == (
        True,
        1.0,
        True,
    )


def test_calmar():
    assert isclose(2.0, drawdown.calmar(0.2, 0.1, 90))
    assert reason(drawdown.calmar(0.2, 0.1, 89)) == "RECORD_TOO_SHORT"
    assert reason(drawdown.calmar(0.2, 0.0, 90)) == "NO_DRAWDOWN"
    assert reason(drawdown.calmar(undefined("WIPED"), 0.1, 90)) == "WIPED"
    assert isclose(4.0, drawdown.ulcer_performance_index(0.2, 0.05, 90))


def test_return_over_drawdown_needs_no_year():
    assert isclose(3.0, drawdown.risk_adjusted_return(0.3, 0.1))
    assert reason(drawdown.risk_adjusted_return(0.3, 0.0)) == "NO_DRAWDOWN"
    assert reason(drawdown.risk_adjusted_return(undefined("WIPED"), 0.1)) == "WIPED"
