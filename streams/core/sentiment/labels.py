"""The word for a score.

Source: domain.md, sections 0 (thresholds of 20) and 6 (insufficient below 5 effective voices).
"""

from __future__ import annotations


SCORE_BULLISH_CENTI, SCORE_BEARISH_CENTI = 2_000, -2_000
"""From these scores on, in hundredths, the crowd is called bullish or bearish."""

EFFECTIVE_MIN_MILLI = 5_000
"""Effective voices in thousandths below which a crowd's number is `insufficient`."""


def label_of(score_centi: int, effective_milli: int) -> str:
    """Return bullish, bearish, neutral, or insufficient."""
    if effective_milli < EFFECTIVE_MIN_MILLI:
        return "insufficient"
    if score_centi >= SCORE_BULLISH_CENTI:
        return "bullish"
    return "bearish" if score_centi <= SCORE_BEARISH_CENTI else "neutral"
