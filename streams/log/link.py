"""What each entry says about the one before it, so that a reader notices whatever is missing.

Comparing ids with the head alone is not enough: after a failover that lost entries, a node that
had not yet applied them may append, the head is high again, and a node that had applied them
would read on from a different history. So each entry stores the link its writer found at the
head: id and checksum of its predecessor. A reader that does not find its own last entry there
has met a hole (entries trimmed away) or a truncation (entries lost), whatever the ids are.

Invariants:
    * `low <= high`. They differ only right after an epoch began above the newest entry: `low` is
      that entry, `high` the id the epoch began after; a reader may stand anywhere between.
    * `checksum` is the CRC-32 of the payload of entry `low`, in 8 hexadecimal digits, or empty when
      unknown. The log's beginning is `0-0` with the checksum of nothing.

Text form, kept in the log: `"{high}:{checksum}"`, or `"{high}:{checksum}:{low}"` when they differ.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from streams.ports import ENTRY_ZERO, DecodeError, EntryId, LogEntry, LogHole, LogTruncated


class Link(NamedTuple):
    """The end of the log as the next entry will remember it."""

    high: EntryId
    checksum: str
    low: EntryId

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.high}:{self.checksum}"
        return f"{self.high}:{self.checksum}:{self.low}"

    @classmethod
    def of(cls, entry_id: EntryId, checksum: str) -> Link:
        """Return the link to one entry."""
        return cls(entry_id, checksum, entry_id)

    @classmethod
    def parse(cls, text: bytes | str) -> Link:
        """Parse the text form.

        Raises:
            DecodeError: it is not one.
        """
        if isinstance(text, bytes):
            text = text.decode("ascii", "replace")
        high, _, rest = text.partition(":")
        checksum, _, low = rest.partition(":")
        try:
            high_id = EntryId.parse(high)
            return cls(high_id, checksum, EntryId.parse(low) if low else high_id)
        except ValueError as error:
            raise DecodeError(f"expected a link of the log, was {text[:80]!r}") from error

    def beginning_after(self, entry_id: EntryId) -> Link:
        """Return the link of an epoch that begins after `entry_id`, at this end of the log."""
        return self if entry_id <= self.high else self._replace(high=entry_id)


LINK_ZERO = Link.of(ENTRY_ZERO, f"{0:08x}")


def checksum_of(payload: bytes) -> str:
    """Return the checksum that links name an entry by."""
    return f"{zlib.crc32(payload):08x}"


def check_follows(link: Link, after: EntryId, checksum: str, first: EntryId) -> None:
    """Check that the entry `first`, which stores `link`, is the one that follows `after`.

    Args:
        link: what the entry says about its predecessor.
        after: the reader's newest entry.
        checksum: of that entry, empty when the reader does not know it.
        first: id of the entry that was read.

    Raises:
        LogHole: entries between `after` and `first` are gone from the bottom of the log.
        LogTruncated: the log went on from something else than what the reader has applied.
    """
    if after < link.low:
        raise LogHole(after=after, first=first)
    if after > link.high:
        raise LogTruncated(head=link.high, seen=after, foreign=True)
    if after == link.low and _differ(link.checksum, checksum):
        raise LogTruncated(head=_just_below(after), seen=after, foreign=True)


def check_head(head: Link, after: EntryId, checksum: str) -> None:
    """Check that a log which has nothing after `after` still has what the reader applied.

    Raises:
        LogTruncated: the head is behind `after`, or is another entry of the same id.
    """
    if head.high < after:
        raise LogTruncated(head=head.high, seen=after)
    if head.low == after and _differ(head.checksum, checksum):
        raise LogTruncated(head=_just_below(after), seen=after, foreign=True)


def missing_from(entries: Sequence[LogEntry], head: Link) -> list[LogEntry] | None:
    """Return the entries that would follow the head, or None when the head is not among them.

    Args:
        entries: ascending; one without payload is known by its id alone.
        head: the end of the log.
    """
    for index, entry in enumerate(entries):
        if entry.entry_id == head.low:
            known = checksum_of(entry.payload) if entry.payload else ""
            if _differ(head.checksum, known):
                return None
            missing = list(entries[index + 1 :])
            if any(not lost.payload or lost.entry_id <= head.high for lost in missing):
                return None
            return missing
    return None


def _differ(one: str, other: str) -> bool:
    return bool(one) and bool(other) and one != other


def _just_below(entry_id: EntryId) -> EntryId:
    """Return the greatest id that may still be common to both histories."""
    if entry_id.seq > 0:
        return EntryId(entry_id.ms, entry_id.seq - 1)
    return EntryId(max(0, entry_id.ms - 1), 0)
