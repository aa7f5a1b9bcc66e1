"""The crowd's declared stances: one voice a trader and symbol, the latest counts.

Only `evolve_*` functions and the kernel's tick call this module.

Invariants:
    * `Sentiment.voices` holds stances of -1 and +1 in the order in which they were declared.
    * What is published is whole numbers and changes only in `refresh`, at most once a second.
    * Work of one refresh is bounded: symbols that were talked about, and beyond them at most
      `VOICES_PER_REFRESH_MAX` voices of symbols whose weights only have aged.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core import channels
from streams.core.limits import STANCE_AGE_DAYS_MAX, VOICES_PER_SYMBOL_MAX
from streams.core.money import divide_half_even
from streams.core.sentiment.weights import STEP_US, STEPS_A_HALF_LIFE, step_weights
from streams.core.state import Sentiment, State, Voice


REFRESH_US = 60_000_000
"""Market time after which a symbol's weights are computed again though nobody spoke."""

VOICES_PER_REFRESH_MAX = 10_000
"""Voices aged in one refresh; the remaining symbols follow at the next one."""

AGE_US_MAX = STANCE_AGE_DAYS_MAX * 86_400_000_000
"""Age in market time beyond which a stance leaves."""


class Tally(NamedTuple):
    """What a set of voices says, in whole numbers.

    Attributes:
        score_centi: weighted score, -10000...10000: hundredths of 100 (2 P - 1).
        unweighted_centi: the same with equal weights.
        voices: number of voices.
        effective_milli: thousandths of the effective number, (sum w)^2 / sum w^2.
    """

    score_centi: int
    unweighted_centi: int
    voices: int
    effective_milli: int


def record_stance(state: State, symbol: str, trader: str, stance: int, at_us: int) -> None:
    """Take over a trader's declared stance on a symbol.

    Args:
        state: changed in place.
        symbol: the instrument.
        trader: who speaks; one voice each, an earlier time than the present voice's is ignored.
        stance: -1 bearish, +1 bullish, 0 withdraws the voice.
        at_us: market time of the declaration.
    """
    sentiment = state.sentiment.get(symbol)
    if sentiment is None:
        if stance == 0:
            return
        sentiment = state.sentiment[symbol] = Sentiment()
    voices = sentiment.voices
    voice = voices.get(trader)
    if voice is None:
        if stance == 0:
            return
        if len(voices) >= VOICES_PER_SYMBOL_MAX:
            del voices[next(iter(voices))]
    elif at_us < voice.at_us:
        return
    else:
        del voices[trader]
    if stance != 0:
        voices[trader] = Voice(1 if stance > 0 else -1, at_us)
    sentiment.changed = True


def refresh(state: State) -> None:
    """Compute again what changed or aged, and publish it. Called on the tick of each second."""
    now_us = state.market_at_us
    budget = VOICES_PER_REFRESH_MAX
    for symbol, sentiment in state.sentiment.items():
        if not sentiment.changed:
            if not sentiment.voices or now_us - sentiment.computed_at_us < REFRESH_US:
                continue
            if budget <= 0:
                continue
            budget -= len(sentiment.voices)
        _publish(state, symbol, sentiment, now_us)


def tally(voices: dict[str, Voice], now_us: int, age_us_max: int) -> Tally:
    """Add up the voices that are not older than an age.

    The weight of each is `weights.weight_of` its age, written out: a symbol has many voices.
    """
    weights, length = step_weights(), STEPS_A_HALF_LIFE
    bulls = bears = bull_weight = bear_weight = squares = 0
    for voice in voices.values():
        age_us = now_us - voice.at_us
        if age_us > age_us_max:
            continue
        steps = age_us // STEP_US if age_us > 0 else 0
        weight = weights[steps % length] >> steps // length
        squares += weight * weight
        if voice.stance > 0:
            bulls += 1
            bull_weight += weight
        else:
            bears += 1
            bear_weight += weight
    voices_counted = bulls + bears
    if voices_counted == 0:
        return Tally(0, 0, 0, 0)
    weight_sum = bull_weight + bear_weight
    return Tally(
        divide_half_even(10_000 * (bull_weight - bear_weight), weight_sum),
        divide_half_even(10_000 * (bulls - bears), voices_counted),
        voices_counted,
        divide_half_even(1_000 * weight_sum * weight_sum, squares),
    )


def _publish(state: State, symbol: str, sentiment: Sentiment, now_us: int) -> None:
    voices = sentiment.voices
    oldest_us = now_us - AGE_US_MAX
    expired = [name for name, voice in voices.items() if voice.at_us < oldest_us]
    for name in expired:
        del voices[name]
    result = tally(voices, now_us, AGE_US_MAX)
    before = published(sentiment)
    sentiment.changed = False
    sentiment.computed_at_us = now_us
    if result == before:
        return
    sentiment.score_centi, sentiment.unweighted_centi = result.score_centi, result.unweighted_centi
    sentiment.voices_counted, sentiment.effective_milli = result.voices, result.effective_milli
    channels.touch(state, f"sentiment:{symbol}", symbol)


def published(sentiment: Sentiment) -> Tally:
    """Return what was published last."""
    return Tally(
        sentiment.score_centi,
        sentiment.unweighted_centi,
        sentiment.voices_counted,
        sentiment.effective_milli,
    )
