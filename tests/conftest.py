"""Fixtures over real servers: one pair for each pytest-xdist worker, clean for each test.

`stores` runs in a thread with a loop of its own, so its supervisor works while tests come and go.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest
import redis.asyncio
from hypothesis import HealthCheck, settings

from storage.embedded import EmbeddedStores
from tests.support import LoopThread


# A busy machine is no failure: no test measures time, and drawing examples is no test. The same
# commit draws the same examples, so that coverage and outcome are those of the commit and not of
# the run; OPTIX_TEST_EXPLORE=1 draws new ones.
settings.register_profile(
    "optix",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not os.environ.get("OPTIX_TEST_EXPLORE"),
)
settings.load_profile("optix")


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStores]:
    """Running PostgreSQL and Valkey. They flush nothing: never measure durability with them.

    A fault test may `kill` and `restart` a server; the fixtures below start it again.
    """
    state_dir = tmp_path_factory.mktemp("stores")
    stores = EmbeddedStores(state_dir, unsafe_fast=True)
    with LoopThread() as thread:
        thread.run(stores.start())
        try:
            yield stores
        finally:
            thread.run(stores.stop())
    shutil.rmtree(state_dir)


@pytest.fixture
async def database_url(stores: EmbeddedStores) -> AsyncIterator[str]:
    """Address of an empty database of the test's own."""
    await stores.ensure_running()
    name = f"test_{secrets.token_hex(6)}"
    await _administer(stores, f"CREATE DATABASE {name}")
    yield urlsplit(stores.database_url)._replace(path=f"/{name}").geturl()
    await stores.ensure_running()
    await _administer(stores, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def redis_url(stores: EmbeddedStores) -> str:
    """Address of a Valkey without any key."""
    await stores.ensure_running()
    client = redis.asyncio.Redis.from_url(stores.redis_url)
    await client.flushall()
    await client.aclose()
    return stores.redis_url


async def _administer(stores: EmbeddedStores, statement: str) -> None:
    connection = await asyncpg.connect(stores.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
