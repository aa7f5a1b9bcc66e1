"""Carries revocations made on other nodes to this one, and notes when API keys were used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from server.auth.api_keys import ApiKeys
from server.auth.revocations import Revocations
from storage.errors import StorageError
from storage.logins import revoked_since
from storage.pool import Pool
from streams.ports import Clock


PERIOD_S = 2.0
"""Time between two looks: how long a socket may outlive a revocation made elsewhere."""

OVERLAP = timedelta(seconds=30)
"""Clocks of nodes differ: revocations of this span are looked at again."""


class RevocationWatch:
    """A background task of every node with PostgreSQL.

    Attributes:
        failures: looks that failed.
    """

    def __init__(
        self,
        pool: Pool,
        keys: ApiKeys,
        revocations: Revocations,
        clock: Clock,
        close_sockets: Callable[[str], object],
    ) -> None:
        """Prepare.

        Args:
            pool: connections to the primary.
            keys: whose use is noted.
            revocations: told of every revoked login and key.
            clock: time of the edge.
            close_sockets: closes the live sockets of a login (`Gateway.revoke`).
        """
        self._pool = pool
        self._keys = keys
        self._revocations = revocations
        self._clock = clock
        self._close_sockets = close_sockets
        self.failures = 0
        self._journal = structlog.get_logger("server.auth")

    async def run(self) -> None:
        """Look again and again until cancelled."""
        since = datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC) - OVERLAP
        while True:
            try:
                since = await self.look(since)
                await self._keys.note_use()
            except StorageError as error:
                self.failures += 1
                self._journal.warning("revocations_unread", code=error.code, error=str(error))
            await asyncio.sleep(PERIOD_S)

    async def look(self, since: datetime) -> datetime:
        """Take over what was revoked since a moment; return from when to look next.

        Raises:
            StorageError: see storage.errors.
        """
        newest = since
        for revoked in await revoked_since(self._pool, since):
            newest = max(newest, revoked.revoked_at - OVERLAP)
            if not self._revocations.revoked(revoked.id):
                self._revocations.revoke(revoked.id)
                self._close_sockets(revoked.id)
        return newest
