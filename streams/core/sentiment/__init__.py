"""What the crowd thinks of each symbol: declared stances, weighted; texts apart.

Invariants:
    * One voice a trader, symbol and horizon; the latest counts, a withdrawn one has no weight.
    * Voices read out of texts never mix with declared ones.
    * Nothing costs per command or mark: symbols are computed on ticks, when somebody spoke or when
      a minute of market time has aged the weights.

What all this looks like from outside is in `views` and `lists`.

Source: domain.md, section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.events import Event, SentimentMeasured
from streams.core.sentiment.calibration import evolve_sentiment_measured, measure
from streams.core.sentiment.horizons import SWING, TEXT, horizon_of
from streams.core.sentiment.publishing import refresh
from streams.core.sentiment.rings import addressed, record_reply
from streams.core.sentiment.voices import (
    mark_changed,
    record_stance,
    sentiment_of,
    withdraw_source,
)
from streams.core.sentiment.volume import count_message
from streams.core.state import State


EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    SentimentMeasured: evolve_sentiment_measured
}

__all__ = [
    "EVOLVERS",
    "SWING",
    "TEXT",
    "addressed",
    "count_message",
    "horizon_of",
    "mark_changed",
    "measure",
    "record_reply",
    "record_stance",
    "refresh",
    "sentiment_of",
    "withdraw_source",
]
