from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, strategies as st

from storage.partitions import Month, months


YEAR_2200_MS = 7_258_118_400_000


@given(st.integers(0, YEAR_2200_MS))
def test_a_month_holds_its_times(ms: int) -> None:
    month = Month.of_ms(ms)

    assert month.start_ms <= ms < month.next().start_ms


@given(st.integers(0, YEAR_2200_MS), st.integers(0, 5 * 366 * 86_400_000))
def test_months_cover_a_span_without_hole_or_overlap(from_ms: int, length_ms: int) -> None:
    covered = list(months(from_ms, from_ms + length_ms))

    assert covered[0].start_ms <= from_ms
    assert from_ms + length_ms < covered[-1].next().start_ms
    assert all(one.next() == two for one, two in pairwise(covered))


def test_names_sort_as_time_does() -> None:
    assert Month(2026, 2).suffix() == "2026_02"
    assert Month(2026, 12).next() == Month(2027, 1)
    assert Month(2026, 2).start_ms == datetime(2026, 2, 1, tzinfo=UTC).timestamp() * 1000
