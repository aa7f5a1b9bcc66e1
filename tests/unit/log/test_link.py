from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from streams.log.link import (
    LINK_ZERO,
    Link,
    check_follows,
    check_head,
    checksum_of,
    missing_from,
)
from streams.ports import ENTRY_ZERO, DecodeError, EntryId, LogEntry, LogHole, LogTruncated


IDS = st.builds(EntryId, st.integers(0, 2**52), st.integers(0, 2**52))
CHECKSUMS = st.just("") | st.binary(max_size=8).map(checksum_of)
FIRST, SECOND, THIRD = EntryId(100, 0), EntryId(100, 1), EntryId(101, 0)


@settings(deadline=None)
@given(IDS, CHECKSUMS, IDS)
def test_text_form_comes_back(one: EntryId, checksum: str, other: EntryId) -> None:
    link = Link(max(one, other), checksum, min(one, other))

    assert Link.parse(str(link).encode()) == link


@pytest.mark.parametrize("text", [b"", b"7", b"a-b:00", b"1-2:00:x", b"\xff\xff"])
def test_other_text_is_refused(text: bytes) -> None:
    with pytest.raises(DecodeError, match="expected a link"):
        Link.parse(text)


def test_the_beginning_has_the_checksum_of_nothing() -> None:
    assert Link.of(ENTRY_ZERO, checksum_of(b"")) == LINK_ZERO


CASES = """
  # link stored     | reader at | knows    | outcome
  100-1:aaaa        | 100-1     | aaaa     | joins
  100-1:aaaa        | 100-1     |          | joins
  100-1:            | 100-1     | aaaa     | joins
  100-1:aaaa        | 100-1     | bbbb     | foreign
  100-1:aaaa        | 100-0     | aaaa     | hole
  100-1:aaaa        | 101-0     | aaaa     | foreign
  101-0:aaaa:100-1  | 100-1     | aaaa     | joins
  101-0:aaaa:100-1  | 100-1     | bbbb     | foreign
  101-0:aaaa:100-1  | 100-2     | bbbb     | joins
  101-0:aaaa:100-1  | 101-0     | bbbb     | joins
  101-0:aaaa:100-1  | 100-0     |          | hole
  101-0:aaaa:100-1  | 101-1     |          | foreign
"""


def rows(table: str) -> list[list[str]]:
    lines = [line.strip() for line in table.strip().splitlines()]
    return [[cell.strip() for cell in line.split("|")] for line in lines if line[0] != "#"]


@pytest.mark.parametrize(("stored", "after", "known", "expected"), rows(CASES))
def test_an_entry_follows_the_reader(stored: str, after: str, known: str, expected: str) -> None:
    assert outcome(stored, EntryId.parse(after), known) == expected


def outcome(stored: str, after: EntryId, known: str) -> str:
    try:
        check_follows(Link.parse(stored), after, known, EntryId(102, 0))
    except LogHole:
        return "hole"
    except LogTruncated as error:
        return "foreign" if error.foreign else "truncated"
    return "joins"


def test_head_behind_the_reader_is_a_truncation() -> None:
    with pytest.raises(LogTruncated) as caught:
        check_head(Link.of(FIRST, "aaaa"), SECOND, "")

    assert (caught.value.head, caught.value.foreign) == (FIRST, False)


def test_head_of_the_same_id_but_another_entry_is_foreign() -> None:
    with pytest.raises(LogTruncated) as caught:
        check_head(Link.of(THIRD, "aaaa"), THIRD, "bbbb")

    assert caught.value.foreign
    assert caught.value.head < THIRD


def test_head_that_is_the_readers_or_above_is_right() -> None:
    check_head(Link.of(SECOND, "aaaa"), SECOND, "aaaa")
    check_head(Link.of(SECOND, "aaaa"), SECOND, "")
    check_head(Link.of(THIRD, "aaaa"), SECOND, "bbbb")


ENTRIES = [LogEntry(FIRST, b"one"), LogEntry(SECOND, b"two"), LogEntry(THIRD, b"three")]


def test_missing_entries_are_those_behind_the_head() -> None:
    assert missing_from(ENTRIES, Link.of(FIRST, checksum_of(b"one"))) == ENTRIES[1:]
    assert missing_from(ENTRIES, Link.of(THIRD, checksum_of(b"three"))) == []


def test_nothing_joins_on_to_a_head_that_is_not_among_the_entries() -> None:
    assert missing_from(ENTRIES, Link.of(EntryId(99, 0), "")) is None
    assert missing_from(ENTRIES, Link.of(EntryId(100, 7), "")) is None
    assert missing_from(ENTRIES, Link.of(SECOND, checksum_of(b"another"))) is None


def test_an_entry_without_payload_joins_but_is_never_appended() -> None:
    anchor = LogEntry(SECOND, b"")

    assert missing_from([anchor, ENTRIES[2]], Link.of(SECOND, "aaaa")) == [ENTRIES[2]]
    assert missing_from([ENTRIES[0], anchor], Link.of(FIRST, checksum_of(b"one"))) is None


def test_entries_inside_the_range_of_a_new_epoch_are_not_missing_from_it() -> None:
    head = Link.of(FIRST, checksum_of(b"one")).beginning_after(THIRD)

    assert missing_from(ENTRIES, head) is None
