"""What the end of an idea is worth: against the odds of its own geometry, in whole numbers.

Invariants:
    * Nothing here knows of likes, comments, shares or views: engagement never enters a score.
    * A driftless price reaches the target before the stop with the odds p0; the expected `hit` is
      p0 for whoever has no skill, whatever the distances, also when an idea ends in between.

Source: domain.md, section 7, "Score against the odds of its own geometry";
docs/adr/0021-scores-of-ideas.md.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.ideas.logarithm import MICRO, ln_fixed, ln_micro
from streams.core.money import divide_half_even


CONFIDENCE_PPM_MIN, CONFIDENCE_PPM_MAX = 10_000, 990_000
"""A stated confidence counts within these: certainty would make one miss infinitely bad."""

BPS_PPM = 100


class Scores(NamedTuple):
    """Log score in micronats and Brier score in millionths of one resolved idea."""

    score_micronats: int
    brier_ppm: int


def odds_ppm(entry_ticks: int, target_ticks: int, stop_ticks: int) -> int:
    """Return p0 = d_stop / (d_stop + d_target), with distances in log price.

    Args:
        entry_ticks: price at which the idea was entered, between the other two.
        target_ticks: first target, > 0.
        stop_ticks: initial stop, > 0.

    Returns:
        Millionths, 1 to 999,999; 0 when there is no target or no stop.
    """
    if target_ticks == 0 or stop_ticks == 0:
        return 0
    to_stop = abs(ln_fixed(entry_ticks, stop_ticks))
    to_target = abs(ln_fixed(target_ticks, entry_ticks))
    return _inside(divide_half_even(MICRO * to_stop, to_stop + to_target))


def hit_between_ppm(price_ticks: int, target_ticks: int, stop_ticks: int) -> int:
    """Return the hit of an idea that ended at a price between stop and target.

    It is the chance that a driftless price would still have reached the target first: 0 at the
    stop, 1,000,000 at the target, p0 at the entry. So it is R at the end on another scale.
    """
    inside = abs(ln_fixed(price_ticks, stop_ticks))
    whole = abs(ln_fixed(target_ticks, stop_ticks))
    return divide_half_even(MICRO * inside, whole)


def scores(confidence_bps: int, odds: int, hit_ppm: int) -> Scores:
    """Return log score and Brier score of a stated confidence.

    s = h ln(p / p0) + (1 - h) ln((1 - p) / (1 - p0)); Brier = (p - h)^2.

    Args:
        confidence_bps: stated probability that the first target comes before the stop.
        odds: p0 in millionths, 1 to 999,999.
        hit_ppm: h in millionths.
    """
    stated = min(max(confidence_bps * BPS_PPM, CONFIDENCE_PPM_MIN), CONFIDENCE_PPM_MAX)
    on_hit = ln_micro(stated, odds)
    on_miss = ln_micro(MICRO - stated, MICRO - odds)
    score = divide_half_even(hit_ppm * on_hit + (MICRO - hit_ppm) * on_miss, MICRO)
    return Scores(score, divide_half_even((stated - hit_ppm) ** 2, MICRO))


def _inside(share_ppm: int) -> int:
    return min(max(share_ppm, 1), MICRO - 1)
