from math import exp, log

import pytest
from hypothesis import given, strategies as st

from streams.core.sentiment.odds import percent_logits, probability_ppm


@pytest.mark.parametrize("percent", range(1, 100))
def test_log_odds_of_a_percent(percent):
    share = percent / 100
    assert percent_logits()[percent] == round(1e6 * log(share / (1 - share)))


def test_nobody_is_certain():
    logits = percent_logits()
    assert (logits[0], logits[100]) == (logits[1], logits[99])


@pytest.mark.parametrize("percent", range(1, 100))
def test_a_probability_comes_back_from_its_log_odds(percent):
    assert probability_ppm(percent_logits()[percent]) == percent * 10_000


@given(st.integers(-20_000_000, 20_000_000))
def test_a_probability_is_the_logistic_function(micronats):
    expected = 1e6 / (1 + exp(-micronats / 1e6))
    assert probability_ppm(micronats) == pytest.approx(expected, abs=0.51)
    assert probability_ppm(micronats) + probability_ppm(-micronats) == 1_000_000
