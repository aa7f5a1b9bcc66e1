"""Percentiles of the histogram beside those of the values themselves."""

from __future__ import annotations

from hypothesis import given, strategies as st

from loadtests.histogram import BUCKETS, TIME_US_MAX, Histogram, bucket_of


@given(st.lists(st.integers(0, TIME_US_MAX), min_size=1), st.sampled_from([0.0, 0.5, 0.95, 0.999]))
def test_a_percentile_is_right_to_three_percent(times_us: list[int], share: float) -> None:
    histogram = Histogram()
    for time_us in times_us:
        histogram.add(time_us)
    exact = sorted(times_us)[min(int(share * len(times_us)), len(times_us) - 1)] / 1000
    found = histogram.percentile_ms(share)
    assert found is not None
    assert abs(found - exact) <= exact * 0.032


def test_the_longest_time_is_exact() -> None:
    histogram = Histogram()
    histogram.add(123_457)
    assert histogram.summary()["max_ms"] == 123.457


def test_clocks_that_differ_and_very_long_times_have_a_bucket() -> None:
    assert (0, bucket_of(10**15) <= BUCKETS - 1) == (bucket_of(-5), True)


def test_nothing_has_no_percentiles() -> None:
    assert {None} == set(Histogram().summary().values())


def test_parts_add_up() -> None:
    parts = [Histogram(), Histogram()]
    for part, time_us in zip(parts, (1_000, 9_000), strict=True):
        part.add(time_us)
    whole = Histogram().merge(parts)
    assert (len(whole), whole.longest_us) == (2, 9_000)
