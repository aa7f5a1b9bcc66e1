"""Whoever waits until this node has applied an entry."""

from __future__ import annotations

import asyncio

from streams.ports import EntryId


class AppliedWaiters:
    """Futures by the entry they wait for."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], EntryId] = {}

    async def wait(self, entry_id: EntryId, *, seconds_max: float) -> bool:
        """Wait for `wake` with this entry or a later one; return whether it came in time."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = entry_id
        try:
            async with asyncio.timeout(seconds_max):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(waiter, None)
        return True

    def wake(self, seen: EntryId) -> None:
        """Wake whoever waits for an entry up to `seen`."""
        if not self._waiting:
            return
        for waiter, entry_id in list(self._waiting.items()):
            if entry_id <= seen and not waiter.done():
                waiter.set_result(None)
