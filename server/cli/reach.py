"""Reaching the stores of a node from another process on its machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.settings import Settings
from server.stores import StoreUrls, opened_stores
from storage.embedded import find_running


@asynccontextmanager
async def store_urls(settings: Settings) -> AsyncIterator[StoreUrls]:
    """Yield the stores of the settings, those of a running node, or start the node's own.

    Raises:
        EmbeddedError: they had to be started and could not be.
    """
    running = None
    if not (settings.database_url and settings.redis_url):
        running = find_running(settings.state_dir)
    if running is None:
        async with opened_stores(settings) as urls:
            yield urls
        return
    yield StoreUrls(
        settings.database_url or running.database_url, settings.redis_url or running.redis_url
    )
