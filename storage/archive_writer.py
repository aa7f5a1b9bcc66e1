"""Writes units into the archive: one transaction for rows and position, by COPY.

Invariants:
    * Rows and position change together or not at all, and only from the expected position: each
      entry is archived once, whoever else tries, and whenever anybody dies.
    * The position is moved first. Its row lock makes a second writer wait, and then find that the
      position is not the one it expected, instead of running into our rows.
    * The event loop is given back after each slice of rows (`ROWS_PER_SLICE`, about 2 ms).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from storage.archive_position import ArchivePosition, advance_position
from storage.archive_rows import (
    CHANNEL_COLUMNS,
    ENTRY_COLUMNS,
    EVENT_COLUMNS,
    OUTCOME_COLUMNS,
    Row,
    channel_rows,
    entry_rows,
    event_rows,
    outcome_rows,
)
from storage.archive_unit import ArchiveUnit
from storage.errors import StorageError
from storage.partitions import MONTHS_AHEAD, Month, ensure_partitions, months
from storage.pool import AnyConnection, Pool, transaction


ROWS_PER_SLICE = 256
"""Rows encoded before the event loop gets its turn."""

WRITE_TIMEOUT_S = 60.0
"""Longest wait for one COPY; beyond it the transaction is undone and `StorageTimeout`."""


class ArchiveWriter:
    """Sole writer of the archive's tables in this process. Not for several tasks at once.

    Attributes:
        rows: rows committed since the start, all tables.
        transactions: transactions committed since the start.
    """

    def __init__(self, pool: Pool) -> None:
        """Write through connections of `pool`."""
        self._pool = pool
        self._months_ready: set[Month] = set()
        self.rows = 0
        self.transactions = 0

    async def write(
        self, units: Sequence[ArchiveUnit], expected: ArchivePosition
    ) -> ArchivePosition:
        """Write contiguous units of one epoch, at least one, and return the new position.

        Raises:
            ArchiveMoved: the archive is not at `expected`; nothing was written.
            WriteUnknown: the connection was lost during COMMIT; read the position to know.
            StorageError: nothing was written.
        """
        last = units[-1]
        position = ArchivePosition(last.epoch, last.entry_id, last.chain)
        try:
            await self._cover(units[0].entry_id.ms, last.entry_id.ms)
            rows = await self._transact(units, expected, position)
        except StorageError:
            self._months_ready.clear()  # perhaps a partition was dropped: look again
            raise
        self.rows += rows
        self.transactions += 1
        return position

    async def _transact(
        self, units: Sequence[ArchiveUnit], expected: ArchivePosition, position: ArchivePosition
    ) -> int:
        """Write rows and position; return the number of rows."""
        async with transaction(self._pool, "archive") as connection:
            await advance_position(connection, expected, position)
            rows = await _copy(connection, "log_entries", ENTRY_COLUMNS, entry_rows(units))
            if any(unit.events for unit in units):
                events = event_rows(units)
                rows += await _copy(connection, "events", EVENT_COLUMNS, events)
            if any(unit.outcomes for unit in units):
                outcomes = outcome_rows(units)
                rows += await _copy(connection, "command_outcomes", OUTCOME_COLUMNS, outcomes)
            if any(unit.channels for unit in units):
                numbers = channel_rows(units)
                rows += await _copy(connection, "channel_events", CHANNEL_COLUMNS, numbers)
        return rows

    async def _cover(self, from_ms: int, until_ms: int) -> None:
        """Make the partitions of a span; each month is looked at once, with those after it."""
        if self._months_ready.issuperset(months(from_ms, until_ms)):
            return
        await ensure_partitions(self._pool, from_ms, until_ms, months_ahead=MONTHS_AHEAD)
        self._months_ready.update(months(from_ms, until_ms))


async def _copy(
    connection: AnyConnection, table: str, columns: tuple[str, ...], rows: Iterable[Row]
) -> int:
    status: str = await connection.copy_records_to_table(
        table, columns=columns, records=_paced(rows), timeout=WRITE_TIMEOUT_S
    )
    return int(status.removeprefix("COPY "))


async def _paced(rows: Iterable[Row]) -> AsyncIterator[Row]:
    left = ROWS_PER_SLICE
    for row in rows:
        yield row
        left -= 1
        if not left:
            left = ROWS_PER_SLICE
            await asyncio.sleep(0)
