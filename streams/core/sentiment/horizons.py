"""The three horizons of a stance, and the crowds of a symbol.

A voice belongs to one crowd: of a horizon, or of texts, which are read for a stance where none
was declared. One trader has at most one voice in each.

Source: domain.md, section 6 (half-lives: intraday 6 h, swing 3 d, position 14 d).
"""

from __future__ import annotations

from streams.core.sentiment_state import Sentiment, Voice


HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US

INTRADAY, SWING, LONG, TEXT = range(4)
"""Crowds; the first three are the horizons. `LONG` is called `position` outside."""

HORIZONS = ("intraday", "swing", "position")
"""Names of the horizons, by number."""

HALF_LIVES_US = (6 * HOUR_US, 3 * DAY_US, 14 * DAY_US, 6 * HOUR_US)
"""Half-life of a voice by crowd; a mood read out of texts passes like an intraday one."""

FORECASTS_US = (6 * HOUR_US, 3 * DAY_US, 14 * DAY_US)
"""After this time a horizon's probability is compared with what the price did."""

INTRADAY_US_MAX, SWING_US_MAX = DAY_US, 14 * DAY_US
"""Longest ideas that count as intraday and as swing."""


def crowds_of(sentiment: Sentiment) -> tuple[dict[str, Voice], ...]:
    """Return the voices by crowd, in the order of their numbers."""
    return (
        sentiment.intraday_voices,
        sentiment.voices,
        sentiment.long_voices,
        sentiment.text_voices,
    )


def horizon_of(length_us: int) -> int:
    """Return the horizon of an idea that lives so long."""
    if length_us <= INTRADAY_US_MAX:
        return INTRADAY
    return SWING if length_us <= SWING_US_MAX else LONG
