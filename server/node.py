"""The composition root: builds the parts of one node and runs them until it is told to stop.

Start-up is recovery: stores, schema, HTTP (not ready yet), snapshot, archive, tail of the log,
ready. Every long-running part is a named task of one group; the end of one by an error ends the
node with that error, so that nothing half-alive serves.

On SIGTERM: refuse new sockets, tell clients to reconnect, finish what is under way, leave.
"""

from __future__ import annotations

import asyncio
import gc
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack

import structlog
import uvicorn

from server.app import create_app
from server.auth.parts import build_auth
from server.auth.revocation_watch import RevocationWatch
from server.auth.state_files import signing_secrets
from server.clock import SystemClock
from server.demo import Demo
from server.garbage import settle_garbage_collection
from server.gateway.gateway import Gateway
from server.gateway.settings import GatewaySettings
from server.http_server import HttpServer
from server.listening import bound_sockets
from server.observability.meters import Meters
from server.open_files import make_room
from server.services import Services
from server.settings import Settings
from server.stores import StoreUrls
from server.web.page import ROUTES as PAGE_ROUTES
from storage.archive_replay import ArchiveReplay
from storage.archive_unit import ArchiveUnit, make_unit
from storage.archiver import Archiver
from storage.history import ArchiveHistory
from storage.migrate import migrate
from storage.pool import Pool, open_pool
from storage.postgres_recovery_store import PostgresRecoveryStore
from storage.roles import Role
from storage.snapshotter import Snapshotter, Subject
from storage.upkeep import Upkeep
from streams.core.commands import AnyCommand, Command
from streams.core.events import TraderUnfollowed, TraderUpdated
from streams.core.kernel import Applied
from streams.core.state import State
from streams.fanout.hub import Hub
from streams.log.codec import BatchCodec
from streams.log.flight import SubmitterLimits
from streams.log.redis_log import RedisLog
from streams.log.submitter import Submitter
from streams.ports import EntryId, LogEntry
from streams.protocol.limits import StreamLimits
from streams.replica.digest_boards import RedisDigestBoard
from streams.replica.digests import DigestWatch
from streams.replica.edge import Edge
from streams.replica.feeds.recorded_feed import RecordedFeed
from streams.replica.replica import Replica
from streams.replica.scheduler import Scheduler
from streams.replica.seed_keeper import SeedKeeper
from streams.replica.source import ReplicaSource


DRAIN_MS = 5_000
ACCESS_EVENTS = (TraderUpdated, TraderUnfollowed)
"""Events after which somebody may no longer hear a leader's signals."""

BATCH_COMMANDS_MAX = 128
"""Commands of one entry: an entry is applied in one piece, so this bounds how long that takes."""


