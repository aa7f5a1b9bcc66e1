"""Passwords: argon2id in a few threads, so that hashing never blocks the event loop.

Invariants:
    * A wrong password and an unknown account cost the same work.
    * At most `WAITING_MAX` hashes wait; beyond it the caller is told to come back.

Source: OWASP Password Storage Cheat Sheet (at least 19 MiB, t = 2, p = 1); OWASP ASVS 5.0, 6.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from streams.ports import CommandError


MEMORY_KIB = 32 * 1024
TIME_COST = 3
PARALLELISM = 1

THREADS = 2
WAITING_MAX = 32

LENGTH_MIN, LENGTH_MAX = 8, 256
"""Characters of a password."""

T = TypeVar("T")


class Passwords:
    """Hashes and checks passwords. Close it when the node stops."""

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        time_cost: int = TIME_COST,
        parallelism: int = PARALLELISM,
    ) -> None:
        """Prepare; the parameters are those of argon2id."""
        self._hasher = PasswordHasher(
            time_cost=time_cost,
            memory_cost=memory_kib,
            parallelism=parallelism,
            type=Type.ID,
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return the text to store.

        Raises:
            CommandError: `RATE_LIMITED`, too many are waiting.
        """
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether a password is the stored one; None costs the same and is False.

        Raises:
            CommandError: `RATE_LIMITED`, too many are waiting.
        """
        return await self._in_thread(lambda: self._verify(stored, password))

    def outdated(self, stored: str) -> bool:
        """Return whether a stored text was made with weaker parameters."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        if stored is None:
            if self._nobody is None:
                self._nobody = self._hasher.hash("nobody has this password")
            stored, known = self._nobody, False
        else:
            known = True
        try:
            self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
        return known

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise CommandError(
                "RATE_LIMITED", f"expected at most {WAITING_MAX} log-ins at once", retry_ms=1000
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
