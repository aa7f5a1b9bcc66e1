from math import exp, sqrt
from statistics import median_low

import pytest
from hypothesis import given, strategies as st

from streams.core.sentiment.ranks import median, rank_weights, recent_median


PERCENTS = st.lists(st.integers(1, 99), min_size=1, max_size=60)


def counts(percents):
    return [percents.count(percent) for percent in range(101)]


@given(PERCENTS)
def test_the_median_is_the_low_median(percents):
    assert median(counts(percents)) == median_low(percents)


def test_nobody_has_no_median():
    assert median([0] * 101) == 0
    assert recent_median([]) == 0


@given(st.integers(0, 300))
def test_weights_are_powers_of_the_roots_of_ranks(count):
    expected = [exp(sqrt(rank) - sqrt(count)) for rank in range(1, count + 1)]
    assert [weight / 2**40 for weight in rank_weights(count)] == pytest.approx(expected, abs=1e-9)


@given(PERCENTS)
def test_the_recent_median_is_a_weighted_median(percents):
    weights = rank_weights(len(percents))
    found = recent_median(percents)
    below = sum(w for w, p in zip(weights, percents, strict=True) if p < found)
    above = sum(w for w, p in zip(weights, percents, strict=True) if p > found)
    assert 2 * below < sum(weights)
    assert 2 * above <= sum(weights)


def test_the_newest_voice_counts_most():
    assert (recent_median([10, 90]), median(counts([10, 90]))) == (90, 10)
