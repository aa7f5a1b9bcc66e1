from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.log_places import MemoryPlace, Place, RedisPlace


@pytest.fixture(params=["memory", "redis"])
def empty_place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return MemoryPlace()
    return RedisPlace(request.getfixturevalue("redis_url"))


@pytest.fixture
async def place(empty_place: Place) -> AsyncIterator[Place]:
    yield empty_place
    await empty_place.close()
