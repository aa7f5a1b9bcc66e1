from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from storage import partitions, queries
from storage.archive_position import ArchivePosition
from storage.archive_writer import ArchiveWriter
from storage.errors import StorageError, StorageTimeout, StorageUnavailable
from storage.partitions import Month, drop_partitions, ensure_partitions
from storage.pool import Pool, acquired, connect, open_pool, transaction
from storage.snapshots import save
from streams.ports import ENTRY_ZERO, EntryId
from tests.integration.storage.archive_units import START_MS, make_units


DAY_MS = 86_400_000


async def test_every_statement_fits_the_schema(pool: Pool) -> None:
    async with pool.acquire() as connection:
        for path in queries.SQL.glob("*.sql"):
            for statement in queries.load(path.stem).values():
                await connection.prepare(statement)


async def test_every_foreign_key_has_an_index(pool: Pool) -> None:
    missing = await pool.fetch("""
        SELECT conrelid::regclass::text, conname FROM pg_constraint
        WHERE contype = 'f' AND NOT EXISTS (
            SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1]
        )
    """)

    assert [tuple(row) for row in missing] == []


@pytest.mark.usefixtures("no_partitions")
async def test_partitions_are_made_once_by_many(pool: Pool) -> None:
    made = await asyncio.gather(*(ensure_partitions(pool, START_MS) for _ in range(4)))

    names = sorted(name for names in made for name in names)
    suffixes = ("2026_01", "2026_02", "2026_03")
    expected = sorted(f"{table}_{suffix}" for table in partitions.TABLES for suffix in suffixes)
    assert expected == names
    assert await ensure_partitions(pool, START_MS) == []


async def test_span_of_partitions_is_bounded(pool: Pool) -> None:
    with pytest.raises(StorageError, match="months"):
        await ensure_partitions(pool, 0, 200 * 365 * DAY_MS)


@pytest.mark.usefixtures("no_partitions")
async def test_old_partitions_are_dropped_and_the_log_only_below_a_snapshot(pool: Pool) -> None:
    months = [unit.entry_id.ms for unit in make_units(1)]
    await ensure_partitions(pool, months[0], months_ahead=2)
    end = Month(2026, 3).start_ms

    dropped = await drop_partitions(pool, end)

    assert not [name for name in dropped if name.startswith("log_entries")]
    assert {"events_2026_01", "events_2026_02", "channel_events_2026_01"} < set(dropped)
    await save(
        pool,
        epoch="e1",
        entry_id=EntryId(Month(2026, 2).start_ms, 0),
        schema=1,
        digest=b"",
        data=b"state",
    )
    assert await drop_partitions(pool, end, keep_log=True) == []
    assert await drop_partitions(pool, end) == ["log_entries_2026_01"]


async def test_archiving_goes_on_after_dropping(pool: Pool) -> None:
    units = make_units(4)
    writer = ArchiveWriter(pool)
    position = await writer.write(units[:2], ArchivePosition("", ENTRY_ZERO, b""))
    await drop_partitions(pool, Month(2026, 2).start_ms)

    with pytest.raises(StorageError):
        await writer.write(units[2:], position)  # its memory of the partitions is out of date
    await writer.write(units[2:], position)


async def test_pooler_setting_is_ours_and_turns_off_prepared_statements(
    migrated_url: str,
) -> None:
    url = f"{migrated_url}{'&' if '?' in migrated_url else '?'}pgbouncer=true"
    pool = await open_pool(url, size_max=1)
    units = make_units(3)

    await ArchiveWriter(pool).write(units, ArchivePosition("", ENTRY_ZERO, b""))

    assert await pool.fetchval("SELECT count(*) FROM pg_prepared_statements") <= 1
    assert await pool.fetchval("SHOW idle_in_transaction_session_timeout") == "0"
    pool.terminate()


async def test_connections_carry_name_and_timeouts(pool: Pool, migrated_url: str) -> None:
    connection = await connect(
        migrated_url, application_name="optix-test", idle_session_timeout_ms=7_000
    )

    assert await connection.fetchval("SHOW application_name") == "optix-test"
    assert await connection.fetchval("SHOW idle_session_timeout") == "7s"
    assert await pool.fetchval("SHOW idle_in_transaction_session_timeout") == "30s"
    await connection.close()


async def test_slow_statement_is_a_timeout(migrated_url: str) -> None:
    pool = await open_pool(migrated_url, size_max=1, command_timeout_s=0.1)

    with pytest.raises(StorageTimeout):
        async with acquired(pool, "sleep") as connection:
            await connection.execute("SELECT pg_sleep(10)")
    async with acquired(pool, "ask") as connection:
        assert await connection.fetchval("SELECT 1") == 1
    pool.terminate()


async def test_pool_lends_no_connection_that_the_server_ended(pool: Pool) -> None:
    for _ in range(5):
        with pytest.raises(StorageUnavailable):
            async with transaction(pool, "die") as connection:
                await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        async with acquired(pool, "ask") as connection:
            assert await connection.fetchval("SELECT 1") == 1


async def test_block_that_fails_is_rolled_back(pool: Pool) -> None:
    async def fail() -> None:
        async with transaction(pool, "fail") as connection:
            await connection.execute("UPDATE archive_position SET entry_ms = 7")
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        await fail()

    assert await pool.fetchval("SELECT entry_ms FROM archive_position") == 0


async def test_missing_socket_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        await open_pool(f"postgresql://optix@/optix?host={tmp_path}")
