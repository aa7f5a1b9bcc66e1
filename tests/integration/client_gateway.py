"""The real gateway on a real port over a small source in memory, for tests of the client.

`MemorySource` is a whole `ChannelSource`: it numbers frames, keeps history and snapshots, and can
forget them or begin a new epoch. Commands are counted and answered as the test says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from server.gateway.connection import StreamConnection
from server.gateway.gateway import Gateway
from server.gateway.settings import GatewaySettings
from streams.client import ClientSettings
from streams.fanout.hub import Hub
from streams.ports import ChannelInfo, CommandError, CommandOutcome, Frame, Principal
from streams.protocol.channels import parse_channel
from streams.protocol.checksum import book_crc, leaderboard_crc, positions_crc
from tests.support import MS


FAST = ClientSettings(
    delay_ms_min=1,
    delay_ms_max=20,
    answer_timeout_s=5_000 * MS,
    open_timeout_s=5_000 * MS,
    request_timeout_s=10_000 * MS,
    close_timeout_s=1_000 * MS,
)
"""A client that comes back at once."""

HANDLES = {"@alice": "t_alice", "@carol": "t_carol"}

Execute = Callable[[str, dict[str, Any], str | None], Awaitable[CommandOutcome]]


class WallClock:
    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()


class MemorySource:
    """Channels of a node without a node."""

    def __init__(self) -> None:
        self.epoch = "e1"
        self.offset = "0-0.0"
        self.ready = True
        self.refusals: dict[str, str] = {}
        self.states: dict[str, dict[str, Any]] = {}
        self._seqs: dict[str, int] = {}
        self._frames: dict[str, list[Frame]] = {}

    def resolve(self, channel: str, principal: Principal | None) -> ChannelInfo | str:
        if channel in self.refusals:
            return self.refusals[channel]
        name = parse_channel(channel)
        if name.rules.own:
            if principal is None:
                return "UNAUTHENTICATED"
            return ChannelInfo(f"{name.kind}:{principal.trader}", name.kind, False)
        if name.kind == "signals":
            trader = name.arguments[0]
            name = name._replace(arguments=(HANDLES.get(trader, trader),))
        return ChannelInfo(str(name), str(name), name.rules.conflatable)

    def seq(self, key: str) -> int:
        return self._seqs.get(key, 0)

    def snapshot(self, key: str) -> Frame:
        data = self.states.get(key, {"rows": []})
        return Frame(key, key, "snap", self.seq(key), 1_000, data, checksum(key, data))

    def history(self, key: str, after_seq: int) -> list[Frame] | None:
        kept = self._frames.get(key, [])
        wanted = [frame for frame in kept if frame.seq > after_seq]
        complete = len(wanted) == self.seq(key) - after_seq
        return wanted if complete else None

    def forget(self, key: str) -> None:
        self._frames.pop(key, None)

    def begin_epoch(self, epoch: str) -> None:
        self.epoch = epoch
        self._seqs.clear()
        self._frames.clear()

    def frame(self, key: str, data: Any, crc: int | None = None) -> Frame:
        """Number the next frame of a channel and keep it."""
        seq = self._seqs[key] = self.seq(key) + 1
        kind = parse_channel(key).kind if not key.startswith("copies") else "copies"
        lossless = kind in ("signals", "ideas", "copies", "account", "system")
        name = kind if kind in ("copies", "account") else key
        frame = Frame(key, name, "ev" if lossless else "delta", seq, 1_000 + seq, data, crc)
        self._frames.setdefault(key, []).append(frame)
        return frame


def checksum(key: str, data: dict[str, Any]) -> int | None:
    if key.startswith("book:"):
        return book_crc(data["b"], data["s"])
    if key.startswith("positions:"):
        return positions_crc(data["rows"])
    return leaderboard_crc(data["rows"]) if key.startswith("leaderboard:") else None


class Commands:
    """Counts commands and remembers first outcomes by key, as the core does."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str | None]] = []
        self.applied: dict[str | None, CommandOutcome] = {}
        self.before: Callable[[int], Awaitable[None]] | None = None
        self.after: Callable[[int], Awaitable[None]] | None = None

    def execute(
        self, principal: Principal, name: str, args: dict[str, Any], key: str | None
    ) -> asyncio.Future[CommandOutcome]:
        return asyncio.ensure_future(self._execute(principal, name, args, key))

    async def _execute(
        self, principal: Principal, name: str, args: dict[str, Any], key: str | None
    ) -> CommandOutcome:
        self.calls.append((name, key))
        count = len(self.calls)
        if self.before is not None:
            await self.before(count)
        known = self.applied.get(key)
        outcome = known or CommandOutcome("OK", f"{count}-0.0", {"args": args, "name": name})
        self.applied[key] = outcome
        if self.after is not None:
            await self.after(count)
        if known is not None:
            return CommandOutcome("OK", outcome.offset, outcome.result, replayed=True)
        return outcome


class Authenticator:
    """`Dev <handle>` is that trader; tokens are what the test admits."""

    def __init__(self) -> None:
        self.tokens: dict[str, Principal] = {}

    async def authenticate(self, *, token: str | None, key: str | None, address: str) -> Principal:
        if token is not None and token.startswith("Dev "):
            return Principal(f"t_{token[4:]}", login=token)
        if token in self.tokens:
            return self.tokens[token]
        raise CommandError("UNAUTHENTICATED", "expected a token that is known")


class RunningGateway:
    """A gateway that listens, with everything behind it."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.source = MemorySource()
        self.hub = Hub(self.source)
        self.commands = Commands()
        self.authenticator = Authenticator()
        self.settings = settings
        self.gateway = self._make()
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/stream"

    @property
    def sockets(self) -> int:
        return len(self.gateway.registry)

    def publish(self, key: str, *data: Any) -> None:
        """Number frames of a channel and send them to its subscribers."""
        self.hub.publish([self.source.frame(key, each) for each in data])

    def cut(self) -> None:
        """Cut every connection without a closing handshake."""
        for socket in self.gateway.registry.sockets():
            socket.abort()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: StreamConnection(self.gateway, set()), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        await self.gateway.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def restart(self, before_start: Callable[[], None] = lambda: None) -> None:
        """Stop, lose all sockets, and come back on the same port."""
        await self.stop()
        before_start()
        self.gateway = self._make()
        await self.start()

    def _make(self) -> Gateway:
        return Gateway(
            self.source,
            self.commands,
            self.authenticator,
            self.hub,
            self.settings,
            WallClock(),
        )


@asynccontextmanager
async def running_gateway(settings: GatewaySettings | None = None) -> AsyncIterator[RunningGateway]:
    running = RunningGateway(settings or GatewaySettings(close_wait_ms=500, drain_ms=50))
    await running.start()
    try:
        async with asyncio.timeout(20_000 * MS):
            yield running
    finally:
        await running.stop()
