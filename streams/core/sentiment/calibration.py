"""Measuring the crowd: hourly points, and forecasts against what the price did.

Each hour every symbol that people speak of is measured: its numbers become a point of history,
and for each horizon with enough effective voices, unless one is open, a forecast: the
probability then, and the mark. When the horizon is over the forecast is compared with the mark:
risen, or fallen; unchanged says nothing. So forecasts of a horizon never overlap.

Skill is 1 - Brier / Brier of the unweighted crowd: above 0 the weights help.

Source: domain.md, section 6 ("measured calibration: reliability bins, Brier, skill").
"""

from __future__ import annotations

from streams.core.context import Context
from streams.core.events import SentimentMeasured
from streams.core.limits import SENTIMENT_POINTS_MAX
from streams.core.money import PPM, divide_half_even
from streams.core.sentiment.horizons import FORECASTS_US, HORIZONS
from streams.core.sentiment.labels import EFFECTIVE_MIN_MILLI
from streams.core.sentiment.volume import messages_within
from streams.core.sentiment_state import (
    Calibration,
    Forecast,
    Reading,
    Sentiment,
    SentimentPoint,
)
from streams.core.state import Instrument, State


SYMBOLS_PER_TICK_MAX = 100
"""Symbols measured on one tick; the others follow on the next ones."""

BINS = 10


def measure(ctx: Context, at_us: int) -> None:
    """Emit `SentimentMeasured` for symbols whose hour has not been measured yet.

    Args:
        ctx: of the tick.
        at_us: market time of the tick.
    """
    state = ctx.state
    for symbol in list(state.sentiment_unmeasured)[:SYMBOLS_PER_TICK_MAX]:
        sentiment = state.sentiment[symbol]
        instrument = state.instruments[symbol]
        ended, opened = _forecasts(sentiment, instrument, at_us)
        ctx.emit(
            SentimentMeasured(
                symbol=symbol,
                hour=state.sentiment_hour,
                score_centi=sentiment.score_centi,
                unweighted_centi=sentiment.unweighted_centi,
                voices=sentiment.voices_counted,
                effective_milli=sentiment.effective_milli,
                messages=messages_within(sentiment, at_us, 24),
                ended=ended,
                opened=opened,
                at_us=at_us,
            )
        )


def _forecasts(
    sentiment: Sentiment, instrument: Instrument, at_us: int
) -> tuple[list[tuple[int, int]], list[tuple[int, Forecast]]]:
    ended: list[tuple[int, int]] = []
    opened: list[tuple[int, Forecast]] = []
    mark_ticks = instrument.last_ticks if instrument.settled else instrument.mark_ticks
    for horizon in range(len(HORIZONS)):
        standing = sentiment.forecasts.get(horizon)
        if standing is not None:
            if at_us < standing.due_us:
                continue
            change = mark_ticks - standing.mark_ticks
            ended.append((horizon, (change > 0) - (change < 0)))
        reading = sentiment.readings[1 + horizon] if sentiment.readings else Reading()
        sure = reading.effective_milli >= EFFECTIVE_MIN_MILLI
        if sure and instrument.quoted and not instrument.settled:
            opened.append(
                (
                    horizon,
                    Forecast(
                        at_us + FORECASTS_US[horizon],
                        reading.probability_ppm,
                        reading.unweighted_ppm,
                        mark_ticks,
                    ),
                )
            )
    return ended, opened


def evolve_sentiment_measured(state: State, event: SentimentMeasured) -> None:
    """Keep the point, settle forecasts that are due, and open new ones."""
    state.sentiment_unmeasured.pop(event.symbol, None)
    sentiment = state.sentiment[event.symbol]
    sentiment.points.append(
        SentimentPoint(
            event.hour,
            event.score_centi,
            event.unweighted_centi,
            event.voices,
            event.effective_milli,
            event.messages,
        )
    )
    if len(sentiment.points) > SENTIMENT_POINTS_MAX:
        del sentiment.points[0]
    for horizon, direction in event.ended:
        forecast = sentiment.forecasts.pop(horizon)
        if direction:
            if not sentiment.calibration:
                sentiment.calibration = [Calibration() for _ in HORIZONS]
            for calibration in (sentiment.calibration[horizon], state.calibration[horizon]):
                enter(calibration, forecast, direction > 0)
    for horizon, forecast in event.opened:
        sentiment.forecasts[horizon] = Forecast(
            forecast.due_us, forecast.probability_ppm, forecast.unweighted_ppm, forecast.mark_ticks
        )


def enter(calibration: Calibration, forecast: Forecast, rose: bool) -> None:
    """Enter a forecast that came due."""
    outcome = PPM if rose else 0
    calibration.forecasts += 1
    calibration.squares_ppm += _square_ppm(forecast.probability_ppm - outcome)
    calibration.unweighted_squares_ppm += _square_ppm(forecast.unweighted_ppm - outcome)
    number = min(forecast.probability_ppm * BINS // PPM, BINS - 1)
    calibration.counts[number] += 1
    calibration.said_ppm[number] += forecast.probability_ppm
    calibration.rises[number] += rose


def _square_ppm(error_ppm: int) -> int:
    return divide_half_even(error_ppm * error_ppm, PPM)
