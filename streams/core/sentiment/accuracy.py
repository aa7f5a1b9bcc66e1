"""How much an author's word weighs, by the ideas of theirs that were resolved.

accuracy = max(0.1, sum of scores / (ideas + 30)) with scores relative to the baseline, in nats:
of the asset class, where the author has a record in it, else over all. A crowd's mean is brought
to 1 where weights are shown; scores do not depend on it.

Source: domain.md, sections 6 and 7.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.core.idea_state import AuthorRecord
from streams.core.money import divide_half_even
from streams.core.state import State


ACCURACY_MIN_MILLI = 100
"""Accuracy in thousandths of whoever has no record or a bad one."""

PRIOR_IDEAS = 30
"""Ideas of score 0 that everybody starts with."""

CLASS_IDEAS_MIN = 10
"""Scored ideas in an asset class from which that class alone counts."""

MICRONATS_A_MILLI = 1_000


def accuracy_milli(state: State, asset_class: str) -> Callable[[str], int]:
    """Return a function from a trader to the accuracy in thousandths in an asset class."""
    records = state.author_records

    def accuracy(trader: str) -> int:
        record = records.get(trader)
        return ACCURACY_MIN_MILLI if record is None else _of_record(record, asset_class)

    return accuracy


def _of_record(record: AuthorRecord, asset_class: str) -> int:
    found = record.classes.get(asset_class)
    if found is None or found.scored < CLASS_IDEAS_MIN:
        found = record.total
    ideas = (found.scored + PRIOR_IDEAS) * MICRONATS_A_MILLI
    return max(divide_half_even(found.score_micronats, ideas), ACCURACY_MIN_MILLI)
