"""A server killed in the middle of a write: uvloop says so in its own way, before asyncpg knows."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
import uvloop

from storage.errors import StorageUnavailable, transport_closed
from storage.pool import Pool, acquired, transaction


def closed_transport() -> RuntimeError:
    """Return what uvloop raises when something is written to a transport that it has closed."""

    async def write() -> RuntimeError:
        near, far = socket.socketpair()
        transport, _ = await asyncio.get_running_loop().create_connection(
            asyncio.Protocol, sock=near
        )
        transport.abort()
        await asyncio.sleep(0)  # the loop closes it
        with pytest.raises(RuntimeError) as raised:
            transport.write(b"x")
        far.close()
        return raised.value

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(write())


def test_what_uvloop_says_is_known() -> None:
    assert transport_closed(closed_transport())


@pytest.mark.parametrize("lend", [acquired, transaction])
async def test_closed_transport_is_a_lost_connection(pool: Pool, lend: Any) -> None:
    error = RuntimeError(
        "unable to perform operation on <UnixTransport closed=True>; the handler is closed"
    )
    with pytest.raises(StorageUnavailable):
        async with lend(pool, "write"):
            raise error
    async with acquired(pool, "read") as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_other_errors_stay_what_they_are(pool: Pool) -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        async with acquired(pool, "write"):
            raise RuntimeError("a defect")
