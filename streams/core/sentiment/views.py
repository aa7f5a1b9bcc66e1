"""What a symbol's sentiment looks like from outside: rows of the stream and windows for reads.

Everything carries `as_of`, the market time it was computed at, so that nothing stale looks fresh.

Source: domain.md, section 6, "Outputs".
"""

from __future__ import annotations

from typing import Any

from streams.core.money import PPM
from streams.core.sentiment.beta import interval_90
from streams.core.sentiment.calibration import BINS
from streams.core.sentiment.horizons import HORIZONS, HOUR_US, TEXT
from streams.core.sentiment.labels import label_of
from streams.core.sentiment.tally import read_crowds
from streams.core.sentiment.volume import (
    baseline_days,
    burst_z_centi,
    messages_within,
    volume_z_centi,
)
from streams.core.sentiment_state import Calibration, Reading, Sentiment
from streams.core.state import State
from streams.core.view.values import format_time_or_none


Data = dict[str, Any]

CHANGES_HOURS = {"1h": 1, "24h": 24}
"""Changes that are shown, against the hourly points."""

_SILENT = Sentiment()
_NO_CALIBRATION = [Calibration() for _ in HORIZONS]
_NOTHING = [Reading() for _ in range(2 + len(HORIZONS))]


def row(state: State, symbol: str) -> Data:
    """Return what was published last of a symbol, from the voices of all ages; for the stream."""
    sentiment = state.sentiment.get(symbol, _SILENT)
    readings = sentiment.readings or _NOTHING
    return {
        "symbol": symbol,
        "as_of": format_time_or_none(sentiment.computed_at_us),
        **reading_view(readings[0]),
        "horizons": {
            name: _short_view(readings[1 + number]) for number, name in enumerate(HORIZONS)
        },
        "text": _short_view(readings[1 + TEXT]),
        **_surroundings(state, sentiment, readings[0], 24),
        "calibration": calibration_view(_summed(state.calibration)),
    }


def window_score(state: State, symbol: str, hours: int) -> Data:
    """Return the same from what was said within the last hours, computed now, with all details.

    Args:
        state: read only.
        symbol: the instrument.
        hours: length of the window in hours of market time; messages count by clock hour.
    """
    sentiment = state.sentiment.get(symbol, _SILENT)
    readings = read_crowds(state, symbol, sentiment, state.market_at_us - hours * HOUR_US)
    own = sentiment.calibration or _NO_CALIBRATION
    whole = _summed(state.calibration)
    return {
        "symbol": symbol,
        "as_of": format_time_or_none(state.market_at_us),
        **reading_view(readings[0]),
        "horizons": {
            name: {
                **reading_view(readings[1 + number]),
                "calibration": _reliability(state.calibration[number]),
                "calibration_of_symbol": _reliability(own[number]),
            }
            for number, name in enumerate(HORIZONS)
        },
        "text": reading_view(readings[1 + TEXT]),
        **_surroundings(state, sentiment, readings[0], hours),
        "calibration": _reliability(whole),
    }


def _short_view(reading: Reading) -> Data:
    return {
        "score": reading.score_centi / 100,
        "n": reading.voices,
        "n_eff": reading.effective_milli / 1000,
        "label": label_of(reading.score_centi, reading.effective_milli),
    }


def _surroundings(state: State, sentiment: Sentiment, whole: Reading, hours: int) -> Data:
    """Return how much is said, how the score moved, and what looks made up."""
    now_us, heard = state.market_at_us, whole.voices + whole.suspected
    days, z = baseline_days(sentiment, now_us), volume_z_centi(sentiment, now_us)
    return {
        "volume": messages_within(sentiment, now_us, hours),
        "volume_z": None if z is None else z / 100,
        "volume_z_reason": "short_baseline" if z is None else None,
        "baseline_days": days,
        "change": _changes(sentiment, now_us, whole),
        "manipulation": {
            "suspected": whole.suspected,
            "score_with_suspected": whole.open_score_centi / 100,
            "new_account_share": round(whole.new_accounts / heard, 4) if heard else None,
            "burst_z": burst_z_centi(sentiment, now_us) / 100,
        },
    }


def reading_view(reading: Reading) -> Data:
    """Return a reading as numbers for people; what nobody speaks of is null.

    `score` and `unweighted` in -100...100, `n` voices, `n_eff` effective voices, `low` and `high`
    the 90 % interval of the score, `disagreement` 0...1, `concentration` the largest voice's share
    of the weight, `median` and `median_recent` of the voices' probabilities, `distribution` voices
    by side, `label` one of bullish, bearish, neutral, insufficient.
    """
    low, high = interval_90(reading.probability_ppm, reading.effective_milli)
    spoken = reading.voices > 0
    share = reading.probability_ppm / PPM
    return {
        "score": reading.score_centi / 100,
        "unweighted": reading.unweighted_centi / 100,
        "n": reading.voices,
        "n_eff": reading.effective_milli / 1000,
        "low": low,
        "high": high,
        "label": label_of(reading.score_centi, reading.effective_milli),
        "distribution": {
            "bullish": reading.bullish,
            "bearish": reading.voices - reading.bullish,
        },
        "disagreement": round(4 * share * (1 - share), 4) if spoken else None,
        "concentration": round(reading.concentration_ppm / PPM, 4) if spoken else None,
        "median": reading.median_percent / 100 if spoken else None,
        "median_recent": reading.recent_median_percent / 100 if spoken else None,
    }


def _changes(sentiment: Sentiment, now_us: int, whole: Reading) -> Data:
    """Return the change of the score since the newest point that is old enough, else null."""
    hour, found = now_us // HOUR_US, {}
    for name, hours in CHANGES_HOURS.items():
        point = next(
            (point for point in reversed(sentiment.points) if point.hour <= hour - hours), None
        )
        found[name] = None if point is None else (whole.score_centi - point.score_centi) / 100
    return found


def _summed(parts: list[Calibration]) -> Calibration:
    whole = Calibration()
    for part in parts:
        whole.forecasts += part.forecasts
        whole.squares_ppm += part.squares_ppm
        whole.unweighted_squares_ppm += part.unweighted_squares_ppm
        for number in range(BINS):
            whole.counts[number] += part.counts[number]
            whole.said_ppm[number] += part.said_ppm[number]
            whole.rises[number] += part.rises[number]
    return whole


def calibration_view(measured: Calibration) -> Data:
    """Return what became of forecasts: Brier score and skill against equal weights, or a reason."""
    count, plain = measured.forecasts, measured.unweighted_squares_ppm
    return {
        "forecasts": count,
        "brier": round(measured.squares_ppm / PPM / count, 4) if count else None,
        "brier_unweighted": round(plain / PPM / count, 4) if count else None,
        "skill": round(1 - measured.squares_ppm / plain, 4) if plain else None,
        "reason": None if count else "no_forecast_due",
    }


def _reliability(measured: Calibration) -> Data:
    """Return the same with `bins`: forecasts, mean probability, share that rose, by tenth."""
    parts = zip(measured.counts, measured.said_ppm, measured.rises, strict=True)
    return {
        **calibration_view(measured),
        "bins": [
            [number, round(said / PPM / number, 4), round(rises / number, 4)]
            for number, said, rises in parts
            if number
        ],
    }
