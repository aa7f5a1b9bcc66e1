from math import isclose, log

from streams.core.performance import stability
from streams.core.performance.stability import Line
from tests.unit.core.performance.vectors import reason


def test_the_logarithm_is_the_logarithm():
    for value in (1e-9, 0.3, 0.5, 0.70710678, 0.99, 1.0, 1.5, 2.0, 3.7, 1e9):
        assert isclose(log(value), stability.logarithm(value), rel_tol=1e-15)


def test_a_straight_line_is_stable_whichever_way_it_goes():
    up = Line.of(1.01**day for day in range(1, 21))
    down = Line.of(0.99**day for day in range(1, 21))
    assert isclose(1.0, stability.stability(up))
    assert isclose(1.0, stability.stability(down))
    assert (stability.slope_sign(up), stability.slope_sign(down)) == (1.0, -1.0)


def test_a_curve_that_goes_nowhere_is_not():
    there_and_back = Line.of([1.1, 1.0, 1.0, 1.1] * 5)
    assert isclose(0.0, stability.stability(there_and_back), abs_tol=1e-12)
    assert stability.slope_sign(Line(count=20, numbers=665.0, logs=1.0)) == 0.0


def test_too_few_or_equal_values_have_no_line():
    for metric in (stability.stability, stability.slope_sign):
        assert reason(metric(Line.of([1.1] * 19))) == "TOO_FEW_RETURNS"
        assert reason(metric(Line.of([1.0] * 20))) == "NO_VARIATION"
