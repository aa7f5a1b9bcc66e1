from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from streams.core.sentiment.horizons import DAY_US, HALF_LIVES_US, HOUR_US, horizon_of
from streams.core.sentiment.weights import WEIGHT_ONE, step_weights, weight_of


@pytest.mark.parametrize("half_life_us", HALF_LIVES_US[:3])
def test_a_weight_halves_every_half_life(half_life_us):
    weights = [weight_of(half_life_us * number, half_life_us) for number in range(4)]
    assert weights == [WEIGHT_ONE, WEIGHT_ONE // 2, WEIGHT_ONE // 4, WEIGHT_ONE // 8]


def test_a_stance_from_ahead_counts_as_new():
    assert weight_of(-1, DAY_US) == WEIGHT_ONE


def test_the_oldest_weigh_nothing():
    assert weight_of(40 * DAY_US, DAY_US) == 0


def test_weights_fall_in_every_step():
    weights = step_weights()
    assert all(before > after for before, after in pairwise(weights))


@given(st.integers(0, 100 * DAY_US))
def test_a_weight_is_the_power(age_us):
    expected = WEIGHT_ONE * 2.0 ** (-age_us / (3 * DAY_US))
    assert weight_of(age_us, 3 * DAY_US) == pytest.approx(expected, rel=2e-4, abs=2)


def test_half_lives_are_those_of_the_design():
    assert HALF_LIVES_US[:3] == (6 * HOUR_US, 3 * DAY_US, 14 * DAY_US)


@pytest.mark.parametrize(
    ("days", "horizon"), [(0.1, 0), (1, 0), (1.1, 1), (14, 1), (14.1, 2), (90, 2)]
)
def test_an_idea_has_the_horizon_of_its_length(days, horizon):
    assert horizon_of(int(days * DAY_US)) == horizon
