"""The record of an author: what became of the ideas, and the reputation that follows.

Invariants:
    * Counts and sums only grow; decayed sums are kept as of a step of the half-life, so that every
      node shrinks them by the same whole numbers.
    * Reputation is sum(s) / (n + 30), both with a half-life of 180 days: a newcomer has 0, and so
      has, in time, whoever stops.
    * Only resolved ideas enter. Engagement does not.

Source: domain.md, section 7, "Reputation".
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from math import isqrt

from streams.core.idea_state import AuthorRecord, ClassRecord, IdeaResolution
from streams.core.ideas.logarithm import MICRO
from streams.core.market_clock import DAY_US
from streams.core.money import divide_half_even
from streams.core.state import State


HALF_LIFE_US = 180 * DAY_US
STEPS_A_HALF_LIFE = 4096
STEP_US = HALF_LIFE_US // STEPS_A_HALF_LIFE
"""The half-life is cut into steps of 63 minutes; a power of two of them."""

PRIOR_IDEAS = 30
"""Ideas of score 0 that everybody starts with."""

_BITS = 64


@cache
def _step_factors() -> tuple[int, ...]:
    """Return 2 ** (-k / 4096) on 64 bits for every step k of a half-life."""
    one = 1 << _BITS
    factor = one >> 1
    for _ in range(STEPS_A_HALF_LIFE.bit_length() - 1):
        factor = isqrt(factor << _BITS)
    factors, weight = [], one
    for _ in range(STEPS_A_HALF_LIFE):
        factors.append(weight)
        weight = weight * factor >> _BITS
    return tuple(factors)


def _shrunk(amount: int, steps: int) -> int:
    """Return an amount after so many steps, rounded toward zero."""
    half_lives, step = divmod(max(steps, 0), STEPS_A_HALF_LIFE)
    shift = _BITS + half_lives
    shrunk = abs(amount) * _step_factors()[step] >> shift
    return shrunk if amount >= 0 else -shrunk


def reputation_micronats(record: ClassRecord, now_us: int) -> int:
    """Return sum(s) / (n + 30) as of a time, in millionths of a nat.

    Args:
        record: of one asset class or of all.
        now_us: market time.
    """
    steps = now_us // STEP_US - record.decayed_step
    score = _shrunk(record.decayed_micronats, steps)
    ideas_ppm = _shrunk(record.decayed_ppm, steps) + PRIOR_IDEAS * MICRO
    return divide_half_even(score * MICRO, ideas_ppm)


def record_published(state: State, trader: str) -> None:
    """Count a published idea. Called by `evolve_*` only."""
    record = state.author_records.get(trader)
    if record is None:
        record = state.author_records[trader] = AuthorRecord()
    record.published += 1


def record_end(
    state: State, trader: str, asset_class: str, idea: str, resolution: IdeaResolution
) -> None:
    """Enter the end of a published idea. Called by `evolve_*` only."""
    record = state.author_records[trader]
    record.stages[resolution.stage] = record.stages.get(resolution.stage, 0) + 1
    if "AMBIGUOUS_BAR" in resolution.tick.flags:
        record.ambiguous += 1
    if resolution.r_milli is not None:
        record.r_count += 1
        record.r_milli += resolution.r_milli
    if resolution.odds_ppm is not None and resolution.hit_ppm is not None:
        if resolution.stage == "TARGET_HIT":
            record.hits += 1
        in_class = record.classes.get(asset_class)
        if in_class is None:
            in_class = record.classes[asset_class] = ClassRecord()
        _enter(record.total, resolution)
        _enter(in_class, resolution)
    if resolution.brier_ppm is not None:
        record.brier_ppm += resolution.brier_ppm
    link = f"{record.chain}|{idea}|{resolution.stage}|{resolution.hit_ppm}|{resolution.r_milli}"
    record.chain = blake2b(link.encode(), digest_size=16).hexdigest()


def _enter(record: ClassRecord, resolution: IdeaResolution) -> None:
    odds, hit = resolution.odds_ppm or 0, resolution.hit_ppm or 0
    record.edges += 1
    record.edge_ppm += hit - odds
    record.variance_ppm += divide_half_even(odds * (MICRO - odds), MICRO)
    score = resolution.score_micronats
    if score is None:
        return
    record.scored += 1
    record.score_micronats += score
    step = max(resolution.tick.at_us // STEP_US, record.decayed_step)
    steps = step - record.decayed_step
    record.decayed_micronats = _shrunk(record.decayed_micronats, steps) + score
    record.decayed_ppm = _shrunk(record.decayed_ppm, steps) + MICRO
    record.decayed_step = step
