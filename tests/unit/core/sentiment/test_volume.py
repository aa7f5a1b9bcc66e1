from math import sqrt
from statistics import fmean, variance

import pytest
from hypothesis import given, strategies as st

from streams.core.sentiment.volume import (
    HOURS_KEPT,
    TENS_KEPT,
    baseline_days,
    burst_z_centi,
    count_message,
    messages_within,
    trend_centi,
    volume_z_centi,
    z_centi,
)
from streams.core.sentiment_state import Sentiment
from tests.unit.core.sentiment.crowd import DAY_US, HOUR_US, NOW


HOUR = NOW // HOUR_US


def test_messages_count_by_hour_and_by_ten_minutes():
    sentiment = Sentiment()
    for at_us in (NOW, NOW + 1, NOW - 1, NOW + HOUR_US):
        count_message(sentiment, at_us)
    assert sentiment.hours == {HOUR: 2, HOUR - 1: 1, HOUR + 1: 1}
    assert sentiment.tens == {HOUR * 6: 2, HOUR * 6 - 1: 1, HOUR * 6 + 6: 1}
    assert sentiment.first_message_us == NOW
    assert [messages_within(sentiment, NOW, hours) for hours in (1, 2, 24)] == [2, 3, 3]


def test_a_week_is_not_answered_with_a_day():
    sentiment = Sentiment(
        hours={HOUR: 1, HOUR - 23: 2, HOUR - 24: 4, HOUR - 167: 8, HOUR - 168: 16}
    )
    assert [messages_within(sentiment, NOW, hours) for hours in (1, 24, 168)] == [1, 3, 15]


def test_counts_are_bounded():
    sentiment = Sentiment()
    for hour in range(HOURS_KEPT + 5):
        count_message(sentiment, NOW + hour * HOUR_US)
    assert len(sentiment.hours) == HOURS_KEPT
    assert len(sentiment.tens) == TENS_KEPT
    assert min(sentiment.hours) == HOUR + 5


@given(st.integers(0, 100_000), st.lists(st.integers(0, 50), max_size=20))
def test_a_z_score_is_the_formula(count_milli, baseline):
    mean = fmean(baseline) if baseline else 0.0
    spread = variance(baseline) if len(baseline) > 1 else 0.0
    expected = (count_milli / 1000 - mean) / sqrt(max(spread, mean, 1.0))
    assert z_centi(count_milli, baseline) == pytest.approx(100 * expected, rel=2e-3, abs=1)


def test_volume_is_compared_with_the_same_hour_of_the_days_before():
    sentiment = Sentiment(first_message_us=NOW - 30 * DAY_US)
    for day in range(1, 21):
        sentiment.hours[HOUR - 24 * day] = 4
        sentiment.hours[HOUR - 24 * day + 5] = 100
    sentiment.hours[HOUR - 1], sentiment.hours[HOUR] = 8, 2
    assert baseline_days(sentiment, NOW) == 20
    # 2 in half an hour and half of the 8 before: 6, against 4 with a deviation of 2
    assert volume_z_centi(sentiment, NOW + HOUR_US // 2) == 100


def test_a_short_baseline_says_nothing():
    assert baseline_days(Sentiment(), NOW) == 0
    sentiment = Sentiment(first_message_us=NOW - 5 * DAY_US)
    assert volume_z_centi(sentiment, NOW - 1) is None
    assert volume_z_centi(sentiment, NOW) == 0


def test_a_burst_stands_out_of_four_hours():
    sentiment = Sentiment(tens={HOUR * 6: 12, HOUR * 6 - 24: 24})
    # mean 1, variance 24
    assert burst_z_centi(sentiment, NOW) == round(100 * 11 / sqrt(24))


def test_a_trend_decays_on_market_time_and_not_by_being_read():
    sentiment = Sentiment()
    for _ in range(9):
        count_message(sentiment, NOW)
    assert trend_centi(sentiment, NOW) == 900
    for _ in range(3):
        assert trend_centi(sentiment, NOW + 6 * HOUR_US) == 450
    count_message(sentiment, NOW + 6 * HOUR_US)
    assert (sentiment.trend_centi, sentiment.trend_at_us) == (450, NOW + 6 * HOUR_US)
