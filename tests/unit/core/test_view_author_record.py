"""The author's record in numbers, by hand from its sums."""

from __future__ import annotations

from streams.core.idea_state import AuthorRecord, ClassRecord
from streams.core.view.author_record import HIT_RATE_IDEAS_MIN, author_record_view


def test_nothing_is_told_of_who_has_no_ideas() -> None:
    found = author_record_view(AuthorRecord(), 0)
    assert {name for name, value in found.items() if value is None} == set(found["reasons"])
    assert found["reasons"] == {
        "hit_rate": "TOO_FEW_IDEAS",
        "edge": "NO_RESOLVED_IDEAS",
        "z": "NO_RESOLVED_IDEAS",
        "brier": "NO_SCORED_IDEAS",
        "average_r": "NO_IDEA_WITH_A_STOP",
    }


def test_means_and_z_of_the_sums() -> None:
    # 30 ideas with odds of one half, 18 of them hit: z = 3 / sqrt(30 / 4)
    total = ClassRecord(
        edges=30, edge_ppm=3_000_000, variance_ppm=7_500_000, scored=10, score_micronats=0
    )
    record = AuthorRecord(
        hits=18, brier_ppm=2_500_000, r_count=4, r_milli=6_000, total=total, classes={"fx": total}
    )
    found = author_record_view(record, 0)
    assert found == {
        "resolved": 30,
        "hits": 18,
        "ambiguous": 0,
        "hit_rate": 0.6,
        "edge": 0.1,
        "z": 1.095445,
        "brier": 0.25,
        "average_r": 1.5,
        "classes": {"fx": {"resolved": 30, "scored": 10, "reputation": 0.0}},
        "reasons": {},
    }


def test_no_hit_rate_below_the_bound() -> None:
    few = AuthorRecord(hits=5, total=ClassRecord(edges=HIT_RATE_IDEAS_MIN - 1))
    assert author_record_view(few, 0)["hit_rate"] is None
