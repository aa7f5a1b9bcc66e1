"""The asyncio driver around a conversation: sockets, writes and time.

One task keeps the client connected: it opens a socket, reads it, judges how it ended and comes
back. Everything a message causes is done in one synchronous step of the event loop; nothing is
awaited between reading and writing the conversation's state.

Invariant: `ended` is set once, and after that nothing is sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from streams.client.connecting import Connecting, decode
from streams.client.conversation import Conversation
from streams.client.effects import Deliver, Effect, End, GiveUp, Ready, Send
from streams.client.errors import ClientEnded, ConnectFailed
from streams.client.settings import ClientSettings
from streams.protocol.codec import JSON, Codec


TokenSource: TypeAlias = Callable[[], Awaitable[str]]
"""Gives a fresh token each time it is called."""

REFRESH_SHARE = 0.8
"""Share of a token's time after which a new one is fetched, when there is a source for it."""

# RFC 6455, section 7.4.1: the connection ended without a close frame.
_ABNORMAL_CLOSURE = 1006


class Driver:
    """Keeps one conversation connected.

    Args:
        url: address of the stream.
        codec: encoding on the wire.
        settings: bounds and times.
        conversation: the state to drive.
        source: where fresh tokens come from, if they do.
        on_effect: takes the effects that are for the program.
        on_end: told once that the client is over.
        renew: renews the credential on the open socket.

    Attributes:
        ended: why the client is over, None while it is not.
        ready: set when the first socket is ready, or the client has ended.
    """

    def __init__(
        self,
        url: str,
        codec: Codec,
        settings: ClientSettings,
        conversation: Conversation,
        source: TokenSource | None,
        *,
        on_effect: Callable[[Effect], None],
        on_end: Callable[[ClientEnded], None],
        renew: Callable[[str], Awaitable[None]],
    ) -> None:
        self.ended: ClientEnded | None = None
        self.ready = asyncio.Event()
        self._url = url
        self._codec = codec
        self._settings = settings
        self._conversation = conversation
        self._source = source
        self._on_effect = on_effect
        self._on_end = on_end
        self._renew = renew
        self._outbox: deque[bytes] = deque()
        self._outbox_filled = asyncio.Event()
        self._give_up: str | None = None
        self._socket_ready = False
        self._renew_in_s: float | None = None
        self._renewal_planned = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s: float | None = None

    async def run(self) -> None:
        """Stay connected until the client is over; never raises but for cancellation."""
        try:
            await self._stay_connected()
        except ClientEnded as error:
            self.end(error)
        except Exception as error:  # noqa: BLE001  # root of a task: ends the client
            ended = ConnectFailed(f"expected a driver that works, was {error!r}")
            ended.__cause__ = error
            self.end(ended)

    def end(self, error: ClientEnded) -> None:
        """End the client; only the first reason counts."""
        if self.ended is not None:
            return
        self.ended = error
        if self._timer is not None:
            self._timer.cancel()
        self._on_end(error)
        self.ready.set()

    def perform(self, effects: Sequence[Effect]) -> None:
        """Carry out what the conversation decided, in order and in one step."""
        for effect in effects:
            if isinstance(effect, Deliver):
                self._on_effect(effect)
            elif isinstance(effect, Send):
                self._outbox.append(self._codec.encode(effect.message))
                self._outbox_filled.set()
            elif isinstance(effect, GiveUp):
                self._leave_socket(effect.reason)
            elif isinstance(effect, End):
                self.end(effect.error)
                self._leave_socket(str(effect.error))
            elif isinstance(effect, Ready):
                self._socket_ready = True
                self.plan_renewal(effect.expires_in_s)
                self.ready.set()
            else:
                self._on_effect(effect)
        self._schedule()

    def plan_renewal(self, expires_in_s: int | None) -> None:
        """Fetch a fresh token before the present one runs out."""
        if expires_in_s is not None:
            self._renew_in_s = expires_in_s * REFRESH_SHARE
            self._renewal_planned.set()

    def now_s(self) -> float:
        """Return monotonic seconds: the loop's own clock, so that `call_at` means the same."""
        return asyncio.get_running_loop().time()

    async def _stay_connected(self) -> None:
        connecting = Connecting(self._url, self._codec, self._settings)
        while True:
            if self._source is not None and connecting.token_wanted:
                self._conversation.set_token(await connecting.fetch_token(self._source))
            socket = await connecting.open()
            code, reason = await self._converse(socket)
            self.perform(self._conversation.closed())
            if self.ended is not None:
                return
            if self._give_up is not None:
                code, reason = _ABNORMAL_CLOSURE, self._give_up
            await connecting.judge(
                code,
                reason,
                self._conversation.drain_in_ms,
                refreshable=self._source is not None,
                ready=self._socket_ready,
            )

    async def _converse(self, socket: ClientConnection) -> tuple[int, str]:
        """Carry one socket's conversation until it has ended; return close code and reason."""
        self._outbox.clear()
        self._give_up = None
        self._socket_ready = False
        self._conversation.opened(self.now_s())
        self._schedule()
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._write(socket), name="optix-client-writer"),
                group.create_task(self._keep_renewed(), name="optix-client-renewer"),
            ]
            try:
                await self._read(socket)
            finally:
                for helper in helpers:
                    helper.cancel()
                await socket.close()
        return socket.close_code or _ABNORMAL_CLOSURE, socket.close_reason or ""

    async def _read(self, socket: ClientConnection) -> None:
        try:
            while self._give_up is None:
                message = decode(self._codec, await socket.recv(decode=False))
                self.perform(self._conversation.received(message, self.now_s()))
        except ConnectionClosed:
            return  # the close code says how to go on
        except ValueError as error:
            self._leave_socket(str(error))

    async def _write(self, socket: ClientConnection) -> None:
        is_text = self._codec is JSON
        try:
            while self._give_up is None:
                while self._outbox:
                    await socket.send(self._outbox.popleft(), text=is_text)
                self._outbox_filled.clear()
                await self._outbox_filled.wait()
            await socket.close()
        except ConnectionClosed:
            return  # the reader sees it too

    async def _keep_renewed(self) -> None:
        while self._source is not None:
            self._renewal_planned.clear()
            delay_s, self._renew_in_s = self._renew_in_s, None
            if delay_s is None:
                await self._renewal_planned.wait()
                continue
            await asyncio.sleep(delay_s)
            try:
                await self._renew(await self._source())
            except Exception:  # noqa: BLE001  # the program's own code may raise anything
                # The old token still has its time; at its end 4100 makes us fetch again.
                self._conversation.counters.refresh_failures += 1

    def _leave_socket(self, reason: str) -> None:
        self._give_up = reason
        self._outbox_filled.set()

    def _schedule(self) -> None:
        """Have `tick` called when the conversation has something to do."""
        due_at_s = None if self.ended is not None else self._conversation.due_at_s()
        if due_at_s == self._timer_at_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at_s = None, due_at_s
        if due_at_s is not None:
            self._timer = asyncio.get_running_loop().call_at(due_at_s, self._tick)

    def _tick(self) -> None:
        self._timer, self._timer_at_s = None, None
        self.perform(self._conversation.tick(self.now_s()))
