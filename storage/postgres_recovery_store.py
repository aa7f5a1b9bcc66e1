"""What a node rebuilds itself from, in PostgreSQL. Adapter of `streams.ports.RecoveryStore`.

Always reads the primary: a replica of the database may lag behind what the log has trimmed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from storage import snapshots
from storage.archive_position import fence
from storage.errors import SnapshotDamaged
from storage.history import decode_event
from storage.pool import Pool, acquired
from storage.queries import load
from storage.snapshots import StoredSnapshot
from streams.ports import EntryId, LogEntry, RecentEvent, SnapshotInfo


RECENT_MS = 3_600_000
"""Log time before the start for which clients may resume from memory."""

EVENTS_BESIDES = 1_000
"""Events without a number in a channel, such as ticks, that are expected among the newest."""

_SQL = load("archive")


class PostgresRecoveryStore:
    """Snapshots and archived entries of one database."""

    def __init__(self, pool: Pool) -> None:
        """Read through connections of `pool`."""
        self._pool = pool
        self._stored: dict[SnapshotInfo, list[StoredSnapshot]] = {}

    async def fence(self, open_log: Callable[[], Awaitable[str]]) -> str:
        """Keep other epochs out of the archive before it is read; see storage.archive_position.

        Raises:
            StorageError: see storage.errors.
            LogError: whatever `open_log` raises.
        """
        return await fence(self._pool, open_log)

    async def snapshots(self) -> list[SnapshotInfo]:
        """Return the complete snapshots, newest first.

        Raises:
            StorageError: see storage.errors.
        """
        self._stored = {}
        for stored in await snapshots.newest(self._pool):
            self._stored.setdefault(stored.info, []).append(stored)
        return list(self._stored)

    async def load(self, snapshot: SnapshotInfo) -> bytes:
        """Return the bytes of one of `snapshots()`, verified.

        Raises:
            SnapshotDamaged: it is damaged or gone (a `DecodeError`); an older one may serve.
            StorageError: see storage.errors.
        """
        damage = SnapshotDamaged(f"expected a snapshot at {snapshot.entry_id}, was none")
        for stored in self._stored.get(snapshot, []):  # two nodes may have saved the same entry
            try:
                return await snapshots.load(self._pool, stored)
            except SnapshotDamaged as error:
                damage = error
        raise damage

    async def entries(self, after: EntryId, *, count_max: int) -> list[LogEntry]:
        """Return archived entries after `after`, in order.

        Raises:
            StorageError: see storage.errors.
        """
        async with acquired(self._pool, "read archived entries") as connection:
            rows = await connection.fetch(_SQL["entries_after"], *after, count_max)
        return [
            LogEntry(EntryId(row["entry_ms"], row["entry_seq"]), row["payload"]) for row in rows
        ]

    async def recent_events(self, until: EntryId, *, count_max: int) -> list[RecentEvent]:
        """Return what reached lossless channels in the last `RECENT_MS` of log time, in order.

        Only the newest events are looked at, `EVENTS_BESIDES` more than `count_max`.

        Raises:
            StorageError: see storage.errors.
        """
        async with acquired(self._pool, "read recent events") as connection:
            # Nearly every event has a number in some channel. Without this bound all of the last
            # hour would be joined and sorted to keep the newest few.
            since_ms = until.ms - RECENT_MS
            found = await connection.fetchval(
                _SQL["nth_newest_event_ms"], since_ms, *until, count_max + EVENTS_BESIDES
            )
            rows = await connection.fetch(
                _SQL["recent_channel_events"], found or since_ms, *until, count_max
            )
        return [
            RecentEvent(
                row["channel"],
                row["seq"],
                row["entry_ms"] * 1000,
                decode_event(row["payload"]),
                row["entry_seq"],
                row["event_index"],
            )
            for row in reversed(rows)
        ]
