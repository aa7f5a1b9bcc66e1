"""One migrated database for all tests of the folder, emptied before each: making one is slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from storage.embedded import EmbeddedStores
from storage.migrate import migrate
from storage.partitions import TABLES
from storage.pool import Pool, open_pool


DATABASE = "storage_tests"

EMPTY = """
    DELETE FROM log_entries;
    DELETE FROM events;
    DELETE FROM command_outcomes;
    DELETE FROM channel_events;
    DELETE FROM snapshots;
    DELETE FROM accounts;
    ALTER TABLE audit_log DISABLE TRIGGER USER;
    DELETE FROM audit_log;
    ALTER TABLE audit_log ENABLE TRIGGER USER;
    UPDATE archive_position SET epoch = '', entry_ms = 0, entry_seq = 0, chain = '';
"""


@pytest.fixture(scope="session")
def shared_url(stores: EmbeddedStores) -> str:
    async def make() -> str:
        connection = await asyncpg.connect(stores.database_url)
        await connection.execute(f"CREATE DATABASE {DATABASE}")
        await connection.close()
        url = urlsplit(stores.database_url)._replace(path=f"/{DATABASE}").geturl()
        await migrate(url)
        return url

    return asyncio.run(make())


@pytest.fixture
async def migrated_url(stores: EmbeddedStores, shared_url: str) -> str:
    """Address of a database with all tables, empty; earlier tests may have made partitions."""
    await stores.ensure_running()
    connection = await asyncpg.connect(shared_url)
    await connection.execute(EMPTY)
    await connection.close()
    return shared_url


@pytest.fixture
async def no_partitions(migrated_url: str) -> None:
    """The database has no partitions either."""
    connection = await asyncpg.connect(migrated_url)
    for table in TABLES:
        names = await connection.fetch(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass",
            table,
        )
        for (name,) in names:
            await connection.execute(f"DROP TABLE {name}")
    await connection.close()


@pytest.fixture
async def pool(migrated_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(migrated_url, size_max=5)
    yield pool
    pool.terminate()
