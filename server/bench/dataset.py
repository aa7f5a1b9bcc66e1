"""Fills the state directory of a node with what a crowd has done, as fast as the node takes it.

The parts are those of a real node (`server.node.Node`): its edge, its log on Valkey, its replica,
archiver and snapshotter, fed in process instead of over sockets. Only the stores do not wait for
the disk while they are filled, which changes nothing of what they hold.

In order: traders, ideas and copies; the bulk of the mix, in entries as full as they get, with one
closed UTC day after the other; a snapshot; entries of `COMMANDS_PER_ENTRY` commands, archived; and
a few entries that reached the log only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from server.bench import workload
from server.node import Node
from server.settings import Settings
from server.stores import StoreUrls
from storage.embedded import EmbeddedStores
from storage.migrate import migrate
from storage.pool import Pool, open_pool
from streams.core.commands import Command, RegisterTrader
from streams.core.market_clock import DAY_US
from streams.core.money import MICROS
from streams.ports import CommandOutcome
from streams.replica.building import build_command


DAYS = 30
"""UTC days that close while the bulk is made."""

COMMANDS_PER_ENTRY = 2
"""About what group commit makes of 2,000 commands a second."""

UNARCHIVED_ENTRIES = 200
UNDER_WAY_MAX = 1_000
OPENING_CASH = 100_000 * MICROS
COUNT_EVENTS = "SELECT count(*) FROM events"
SERVICE = "bench"

Work = Callable[[], Coroutine[Any, Any, None]]


class Dataset(NamedTuple):
    """What was made.

    Attributes:
        traders: registered.
        events: archived.
        commands: applied.
        entries: archived after the snapshot.
        snapshot_bytes: size of the snapshot.
        seconds: it took.
    """

    traders: int
    events: int
    commands: int
    entries: int
    snapshot_bytes: int
    seconds: float


async def make_dataset(state_dir: Path, *, traders: int, events: int, entries: int) -> Dataset:
    """Fill an empty state directory.

    Args:
        state_dir: of the node that will be started on it.
        traders: to register.
        events: to archive at least before the snapshot.
        entries: to append and archive after the snapshot.
    """
    started = time.perf_counter()
    async with _parts(state_dir) as (node, pool):
        filling = _Filling(node, pool, traders)
        async with _running(node.replica.run, node.submitter.run):
            await node.replica.became_ready.wait()
            async with _running(node.archiver.run):
                await filling.begin()
                await filling.bulk(events)
                await node.snapshotter.take()
                await node.snapshotter.trim()
                await filling.entries(entries)
                archived = await filling.archived_events()
            await filling.entries(UNARCHIVED_ENTRIES)
        return Dataset(
            traders=len(node.replica.state.traders),
            events=archived,
            commands=node.replica.commands,
            entries=entries,
            snapshot_bytes=node.snapshotter.bytes,
            seconds=time.perf_counter() - started,
        )


@asynccontextmanager
async def _parts(state_dir: Path) -> AsyncIterator[tuple[Node, Pool]]:
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(EmbeddedStores(state_dir, unsafe_fast=True))
        await migrate(stores.database_url)
        pool = await open_pool(stores.database_url)
        stack.push_async_callback(pool.close)
        urls = StoreUrls(stores.database_url, stores.redis_url)
        node = Node(Settings(state_dir=state_dir, node=SERVICE), urls, pool, None)
        await node.replica.recover()
        stack.push_async_callback(node.close)
        yield node, pool


@asynccontextmanager
async def _running(*works: Work) -> AsyncIterator[None]:
    """Run parts of the node as long as the block; the failure of one ends the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(), name="dataset") for work in works]
        yield
        for task in tasks:
            task.cancel()


class _Filling:
    def __init__(self, node: Node, pool: Pool, traders: int) -> None:
        self._node, self._pool = node, pool
        self._work = workload.Workload(traders)
        self._under_way: list[tuple[workload.Asked | None, asyncio.Future[CommandOutcome]]] = []
        self._portion = max(3 * traders, 100)

    async def begin(self) -> None:
        """Make the market, the traders, their ideas and copies."""
        for command in (*workload.instruments(), workload.market()):
            self._serve(command)
        for number in range(self._work.traders):
            handle = workload.handle_of(number)
            self._serve(RegisterTrader(f"t_{handle}", handle, handle, "account", OPENING_CASH))
            await self._pace()
        await self._settle()
        await self._ask(self._work.beginnings())

    async def bulk(self, events: int) -> None:
        """Ask the mix until so many events are archived; days close at even distances."""
        first_day_us = time.time_ns() // 1000 // DAY_US * DAY_US - DAYS * DAY_US
        day = 0
        while (archived := await self.archived_events()) < events:
            while day < min(DAYS * archived // events + 1, DAYS):
                day += 1
                self._serve(workload.market(first_day_us + day * DAY_US, rise_ticks=day))
            await self._ask(self._work.next() for _ in range(self._portion))

    async def archived_events(self) -> int:
        """Return how many events are archived, once all that was applied is."""
        await self._node.archiver.archived(self._node.replica.seen)
        count: int = await self._pool.fetchval(COUNT_EVENTS)
        return count

    async def entries(self, count: int) -> None:
        """Append entries of `COMMANDS_PER_ENTRY` commands, one after the other."""
        for _ in range(count):
            for _ in range(COMMANDS_PER_ENTRY):
                self._enqueue(self._work.next())
            await self._settle()

    async def _ask(self, requests: Iterable[workload.Asked]) -> None:
        for asked in requests:
            self._enqueue(asked)
            await self._pace()
        await self._settle()

    def _enqueue(self, asked: workload.Asked) -> None:
        edge = self._node.edge
        command = build_command(edge.state, asked.name, asked.args)
        principal = f"t_{workload.handle_of(asked.trader)}"
        key, brief = f"{asked.name}:{asked.key}", asked.name not in workload.LEARNT
        self._under_way.append((asked, edge.enqueue(command, principal, key=key, brief=brief)))

    def _serve(self, command: Command) -> None:
        outcome = self._node.edge.enqueue(command, SERVICE, privileged=True)
        self._under_way.append((None, outcome))

    async def _pace(self) -> None:
        if len(self._under_way) >= UNDER_WAY_MAX:
            await self._settle()

    async def _settle(self) -> None:
        under_way, self._under_way = self._under_way, []
        for asked, future in under_way:
            outcome = await future
            if outcome.code == "OK" and asked is not None and outcome.result:
                self._work.learn(asked, outcome.result)
