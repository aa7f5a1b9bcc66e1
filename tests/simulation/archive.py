"""The store a simulated cluster recovers from: an archive that lags, and snapshots of chosen age.

It behaves like the archiver of the storage tier: units are written in order, each once, from the
position that the archive itself holds, and only of the epoch it was fenced for. A snapshot may be
newer than the archive, and may hold entries that the log lost afterwards.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from streams.core.snapshots import SNAPSHOT_SCHEMA
from streams.ports import (
    ENTRY_ZERO,
    DecodeError,
    EntryId,
    LogEntry,
    RecentEvent,
    SnapshotInfo,
)


class Unit(NamedTuple):
    """One applied entry on its way into the archive."""

    epoch: str
    before: EntryId
    entry: LogEntry
    events: list[RecentEvent]


class SimulatedArchive:
    """Archived entries and snapshots of one cluster; survives every crash."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.events: list[tuple[EntryId, RecentEvent]] = []
        self.position = ENTRY_ZERO
        self.epoch = ""
        self._snapshots: dict[SnapshotInfo, bytes] = {}

    def write(self, backlog: deque[Unit], count_max: int) -> int:
        """Archive up to so many units from a node's backlog; return how many were written."""
        written = 0
        while backlog and written < count_max:
            unit = backlog[0]
            if unit.entry.entry_id <= self.position or unit.epoch != self.epoch:
                backlog.popleft()
            elif unit.before == self.position:
                self.entries.append(unit.entry)
                self.position = unit.entry.entry_id
                self.events.extend((self.position, event) for event in unit.events)
                backlog.popleft()
                written += 1
            else:
                break  # a gap: another node, which has what lies between, must go on
        return written

    def save(self, epoch: str, entry_id: EntryId, data: bytes) -> None:
        """Keep a snapshot."""
        self._snapshots[SnapshotInfo(epoch, entry_id, SNAPSHOT_SCHEMA)] = data

    def saved(self) -> list[SnapshotInfo]:
        """Return the snapshots, newest first."""
        return sorted(self._snapshots, key=lambda info: info.entry_id, reverse=True)

    def data(self, info: SnapshotInfo) -> bytes:
        """Return a snapshot's bytes."""
        return self._snapshots[info]

    def after(self, after: EntryId, count_max: int) -> list[LogEntry]:
        """Return archived entries after an id."""
        start = bisect_right(self.entries, after, key=lambda entry: entry.entry_id)
        return self.entries[start : start + count_max]


class SimulatedStore:
    """The `RecoveryStore` of one run of a node.

    Args:
        archive: what there is.
        skip: so many of the newest snapshots cannot be had.
        damaged: the newest snapshot that can be had does not load.
    """

    def __init__(self, archive: SimulatedArchive, *, skip: int = 0, damaged: bool = False) -> None:
        self._archive = archive
        self._skip = skip
        self._damaged = damaged

    async def fence(self, open_log: Callable[[], Awaitable[str]]) -> str:
        """Give the archive to the log's epoch: units of another one are never written again."""
        self._archive.epoch = await open_log()
        return self._archive.epoch

    async def snapshots(self) -> list[SnapshotInfo]:
        return self._archive.saved()[self._skip :]

    async def load(self, snapshot: SnapshotInfo) -> bytes:
        if self._damaged:
            self._damaged = False
            raise DecodeError(f"expected a snapshot at {snapshot.entry_id}, was damaged by a fault")
        return self._archive.data(snapshot)

    async def entries(self, after: EntryId, *, count_max: int) -> list[LogEntry]:
        return self._archive.after(after, count_max)

    async def recent_events(self, until: EntryId, *, count_max: int) -> list[RecentEvent]:
        end = bisect_right(self._archive.events, until, key=lambda pair: pair[0])
        return [event for _, event in self._archive.events[max(0, end - count_max) : end]]
