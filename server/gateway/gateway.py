"""The gateway of a node: everything its sockets share.

The composition root makes one `Gateway` and hands `protocol_class()` to uvicorn. Whoever applies
the log calls `Hub.publish`; whoever revokes a login, changes a permission or begins an epoch tells
the gateway.

Invariants:
    * Tasks are the gateway's, named and bounded; `close` ends them all.
    * Nothing here is global: two gateways may live in one process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

import structlog

from server.gateway.connection import StreamConnection
from server.gateway.registry import Registry
from server.gateway.settings import GatewaySettings
from server.gateway.stream_socket import StreamSocket
from server.gateway.timers import TimerWheel
from streams.fanout.hub import Hub
from streams.ports import (
    Authenticator,
    ChannelSource,
    Clock,
    CommandError,
    CommandPort,
    Principal,
    SignedKeyAuthenticator,
)
from streams.protocol.codes import CloseCode, ErrorCode
from streams.protocol.effects import AuthRequested


# How long a client waits when the whole node has too many unanswered commands.
_OVERLOADED_RETRY_MS: Final = 1_000


class Gateway:
    """WebSocket gateway of one node.

    Args:
        source: the replica's channels.
        commands: where commands go.
        authenticator: checks credentials.
        hub: fan-out, fed by the replica.
        settings: bounds and behaviour.
        clock: time of the edge.

    Attributes:
        registry: the open sockets.
        timers: the one timer wheel.
        draining: whether the node is leaving.
        opened: sockets opened since the start.
        refused: upgrades refused since the start.
        closed_by_code: sockets closed since the start, by close code.
        commands_in_flight: unanswered commands of all sockets.
    """

    def __init__(
        self,
        source: ChannelSource,
        commands: CommandPort,
        authenticator: Authenticator,
        hub: Hub,
        settings: GatewaySettings,
        clock: Clock,
    ) -> None:
        self.source = source
        self.commands = commands
        self.hub = hub
        self.settings = settings
        self.clock = clock
        self.registry = Registry()
        self.timers = TimerWheel(clock.monotonic)
        self.log: Any = structlog.get_logger("server.gateway")
        self.draining = False
        self.opened = 0
        self.refused = 0
        self.closed_by_code: Counter[int] = Counter()
        self.commands_in_flight = 0
        self._authenticator = authenticator
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty: asyncio.Event | None = None

    def protocol_class(self) -> type[asyncio.Protocol]:
        """Return the class to give to uvicorn as `Config(ws=...)`."""
        gateway = self

        class GatewayConnection(StreamConnection):
            """A connection of this gateway, constructed the way uvicorn does it."""

            def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
                del config, app_state
                super().__init__(gateway, server_state.connections)

        return GatewayConnection

    # What other parts of the node tell the gateway

    def revoke(self, login: str) -> int:
        """Close the live sockets of a login or API key with 4102; return how many."""
        sockets = self.registry.of_login(login)
        for each in sockets:
            each.close(CloseCode.LOGIN_REVOKED)
        return len(sockets)

    def recheck(self, key: str) -> None:
        """Ask again, for each subscriber of a channel, whether it may receive it.

        Those that may not are told `gone`. To be called when a leader's setting, a follower
        relation or the existence of a trader changed.
        """
        for outbox in self.hub.subscribers(key):
            self.registry.of_outbox(outbox).recheck(key)

    def epoch_changed(self) -> None:
        """Close all sockets with 4003: numbers of the old epoch mean nothing now.

        No frame of the new epoch reaches them: they leave the fan-out at once, and are closed a
        few at a time.
        """
        for each in self.registry.sockets():
            self.hub.detach(each.outbox)
            self.timers.schedule(0.0, partial(each.close, CloseCode.EPOCH_CHANGED))

    def start_drain(self, in_ms: int) -> None:
        """Refuse new sockets and begin to close the open ones, spread over `in_ms`."""
        if self.draining:
            return
        self.draining = True
        sockets = self.registry.sockets()
        for place, each in enumerate(sockets, start=1):
            close_after_s = in_ms / 1000 * place / len(sockets)
            # Told by the wheel, a few at a time: ten thousand writes would hold up the loop.
            self.timers.schedule(0.0, partial(each.drain, in_ms, close_after_s))

    async def drain(self, in_ms: int) -> None:
        """Tell all clients to reconnect elsewhere, close them with 4000, and wait until they left.

        Args:
            in_ms: time over which they are closed. Those that do not finish the closing
                handshake are cut `close_wait_ms` later.
        """
        self.start_drain(in_ms)
        if not len(self.registry):
            return
        self._empty = asyncio.Event()
        try:
            async with asyncio.timeout((in_ms + 2 * self.settings.close_wait_ms) / 1000):
                await self._empty.wait()
        except TimeoutError:
            for each in self.registry.sockets():
                each.abort()

    async def close(self) -> None:
        """End all tasks and timers and cut what is still connected."""
        for each in self.registry.sockets():
            each.abort()
        self.timers.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What connections ask the gateway

    def refusal(self) -> str | None:
        """Return why no socket may be opened now, None when one may."""
        if self.draining:
            return "This node is leaving."
        if not self.source.ready:
            return "This node has not caught up with the log."
        if len(self.registry) >= self.settings.sockets_max:
            return "This node is full."
        return None

    def opened_socket(self, opened: StreamSocket) -> None:
        """Note a socket that was just upgraded."""
        self.opened += 1
        self.registry.add(opened)

    def lost_socket(self, lost: StreamSocket, code: int) -> None:
        """Forget a socket that is gone."""
        self.registry.remove(lost)
        self.closed_by_code[code] += 1
        if self._empty is not None and not len(self.registry):
            self._empty.set()

    def may_join(self, principal: Principal) -> bool:
        """Return whether the account may have one more socket."""
        count = self.registry.count_of(principal.trader)
        return count < self.settings.limits.sockets_per_account_max

    async def authenticate(self, request: AuthRequested, address: str) -> Principal:
        """Check credentials.

        Raises:
            CommandError: refused, or they could not be checked.
        """
        authenticator = self._authenticator
        if request.sig is None:
            return await authenticator.authenticate(
                token=request.token, key=request.key, address=address
            )
        if request.key is None or request.ts is None:
            raise CommandError(ErrorCode.INVALID_ARGUMENT, "expected key, ts and sig together")
        if not isinstance(authenticator, SignedKeyAuthenticator):
            raise CommandError(
                ErrorCode.INVALID_ARGUMENT, "expected a key without signature", field="sig"
            )
        return await authenticator.authenticate_signed(
            key=request.key, ts_ms=request.ts, signature=request.sig, address=address
        )

    def command_refusal(self) -> CommandError | None:
        """Return the error for a command the node has no room for now, None when it has."""
        if self.commands_in_flight < self.settings.commands_in_flight_max:
            return None
        return CommandError(
            ErrorCode.RATE_LIMITED,
            f"expected at most {self.settings.commands_in_flight_max} unanswered commands",
            retry_ms=_OVERLOADED_RETRY_MS,
        )

    def spawn(self, owner: StreamSocket, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run work of a socket as a task of the gateway."""
        task = asyncio.get_running_loop().create_task(
            self._guard(owner, work), name=f"gateway-{name}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, owner: StreamSocket, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # root of a task: ends its socket
            owner.broken(error)
