"""Streams the whole archive in the order of the log: for verification, replay and export.

Reads the primary page by page; memory used is one page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple, TypeVar

from storage.history import decode_event, decode_outcome
from storage.pool import Pool, acquired
from storage.queries import load
from streams.core.events import Event
from streams.core.kernel import Outcome
from streams.ports import ENTRY_ZERO, DecodeError, EntryId, LogEntry


ENTRIES_PER_PAGE = 100
"""Entries read at once, with all their events."""

_SQL = load("archive")
T = TypeVar("T")


class ArchivedRecord(NamedTuple):
    """One archived entry with all that it led to.

    Attributes:
        epoch: life of the log.
        entry: id and payload as they stood in the log.
        chain: digest chain after the entry.
        events: (command index, event) in order.
        outcomes: those on record, in order.
    """

    epoch: str
    entry: LogEntry
    chain: bytes
    events: list[tuple[int, Event]]
    outcomes: list[Outcome]


async def records(
    pool: Pool, after: EntryId = ENTRY_ZERO, until: EntryId | None = None
) -> AsyncIterator[ArchivedRecord]:
    """Yield the archived entries after `after`, up to and including `until`, in order.

    Raises:
        DecodeError: a row is damaged or of a newer version.
        StorageError: see storage.errors.
    """
    while page := await _page(pool, after):
        for record in page:
            if until is not None and record.entry.entry_id > until:
                return
            yield record
        after = page[-1].entry.entry_id


async def _page(pool: Pool, after: EntryId) -> list[ArchivedRecord]:
    async with acquired(pool, "read archived records") as connection:
        entries = await connection.fetch(_SQL["entries_after"], *after, ENTRIES_PER_PAGE)
        if not entries:
            return []
        span = (*after, entries[-1]["entry_ms"], entries[-1]["entry_seq"])
        events = await connection.fetch(_SQL["events_between"], *span)
        outcomes = await connection.fetch(_SQL["outcomes_between"], *span)
    page = {}
    for row in entries:
        entry_id = EntryId(row["entry_ms"], row["entry_seq"])
        entry = LogEntry(entry_id, row["payload"])
        page[entry_id] = ArchivedRecord(row["epoch"], entry, row["chain"], [], [])
    for row in events:
        record = _record_of(page, row)
        record.events.append((row["command_index"], _decoded(decode_event, record, row)))
    for row in outcomes:
        record = _record_of(page, row)
        record.outcomes.append(_decoded(decode_outcome, record, row))
    return list(page.values())


def _decoded(decode: Callable[[bytes], T], record: ArchivedRecord, row: Any) -> T:
    try:
        return decode(row["payload"])
    except DecodeError as error:
        raise DecodeError(f"entry {record.entry.entry_id}: {error}") from error


def _record_of(page: dict[EntryId, ArchivedRecord], row: Any) -> ArchivedRecord:
    entry_id = EntryId(row["entry_ms"], row["entry_seq"])
    record = page.get(entry_id)
    if record is None:
        raise DecodeError(f"expected an entry {entry_id} in the archive for its events, was none")
    return record
