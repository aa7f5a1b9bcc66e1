"""One connection to Redis that knows whether a command was sent, and never sends one twice.

redis-py's client hides both: it retries by itself (an append would be stored twice) and gives a
blocking read a socket timeout of 5 s (which then fails after a minute of retries). So the log lets
redis-py make the connection (addresses, TLS, credentials) and then speaks on its transport: calls
go out as they come, replies are matched in order, and the parser is hiredis. That costs a fifth of
the processor time of redis-py's own reading and writing.

Invariants:
    * No retries, no socket timeout (our own bound instead), RESP2 and raw bytes: the shape of
      every reply is that of the Redis manual.
    * `AnswerLost` only when something may have been sent; else `LogUnavailable`.
    * An error reply is a value: the server refused that command.
    * A call that is cut short (late, cancelled) takes the connection with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.maint_notifications import MaintNotificationsConfig

from streams.ports import LogUnavailable


CONNECT_MS_MAX = 2_000

Argument = bytes | str | int
Command = tuple[Argument, ...]
ConnectionFactory = Callable[[], AbstractConnection]

_NOTHING = object()
_REFUSALS: dict[str, type[ResponseError]] = {
    "NOSCRIPT": NoScriptError,
    "OOM": OutOfMemoryError,
    "READONLY": ReadOnlyError,
}


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
    """One connection, made when first needed and again after it was lost."""

    def __init__(self, connect: ConnectionFactory, *, name: str) -> None:
        """Prepare; nothing is opened yet.

        Args:
            connect: makes a connection object.
            name: what it is for, for error messages.
        """
        self._connect = connect
        self._name = name
        self._connecting = asyncio.Lock()
        self._conversation: Conversation | None = None

    async def call(self, *commands: Command, answer_ms_max: int) -> list[Any]:
        """Send commands in one piece and return their replies, in order.

        A server's refusal of one command is returned in its place as a `RedisError`.

        Args:
            commands: each a command name and its arguments.
            answer_ms_max: bound of the waiting for replies in milliseconds.

        Raises:
            LogUnavailable: no connection; nothing was sent.
            AnswerLost: cut, or silent for too long, after sending.
        """
        conversation = self._conversation
        if conversation is None or conversation.lost:
            await self.connect()
            conversation = cast("Conversation", self._conversation)
        loop = asyncio.get_running_loop()
        asked = conversation.ask(commands, loop)
        late = f"expected an answer within {answer_ms_max} ms"
        timer = loop.call_later(answer_ms_max / 1000, conversation.give_up, late)
        try:
            return await asked
        except ConnectionError as error:
            raise AnswerLost(f"{self._name} connection: {error}") from error
        except asyncio.CancelledError:
            conversation.give_up("expected the caller to wait, was cancelled")
            raise
        finally:
            timer.cancel()

    async def connect(self) -> bool:
        """Connect unless connected; return whether the connection is a new one.

        Raises:
            LogUnavailable: no connection.
        """
        conversation = self._conversation
        if conversation is not None and not conversation.lost:
            return False
        async with self._connecting:
            conversation = self._conversation
            if conversation is not None and not conversation.lost:
                return False
            connection = self._connect()  # anew: the address may have changed
            try:
                async with asyncio.timeout(CONNECT_MS_MAX / 1000):
                    await cast("Any", connection).connect()  # untyped in redis-py
            except (TimeoutError, RedisError, OSError) as error:
                await connection.disconnect(nowait=True)
                reason = f"expected a server, was {str(error) or type(error).__name__}"
                raise LogUnavailable(f"{self._name} connection: {reason}") from error
            except BaseException:
                await connection.disconnect(nowait=True)  # cancelled in the middle of the handshake
                raise
            self._conversation = Conversation(connection)
            return True

    async def close(self) -> None:
        """Close the connection; a later call would open it again."""
        conversation, self._conversation = self._conversation, None
        if conversation is not None:
            conversation.give_up("expected an open connection, was closed")


class Conversation(asyncio.Protocol):
    """Commands and their replies on a connection that redis-py has made.

    Attributes:
        lost: nothing can be asked any more.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        # redis-py has no public way to give its transport away. The writer is kept: it closes the
        # transport when it is collected.
        made = cast("Any", connection)
        self._writer: asyncio.StreamWriter = made._writer  # noqa: SLF001  # see above
        made._reader = made._writer = None  # noqa: SLF001  # see above
        transport = cast("asyncio.Transport", self._writer.transport)
        self.lost = transport.is_closing()
        self._transport = transport
        self._parser = hiredis.Reader(replyError=_refusal, notEnoughData=_NOTHING)
        self._asked: deque[tuple[int, list[Any], asyncio.Future[list[Any]]]] = deque()
        transport.set_protocol(self)

    def ask(
        self, commands: Sequence[Command], loop: asyncio.AbstractEventLoop
    ) -> asyncio.Future[list[Any]]:
        """Send commands; the future has their replies, or a `ConnectionError`."""
        replies: asyncio.Future[list[Any]] = loop.create_future()
        # redis-py packs in Python, which takes seven times as long; the stub names a tuple of one
        packed = [hiredis.pack_command(cast("Any", command)) for command in commands]
        self._asked.append((len(packed), [], replies))
        self._transport.write(packed[0] if len(packed) == 1 else b"".join(packed))
        return replies

    def give_up(self, reason: str) -> None:
        """Cut the connection; whoever waits is told why."""
        self._transport.abort()
        self._end(reason)

    def data_received(self, data: bytes) -> None:
        """Hand each reply to the oldest call that waits."""
        parser = self._parser
        parser.feed(data)
        try:
            while (reply := parser.gets()) is not _NOTHING:
                count, replies, future = self._asked[0]
                replies.append(reply)
                if len(replies) == count:
                    self._asked.popleft()
                    if not future.done():
                        future.set_result(replies)
        except (hiredis.ProtocolError, IndexError) as error:
            self.give_up(f"expected a reply to a command, was {error!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits that no reply will come."""
        self._end(f"expected an answer, was {exc or 'the end of the connection'}")

    def _end(self, reason: str) -> None:
        self.lost = True
        while self._asked:
            _, _, future = self._asked.popleft()
            if not future.done():
                future.set_exception(ConnectionResetError(reason))


def _refusal(text: str) -> ResponseError:
    return _REFUSALS.get(text.partition(" ")[0], ResponseError)(text)
