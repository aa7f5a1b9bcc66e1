from math import inf, isclose

from streams.core.performance.moments import Moments
from tests.unit.core.performance.vectors import RETURNS


def test_vector_1():
    moments = Moments.of(RETURNS)
    assert isclose(0.005, moments.mean)
    assert isclose(0.0173205080757, (moments.m2 / 5) ** 0.5, rel_tol=1e-11)
    assert isclose(0.0, moments.m3, abs_tol=1e-18)
    assert isclose(2.14, moments.m4 / 6 / (moments.m2 / 6) ** 2)
    assert isclose(0.0004 + 0.000025, moments.below)
    assert (moments.low, moments.high, moments.ups, moments.downs) == (-0.02, 0.03, 3, 2)
    assert isclose(0.055, moments.gained)
    assert isclose(0.025, moments.lost)


def test_nothing_has_no_extremes():
    assert Moments.of([]) == Moments()
    assert (Moments().low, Moments().high) == (inf, -inf)


def test_a_part_without_returns_changes_nothing():
    moments = Moments.of(RETURNS)
    assert moments.merged(Moments()) == moments == Moments().merged(moments)


def test_two_parts_are_the_whole():
    whole = Moments.of(RETURNS)
    for cut in range(7):
        parts = Moments.of(RETURNS[:cut]).merged(Moments.of(RETURNS[cut:]))
        for name in Moments.__struct_fields__:
            expected, actual = getattr(whole, name), getattr(parts, name)
            assert isclose(expected, actual, rel_tol=1e-12, abs_tol=1e-17), name


def test_rounding_is_not_variation():
    assert not Moments.of([1.0, 1.0 + 2**-52]).varies()
    assert not Moments.of([0.01, 0.01 + 1e-9]).varies(resolution=4e-9)
    assert Moments.of([0.01, 0.01 + 1e-8]).varies(resolution=4e-9)
    assert not Moments.of([5e-324, 0.0]).varies()
