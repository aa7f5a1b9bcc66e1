"""Units derived from the log again, for an archiver whose backlog overflowed.

A private kernel starts from the newest snapshot before the missing part that a node would start
from, too; so the replica that serves is never touched.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog

from storage.archive_unit import ArchiveUnit, make_unit
from storage.postgres_recovery_store import PostgresRecoveryStore
from streams.core.commands import Command
from streams.core.kernel import Applied, Kernel
from streams.log.codec import BatchCodec
from streams.ports import DecodeError, EntryId, Log, LogEntry
from streams.replica.recovery import newest_state


ENTRIES_PER_READ_MAX = 256


class ArchiveReplay:
    """Derives units again in a private kernel: newest snapshot, archived entries, then the log."""

    def __init__(
        self, store: PostgresRecoveryStore, log: Log, codec: BatchCodec[Command], epoch: str
    ) -> None:
        self._store = store
        self._log = log
        self._codec = codec
        self._epoch = epoch
        self._journal = structlog.get_logger("optix.archive")

    async def units(self, after: EntryId, until: EntryId) -> AsyncIterator[ArchiveUnit]:
        """Yield the units after one entry up to and including another.

        Raises:
            StorageError: PostgreSQL is away.
            LogError: the log no longer holds the entries.
        """
        state, _ = await newest_state(
            self._store, self._epoch, self._codec, self._journal, until=after
        )
        kernel = Kernel(state)
        seen = EntryId(kernel.state.entry_ms, kernel.state.entry_seq)
        while seen < until:
            entries = await self._store.entries(seen, count_max=ENTRIES_PER_READ_MAX)
            if not entries:
                entries = await self._log.read(seen, count_max=ENTRIES_PER_READ_MAX, wait_ms=0)
            for entry in entries:
                previous, seen = seen, entry.entry_id
                applied = self._apply(kernel, entry)
                if after < entry.entry_id <= until:
                    yield make_unit(self._epoch, entry, previous, applied, kernel.state)
            if not entries:
                raise DecodeError(f"expected entries up to {until}, were none after {seen}")

    def _apply(self, kernel: Kernel, entry: LogEntry) -> Applied:
        batch = self._codec.decode(entry.payload)
        return kernel.apply(entry.entry_id.ms, entry.entry_id.seq, batch.batch_id, batch.envelopes)
