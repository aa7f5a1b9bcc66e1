"""A real node in memory: core, replica, log, scheduler and gateway, without stores.

Leader `alice` trades BTC and is ranked; anybody logs in with `Dev <handle>` and is created.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from server.gateway.connection import StreamConnection
from server.gateway.gateway import Gateway
from server.gateway.settings import GatewaySettings
from streams.core.commands import (
    AnyCommand,
    Command,
    MarkRow,
    PlaceOrder,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
)
from streams.core.money import MICROS, Step
from streams.fanout.hub import Hub
from streams.log.codec import BatchCodec
from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.log.submitter import Submitter
from streams.ports import CommandError, Principal
from streams.replica.edge import Edge
from streams.replica.publisher import NoSink
from streams.replica.replica import Replica
from streams.replica.scheduler import Scheduler
from streams.replica.source import ReplicaSource
from tests.integration.client_gateway import WallClock
from tests.support import MS, eventually


class MemoryNode:
    """The node, seen from a test."""

    def __init__(self) -> None:
        self.clock = WallClock()
        log = MemoryLog(MemoryLogServer(), self.clock, node="n1")
        codec: BatchCodec[Command] = BatchCodec(AnyCommand)
        self.replica = Replica(log, codec, node="n1", sink=NoSink())
        self.submitter: Submitter[Command] = Submitter(
            log,
            codec,
            node="n1",
            incarnation="1",
            seen=lambda: self.replica.seen,
            on_truncated=self.replica.mend,
            on_appended=self.replica.take_appended,
        )
        self.replica.submitter = self.submitter
        self.edge = Edge(self.replica, self.submitter)
        source = ReplicaSource(self.replica)
        hub = Hub(source)
        self.replica.attach(hub)
        self.scheduler = Scheduler(self.edge, self.clock, lambda: True)
        settings = GatewaySettings(close_wait_ms=500)
        self.gateway = Gateway(source, self.edge, self, hub, settings, self.clock)
        self.url = ""

    async def authenticate(self, *, token: str | None, key: str | None, address: str) -> Principal:
        if token is None or not token.startswith("Dev "):
            raise CommandError("UNAUTHENTICATED", "expected Dev and a handle")
        handle = token[4:]
        if handle not in self.replica.state.handles:
            await self.register(handle)
        return Principal(f"t_{handle}")

    async def register(self, handle: str) -> None:
        trader = RegisterTrader(f"t_{handle}", handle, handle, "development", 100_000 * MICROS)
        await self.serve(trader)

    async def serve(self, command: Command, principal: str = "service") -> None:
        """Hand in a command that must succeed, with privileges unless a trader hands it in."""
        privileged = principal == "service"
        outcome = await self.edge.submit(command, principal, privileged=privileged)
        assert outcome.code == "OK", outcome

    async def mark(self, bid: int, ask: int) -> None:
        await self.serve(PublishMarks([MarkRow("BTC", bid, ask, bid)]))

    async def trade(self, side: str, lots: int) -> None:
        """Let the leader trade."""
        await self.serve(PlaceOrder("BTC", side, lots), "t_alice")

    async def run(self) -> None:
        await self.replica.recover()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.replica.run(), name="replica")
            group.create_task(self.submitter.run(), name="submitter")
            group.create_task(self.scheduler.run(), name="scheduler")

    async def prepare(self) -> None:
        await eventually(lambda: self.replica.ready and self.submitter.accepting)
        await self.serve(
            RegisterInstrument("BTC", "Bitcoin", "paper", "crypto", Step(1, 2), Step(1, 4))
        )
        await self.mark(10_000, 10_010)
        await self.register("alice")
        await self.trade("buy", 10_000)
        await self.mark(10_500, 10_510)
        await self.trade("sell", 10_000)


@asynccontextmanager
async def running_node() -> AsyncIterator[MemoryNode]:
    node = MemoryNode()
    task = asyncio.create_task(node.run(), name="memory-node")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_cancelled, task)
        await node.prepare()
        server = await asyncio.get_running_loop().create_server(
            lambda: StreamConnection(node.gateway, set()), "127.0.0.1", 0
        )
        stack.push_async_callback(server.wait_closed)
        stack.callback(server.close)
        stack.push_async_callback(node.gateway.close)
        node.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/stream"
        async with asyncio.timeout(60_000 * MS):
            yield node


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        failure = task.exception()
        assert failure is None, failure
