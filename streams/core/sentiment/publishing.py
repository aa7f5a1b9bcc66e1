"""Computing and publishing what changed or aged, on the tick of each second.

Invariants:
    * What is published is whole numbers and changes here only, at most once a second.
    * Work of one second is bounded: symbols that were spoken of first, then those whose weights
      have aged by a minute, at most `VOICES_PER_REFRESH_MAX` voices (but at least one symbol); the
      others follow in the seconds after.
    * Nothing is done for a symbol that nobody spoke of within `STANCE_AGE_DAYS_MAX`.
"""

from __future__ import annotations

from streams.core import channels
from streams.core.limits import STANCE_AGE_DAYS_MAX
from streams.core.sentiment.horizons import DAY_US, HOUR_US, crowds_of
from streams.core.sentiment.rings import end_rings
from streams.core.sentiment.tally import read_crowds
from streams.core.sentiment.voices import drop_voice
from streams.core.sentiment_state import Sentiment
from streams.core.state import State


MINUTE_US = 60_000_000
"""Market time after which a symbol's weights are computed again though nobody spoke."""

VOICES_PER_REFRESH_MAX = 3_000
"""Voices weighed in one refresh."""

SYMBOL_COST = 20
"""What a symbol costs beside its voices, counted in voices."""

AGE_US_MAX = STANCE_AGE_DAYS_MAX * DAY_US
"""Age in market time beyond which a stance leaves."""


def refresh(state: State) -> None:
    """Compute again what changed or aged, and publish it. Called on the tick of each second."""
    _let_time_pass(state)
    budget = VOICES_PER_REFRESH_MAX
    for queue in (state.sentiment_due, state.sentiment_ageing):
        while queue and budget > 0:
            symbol = next(iter(queue))
            del queue[symbol]
            sentiment = state.sentiment[symbol]
            budget -= SYMBOL_COST + sum(map(len, crowds_of(sentiment)))
            publish(state, symbol, sentiment)


def _let_time_pass(state: State) -> None:
    minute, hour = state.market_at_us // MINUTE_US, state.market_at_us // HOUR_US
    if minute != state.sentiment_minute:
        state.sentiment_minute = minute
        state.sentiment_ageing.update(dict.fromkeys(state.sentiment))
        end_rings(state)
    if hour != state.sentiment_hour:
        state.sentiment_hour = hour
        for symbol, sentiment in state.sentiment.items():
            if sentiment.changed or sentiment.voices_counted or _spoken_of(sentiment, hour):
                state.sentiment_unmeasured[symbol] = None


def _spoken_of(sentiment: Sentiment, hour: int) -> bool:
    newest = next(reversed(sentiment.hours), None)
    return newest is not None and newest > hour - 24


def publish(state: State, symbol: str, sentiment: Sentiment) -> None:
    """Compute one symbol's readings and put them into the state."""
    oldest_us = state.market_at_us - AGE_US_MAX
    for voices in crowds_of(sentiment):
        while voices:
            trader, voice = next(iter(voices.items()))
            if voice.at_us >= oldest_us:
                break
            drop_voice(state, symbol, sentiment, voices, trader)
    readings = read_crowds(state, symbol, sentiment, oldest_us)
    if sentiment.changed or readings != sentiment.readings:
        channels.touch(state, f"sentiment:{symbol}", symbol)
    whole = readings[0]
    sentiment.changed = False
    sentiment.computed_at_us = state.market_at_us
    sentiment.readings = readings
    sentiment.score_centi, sentiment.unweighted_centi = whole.score_centi, whole.unweighted_centi
    sentiment.voices_counted, sentiment.effective_milli = whole.voices, whole.effective_milli
