"""How far the archive reaches, and which epoch of the log may write to it: one row.

The row is changed in the transaction that writes the rows, and it is the fence between epochs: a
node that rebuilds itself first gives the archive to the epoch it finds in the log (`fence`), and
only then reads snapshot and archive. From that moment nobody who still lives in another epoch can
archive, so what the node has read stays the end of the archive until the new epoch goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from storage.errors import ArchiveMoved
from storage.pool import AnyConnection, Pool, acquired
from storage.queries import load
from streams.ports import EntryId


_SQL = load("archive")


class ArchivePosition(NamedTuple):
    """The newest archived entry, its epoch and its digest chain; all empty at the beginning."""

    epoch: str
    entry_id: EntryId
    chain: bytes


async def read_position(pool: Pool) -> ArchivePosition:
    """Read how far the archive reaches. Always from the primary.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "read the archive's position") as connection:
        row = await connection.fetchrow(_SQL["read_position"])
    return ArchivePosition(row["epoch"], EntryId(row["entry_ms"], row["entry_seq"]), row["chain"])


async def advance_position(
    connection: AnyConnection, expected: ArchivePosition, new: ArchivePosition
) -> None:
    """Move the position inside the caller's transaction; others wait until it ends.

    Raises:
        ArchiveMoved: the position is not the expected one.
    """
    status = await connection.execute(
        _SQL["advance_position"],
        *(new.epoch, *new.entry_id, new.chain),
        *(expected.epoch, *expected.entry_id),
    )
    if status != "UPDATE 1":
        raise ArchiveMoved(
            f"expected the archive at {expected.entry_id} of epoch {expected.epoch!r}"
        )


async def adopt_epoch(pool: Pool, expected_epoch: str, epoch: str) -> None:
    """Give the archive to another epoch, at whatever entry it is.

    Raises:
        ArchiveMoved: it was in neither of the two epochs.
        StorageError: see storage.errors.
    """
    async with acquired(pool, "adopt an epoch") as connection:
        status = await connection.execute(_SQL["adopt_epoch"], expected_epoch, epoch)
    if status != "UPDATE 1":
        raise ArchiveMoved(f"expected the archive in epoch {expected_epoch!r}")


async def fence(pool: Pool, open_log: Callable[[], Awaitable[str]]) -> str:
    """Give the archive to the present epoch of the log, and return that epoch.

    The log is asked between reading the row and changing it, so a node that was slow cannot give
    the archive back to an epoch that has ended in the meantime.

    Args:
        pool: connections to the primary.
        open_log: returns the name of the log's present epoch, asked from the server.

    Raises:
        StorageError: see storage.errors.
        LogError: whatever `open_log` raises.
    """
    while True:
        position = await read_position(pool)
        epoch = await open_log()
        try:
            await adopt_epoch(pool, position.epoch, epoch)
        except ArchiveMoved:
            continue  # another node fenced it; each turn means that one made progress
        return epoch
