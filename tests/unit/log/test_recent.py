from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from streams.log.recent import ENTRY_OVERHEAD_BYTES, RecentEntries
from streams.ports import ENTRY_ZERO, EntryId, LogEntry


def entry(ms: int, size: int = 1) -> LogEntry:
    return LogEntry(EntryId(ms, 0), b"x" * size)


def test_starts_with_its_anchor_alone() -> None:
    recent = RecentEntries(anchor=EntryId(7, 0))

    assert recent.entries() == [LogEntry(EntryId(7, 0), b"")]
    assert recent.newest == EntryId(7, 0)
    assert len(recent) == 0


def test_holds_entries_in_order_behind_the_anchor() -> None:
    recent = RecentEntries()
    for ms in (1, 2, 3):
        recent.add(entry(ms))

    assert recent.entries() == [LogEntry(ENTRY_ZERO, b""), entry(1), entry(2), entry(3)]
    assert recent.newest == EntryId(3, 0)


@pytest.mark.parametrize("ms", [4, 5])
def test_entries_must_be_newer(ms: int) -> None:
    recent = RecentEntries()
    recent.add(entry(5))

    with pytest.raises(ValueError, match="expected an entry after 5-0"):
        recent.add(entry(ms))


def test_too_old_entries_are_forgotten_and_move_the_anchor() -> None:
    recent = RecentEntries(age_ms_max=10)
    for ms in (1, 5, 12):
        recent.add(entry(ms))

    assert recent.entries() == [LogEntry(EntryId(1, 0), b""), entry(5), entry(12)]


def test_newest_entry_is_held_however_big() -> None:
    recent = RecentEntries(bytes_max=100)
    recent.add(entry(1))
    recent.add(entry(2, 1_000))

    assert recent.entries() == [LogEntry(EntryId(1, 0), b""), entry(2, 1_000)]


def test_restart_forgets_everything() -> None:
    recent = RecentEntries()
    recent.add(entry(5))
    recent.restart(EntryId(3, 0))
    recent.add(entry(4))

    assert recent.entries() == [LogEntry(EntryId(3, 0), b""), entry(4)]
    assert recent.bytes_held == 1 + ENTRY_OVERHEAD_BYTES


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 100), st.integers(1, 500)), min_size=1),
    st.integers(1, 5_000),
    st.integers(1, 300),
)
def test_bounds_hold_and_there_is_no_gap(
    steps: list[tuple[int, int]], bytes_max: int, age_ms_max: int
) -> None:
    recent = RecentEntries(bytes_max=bytes_max, age_ms_max=age_ms_max)
    everything = [LogEntry(ENTRY_ZERO, b"")]
    for step_ms, size in steps:
        everything.append(entry(everything[-1].entry_id.ms + step_ms, size))
        recent.add(everything[-1])

        anchor, *held = recent.entries()
        assert held == everything[-len(held) :]
        assert anchor.entry_id == everything[-len(held) - 1].entry_id
        used = sum(len(one.payload) + ENTRY_OVERHEAD_BYTES for one in held)
        assert recent.bytes_held == used
        assert len(held) == 1 or used <= bytes_max
        assert held[0].entry_id.ms >= held[-1].entry_id.ms - age_ms_max
