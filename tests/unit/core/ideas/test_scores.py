from __future__ import annotations

import math

import pytest

from streams.core.idea_state import ClassRecord
from streams.core.ideas.logarithm import ln_micro
from streams.core.ideas.record import HALF_LIFE_US, reputation_micronats
from streams.core.ideas.scores import hit_between_ppm, odds_ppm, scores


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 1, 0), (2, 1, 693_147), (1, 2, -693_147), (10, 1, 2_302_585), (999, 1_000, -1_001)],
)
def test_logarithms_in_whole_numbers(numerator: int, denominator: int, expected: int) -> None:
    assert expected == ln_micro(numerator, denominator)


def test_the_odds_of_the_domain_report() -> None:
    """A target 1 % and a stop 20 % away in log price: 95 % hits are no skill."""
    entry = 1_000_000_000
    target, stop = round(entry * math.exp(0.01)), round(entry * math.exp(-0.20))
    assert odds_ppm(entry, target, stop) == 952_381
    assert odds_ppm(entry, round(entry * math.exp(-0.01)), round(entry * math.exp(0.20))) == 952_381


@pytest.mark.parametrize(
    ("entry", "target", "stop", "expected"),
    [
        (100, 110, 0, 0),
        (100, 0, 90, 0),
        (100, 400, 50, 333_333),
        (100, 50, 400, 666_667),
        (100, 25, 200, 333_333),
        (10**15, 10**15 + 1, 1, 999_999),
        (2, 10**15, 1, 20_069),
    ],
)
def test_odds_by_log_distance(entry: int, target: int, stop: int, expected: int) -> None:
    assert expected == odds_ppm(entry, target, stop)


def test_an_end_in_between_is_scored_by_where_it_was() -> None:
    assert hit_between_ppm(50, 400, 50) == 0
    assert hit_between_ppm(400, 400, 50) == 1_000_000
    assert hit_between_ppm(100, 400, 50) == odds_ppm(100, 400, 50) == 333_333
    assert hit_between_ppm(200, 25, 200) == 0


@pytest.mark.parametrize(
    ("confidence", "odds", "hit", "score", "brier"),
    [
        # 80 % stated against even odds.
        (8_000, 500_000, 1_000_000, 470_004, 40_000),
        (8_000, 500_000, 0, -916_291, 640_000),
        # Half of both.
        (8_000, 500_000, 500_000, -223_144, 90_000),
        # To state the odds is worth nothing, whatever happens.
        (2_500, 250_000, 1_000_000, 0, 562_500),
        (2_500, 250_000, 0, 0, 62_500),
        # 100 % counts as 99 %: a miss is dear, not infinite.
        (10_000, 500_000, 0, -3_912_023, 980_100),
        (1, 500_000, 1_000_000, -3_912_023, 980_100),
    ],
)
def test_scores(confidence: int, odds: int, hit: int, score: int, brier: int) -> None:
    assert (score, brier) == scores(confidence, odds, hit)


def test_reputation_shrinks_to_the_prior_and_with_time() -> None:
    record = ClassRecord(
        scored=30, score_micronats=6_000_000, decayed_ppm=30_000_000, decayed_micronats=6_000_000
    )
    assert reputation_micronats(record, 0) == 100_000
    # After 180 days half of the scores and half of the ideas: 3 / (15 + 30).
    assert reputation_micronats(record, HALF_LIFE_US) == 66_667
    assert reputation_micronats(record, 20 * HALF_LIFE_US) == 0
    record.decayed_micronats = -6_000_000
    assert reputation_micronats(record, HALF_LIFE_US) == -66_667
    assert reputation_micronats(ClassRecord(), 0) == 0
