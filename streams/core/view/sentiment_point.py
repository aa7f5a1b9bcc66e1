"""One point of a symbol's sentiment history as clients see it."""

from __future__ import annotations

from typing import Any

from streams.core.sentiment.horizons import HOUR_US
from streams.core.sentiment.labels import label_of
from streams.core.sentiment_state import SentimentPoint
from streams.core.view.values import format_time


def point_view(point: SentimentPoint) -> dict[str, Any]:
    """Return the numbers that were measured at the beginning of an hour."""
    return {
        "at": format_time(point.hour * HOUR_US),
        "score": point.score_centi / 100,
        "unweighted": point.unweighted_centi / 100,
        "n": point.voices,
        "n_eff": point.effective_milli / 1000,
        "volume": point.messages,
        "label": label_of(point.score_centi, point.effective_milli),
    }
