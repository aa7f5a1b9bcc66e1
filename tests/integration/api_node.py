"""A node without sockets and stores, for tests of REST: memory log, replica, edge, application."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

from server.app import create_app
from server.auth.parts import build_auth
from server.observability.meters import Meters
from server.services import Services
from server.settings import Settings
from storage.archive_unit import ArchiveUnit, make_unit
from storage.archiver import Archiver
from storage.history import ArchiveHistory
from storage.pool import Pool
from streams.core.commands import AnyCommand, Command, MarkRow, PublishMarks, RegisterInstrument
from streams.core.kernel import Applied
from streams.core.money import Step
from streams.core.state import State
from streams.log.codec import BatchCodec
from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.log.submitter import Submitter
from streams.ports import Clock, EntryId, LogEntry
from streams.replica.edge import Edge
from streams.replica.publisher import NoSink
from streams.replica.replica import Replica
from streams.replica.source import ReplicaSource


SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCD"


class SystemClock:
    """The clock of this machine."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()


class ApiNode:
    """A running node and a client of it."""

    def __init__(self, services: Services, client: httpx.AsyncClient) -> None:
        self.services = services
        self.client = client

    async def send(
        self, method: str, path: str, trader: str | None = None, **options: Any
    ) -> httpx.Response:
        """Ask as a trader of development, or as nobody."""
        headers = dict(options.pop("headers", {}))
        if trader is not None:
            headers.setdefault("Authorization", f"Dev {trader}")
        return await self.client.request(method, path, headers=headers, **options)

    async def get(self, path: str, trader: str | None = None, **options: Any) -> Any:
        """Ask and return the body of a success."""
        response = await self.send("GET", path, trader, **options)
        assert response.status_code == 200, response.text
        return response.json()

    async def do(self, command: Command) -> str:
        """Execute a command as a service."""
        outcome = await self.services.edge.submit(command, "test", privileged=True)
        assert outcome.code == "OK", outcome
        return outcome.offset

    async def archived(self) -> None:
        """Wait until PostgreSQL holds all that was applied."""
        assert self.services.archiver is not None
        await self.services.archiver.archived(self.services.replica.seen)

    async def open_market(self) -> Self:
        """Register BTC (tick 0.5, lot 0.001) and ETH, quote BTC at 60000 / 60001."""
        for symbol, name in (("BTC", "Bitcoin"), ("ETH", "Ether")):
            await self.do(RegisterInstrument(symbol, name, "hl", "perp", Step(5, 1), Step(1, 3)))
        await self.do(PublishMarks([MarkRow("BTC", 120_000, 120_002, 120_001)]))
        return self


async def _never_reread(after: EntryId, until: EntryId) -> AsyncIterator[ArchiveUnit]:
    raise AssertionError(f"expected everything in memory, was asked for {after} to {until}")
    yield


@asynccontextmanager
async def api_node(
    state_dir: Path,
    *,
    pool: Pool | None = None,
    archive: bool = False,
    clock: Clock | None = None,
    **overrides: Any,
) -> AsyncIterator[ApiNode]:
    """Run a node until the block ends.

    Args:
        state_dir: for keys.
        pool: a migrated database; None = a node without.
        archive: write the archive; the database must be this node's own.
        clock: decides when tokens end.
        overrides: fields of `Services`, or `settings=` as a dictionary of settings.
    """
    settings = Settings(
        state_dir=state_dir, secret_key=SECRET, node="test", **overrides.pop("settings", {})
    )
    clock = clock or SystemClock()
    meters = Meters()
    codec: BatchCodec[Command] = BatchCodec(AnyCommand)
    log = MemoryLog(MemoryLogServer(), clock, node="test")
    archiver = Archiver(pool, _never_reread) if archive and pool is not None else None

    def on_entry(entry: LogEntry, before: EntryId, applied: Applied, state: State) -> None:
        meters.applied(applied)
        if archiver is not None:
            archiver.put(make_unit(replica.epoch, entry, before, applied, state))

    replica = Replica(log, codec, node="test", sink=NoSink(), on_entry=on_entry)
    submitter = Submitter(
        log,
        codec,
        node="test",
        incarnation="1",
        seen=lambda: replica.seen,
        on_truncated=replica.mend,
        on_appended=replica.take_appended,
        on_acknowledged=meters.acknowledged,
    )
    replica.submitter = submitter
    edge = Edge(replica, submitter)
    auth = build_auth(settings, replica, edge, clock, meters, pool)
    services = Services(
        settings=settings,
        replica=replica,
        edge=edge,
        source=ReplicaSource(replica),
        authenticator=auth.authenticator,
        clock=clock,
        meters=meters,
        identity=auth.identity,
        api_keys=auth.api_keys,
        history=None if pool is None else ArchiveHistory(pool),
        submitter=submitter,
        log=log,
        archiver=archiver,
        pool=pool,
    )
    services = msgspec.structs.replace(services, **overrides)
    async with _running(services, submitter) as node:
        yield node
    auth.passwords.close()


@asynccontextmanager
async def _running(services: Services, submitter: Submitter[Command]) -> AsyncIterator[ApiNode]:
    replica, archiver = services.replica, services.archiver
    await replica.recover()
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(replica.run(), name="replica"),
            tasks.create_task(submitter.run(), name="submitter"),
        ]
        if archiver is not None:
            running.append(tasks.create_task(archiver.run(), name="archiver"))
        await replica.became_ready.wait()
        transport = httpx.ASGITransport(app=create_app(services))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield ApiNode(services, client)
        for task in running:
            task.cancel()
