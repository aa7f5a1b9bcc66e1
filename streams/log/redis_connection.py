"""One connection to Redis that knows whether a command was sent, and never sends one twice.

redis-py's client hides both: it retries by itself (an append would be stored twice) and gives a
blocking read a socket timeout of 5 s (which then fails after a minute of retries). So the log
owns plain connections of redis-py and adds what it needs: connect on demand, one caller at a
time, all answers within a bound, drop the connection on any doubt.

Invariants:
    * No retries, no socket timeout (our own bound instead), RESP2 and raw bytes: the shape of
      every reply is that of the Redis manual.
    * `AnswerLost` only when something may have been sent; else `LogUnavailable`.
    * An error reply is a value: the server refused that command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from streams.ports import LogUnavailable


CONNECT_MS_MAX = 2_000

Argument = bytes | str | int
Command = tuple[Argument, ...]
ConnectionFactory = Callable[[], AbstractConnection]


class AnswerLost(LogUnavailable):
    """The commands were sent, at least in part; the answer never came."""


def connection_factory(url: str) -> ConnectionFactory:
    """Return what makes connections to a server.

    Args:
        url: `redis://`, `rediss://` (TLS) or `unix://`, as redis-py reads them.

    Raises:
        ValueError: the URL is not one of these.
    """
    pinned: dict[str, Any] = {
        "protocol": 2,
        "decode_responses": False,
        "socket_timeout": None,
        "socket_connect_timeout": CONNECT_MS_MAX / 1000,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    pool = ConnectionPool(**{**parse_url(url), **pinned})
    return cast("ConnectionFactory", pool.make_connection)


class RedisConnection:
    """One connection, made when first needed and again after it was dropped."""

    def __init__(self, connect: ConnectionFactory, *, name: str) -> None:
        """Prepare; nothing is opened yet.

        Args:
            connect: makes a connection object.
            name: what it is for, for error messages.
        """
        self._connect = connect
        self._name = name
        self._lock = asyncio.Lock()
        self._connection: AbstractConnection | None = None

    async def call(self, *commands: Command, answer_ms_max: int) -> list[Any]:
        """Send commands in one piece and return their replies, in order.

        A server's refusal of one command is returned in its place as a `RedisError`.

        Args:
            commands: each a command name and its arguments.
            answer_ms_max: bound of the whole call in milliseconds.

        Raises:
            LogUnavailable: no connection; nothing was sent.
            AnswerLost: cut, or silent for too long, after sending.
        """
        async with self._lock:
            sending = False
            try:
                async with asyncio.timeout(answer_ms_max / 1000):
                    connection, _ = await self._ready()
                    packed = _packed(commands)
                    sending = True
                    await connection.send_packed_command(packed, check_health=False)
                    replies = [await _reply(connection) for _ in commands]
            except TimeoutError:
                await self._drop()
                reason = f"expected an answer within {answer_ms_max} ms"
                raise self._failure(sending, reason) from None
            except (RedisError, OSError) as error:
                await self._drop()
                raise self._failure(sending, f"expected an answer, was {error}") from error
            except BaseException:
                # Cancelled in the middle: the next caller must not read this caller's replies.
                await self._drop()
                raise
            return replies

    async def connect(self) -> bool:
        """Connect unless connected; return whether the connection is a new one.

        Raises:
            LogUnavailable: no connection.
        """
        async with self._lock:
            try:
                async with asyncio.timeout(CONNECT_MS_MAX / 1000):
                    _, is_new = await self._ready()
            except (TimeoutError, RedisError, OSError) as error:
                await self._drop()
                raise self._failure(False, f"expected a server, was {error!r}") from error
            except BaseException:
                await self._drop()  # cancelled in the middle of the handshake
                raise
            return is_new

    async def close(self) -> None:
        """Close the connection; a later call would open it again."""
        async with self._lock:
            await self._drop()

    async def _ready(self) -> tuple[AbstractConnection, bool]:
        connection = self._connection
        if connection is not None and connection.is_connected and not await connection.can_read():
            return connection, False
        # Closed by the server while idle (or out of step): noticed before sending, not after.
        await self._drop()
        connection = self._connection = self._connect()  # anew: the address may have changed
        await cast("Any", connection).connect()  # untyped in redis-py
        return connection, True

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    def _failure(self, sending: bool, reason: str) -> LogUnavailable:
        kind = AnswerLost if sending else LogUnavailable
        return kind(f"{self._name} connection: {reason}")


def _packed(commands: Sequence[Command]) -> list[bytes]:
    # redis-py packs in Python, which takes seven times as long; the stub names a tuple of one
    return [hiredis.pack_command(cast("Any", command)) for command in commands]


async def _reply(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response(disconnect_on_error=False)
    except RedisError as error:
        if _is_reply(error):
            return error
        raise


def _is_reply(error: RedisError) -> bool:
    """Tell an error the server answered with from one of the connection."""
    return isinstance(error, ResponseError) or getattr(error, "status_code", None) is not None
