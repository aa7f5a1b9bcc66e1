from math import isclose

from streams.core.sentiment.weights import (
    HALF_LIFE_US,
    STEP_US,
    STEPS_A_HALF_LIFE,
    WEIGHT_ONE,
    weight_of,
)


def test_a_half_life_is_a_whole_number_of_steps():
    assert STEP_US * STEPS_A_HALF_LIFE == HALF_LIFE_US


def test_a_new_stance_weighs_one_and_a_future_one_no_more():
    assert weight_of(0) == weight_of(STEP_US - 1) == weight_of(-5) == WEIGHT_ONE


def test_a_half_for_every_half_life():
    assert [weight_of(number * HALF_LIFE_US) for number in range(11)] == [
        WEIGHT_ONE >> number for number in range(11)
    ]


def test_weights_are_the_power_of_two_of_their_age():
    for step in range(0, 3 * STEPS_A_HALF_LIFE, 37):
        exact = WEIGHT_ONE * 2.0 ** (-step / STEPS_A_HALF_LIFE)
        assert isclose(exact, weight_of(step * STEP_US), abs_tol=1.0)


def test_weights_fall():
    weights = [weight_of(step * STEP_US) for step in range(2 * STEPS_A_HALF_LIFE)]
    assert weights == sorted(weights, reverse=True)
