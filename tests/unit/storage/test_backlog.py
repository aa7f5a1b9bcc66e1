from __future__ import annotations

from hypothesis import given, strategies as st

from storage.archive_unit import ArchiveUnit
from storage.backlog import Backlog
from streams.ports import EntryId


def unit(number: int, size: int = 0, epoch: str = "e1") -> ArchiveUnit:
    previous, entry_id = EntryId(number - 1, 0), EntryId(number, 0)
    return ArchiveUnit(epoch, previous, entry_id, b"x" * size, [], [], [], [], b"", 0)


def numbers(units: list[ArchiveUnit]) -> list[int]:
    return [one.entry_id.ms for one in units]


@given(
    st.lists(st.tuples(st.sampled_from(["put", "pop"]), st.integers(0, 400)), max_size=60),
    st.integers(500, 5_000),
)
def test_what_is_held_is_contiguous_and_bounded(
    steps: list[tuple[str, int]], bytes_max: int
) -> None:
    backlog = Backlog(bytes_max)
    newest = archived = 0
    for step, value in steps:
        if step == "put":
            newest += 1
            complete = backlog.put(unit(newest, value))
            assert complete == (backlog.missing_entries == 0)
        else:
            archived = max(archived, min(newest, value % (newest + 1)))
            backlog.pop_through(EntryId(archived, 0))
        held = numbers(backlog.peek(rows_max=10_000, bytes_max=10**9))
        assert list(range(newest - len(held) + 1, newest + 1)) == held
        assert len(held) == len(backlog)
        assert backlog.bytes_held <= bytes_max or len(backlog) == 1
        assert backlog.bytes_held == sum(u.bytes_estimated for u in backlog._units)
        if newest - len(held) <= archived:
            assert backlog.missing_entries == 0


def test_peek_stays_within_its_bounds_but_gives_one() -> None:
    backlog = Backlog()
    for number in range(1, 10):
        backlog.put(unit(number, 1_000))
    size = unit(1, 1_000).bytes_estimated

    assert numbers(backlog.peek(rows_max=3, bytes_max=10**9)) == [1, 2, 3]
    assert numbers(backlog.peek(rows_max=100, bytes_max=2 * size)) == [1, 2]
    assert numbers(backlog.peek(rows_max=0, bytes_max=0)) == [1]
    assert Backlog().peek(rows_max=1, bytes_max=1) == []


def test_epochs_are_not_mixed_and_an_old_one_can_be_skipped() -> None:
    backlog = Backlog()
    for number in (1, 2, 3, 4):
        backlog.put(unit(number, epoch="e1" if number < 3 else "e2"))

    assert numbers(backlog.peek(rows_max=10, bytes_max=10**6)) == [1, 2]
    assert backlog.pop_other_epochs("e9") == 0
    assert backlog.pop_other_epochs("e2") == 2
    assert numbers(backlog.peek(rows_max=10, bytes_max=10**6)) == [3, 4]


def test_unit_that_does_not_follow_begins_anew() -> None:
    backlog = Backlog()
    backlog.put(unit(1))
    backlog.put(unit(2))

    assert not backlog.put(unit(9))

    assert numbers(backlog.peek(rows_max=10, bytes_max=10**6)) == [9]
    assert (backlog.missing_entries, backlog.oldest_ms) == (2, 1)
    backlog.pop_through(EntryId(8, 0))
    assert (backlog.missing_entries, backlog.oldest_ms) == (0, 9)
