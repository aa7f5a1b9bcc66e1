"""Symbols in order of what the crowd says of them, and what one trader says of each.

Source: domain.md, sections 0 (lists need a volume of 5) and 6.
"""

from __future__ import annotations

from typing import Any

from streams.core.money import PPM, divide_half_even
from streams.core.sentiment.accuracy import accuracy_milli
from streams.core.sentiment.horizons import HALF_LIVES_US, HORIZONS, TEXT, crowds_of
from streams.core.sentiment.labels import label_of
from streams.core.sentiment.odds import percent_logits, probability_ppm
from streams.core.sentiment.views import row
from streams.core.sentiment.volume import messages_within, trend_centi
from streams.core.sentiment.weights import WEIGHT_ONE, weight_of
from streams.core.state import State, Trader
from streams.core.view.values import STANCES, format_time


Data = dict[str, Any]

VOLUME_MIN = 5
"""Messages within 24 hours below which a symbol is in no list."""

LISTS = ("bullish", "bearish", "trending")


def list_symbols(state: State, name: str, limit: int) -> list[Data]:
    """Return rows of the symbols of a list, first the most so; ties by symbol.

    Args:
        state: read only.
        name: one of `LISTS`; bullish and bearish leave symbols out whose label says otherwise.
        limit: rows at most.
    """
    found = []
    for symbol, sentiment in state.sentiment.items():
        if messages_within(sentiment, state.market_at_us, 24) < VOLUME_MIN:
            continue
        trend = trend_centi(sentiment, state.market_at_us)
        if name == "trending":
            found.append((-trend, symbol, trend))
        elif label_of(sentiment.score_centi, sentiment.effective_milli) == name:
            sign = -1 if name == "bullish" else 1
            found.append((sign * sentiment.score_centi, symbol, trend))
    return [
        {**row(state, symbol), "trend": trend / 100} for _, symbol, trend in sorted(found)[:limit]
    ]


def trader_sentiment(state: State, trader: Trader) -> Data:
    """Return a trader's standing voices, newest first, and the mean of them.

    `accuracy` is relative to somebody without a record. The overall score pools the declared
    voices by recency alone.
    """
    voices = []
    pooled = total = 0
    for symbol in state.spoken.get(trader.trader, ()):
        accuracy = accuracy_milli(state, state.instruments[symbol].asset_class)(trader.trader)
        for crowd, others in enumerate(crowds_of(state.sentiment[symbol])):
            voice = others.get(trader.trader)
            if voice is None:
                continue
            percent = voice.percent if voice.stance > 0 else 100 - voice.percent
            weight = weight_of(state.market_at_us - voice.at_us, HALF_LIVES_US[crowd])
            if crowd != TEXT:
                pooled += weight * percent_logits()[percent]
                total += weight
            voices.append(
                {
                    "symbol": symbol,
                    "sentiment": STANCES[voice.stance],
                    "probability": percent / 100,
                    "horizon": None if crowd == TEXT else HORIZONS[crowd],
                    "read_from_text": crowd == TEXT,
                    "idea": voice.source or None,
                    "recency": round(weight / WEIGHT_ONE, 4),
                    "accuracy": accuracy / 1000,
                    "suspected": voice.suspected or trader.trader in state.reply_rings,
                    "at": format_time(voice.at_us),
                }
            )
    voices.sort(key=lambda each: (each["at"], each["symbol"]), reverse=True)
    probability = probability_ppm(divide_half_even(pooled, total)) if total else PPM // 2
    return {
        "trader": trader.trader,
        "score": round(200 * probability / PPM - 100, 2) if total else None,
        "reason": None if total else "no_declared_stance",
        "voices": voices,
    }
