"""How far the archive reaches: one row, changed in the transaction that writes the rows.

Beginning a new epoch, in this order: archive all that the surviving state has applied, begin the
epoch in the log at that entry, then `adopt_epoch` with that position. From then on entries of the
old epoch, still held by some node, can no longer be archived. When the position has moved in the
meantime, the archive knows entries that the new epoch lacks: rebuild from it and begin again.
"""

from __future__ import annotations

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


async def adopt_epoch(pool: Pool, expected: ArchivePosition, epoch: str) -> ArchivePosition:
    """Hand the archive to a new epoch. See the module docstring for the order of things.

    Raises:
        ArchiveMoved: somebody archived beyond `expected`, or adopted another epoch.
        StorageError: see storage.errors.
    """
    new = expected._replace(epoch=epoch)
    async with acquired(pool, "adopt an epoch") as connection:
        await advance_position(connection, expected, new)
    return new
