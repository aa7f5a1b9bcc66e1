"""Upkeep of the database: old partitions and ended logins leave, once an hour.

Runs while the archiver's role is held. With a retention of 0 days nothing of the record is ever
dropped; commands (`log_entries`) are dropped only below a complete snapshot, whatever the
retention.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from storage.errors import StorageError
from storage.logins import prune_logins
from storage.partitions import drop_partitions
from storage.pool import Pool
from streams.ports import Clock


PERIOD_S = 3_600.0
"""Time between two rounds."""

LOGINS_KEPT = timedelta(days=30)
"""How long an ended login stays in the list of its account."""


class Upkeep:
    """The upkeep of one database.

    Attributes:
        rounds: rounds that ended well.
        dropped: partitions dropped since the start.
    """

    def __init__(self, pool: Pool, clock: Clock, *, retention_days: int) -> None:
        """Prepare; `run` works.

        Args:
            pool: of the role that owns the tables.
            clock: tells what is old.
            retention_days: age at which partitions of the record leave; 0 = never.
        """
        self._pool = pool
        self._clock = clock
        self._retention_days = retention_days
        self.rounds = 0
        self.dropped = 0
        self._journal = structlog.get_logger("optix.upkeep")

    async def run(self) -> None:
        """Work once an hour until cancelled; a round that fails is tried again in the next."""
        while True:
            try:
                await self.once()
            except StorageError as error:
                self._journal.warning("upkeep_failed", error=str(error))
            await asyncio.sleep(PERIOD_S)

    async def once(self) -> None:
        """Do one round.

        Raises:
            StorageError: see storage.errors.
        """
        now = datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC)
        logins = await prune_logins(self._pool, now - LOGINS_KEPT)
        dropped: list[str] = []
        if self._retention_days:
            before = now - timedelta(days=self._retention_days)
            dropped = await drop_partitions(self._pool, int(before.timestamp() * 1000))
        self.rounds += 1
        self.dropped += len(dropped)
        self._journal.info("upkeep", logins_pruned=logins, partitions_dropped=dropped)
