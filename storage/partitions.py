"""Monthly partitions of the archive's tables: made ahead, dropped when their time is over.

A partition of `events` is named `events_2026_02` and holds the entries of that month (UTC).

Invariants:
    * Making partitions is idempotent, and safe when several do it at once.
    * A partition is made apart and then attached, which blocks neither readers nor writers.
    * Entries of the log are dropped only below a complete snapshot, so recovery stays possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from storage.errors import StorageError
from storage.pool import AnyConnection, Pool, transaction
from storage.queries import load


_SQL = load("archive")

TABLES = ("log_entries", "events", "command_outcomes", "channel_events")
"""Every table partitioned by month of `entry_ms`."""

MONTHS_AHEAD = 2
"""Months made ahead of the present one."""

MONTHS_MAX = 1_200
"""Longest range asked for at once (a hundred years); beyond it `StorageError`."""

LOCK_KEY = 0x6F_70_74_69_78_70_61_72
"""Advisory lock of maintenance: the letters `optixpar` as a 64-bit number."""


class Month(NamedTuple):
    """A calendar month in UTC."""

    year: int
    month: int

    @classmethod
    def of_ms(cls, ms: int) -> Month:
        """Return the month of a time in milliseconds since 1970 UTC."""
        moment = datetime.fromtimestamp(ms // 1000, UTC)
        return cls(moment.year, moment.month)

    @property
    def start_ms(self) -> int:
        """First millisecond of the month since 1970 UTC."""
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * 1000

    def next(self) -> Month:
        """Return the month after."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def suffix(self) -> str:
        """Return the end of a partition's name."""
        return f"{self.year:04d}_{self.month:02d}"


def months(from_ms: int, until_ms: int) -> Iterator[Month]:
    """Yield the months from that of `from_ms` to that of `until_ms`, both included."""
    month = Month.of_ms(from_ms)
    last = Month.of_ms(until_ms)
    while month <= last:
        yield month
        month = month.next()


async def ensure_partitions(
    pool: Pool, from_ms: int, until_ms: int | None = None, *, months_ahead: int = MONTHS_AHEAD
) -> list[str]:
    """Make the missing partitions for a span of time and some months after it.

    Args:
        pool: of a role that owns the tables.
        from_ms: first time to hold, milliseconds since 1970 UTC.
        until_ms: last time to hold; None = `from_ms`.
        months_ahead: months made after `until_ms`.

    Returns:
        The names of the partitions made by this call.

    Raises:
        StorageError: the span is longer than `MONTHS_MAX`, or see storage.errors.
    """
    wanted = list(months(from_ms, from_ms if until_ms is None else until_ms))
    for _ in range(months_ahead):
        wanted.append(wanted[-1].next())
    if len(wanted) > MONTHS_MAX:
        raise StorageError(f"expected at most {MONTHS_MAX} months of partitions, was {len(wanted)}")
    made = []
    async with transaction(pool, "make partitions") as connection:
        present = await _partitions(connection)
        missing = [(t, m) for t in TABLES for m in wanted if f"{t}_{m.suffix()}" not in present]
        if not missing:
            return []
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY)
        present = await _partitions(connection)
        for table, month in missing:
            name = f"{table}_{month.suffix()}"
            if name not in present:
                await _make(connection, table, name, month)
                made.append(name)
    return made


async def drop_partitions(pool: Pool, before_ms: int, *, keep_log: bool = False) -> list[str]:
    """Drop the partitions that lie wholly before a time, and return their names.

    Partitions of `log_entries` stay while no complete snapshot covers them. The other tables lose
    the same months, so that no channel number is left without its event.

    Args:
        pool: of a role that owns the tables.
        before_ms: milliseconds since 1970 UTC.
        keep_log: keep the commands, from which everything can be derived again.

    Raises:
        StorageError: see storage.errors.
    """
    dropped = []
    async with transaction(pool, "drop partitions") as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY)
        covered_ms = await connection.fetchval(_SQL["covered_ms"])
        for name, parent in (await _partitions(connection)).items():
            bound_ms = before_ms
            if parent == "log_entries":
                bound_ms = 0 if keep_log else min(before_ms, covered_ms)
            if _end_ms(name) <= bound_ms:
                await connection.execute(f"DROP TABLE {name}")
                dropped.append(name)
    return dropped


async def _partitions(connection: AnyConnection) -> dict[str, str]:
    """Return partition name → table, in order of names."""
    rows = await connection.fetch(_SQL["partitions"], list(TABLES))
    return {row["name"]: row["parent"] for row in rows}


async def _make(connection: AnyConnection, table: str, name: str, month: Month) -> None:
    start, end = month.start_ms, month.next().start_ms
    await connection.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
    await connection.execute(
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})"
    )


def _end_ms(name: str) -> int:
    """Return the first millisecond after the month of a partition, from its name."""
    year, month = name.rsplit("_", 2)[-2:]
    return Month(int(year), int(month)).next().start_ms
