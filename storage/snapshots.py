"""Snapshots of the core's state in PostgreSQL: saved in chunks, verified when loaded.

Invariants:
    * A snapshot counts once it is complete; what a killed writer left behind is pruned.
    * Every chunk has a CRC-32 and the whole a SHA-256; a damaged snapshot is refused, and the
      next older one serves.
    * Memory used is one chunk while saving, and the whole once while loading.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple

from storage.errors import SnapshotDamaged, StorageError
from storage.pool import Pool, acquired, transaction
from storage.queries import load as load_queries
from streams.ports import EntryId, SnapshotInfo


CHUNK_BYTES = 1024 * 1024
"""Size of a chunk: small enough that hashing one does not hold up the event loop (about 3 ms)."""

CANDIDATES_MAX = 20
"""Most snapshots looked at in a recovery."""

ABANDONED_AFTER = timedelta(hours=1)
"""Age at which an incomplete snapshot is taken for abandoned."""

_SQL = load_queries("snapshots")


class StoredSnapshot(NamedTuple):
    """A complete snapshot.

    Attributes:
        snapshot_id: key in the table.
        epoch: life of the log it was taken in.
        entry_id: the newest entry in it.
        schema: layout of the state.
        digest: of the state, as replicas publish it.
        size: bytes.
        chunks: how many.
        sha256: of the bytes.
        created_at: when it was begun.
    """

    snapshot_id: int
    epoch: str
    entry_id: EntryId
    schema: int
    digest: bytes
    size: int
    chunks: int
    sha256: bytes
    created_at: datetime

    @property
    def info(self) -> SnapshotInfo:
        """What the recovery of a node needs to know of it."""
        return SnapshotInfo(self.epoch, self.entry_id, self.schema)


async def save(
    pool: Pool,
    *,
    epoch: str,
    entry_id: EntryId,
    schema: int,
    digest: bytes,
    data: bytes | memoryview | AsyncIterator[bytes],
) -> int:
    """Save a snapshot and return its number.

    Args:
        pool: connections to the primary; one is lent for each chunk, not for the whole time.
        epoch: life of the log.
        entry_id: the newest entry in the state.
        schema: layout of the state.
        digest: of the state.
        data: the bytes, whole or in pieces of any size.

    Raises:
        StorageError: it is not complete and will be pruned.
    """
    async with acquired(pool, "begin a snapshot") as connection:
        number: int = await connection.fetchval(_SQL["begin"], epoch, *entry_id, schema, digest)
    whole = hashlib.sha256()
    size = chunks = 0
    async for chunk in _chunks(data):
        whole.update(chunk)
        async with acquired(pool, "save a chunk of a snapshot") as connection:
            await connection.execute(
                _SQL["add_chunk"], number, chunks, zlib.crc32(chunk), bytes(chunk)
            )
        size += len(chunk)
        chunks += 1
    async with acquired(pool, "finish a snapshot") as connection:
        status = await connection.execute(_SQL["finish"], number, size, chunks, whole.digest())
    if status != "UPDATE 1":
        raise StorageError(f"expected {chunks} chunks of snapshot {number}, was fewer: pruned")
    return number


async def newest(
    pool: Pool, epoch: str | None = None, *, limit: int = CANDIDATES_MAX
) -> list[StoredSnapshot]:
    """Return the complete snapshots, newest first.

    Args:
        pool: connections to the primary.
        epoch: only those of one life of the log; None = of all (ids go on across epochs).
        limit: most to return.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "list snapshots") as connection:
        rows = await connection.fetch(_SQL["newest"], epoch, limit)
    return [
        StoredSnapshot(
            snapshot_id=row["snapshot_id"],
            epoch=row["epoch"],
            entry_id=EntryId(row["entry_ms"], row["entry_seq"]),
            schema=row["schema"],
            digest=row["digest"],
            size=row["size"],
            chunks=row["chunks"],
            sha256=row["sha256"],
            created_at=row["created_at"],
        )
        for row in rows
    ]


async def load(pool: Pool, snapshot: StoredSnapshot) -> bytes:
    """Return the bytes of a snapshot, verified.

    Raises:
        SnapshotDamaged: a chunk is missing or damaged, or the whole is not what was saved.
        StorageError: see storage.errors.
    """
    whole = hashlib.sha256()
    data = bytearray()
    for index in range(snapshot.chunks):
        async with acquired(pool, "load a chunk of a snapshot") as connection:
            row = await connection.fetchrow(_SQL["chunk"], snapshot.snapshot_id, index)
        where = f"chunk {index} of snapshot {snapshot.snapshot_id}"
        if row is None:
            raise SnapshotDamaged(f"expected {where}, was missing")
        actual = zlib.crc32(row["data"])
        if actual != row["crc32"]:
            raise SnapshotDamaged(
                f"expected checksum {row['crc32']:08x} of {where}, was {actual:08x}"
            )
        whole.update(row["data"])
        data += row["data"]
    if len(data) != snapshot.size or whole.digest() != snapshot.sha256:
        raise SnapshotDamaged(
            f"expected {snapshot.size} bytes with SHA-256 {snapshot.sha256.hex()} in snapshot"
            f" {snapshot.snapshot_id}, was {len(data)} bytes with {whole.hexdigest()}"
        )
    return bytes(data)


async def prune(pool: Pool, *, keep: int = 3) -> int:
    """Delete all but the newest `keep` snapshots, and abandoned ones; return how many.

    Raises:
        ValueError: `keep` is below 1.
        StorageError: see storage.errors.
    """
    if keep < 1:
        raise ValueError(f"expected to keep at least 1 snapshot, was {keep}")
    async with transaction(pool, "prune snapshots") as connection:
        complete = await connection.execute(_SQL["prune_complete"], keep)
        abandoned = await connection.execute(_SQL["prune_abandoned"], ABANDONED_AFTER)
    return sum(int(status.removeprefix("DELETE ")) for status in (complete, abandoned))


async def _chunks(
    data: bytes | memoryview | AsyncIterator[bytes],
) -> AsyncIterator[bytes | memoryview]:
    """Cut or join pieces of any size into chunks of `CHUNK_BYTES`; the last may be shorter."""
    if isinstance(data, bytes | memoryview):
        view = memoryview(data).cast("B")
        for start in range(0, len(view), CHUNK_BYTES):
            yield view[start : start + CHUNK_BYTES]
        return
    waiting = bytearray()
    async for piece in data:
        waiting += piece
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(memoryview(waiting)[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)
