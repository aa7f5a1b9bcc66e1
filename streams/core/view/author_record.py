"""What became of an author's ideas in numbers, against the odds of their own geometry.

A value that is not defined is null, with its reason under `reasons`.
Source: domain.md, section 7.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from streams.core.idea_state import AuthorRecord, ClassRecord
from streams.core.ideas.record import reputation_micronats
from streams.core.money import MICROS


Data = dict[str, Any]

HIT_RATE_IDEAS_MIN = 30
"""Ideas that ended at a target, a stop or a price, below which no hit rate is published."""

_DIGITS = 6


def author_record_view(record: AuthorRecord, now_us: int) -> Data:
    """Return hit rate, edge, z, Brier and R of an author, and the reputation by asset class.

    `edge` is the mean of hit - odds, `z` the sum of it over its standard deviation if the odds
    were all there is.

    Args:
        record: read only.
        now_us: market time.
    """
    total, reasons = record.total, {}
    if total.edges < HIT_RATE_IDEAS_MIN:
        reasons["hit_rate"] = "TOO_FEW_IDEAS"
    if total.edges == 0:
        reasons["edge"] = "NO_RESOLVED_IDEAS"
    if total.variance_ppm == 0:
        reasons["z"] = "NO_RESOLVED_IDEAS"
    if total.scored == 0:
        reasons["brier"] = "NO_SCORED_IDEAS"
    if record.r_count == 0:
        reasons["average_r"] = "NO_IDEA_WITH_A_STOP"

    def ratio(name: str, amount: float, parts: float) -> float | None:
        return None if name in reasons else round(amount / parts, _DIGITS)

    return {
        "resolved": total.edges,
        "hits": record.hits,
        "ambiguous": record.ambiguous,
        "hit_rate": ratio("hit_rate", record.hits, total.edges),
        "edge": ratio("edge", total.edge_ppm, total.edges * MICROS),
        "z": ratio("z", total.edge_ppm, sqrt(total.variance_ppm * MICROS)),
        "brier": ratio("brier", record.brier_ppm, total.scored * MICROS),
        "average_r": ratio("average_r", record.r_milli, record.r_count * 1_000),
        "classes": {name: _class(each, now_us) for name, each in record.classes.items()},
        "reasons": reasons,
    }


def _class(record: ClassRecord, now_us: int) -> Data:
    return {
        "resolved": record.edges,
        "scored": record.scored,
        "reputation": reputation_micronats(record, now_us) / MICROS,
    }
