"""Units that wait to be archived: contiguous, in order, bounded by bytes.

Invariants:
    * `put` never waits and never refuses: the replica must not depend on PostgreSQL.
    * The units held are contiguous. Beyond the bound the oldest leave; they are still in the log,
      and the archiver derives them again from there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import islice

from storage.archive_unit import ArchiveUnit
from streams.ports import ENTRY_ZERO, EntryId


BACKLOG_BYTES_MAX = 256 * 1024 * 1024
"""Memory of waiting units (estimated); beyond it the oldest leave."""


class Backlog:
    """A bounded queue with one feeder and one reader, in one event loop.

    Attributes:
        bytes_held: estimated memory of the units held.
        missing_entries: units that left for want of room and are not archived yet.
        missing_bytes: their estimated memory.
        newest: the newest entry ever put.
    """

    def __init__(self, bytes_max: int = BACKLOG_BYTES_MAX) -> None:
        """Hold up to `bytes_max` bytes, and always the newest unit."""
        self._bytes_max = bytes_max
        self._units: deque[ArchiveUnit] = deque()
        self._filled = asyncio.Event()
        self._missing_from_ms = 0
        self.bytes_held = 0
        self.missing_entries = 0
        self.missing_bytes = 0
        self.newest = ENTRY_ZERO

    def __len__(self) -> int:
        return len(self._units)

    @property
    def head(self) -> ArchiveUnit | None:
        """The oldest unit held."""
        return self._units[0] if self._units else None

    @property
    def oldest_ms(self) -> int | None:
        """Log time of the oldest entry that waits, held or missing; None when none does."""
        if self.missing_entries:
            return self._missing_from_ms
        return self._units[0].entry_id.ms if self._units else None

    def put(self, unit: ArchiveUnit) -> bool:
        """Add the next unit. Return False when the units held no longer reach the archive.

        A unit that does not follow the newest one begins the queue anew: the replica was rebuilt.
        """
        if self._units and unit.previous != self.newest:
            while self._units:
                self._lose_oldest()
        self._units.append(unit)
        self.newest = unit.entry_id
        self.bytes_held += unit.bytes_estimated
        while self.bytes_held > self._bytes_max and len(self._units) > 1:
            self._lose_oldest()
        self._filled.set()
        return self.missing_entries == 0

    def pop_through(self, entry_id: EntryId) -> ArchiveUnit | None:
        """Remove the units up to and including `entry_id`; return its unit when it was held.

        Units at or below the archive's position are archived, so what is missing shrinks too.
        """
        last = None
        while self._units and self._units[0].entry_id <= entry_id:
            last = self._units.popleft()
            self.bytes_held -= last.bytes_estimated
        if not self._units:
            self._filled.clear()
        head = self.head
        if head is None or head.previous <= entry_id:
            self.missing_entries = self.missing_bytes = 0
        return last if last is not None and last.entry_id == entry_id else None

    def pop_other_epochs(self, epoch: str) -> int:
        """Remove the units before the first one of `epoch`, if there is one; return how many."""
        ahead = next((i for i, unit in enumerate(self._units) if unit.epoch == epoch), 0)
        for _ in range(ahead):
            self.bytes_held -= self._units.popleft().bytes_estimated
        return ahead

    def _lose_oldest(self) -> None:
        lost = self._units.popleft()
        if not self.missing_entries:
            self._missing_from_ms = lost.entry_id.ms
        self.bytes_held -= lost.bytes_estimated
        self.missing_entries += 1
        self.missing_bytes += lost.bytes_estimated

    def peek(self, *, rows_max: int, bytes_max: int) -> list[ArchiveUnit]:
        """Return the oldest units of one epoch, within the bounds but at least one if any."""
        return list(batch(iter(self._units), rows_max=rows_max, bytes_max=bytes_max))

    async def wait(self) -> None:
        """Wait until a unit is held."""
        await self._filled.wait()


def batch(units: Iterator[ArchiveUnit], *, rows_max: int, bytes_max: int) -> Iterator[ArchiveUnit]:
    """Yield units of one epoch until a bound is reached, at least one if there is any."""
    rows = size = 0
    for first in islice(units, 1):
        rows, size = rows_of(first), first.bytes_estimated
        yield first
        for unit in units:
            rows += rows_of(unit)
            size += unit.bytes_estimated
            if unit.epoch != first.epoch or rows > rows_max or size > bytes_max:
                return
            yield unit


def rows_of(unit: ArchiveUnit) -> int:
    """Return how many rows the unit takes in the archive."""
    return 1 + len(unit.events) + len(unit.outcomes) + len(unit.channels)
