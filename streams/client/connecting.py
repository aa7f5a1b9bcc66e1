"""Opening sockets, again and again: how long to wait, when to stop, when a token is needed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect as open_socket
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.typing import Subprotocol

from streams.client.closing import Return, Verdict, judge_close, wait_s
from streams.client.errors import (
    ClientEnded,
    ConnectFailed,
    HandshakeRefused,
    ProtocolMismatch,
    TokenExpired,
)
from streams.client.settings import ClientSettings
from streams.protocol.codec import JSON, Codec


# HTTP answers below 500 that waiting may change.
_STATUS_WAIT: Final = (408, 425, 429)
_TOKEN_ATTEMPTS_MAX: Final = 3
_SHARED_COMPRESSION: Final = ClientPerMessageDeflateFactory(
    server_no_context_takeover=True, client_no_context_takeover=True
)
_random: Final = secrets.SystemRandom().random
_BACKOFF: Final = Verdict(Return.BACKOFF)


class Connecting:
    """Opens the sockets of one client, one after the other.

    Args:
        url: address of the stream.
        codec: encoding to ask for.
        settings: bounds and times.

    Attributes:
        token_wanted: a fresh token must be fetched before the next socket.
    """

    def __init__(self, url: str, codec: Codec, settings: ClientSettings) -> None:
        self.token_wanted = True
        self._url = url
        self._codec = codec
        self._settings = settings
        self._failures = 0
        self._opened_s = 0.0
        self._ready_by_s = _now_s() + settings.open_timeout_s
        self._last_error: Exception | None = None

    async def open(self) -> ClientConnection:
        """Return an open socket that speaks our subprotocol.

        Raises:
            ConnectFailed: none in time.
            HandshakeRefused: HTTP says that waiting will not help.
            ProtocolMismatch: the server does not know the subprotocol.
        """
        while True:
            try:
                socket = await self._attempt()
            except InvalidStatus as error:
                status = error.response.status_code
                if status < 500 and status not in _STATUS_WAIT:
                    raise HandshakeRefused(status) from error
                self._last_error = error
            except (OSError, InvalidHandshake, EOFError) as error:
                self._last_error = error
            else:
                if socket.subprotocol != self._codec.subprotocol:
                    await socket.close()
                    raise ProtocolMismatch(
                        f"expected a server that speaks {self._codec.subprotocol},"
                        f" was {socket.subprotocol}"
                    )
                self._opened_s = _now_s()
                return socket
            self._failures += 1
            await self._wait(_BACKOFF)

    async def judge(
        self, code: int, reason: str, drain_in_ms: int | None, *, refreshable: bool, ready: bool
    ) -> None:
        """Take the end of a socket, then wait as it asks.

        Args:
            code: close code, 1006 without one.
            reason: its text.
            drain_in_ms: see `judge_close`.
            refreshable: whether there is a source of tokens.
            ready: whether the socket had become ready for requests.

        Raises:
            ClientEnded: coming back makes no sense, or took too long.
        """
        verdict = judge_close(code, reason, drain_in_ms)
        if isinstance(verdict, ClientEnded):
            raise verdict
        if verdict.how is Return.REFRESH:
            if not refreshable:
                raise TokenExpired(f"closed {code}: the token has run out; connect with a new one")
            self.token_wanted = True
        now_s = _now_s()
        if ready:
            self._ready_by_s = now_s + self._settings.down_s_max
            if now_s - self._opened_s >= self._settings.stable_s:
                self._failures = 0
        self._failures += 1
        self._last_error = ConnectionError(f"the last socket was closed {code}: {reason}")
        await self._wait(verdict)

    async def fetch_token(self, source: Callable[[], Awaitable[str]]) -> str:
        """Return a fresh token.

        Raises:
            TokenExpired: the source failed several times; `__cause__` says how.
        """
        attempt = 1
        while True:
            try:
                token = await source()
            except Exception as error:  # the program's own code may raise anything
                if attempt == _TOKEN_ATTEMPTS_MAX:
                    raise TokenExpired(f"no new token: {error!r}") from error
                await asyncio.sleep(wait_s(_BACKOFF, attempt, self._settings, _random))
                attempt += 1
            else:
                self.token_wanted = False
                return token

    async def _attempt(self) -> ClientConnection:
        settings = self._settings
        return await open_socket(
            self._url,
            subprotocols=[Subprotocol(self._codec.subprotocol)],
            compression=None,  # the library's offer keeps a context, which our server declines
            extensions=[_SHARED_COMPRESSION] if settings.compression else None,
            open_timeout=max(0.1, min(settings.open_timeout_s, self._ready_by_s - _now_s())),
            ping_interval=settings.ping_interval_s,
            ping_timeout=settings.ping_timeout_s,
            close_timeout=settings.close_timeout_s,
            max_size=settings.message_bytes_max,
        )

    async def _wait(self, verdict: Verdict) -> None:
        delay_s = wait_s(verdict, self._failures, self._settings, _random)
        left_s = self._ready_by_s - _now_s()
        if delay_s > left_s:
            text = f"expected a connection to {self._url} in time, was {self._last_error!r}"
            raise ConnectFailed(text) from self._last_error
        await asyncio.sleep(delay_s)


def decode(codec: Codec, data: bytes) -> dict[str, Any]:
    """Return the map of one message from the server.

    Raises:
        ValueError: not this encoding, or not a map.
    """
    try:
        value = msgspec.json.decode(data) if codec is JSON else msgspec.msgpack.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"expected one {codec.name} map: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"expected a map, was {type(value).__name__}")
    return value


def _now_s() -> float:
    return asyncio.get_running_loop().time()
