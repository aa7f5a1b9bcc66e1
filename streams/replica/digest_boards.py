"""Adapters of the digest board: one in memory for the simulation, one in Redis."""

from __future__ import annotations

from streams.log.redis_connection import RedisConnection, connection_factory
from streams.ports import EntryId, LogUnavailable


ENTRIES_KEPT_MAX = 1_000
EXPIRE_SECONDS = 3_600
ANSWER_MS_MAX = 2_000


class MemoryDigestBoard:
    """One board shared by the nodes of a process."""

    def __init__(self) -> None:
        self._digests: dict[EntryId, list[tuple[str, str]]] = {}

    async def exchange(self, entry_id: EntryId, node: str, digest: str) -> list[tuple[str, str]]:
        """See `DigestBoard.exchange`."""
        published = self._digests.setdefault(entry_id, [])
        if node not in [name for name, _ in published]:
            published.append((node, digest))
        if len(self._digests) > ENTRIES_KEPT_MAX:
            del self._digests[next(iter(self._digests))]
        return list(published)


class RedisDigestBoard:
    """A list a log entry, which expires after an hour."""

    def __init__(self, url: str, *, prefix: str = "optix") -> None:
        self._connection = RedisConnection(connection_factory(url), name="digests")
        self._prefix = prefix

    async def exchange(self, entry_id: EntryId, node: str, digest: str) -> list[tuple[str, str]]:
        """See `DigestBoard.exchange`.

        Raises:
            LogUnavailable: the server is away or refused.
        """
        key = f"{{{self._prefix}}}:digest:{entry_id}"
        replies = await self._connection.call(
            ("RPUSH", key, f"{node} {digest}"),
            ("EXPIRE", key, EXPIRE_SECONDS),
            ("LRANGE", key, 0, ENTRIES_KEPT_MAX),
            answer_ms_max=ANSWER_MS_MAX,
        )
        for reply in replies:
            if isinstance(reply, Exception):
                raise LogUnavailable(f"expected the digest board, was {reply}")
        published: dict[str, str] = {}
        for line in replies[2]:
            name, _, value = line.decode().rpartition(" ")
            published.setdefault(name, value)
        return list(published.items())

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()
