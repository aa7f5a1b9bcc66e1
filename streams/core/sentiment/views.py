"""What a symbol's sentiment looks like from outside: rows of the stream and windows for reads.

Source: domain.md, section 6; Wilson (1927) for the interval.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from streams.core.sentiment.voices import AGE_US_MAX, Tally, published, tally
from streams.core.state import Sentiment, State


SCORE_BULLISH, SCORE_BEARISH = 20.0, -20.0
"""From these scores on the crowd is called bullish or bearish."""

EFFECTIVE_MIN = 5.0
"""Effective voices below which the label says `insufficient`."""

NORMAL_95 = 1.6448536269514722
"""95 % quantile of the normal distribution: both tails of a 90 % interval."""

_SILENT = Sentiment()


def row(state: State, symbol: str) -> dict[str, Any]:
    """Return what was published last of a symbol.

    Returns:
        `score` and `unweighted` in -100...100, `n` voices, `n_eff` effective voices, `low` and
        `high` the 90 % interval of the score, `label` one of bullish, bearish, neutral,
        insufficient. Without voices all numbers are 0 and the interval is everything.
    """
    return describe(symbol, published(state.sentiment.get(symbol, _SILENT)))


def window_score(state: State, symbol: str, window_us: int) -> dict[str, Any]:
    """Return the same as `row` from the voices of the last `window_us` of market time, as of now.

    A window longer than stances live is as long as they live.
    """
    voices = state.sentiment.get(symbol, _SILENT).voices
    return describe(symbol, tally(voices, state.market_at_us, min(window_us, AGE_US_MAX)))


def describe(symbol: str, numbers: Tally) -> dict[str, Any]:
    """Return a tally as numbers for people, with interval and label."""
    score = numbers.score_centi / 100
    effective = numbers.effective_milli / 1000
    low, high = interval(score, effective)
    return {
        "symbol": symbol,
        "score": score,
        "unweighted": numbers.unweighted_centi / 100,
        "n": numbers.voices,
        "n_eff": effective,
        "low": low,
        "high": high,
        "label": label_of(score, effective),
    }


def label_of(score: float, effective: float) -> str:
    """Return the word for a score."""
    if effective < EFFECTIVE_MIN:
        return "insufficient"
    if score >= SCORE_BULLISH:
        return "bullish"
    return "bearish" if score <= SCORE_BEARISH else "neutral"


def interval(score: float, effective: float) -> tuple[float, float]:
    """Return Wilson's 90 % interval of a score, with the effective number as sample size."""
    if effective <= 0.0:
        return -100.0, 100.0
    share = (score / 100 + 1) / 2
    square = NORMAL_95 * NORMAL_95
    scale = 1 + square / effective
    middle = (share + square / (2 * effective)) / scale
    spread = share * (1 - share) / effective + square / (4 * effective * effective)
    half = NORMAL_95 * sqrt(spread) / scale
    low, high = max(middle - half, 0.0), min(middle + half, 1.0)
    return round(100 * (2 * low - 1), 2), round(100 * (2 * high - 1), 2)
