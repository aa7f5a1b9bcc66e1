"""How much is said of a symbol: counts by hour and by ten minutes, and how unusual they are.

A z-score compares the last hour with the same hour of the twenty days before: (count - mean) /
deviation, where the deviation is at least that of a Poisson count and at least 1. The last hour
is the present hour's count and the part of the hour before that still lies within 60 minutes.

Trending: each message lifts the score to its z-score; in between it halves every six hours of
market time, whether or not anybody reads it.

Source: domain.md, section 6 (volume z against 20 days, decay on event time).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from streams.core.money import divide_half_even
from streams.core.sentiment.horizons import DAY_US, HALF_LIVES_US, HOUR_US, INTRADAY
from streams.core.sentiment.weights import WEIGHT_ONE, weight_of
from streams.core.sentiment_state import Sentiment


TEN_MINUTES_US = 600_000_000
BASELINE_DAYS = 20
BASELINE_DAYS_MIN = 5
"""Days that a symbol must have been spoken of before a z-score is published."""

HOURS_KEPT = 24 * BASELINE_DAYS + 24
TENS_KEPT = 25
"""Counts kept: the present ten minutes and the four hours before."""


def count_message(sentiment: Sentiment, at_us: int) -> None:
    """Count a message or idea about the symbol. Called by `evolve_*` only."""
    if sentiment.first_message_us == 0:
        sentiment.first_message_us = at_us
    for counts, number, kept in (
        (sentiment.hours, at_us // HOUR_US, HOURS_KEPT),
        (sentiment.tens, at_us // TEN_MINUTES_US, TENS_KEPT),
    ):
        counts[number] = counts.get(number, 0) + 1
        while len(counts) > kept:
            del counts[min(counts)]
    trend = max(trend_centi(sentiment, at_us), z_centi(*_hour_and_baseline(sentiment, at_us)))
    sentiment.trend_centi, sentiment.trend_at_us = trend, max(sentiment.trend_at_us, at_us)


def messages_within(sentiment: Sentiment, now_us: int, hours: int) -> int:
    """Return messages of the present clock hour and the ones before it, `hours` in all."""
    last = now_us // HOUR_US
    counts = sentiment.hours
    if hours < len(counts):
        return sum(counts.get(hour, 0) for hour in range(last - hours + 1, last + 1))
    return sum(count for hour, count in counts.items() if last - hours < hour <= last)


def baseline_days(sentiment: Sentiment, now_us: int) -> int:
    """Return whole days since the symbol was first spoken of, at most `BASELINE_DAYS`."""
    if sentiment.first_message_us == 0:
        return 0
    return min(max(now_us - sentiment.first_message_us, 0) // DAY_US, BASELINE_DAYS)


def volume_z_centi(sentiment: Sentiment, now_us: int) -> int | None:
    """Return the last hour's z-score in hundredths, or None while the baseline is too short."""
    if baseline_days(sentiment, now_us) < BASELINE_DAYS_MIN:
        return None
    return z_centi(*_hour_and_baseline(sentiment, now_us))


def burst_z_centi(sentiment: Sentiment, now_us: int) -> int:
    """Return the z-score of the present ten minutes against the four hours before."""
    last = now_us // TEN_MINUTES_US
    counts = [sentiment.tens.get(last - back, 0) for back in range(1, TENS_KEPT)]
    return z_centi(1_000 * sentiment.tens.get(last, 0), counts)


def trend_centi(sentiment: Sentiment, now_us: int) -> int:
    """Return the trend score as of a time."""
    age_us = now_us - sentiment.trend_at_us
    return sentiment.trend_centi * weight_of(age_us, HALF_LIVES_US[INTRADAY]) // WEIGHT_ONE


def _hour_and_baseline(sentiment: Sentiment, now_us: int) -> tuple[int, list[int]]:
    hour, into_us = divmod(now_us, HOUR_US)
    counts = sentiment.hours
    before = counts.get(hour - 1, 0) * (HOUR_US - into_us) * 1_000 // HOUR_US
    days = baseline_days(sentiment, now_us)
    return (
        1_000 * counts.get(hour, 0) + before,
        [counts.get(hour - 24 * day, 0) for day in range(1, days + 1)],
    )


def z_centi(count_milli: int, baseline: Sequence[int]) -> int:
    """Return a z-score in hundredths.

    Args:
        count_milli: the count to judge, in thousandths.
        baseline: counts that are usual; none means that 0 is.
    """
    days = len(baseline) or 1
    total = sum(baseline)
    spread = days * sum(count * count for count in baseline) - total * total
    # variance in millionths: sample variance, at least the mean (Poisson), at least 1
    variance = max(
        spread * 1_000_000 // (days * max(days - 1, 1)), total * 1_000_000 // days, 1_000_000
    )
    excess_milli = count_milli - divide_half_even(1_000 * total, days)
    return divide_half_even(100 * excess_milli, isqrt(variance))
