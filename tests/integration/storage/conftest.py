from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage.migrate import migrate
from storage.pool import Pool, open_pool


@pytest.fixture
async def migrated_url(database_url: str) -> str:
    await migrate(database_url)
    return database_url


@pytest.fixture
async def pool(migrated_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(migrated_url, size_max=5)
    yield pool
    pool.terminate()
