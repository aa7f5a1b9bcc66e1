"""Connections to PostgreSQL: one pool a process, and direct connections where a session matters.

Invariants:
    * No code of ours changes session state: settings are `SET LOCAL` inside a transaction, and
      advisory locks of a session live on a direct connection (`connect`). That is why a
      connection goes back to the pool without the round trip of a reset.
    * `?pgbouncer=true` in the address is ours, never sent to the server: it turns off the cache
      of prepared statements and the start-up settings that a transaction pooler refuses.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
import asyncpg.pool

from storage.errors import LOST, WriteUnknown, translated, transport_closed


Connection: TypeAlias = asyncpg.Connection
PooledConnection: TypeAlias = asyncpg.pool.PoolConnectionProxy
Pool: TypeAlias = asyncpg.Pool
AnyConnection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

POOL_SIZE_MAX = 10
"""Connections of one pool; a caller beyond it waits for one, up to `ACQUIRE_TIMEOUT_S`."""

ACQUIRE_TIMEOUT_S = 5.0
"""Longest wait for a free connection; beyond it `StorageTimeout`."""

CONNECT_TIMEOUT_S = 5.0
"""Longest wait for a new connection; beyond it `StorageTimeout`."""

COMMAND_TIMEOUT_S = 30.0
"""Longest wait for one statement; beyond it the statement is cancelled and `StorageTimeout`."""

IDLE_IN_TRANSACTION_S = 30
"""A client that stops inside a transaction loses it after this time, and with it its locks."""


class DatabaseAddress(NamedTuple):
    """An address as asyncpg takes it, and whether a transaction pooler stands in between."""

    dsn: str
    pgbouncer: bool


def parse_database_url(url: str) -> DatabaseAddress:
    """Take our own parameter out of the address.

    Raises:
        ValueError: the scheme is not `postgresql` or `postgres`, or `pgbouncer` is not a boolean.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"expected postgresql://…, was {parts.scheme or 'no scheme'}://…")
    kept, pgbouncer = [], False
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name != "pgbouncer":
            kept.append((name, value))
        elif value in ("true", "1", "false", "0"):
            pgbouncer = value in ("true", "1")
        else:
            raise ValueError(f"expected pgbouncer=true or false, was {value}")
    query = urlencode(kept, safe="/")
    # geturl() would drop the empty host of `postgresql:///name?host=/run/socket`
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return DatabaseAddress(f"{base}?{query}" if query else base, pgbouncer)


async def open_pool(
    url: str,
    *,
    application_name: str = "optix",
    size_max: int = POOL_SIZE_MAX,
    command_timeout_s: float = COMMAND_TIMEOUT_S,
) -> Pool:
    """Open a pool with one connection made, so that a wrong address shows at once.

    Raises:
        StorageUnavailable, StorageTimeout, StorageError: see storage.errors.
    """
    with translated("open a pool"):
        return await asyncpg.create_pool(
            min_size=1,
            max_size=size_max,
            max_inactive_connection_lifetime=300,
            reset=_give_back,
            **_options(url, application_name, command_timeout_s, {}),
        )


async def connect(
    url: str,
    *,
    application_name: str = "optix",
    command_timeout_s: float = COMMAND_TIMEOUT_S,
    idle_session_timeout_ms: int = 0,
) -> Connection:
    """Open a direct connection; the caller closes it.

    Args:
        url: address of the server itself when session state is needed, not of a pooler.
        application_name: shown in `pg_stat_activity`.
        command_timeout_s: seconds.
        idle_session_timeout_ms: the server ends the session when it hears nothing for this long
            (0 = never).

    Raises:
        StorageUnavailable, StorageTimeout, StorageError: see storage.errors.
    """
    extra = {}
    if idle_session_timeout_ms:
        extra["idle_session_timeout"] = str(idle_session_timeout_ms)
    with translated("connect"):
        return await asyncpg.connect(**_options(url, application_name, command_timeout_s, extra))


@asynccontextmanager
async def acquired(pool: Pool, doing: str) -> AsyncIterator[AnyConnection]:
    """Lend a connection of the pool; errors inside are translated.

    Raises:
        StorageError: see storage.errors.
    """
    with translated(doing):
        async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            try:
                yield connection
            except LOST:
                _throw_away(connection)
                raise
            except RuntimeError as error:
                if transport_closed(error):
                    _throw_away(connection)
                raise


@asynccontextmanager
async def transaction(pool: Pool, doing: str) -> AsyncIterator[AnyConnection]:
    """Run the block in one transaction, committed at its end, rolled back on an exception.

    Raises:
        WriteUnknown: the connection was lost during COMMIT.
        StorageError: anything else went wrong; nothing was written.
    """
    async with acquired(pool, doing) as connection:
        work = connection.transaction()
        await work.start()
        try:
            yield connection
        except BaseException:
            try:
                await work.rollback()
            except LOST:
                _throw_away(connection)  # the server rolls back; the first error goes on
            raise
        try:
            await work.commit()
        except (*LOST, TimeoutError) as error:
            _throw_away(connection)
            kind = type(error).__name__
            raise WriteUnknown(f"{doing}: expected COMMIT to be answered, was {kind}") from error


def _throw_away(connection: AnyConnection) -> None:
    """Close a connection at once, so that the pool does not lend it again."""
    with suppress(asyncpg.InterfaceError):  # the pool has taken it back already
        connection.terminate()


def backoff_s(attempt: int, *, first_s: float = 0.1, longest_s: float = 5.0) -> float:
    """Return a random delay that doubles on average with each attempt (from 0), up to a bound."""
    ceiling = min(longest_s, first_s * 2.0 ** min(attempt, 30))
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads retries, guards nothing


async def _give_back(connection: Connection) -> None:
    """Hand a connection back clean. See the first invariant of this module."""
    if connection.is_in_transaction():
        await asyncio.shield(connection.reset())


def _options(
    url: str, application_name: str, command_timeout_s: float, extra: dict[str, str]
) -> dict[str, Any]:
    address = parse_database_url(url)
    settings = {"application_name": application_name}
    if not address.pgbouncer:
        settings["idle_in_transaction_session_timeout"] = str(IDLE_IN_TRANSACTION_S * 1000)
        settings["timezone"] = "UTC"
        settings |= extra
    return {
        "dsn": address.dsn,
        "timeout": CONNECT_TIMEOUT_S,
        "command_timeout": command_timeout_s,
        "server_settings": settings,
        "statement_cache_size": 0 if address.pgbouncer else 256,
    }
