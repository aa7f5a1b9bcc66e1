"""Roles held by one node at a time: archiver, executor, scheduler.

A role is an advisory lock of a session on a direct connection. The session is a lease: the server
ends it when it hears nothing for `LEASE_S`, so a holder that is stopped, or cut off, loses the
role and another node gets it. The holder beats well within that time and believes in its role only
as long as its last beat is younger than the lease.

Invariants:
    * Losing the connection, or the lease, loses the role and cancels the work.
    * Two holders may overlap for a moment (a stopped process that wakes up): every role's work is
      harmless when done twice, by position, by id or by tick number.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine
from typing import Any

from storage.errors import StorageError, translated
from storage.pool import Connection, backoff_s, connect, parse_database_url


LEASE_S = 15.0
"""Silence after which the server ends the session of a holder."""

BEAT_S = 3.0
"""Time between two beats of a holder; also the longest answer time of a beat."""

RETRY_S = 1.0
"""Time between two attempts to get a role that somebody else holds."""


Work = Callable[[], Coroutine[Any, Any, object]]


class Role:
    """One role as this node sees it.

    Attributes:
        name: for instance `archiver`.
        acquisitions: times that this node got the role.
        losses: times that it lost it again other than by stopping.
        error: text of the last failure, empty after a success.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        lease_s: float = LEASE_S,
        beat_s: float = BEAT_S,
        retry_s: float = RETRY_S,
    ) -> None:
        """Prepare; nothing is connected before `run`.

        Args:
            name: nodes with the same name on the same database compete.
            url: address of the server itself, not of a transaction pooler.
            lease_s: see `LEASE_S`.
            beat_s: see `BEAT_S`; well below the lease.
            retry_s: see `RETRY_S`.

        Raises:
            ValueError: the lease is not longer than two beats, or the address is a pooler's.
        """
        if parse_database_url(url).pgbouncer:
            raise ValueError(f"expected a direct address for the role {name}, was a pooler's")
        if lease_s <= 2 * beat_s:
            raise ValueError(f"expected a lease longer than two beats, was {lease_s} s")
        self.name = name
        self._url = url
        self._lease_s, self._beat_s, self._retry_s = lease_s, beat_s, retry_s
        self._key = _lock_key(name)
        self._holding = False
        self._beaten_at = 0.0
        self.acquisitions = 0
        self.losses = 0
        self.error = ""

    @property
    def held(self) -> bool:
        """Whether this node may believe that it has the role now."""
        return self._holding and time.monotonic() - self._beaten_at < self._lease_s

    async def run(self, work: Work) -> None:
        """Get the role, work while it is held, get it again when lost; until cancelled.

        Args:
            work: started at each acquisition, cancelled at each loss. When it returns, the role is
                given up and this method returns.

        Raises:
            Exception: whatever `work` raised.
        """
        attempt = 0
        while True:
            try:
                finished = await self._session(work)
            except StorageError as error:
                self.error = str(error)
                await asyncio.sleep(backoff_s(attempt, longest_s=self._beat_s))
                attempt += 1
            else:
                if finished:
                    return
                attempt = 0

    async def _session(self, work: Work) -> bool:
        """Connect, wait for the lock, work. Return whether the work ended by itself.

        Raises:
            StorageError: the server could not be reached.
        """
        connection = await connect(
            self._url,
            application_name=f"optix-role-{self.name}",
            command_timeout_s=self._beat_s,
            idle_session_timeout_ms=round(self._lease_s * 1000),
        )
        try:
            with translated(f"acquire the role {self.name}"):
                await self._lock(connection)
            self._holding = True
            self.acquisitions += 1
            self.error = ""
            return await self._work_while_held(connection, work)
        finally:
            self._holding = False
            connection.terminate()  # frees the lock; a polite close may hang on a dead network

    async def _lock(self, connection: Connection) -> None:
        """Ask until the lock is ours; the asking keeps the session alive."""
        while True:
            asked_at = time.monotonic()
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", self._key):
                self._beaten_at = asked_at
                return
            await asyncio.sleep(self._retry_s)

    async def _work_while_held(self, connection: Connection, work: Work) -> bool:
        working = asyncio.create_task(work(), name=f"role-{self.name}")
        beating = asyncio.create_task(self._beat(connection), name=f"role-{self.name}-beat")
        try:
            await asyncio.wait((working, beating), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
                return True
            self.losses += 1
            self._holding = False
            self.error = beating.result()
            return False
        finally:
            await _stop(beating)
            if (error := await _stop(working)) is not None and not self._holding:
                self.error += f"; the work ended with {type(error).__name__}: {error}"

    async def _beat(self, connection: Connection) -> str:
        """Keep the session alive; return why it was lost."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        while not connection.is_closed():
            try:
                await asyncio.wait_for(lost.wait(), self._beat_s)
            except TimeoutError:
                asked_at = time.monotonic()
                try:
                    with translated("beat"):
                        await connection.execute("SELECT 1")
                except StorageError as error:
                    return f"expected an answer to a beat, was {error}"
                if asked_at - self._beaten_at >= self._lease_s:
                    return f"expected a beat every {self._beat_s} s, slept through the lease"
                self._beaten_at = asked_at
        return "expected the session to last, the server ended it"


def _lock_key(name: str) -> int:
    digest = hashlib.sha256(f"optix:role:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def _stop(task: asyncio.Task[Any]) -> BaseException | None:
    """Cancel a task, wait for its end, and return what it raised besides."""
    task.cancel()
    await asyncio.wait((task,))
    return None if task.cancelled() else task.exception()