class Node:
    """All parts of one node. Build with `Node(...)`, then `await run()`.

    It serves on the sockets it is given, or binds those of its settings when it is run.
    """

    def __init__(
        self,
        settings: Settings,
        urls: StoreUrls,
        pool: Pool,
        replica_pool: Pool | None,
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        self.settings = settings
        self._sockets = list(sockets)
        self.clock = SystemClock()
        self.meters = Meters()
        name = settings.node_name
        self._pool = pool
        self._codec: BatchCodec[Command] = BatchCodec(AnyCommand)
        self.log = RedisLog(urls.redis_url)
        self._store = PostgresRecoveryStore(pool)
        self._board = RedisDigestBoard(urls.redis_url)
        self.digests = DigestWatch(self._board, name)
        self.archiver = Archiver(pool, self._reread)
        self.replica = Replica(
            self.log,
            self._codec,
            node=name,
            store=self._store,
            digests=self.digests,
            on_entry=self._on_entry,
            on_epoch=self._epoch_changed,
        )
        self.submitter: Submitter[Command] = Submitter(
            self.log,
            self._codec,
            node=name,
            incarnation=secrets.token_hex(4),
            seen=lambda: self.replica.seen,
            on_truncated=self.replica.mend,
            on_acknowledged=self.meters.acknowledged,
            on_appended=self.replica.take_appended,
            limits=SubmitterLimits(batch_commands_max=BATCH_COMMANDS_MAX),
        )
        self.replica.submitter = self.submitter
        self.edge = Edge(self.replica, self.submitter)
        self.source = ReplicaSource(self.replica)
        self.hub = Hub(self.source)
        self.replica.attach(self.hub)
        self.feed = RecordedFeed(self.edge)
        direct_url = settings.database_direct_url or urls.database_url
        self.archiver_role = Role("archiver", direct_url)
        self.scheduler_role = Role("scheduler", direct_url)
        self.scheduler = Scheduler(self.edge, self.clock, self._may_tick)
        self.seed_keeper = SeedKeeper(self.edge, signing_secrets(settings), self._may_tick)
        self.snapshotter = Snapshotter(
            pool,
            self.log,
            subject=lambda: Subject(self.replica.state, self.replica.seen, self.replica.epoch),
            archived=lambda: self.archiver.position.entry_id,
            entries=lambda: self.replica.entries,
            seconds_between=settings.snapshot_seconds,
        )
        self.upkeep = Upkeep(pool, self.clock, retention_days=settings.retention_days)
        self._build_edge(replica_pool)
        self._journal = structlog.get_logger("optix.node").bind(node=name)

    def _build_edge(self, replica_pool: Pool | None) -> None:
        settings = self.settings
        self.auth = build_auth(
            settings, self.replica, self.edge, self.clock, self.meters, self._pool
        )
        self.gateway = Gateway(
            self.source,
            self.edge,
            self.auth.authenticator,
            self.hub,
            GatewaySettings(
                node=settings.node_name,
                allowed_origins=("same-origin", *settings.cors_origins),
                trusted_proxies=settings.trusted_proxies,
                sockets_max=settings.max_sockets,
                limits=StreamLimits(sockets_per_account_max=settings.max_sockets_per_account),
            ),
            self.clock,
        )
        if self.auth.identity is not None:
            self.auth.identity.ended = self._login_ended
        self.services = Services(
            settings=settings,
            replica=self.replica,
            edge=self.edge,
            source=self.source,
            authenticator=self.auth.authenticator,
            clock=self.clock,
            meters=self.meters,
            identity=self.auth.identity,
            api_keys=self.auth.api_keys,
            history=ArchiveHistory(self._pool, replica_pool),
            recorded_feed=self.feed,
            submitter=self.submitter,
            log=self.log,
            hub=self.hub,
            gateway=self.gateway,
            archiver=self.archiver,
            pool=self._pool,
        )

    def _epoch_changed(self, epoch: str) -> None:
        self._journal.warning("epoch_changed", epoch=epoch)
        self.gateway.epoch_changed()

    def _login_ended(self, login: str) -> None:
        self.gateway.revoke(login)

    def _on_entry(self, entry: LogEntry, before: EntryId, applied: Applied, state: State) -> None:
        self.archiver.put(make_unit(self.replica.epoch, entry, before, applied, state))
        self.meters.applied(applied)
        for _, event in applied.events:
            if isinstance(event, ACCESS_EVENTS):
                leader = event.target if isinstance(event, TraderUnfollowed) else event.trader
                self.gateway.recheck(f"signals:{leader}")

    async def _reread(self, after: EntryId, until: EntryId) -> AsyncIterator[ArchiveUnit]:
        replay = ArchiveReplay(self._store, self.log, self._codec, self.replica.epoch)
        async for unit in replay.units(after, until):
            yield unit

    async def run(self, *, demo: bool, on_listening: Callable[[str], None]) -> None:
        """Serve until SIGTERM or SIGINT.

        Args:
            demo: play the recorded day in a loop, with followers.
            on_listening: told the node's address once it is ready.

        Raises:
            BaseExceptionGroup: a part failed; the node stopped.
        """
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        sockets = self._sockets or bound_sockets(self.settings.host, self.settings.port)
        server = HttpServer(self._uvicorn_config(), sockets)
        try:
            await self._run(server, stopping, demo=demo, on_listening=on_listening)
        finally:
            await self.close()

    async def _run(
        self,
        server: HttpServer,
        stopping: asyncio.Event,
        *,
        demo: bool,
        on_listening: Callable[[str], None],
    ) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._replicate(), name="replica"),
                group.create_task(self.submitter.run(), name="submitter"),
                group.create_task(self.digests.run(), name="digests"),
                group.create_task(self.archiver.watch(), name="archive-watch"),
                *self._watch_revocations(group),
            ]
            serving = group.create_task(server.serve(), name="http")
            tasks += self._roles(group)
            tasks.append(group.create_task(self._announce(server, on_listening), name="announce"))
            sources = [
                group.create_task(self._schedule(), name="ticks"),
                group.create_task(self._keep_seeds(), name="seeds"),
            ]
            if demo:
                sources.append(group.create_task(self._play(), name="demo"))
            await stopping.wait()
            self._journal.info("stopping")
            for source in sources:
                source.cancel()
            await self.gateway.drain(DRAIN_MS)
            await self.submitter.drain()
            server.should_exit = True
            await serving
            await self._flush_archive()
            for task in reversed(tasks):
                task.cancel()

    async def close(self) -> None:
        """Release what the parts hold."""
        await self.gateway.close()
        self.auth.passwords.close()
        await self.log.close()
        await self._board.close()
        self._journal.info("stopped", offset=self.replica.offset)

    async def _replicate(self) -> None:
        # What a recovery makes is there to stay, and it is most of what this process holds:
        # searching it for garbage would be half of the work, then and at every later search.
        gc.disable()
        try:
            await self.replica.recover()
        finally:
            gc.freeze()
            gc.enable()
        await self.replica.run()

    def _watch_revocations(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        keys = self.auth.api_keys
        if keys is None:
            return []
        watch = RevocationWatch(
            self._pool, keys, self.auth.revocations, self.clock, self.gateway.revoke
        )
        return [group.create_task(watch.run(), name="revocations")]

    def _roles(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        tasks = []
        if "archiver" in self.settings.roles:
            work = self._archive
            tasks.append(group.create_task(self.archiver_role.run(work), name="archiver"))
        if "scheduler" in self.settings.roles:
            tasks.append(group.create_task(self.scheduler_role.run(_forever), name="scheduler"))
        return tasks

    def _may_tick(self) -> bool:
        """Whether this node appends ticks: it holds the role, or nobody can tell who does.

        With PostgreSQL away every node ticks, which is harmless: numbers make repeats no-ops.
        """
        if "scheduler" not in self.settings.roles:
            return False
        return self.scheduler_role.held or bool(self.scheduler_role.error)

    async def _archive(self) -> None:
        await self.replica.became_ready.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.archiver.run(), name="archiver-run")
            group.create_task(self.snapshotter.run(), name="snapshotter")
            group.create_task(self.upkeep.run(), name="upkeep")

    async def _schedule(self) -> None:
        await self.replica.became_ready.wait()
        await self.scheduler.run()

    async def _keep_seeds(self) -> None:
        await self.replica.became_ready.wait()
        await self.seed_keeper.run()

    async def _play(self) -> None:
        await self.replica.became_ready.wait()
        await Demo(self.edge, self.feed, self.clock).run()

    async def _announce(self, server: HttpServer, on_listening: Callable[[str], None]) -> None:
        await self.replica.became_ready.wait()
        settle_garbage_collection()
        host = self.settings.host
        on_listening(f"http://{host}:{await server.port()}")

    async def _flush_archive(self) -> None:
        """Give the archiver a moment to write what it holds; the log keeps the rest."""
        try:
            async with asyncio.timeout(5):
                await self.archiver.archived(self.replica.seen)
        except TimeoutError:
            self._journal.warning("archive_behind", entries=self.archiver.lag_entries)

    def _uvicorn_config(self) -> uvicorn.Config:
        return uvicorn.Config(
            create_app(self.services, PAGE_ROUTES),
            host=self.settings.host,
            port=self.settings.port,
            ws=self.gateway.protocol_class(),
            http="httptools",
            loop="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=10,
            backlog=4096,
        )


async def _forever() -> None:
    """Hold a role whose work is done elsewhere."""
    await asyncio.Event().wait()


async def run_node(
    settings: Settings,
    urls: StoreUrls,
    sockets: list[socket.socket],
    *,
    demo: bool,
    on_listening: Callable[[str], None],
) -> None:
    """Bring the schema up to date, and run a node until it is told to stop.

    Args:
        settings: as read from the environment.
        urls: addresses of the stores, which are open.
        sockets: where the node listens; the caller closes them.
        demo: see `Node.run`.
        on_listening: see `Node.run`.

    Raises:
        OptixError: the schema is not as it must be.
        BaseExceptionGroup: a part of the node failed.
    """
    make_room(settings.max_sockets)
    async with AsyncExitStack() as stack:
        await migrate(settings.database_direct_url or urls.database_url)
        pool = await open_pool(urls.database_url)
        stack.push_async_callback(pool.close)
        replica_pool = None
        if settings.database_replica_url:
            replica_pool = await open_pool(settings.database_replica_url)
            stack.push_async_callback(replica_pool.close)
        node = Node(settings, urls, pool, replica_pool, sockets)
        await node.run(demo=demo, on_listening=on_listening)
