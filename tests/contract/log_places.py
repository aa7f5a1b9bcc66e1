"""The places where a log can be kept, behind one face, for the suite shared by all adapters."""

from __future__ import annotations

from abc import ABC, abstractmethod

import redis.asyncio

from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.log.redis_log import RedisLog
from streams.ports import EntryId, Log


START_MS = 1_767_225_600_000


class ManualClock:
    """A clock that moves when told."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def now_us(self) -> int:
        return self.now_ms * 1000

    def monotonic(self) -> float:
        return self.now_ms / 1000


class Place(ABC):
    """One log, opened by any number of nodes; it can be damaged like a crash would."""

    def __init__(self) -> None:
        self._opened: list[Log] = []

    async def open(self, node: str = "n1") -> Log:
        """Open one node's handle."""
        log = self._handle(node)
        await log.open()
        self._opened.append(log)
        return log

    async def close(self) -> None:
        for log in self._opened:
            await log.close()

    @abstractmethod
    def _handle(self, node: str) -> Log: ...

    @abstractmethod
    async def lose(self, count: int) -> None:
        """Lose the newest entries, as a crash before fsync would."""


class MemoryPlace(Place):
    def __init__(self) -> None:
        super().__init__()
        self.server = MemoryLogServer()
        self.clock = ManualClock()

    def _handle(self, node: str) -> Log:
        return MemoryLog(self.server, self.clock, node=node)

    async def lose(self, count: int) -> None:
        self.server.faults.truncate(count)


class RedisPlace(Place):
    """Loses entries by rebuilding the stream from what stays, so its last id goes back too."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def _handle(self, node: str) -> Log:
        return RedisLog(self.url)

    async def lose(self, count: int) -> None:
        client = redis.asyncio.Redis.from_url(self.url, protocol=2)
        key, head_key = "{optix}:log", "{optix}:head"
        rows = await client.xrange(key)
        kept, [lost, *_] = rows[: len(rows) - count], rows[len(rows) - count :]
        async with client.pipeline(transaction=True) as pipeline:
            pipeline.delete(key)
            for entry_id, fields in kept:
                pipeline.xadd(key, fields, id=entry_id)
            pipeline.set(head_key, lost[1][b"p"])
            await pipeline.execute()
        await client.aclose()


def follows(entry_id: EntryId) -> EntryId:
    """An id above the given one."""
    return EntryId(entry_id.ms + 5, 0)
