"""The embedded servers as the server sees them: start, restart, faults, refusals."""

from __future__ import annotations

import asyncpg
import redis.asyncio

from storage.embedded import EmbeddedStores


async def test_database_is_fresh(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetchval("SELECT count(*) FROM pg_stat_user_tables")
    await connection.execute("CREATE TABLE only_here (id bigint PRIMARY KEY)")
    await connection.close()
    assert tables == 0


async def test_killed_valkey_keeps_appended_entries(stores: EmbeddedStores, redis_url: str) -> None:
    client = redis.asyncio.Redis.from_url(redis_url)
    for number in range(50):
        await client.xadd("log", {"number": number})
    await client.aclose()

    stores.kill("valkey")
    await stores.restart("valkey")

    client = redis.asyncio.Redis.from_url(redis_url)
    length = await client.xlen("log")
    await client.aclose()
    assert length == 50
