"""Where a node's PostgreSQL and Redis are: at the addresses it was given, or started by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from server.settings import Settings
from storage.embedded import EmbeddedStores


class StoreUrls(NamedTuple):
    """Addresses of the two stores."""

    database_url: str
    redis_url: str


@asynccontextmanager
async def opened_stores(settings: Settings) -> AsyncIterator[StoreUrls]:
    """Start the embedded stores unless the settings name both of their own.

    Raises:
        EmbeddedError: a server cannot be started; the message says what to do.
    """
    if settings.database_url and settings.redis_url:
        yield StoreUrls(settings.database_url, settings.redis_url)
        return
    stores = EmbeddedStores(settings.state_dir, durability=settings.durability)
    async with stores:
        yield StoreUrls(
            settings.database_url or stores.database_url,
            settings.redis_url or stores.redis_url,
        )
