"""The archiver: follows the replica and keeps PostgreSQL exactly one step behind it.

The replica of this node hands in a unit for every entry (`put`), whether or not this node holds
the archiver's role; so a node that takes the role over has in memory what the other one did not
finish. `watch` runs always and lets go of what others have archived; `run` runs while the role is
held and writes.

Invariants:
    * The replica never waits for PostgreSQL. Beyond the backlog's bound the oldest units leave and
      are derived from the log again by `reread`, a private replay given by the composition root.
    * Units are written in order, each once, from the position that the archive itself holds; a
      lost connection, an unknown COMMIT, a kill or a second archiver end in reading that position
      and going on from it.
    * An archive that disagrees with this node about the same entry is never written to.

Discarded: pausing the replica (couples decisions to PostgreSQL); a file as overflow (the log
already is one).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Literal

from storage.archive_position import ArchivePosition, read_position
from storage.archive_unit import ArchiveUnit
from storage.archive_writer import ArchiveWriter
from storage.backlog import BACKLOG_BYTES_MAX, Backlog, rows_of
from storage.errors import (
    ArchiveDiverged,
    ArchiveFenced,
    ArchiveGap,
    ArchiveMoved,
    StorageError,
)
from storage.pool import Pool, backoff_s
from streams.ports import ENTRY_ZERO, EntryId, OptixError


ROWS_PER_TRANSACTION_MAX = 20_000
"""Rows of one transaction; the next unit beyond it waits for the next one."""

BYTES_PER_TRANSACTION_MAX = 16 * 1024 * 1024
"""Estimated bytes of one transaction; as above."""

LINGER_S = 0.02
"""Shortest time between two transactions, so that a quiet log does not cost one for each entry."""

WATCH_S = 1.0
"""Time between two looks at the position while somebody else archives."""

Reread = Callable[[EntryId, EntryId], AsyncIterator[ArchiveUnit]]
"""(after, until) → the units after `after` up to and including `until`, from the log."""

ArchiverState = Literal[
    "standby", "idle", "writing", "rereading", "unreachable", "fenced", "diverged"
]


class Archiver:
    """Writes the units of this node's replica into PostgreSQL. One event loop, one instance.

    Attributes:
        state: what it does now; `unreachable` while PostgreSQL refuses or is down.
        position: how far the archive reaches, as last seen.
        failures: attempts that failed since the start.
        conflicts: times that somebody else had archived first.
        rereads: times that units were derived from the log again.
        committed_at_us: clock time of the last commit of this node, microseconds, 0 before.
        error: text of the last failure, empty after a success.
    """

    def __init__(
        self,
        pool: Pool,
        reread: Reread,
        *,
        backlog_bytes_max: int = BACKLOG_BYTES_MAX,
        linger_s: float = LINGER_S,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """Prepare; nothing is read or written before `run` or `watch`.

        Args:
            pool: connections to the primary.
            reread: derives units from the log again; must yield them contiguously.
            backlog_bytes_max: see storage.backlog.
            linger_s: shortest time between two transactions; 0 with durability `archived`.
            now_us: clock for the lag in seconds.
        """
        self._pool = pool
        self._reread = reread
        self._linger_s = linger_s
        self._now_us = now_us
        self._writer = ArchiveWriter(pool)
        self._backlog = Backlog(backlog_bytes_max)
        self._moved = asyncio.Event()
        self._running = False
        self._attempt = 0
        self.state: ArchiverState = "standby"
        self.position = ArchivePosition("", ENTRY_ZERO, b"")
        self.failures = 0
        self.conflicts = 0
        self.rereads = 0
        self.committed_at_us = 0
        self.error = ""

    @property
    def rows(self) -> int:
        """Rows committed since the start, all tables."""
        return self._writer.rows

    @property
    def transactions(self) -> int:
        """Transactions committed since the start."""
        return self._writer.transactions

    @property
    def behind(self) -> bool:
        """Whether units have left memory before they were archived."""
        return self._backlog.missing_entries > 0

    @property
    def lag_entries(self) -> int:
        """Entries applied here and, as far as known, not archived."""
        return len(self._backlog) + self._backlog.missing_entries

    @property
    def lag_bytes(self) -> int:
        """Their estimated memory as units."""
        return self._backlog.bytes_held + self._backlog.missing_bytes

    @property
    def lag_s(self) -> float:
        """Age of the oldest of them in log time, seconds; 0 when there is none."""
        oldest_ms = self._backlog.oldest_ms
        if oldest_ms is None:
            return 0.0
        return max(0.0, self._now_us() / 1e6 - oldest_ms / 1e3)

    def put(self, unit: ArchiveUnit) -> bool:
        """Take the next unit; never waits. Return False when units had to leave memory."""
        return self._backlog.put(unit)

    async def archived(self, entry_id: EntryId) -> None:
        """Wait until the archive holds an entry (durability `archived`; the caller bounds it)."""
        while self.position.entry_id < entry_id:
            await self._moved.wait()

    async def watch(self) -> None:
        """Let go of what others have archived, until cancelled. Runs whether or not we write.

        Raises:
            ArchiveDiverged: the archive disagrees with this node.
        """
        while True:
            if not self._running:
                try:
                    self._arrive(await read_position(self._pool))
                except StorageError as error:
                    self._failed(error)
            await asyncio.sleep(WATCH_S)

    async def run(self) -> None:
        """Write until cancelled; call while the archiver's role is held.

        Raises:
            ArchiveDiverged: the archive disagrees with this node.
        """
        self._running = True
        try:
            while True:
                try:
                    self._arrive(await read_position(self._pool))
                    await self._follow()
                except ArchiveMoved:
                    self.conflicts += 1
                    await asyncio.sleep(backoff_s(0))
                except ArchiveDiverged:
                    raise
                except OptixError as error:
                    self._failed(error)
                    await asyncio.sleep(backoff_s(self._attempt))
                    self._attempt += 1
        finally:
            self._running = False
            if self.state != "diverged":
                self.state = "standby"

    async def _follow(self) -> None:
        """Write from the present position on, for ever."""
        while True:
            head = self._backlog.head
            if head is None:
                self.state = "idle"
                await self._backlog.wait()
                continue
            started = time.monotonic()
            if self._backlog.pop_other_epochs(self.position.epoch):
                continue
            if head.previous > self.position.entry_id:
                await self._fill_gap(until=head.previous)
                continue
            units = self._backlog.peek(
                rows_max=ROWS_PER_TRANSACTION_MAX, bytes_max=BYTES_PER_TRANSACTION_MAX
            )
            self.state = "writing"
            await self._write(units)
            if self._backlog.bytes_held < BYTES_PER_TRANSACTION_MAX:
                await asyncio.sleep(max(0.0, started + self._linger_s - time.monotonic()))

    async def _fill_gap(self, *, until: EntryId) -> None:
        """Derive the units between the archive and memory from the log again, and write them."""
        self.state = "rereading"
        self.rereads += 1
        after = self.position.entry_id
        units: list[ArchiveUnit] = []
        rows = size = 0
        async for unit in self._reread(after, until):
            expected = units[-1].entry_id if units else self.position.entry_id
            if unit.previous != expected:
                raise ArchiveGap(
                    after=expected, until=until, was=f"one that follows {unit.previous}"
                )
            rows += rows_of(unit)
            size += unit.bytes_estimated
            units.append(unit)
            if rows > ROWS_PER_TRANSACTION_MAX or size > BYTES_PER_TRANSACTION_MAX:
                await self._write(units)
                units, rows, size = [], 0, 0
        if units:
            await self._write(units)
        if self.position.entry_id < until:
            raise ArchiveGap(after=after, until=until, was=f"an end at {self.position.entry_id}")

    async def _write(self, units: list[ArchiveUnit]) -> None:
        if self.position.epoch not in ("", units[0].epoch):
            raise ArchiveFenced(expected=units[0].epoch, actual=self.position.epoch)
        position = await self._writer.write(units, self.position)
        self.committed_at_us = self._now_us()
        self._attempt = 0
        self.error = ""
        self._arrive(position)

    def _arrive(self, position: ArchivePosition) -> None:
        """Note where the archive is, and let go of the units it holds.

        Raises:
            ArchiveDiverged: it holds another entry than this node at the same place.
        """
        self.position = position
        unit = self._backlog.pop_through(position.entry_id)
        if unit is not None and unit.chain != position.chain:
            self._diverged(
                f"expected chain {unit.chain.hex()} at {unit.entry_id},"
                f" was {position.chain.hex()} in the archive"
            )
        head = self._backlog.head
        if head is not None and head.previous < position.entry_id:
            self._diverged(
                f"expected an entry after {head.previous} to be {head.entry_id},"
                f" was {position.entry_id} in the archive"
            )
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _diverged(self, message: str) -> None:
        self.state = "diverged"
        self.error = message
        raise ArchiveDiverged(message)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self.error = str(error)
        if self._running:
            self.state = "fenced" if isinstance(error, ArchiveFenced) else "unreachable"
