"""PostgreSQL and Valkey of our own, as one thing to start and stop.

Invariants:
    * One control thread starts, stops and restarts; callers of any event loop queue behind it.
      The servers belong to that thread: they get their death signal when it ends.
    * A server that dies while it is wanted is started again, with growing pauses, for ever.
    * After `stop` (or a failed `start`) no process is left and the state directory is free.
"""

from __future__ import annotations

import asyncio
import functools
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

import structlog

from storage.embedded.account import choose_account
from storage.embedded.binaries import find_postgres, find_valkey, make_runnable
from storage.embedded.errors import EmbeddedError, StateDirUnusable
from storage.embedded.postgres import PostgresServer
from storage.embedded.process import log_tail
from storage.embedded.server import Server
from storage.embedded.state import StateDir, remove_socket_directory, socket_directory
from storage.embedded.valkey import Durability, ValkeyServer


ServerName = Literal["postgres", "valkey"]
T = TypeVar("T")

WATCH_S = 0.1
LOG_CHECK_S = 10.0
BACKOFF_S_MIN = 0.1
BACKOFF_S_MAX = 5.0
HEALTHY_AFTER_S = 30.0
COPIES_FOR_ROOT = Path("/var/lib/optix/servers")

_log = structlog.get_logger(__name__)


class EmbeddedStores:
    """Both servers on one state directory. Use as an async context manager."""

    def __init__(
        self,
        state_dir: Path,
        *,
        durability: Durability = "fsync",
        synchronous_commit: bool = True,
        unsafe_fast: bool = False,
    ) -> None:
        """Describe the stores; nothing is touched before `start`.

        Args:
            state_dir: where data, passwords and logs live; made when missing.
            durability: `fsync` = acknowledged means on disk; `everysec` = up to 2 s may be lost.
            synchronous_commit: whether PostgreSQL waits for the disk at each commit.
            unsafe_fast: no flushing at all: data may be lost or damaged in a power cut. For tests.
        """
        self._state = StateDir(state_dir)
        self._durability: Durability = durability
        self._synchronous_commit = synchronous_commit
        self._unsafe_fast = unsafe_fast
        self._control: ThreadPoolExecutor | None = None
        self._servers: dict[str, Server] = {}
        self._sockets: Path | None = None
        self._watchers: list[asyncio.Task[None]] = []
        self._database_url = ""
        self._redis_url = ""

    @property
    def state_dir(self) -> Path:
        """The state directory, absolute."""
        return self._state.path

    @property
    def database_url(self) -> str:
        """Address of the database, for asyncpg. Empty before `start`."""
        return self._database_url

    @property
    def redis_url(self) -> str:
        """Address of Valkey, for redis-py. Empty before `start`."""
        return self._redis_url

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the servers that live, by name."""
        found = {name: server.pid for name, server in self._servers.items()}
        return {name: pid for name, pid in found.items() if pid is not None}

    async def start(self) -> None:
        """Start both servers side by side and watch them from now on.

        Raises:
            EmbeddedError: see `storage.embedded.errors`; nothing is left running.
        """
        if self._control is not None:
            return
        self._control = ThreadPoolExecutor(1, thread_name_prefix="embedded-stores")
        try:
            await self._in_control(self._start)
        except OSError as error:
            await self._release()
            raise StateDirUnusable(f"expected usable {self.state_dir}, was: {error}") from error
        except BaseException:
            await asyncio.shield(self._release())
            raise
        self._watchers = [
            asyncio.create_task(self._watch(server), name=f"embedded-{name}-watch")
            for name, server in self._servers.items()
        ]
        self._watchers.append(asyncio.create_task(self._bound_logs(), name="embedded-logs"))

    async def stop(self) -> None:
        """Stop both servers in order and free the state directory. Idempotent."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers = []
        await self._release()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def ensure_running(self) -> None:
        """Start every server that does not live, including one that was killed by `kill`.

        Raises:
            ServerNotReady: one did not come up.
        """
        await self._in_control(self._revive)

    async def restart(self, name: ServerName) -> None:
        """Stop a server in order (if it lives) and start it on the same data.

        Raises:
            ServerNotReady: it did not come up.
        """
        server = self._servers[name]

        def work() -> None:
            server.stop()
            server.launch()
            server.wait_ready()

        await self._in_control(work)

    def kill(self, name: ServerName, signal_number: signal.Signals = signal.SIGKILL) -> None:
        """Send a server a signal; one that is ended so stays down until asked for.

        `restart` and `ensure_running` ask for it. With SIGKILL the process is gone on return.
        For fault tests; to see the supervisor at work, kill `pids[name]` instead.
        """
        self._servers[name].kill(signal_number)

    async def _in_control(self, work: Callable[[], T]) -> T:
        if self._control is None:
            raise EmbeddedError("expected started stores, were stopped")
        return await asyncio.get_running_loop().run_in_executor(self._control, work)

    def _start(self) -> None:
        state = self._state
        state.open()
        account = choose_account([state.path / "postgres", state.path / "valkey"])
        self._sockets = sockets = socket_directory(state.path, account)
        places = [state.path / "servers", COPIES_FOR_ROOT, sockets.parent / "optix-servers"]
        found = find_postgres()
        postgres = PostgresServer(
            found, make_runnable(found, account, places), state, account, sockets
        )
        found = find_valkey()
        valkey = ValkeyServer(found, make_runnable(found, account, places), state, account, sockets)
        postgres.unsafe_fast = valkey.unsafe_fast = self._unsafe_fast
        postgres.synchronous_commit = self._synchronous_commit
        valkey.durability = self._durability
        self._servers = {valkey.name: valkey, postgres.name: postgres}
        self._revive()
        self._database_url, self._redis_url = postgres.url(), valkey.url()
        state.publish(self._database_url, self._redis_url)

    def _revive(self) -> None:
        """Launch what is dead, all first, then wait: the starts overlap."""
        dead = [server for server in self._servers.values() if server.pid is None]
        for server in self._servers.values():
            server.launch()
        for server in dead:
            server.wait_ready()

    @staticmethod
    def _revive_wanted(server: Server) -> None:
        """Launch one server unless somebody did, or does not want it any more."""
        if server.wanted and server.pid is None:
            server.launch()
            server.wait_ready()

    async def _release(self) -> None:
        control = self._control
        if control is None:
            return
        for server in self._servers.values():
            server.wanted = False
            server.closing.set()  # a start that is under way gives up
        await asyncio.get_running_loop().run_in_executor(control, self._stop)
        control.shutdown(wait=False)
        self._control = None

    def _stop(self) -> None:
        with ThreadPoolExecutor(len(self._servers) or 1) as helpers:
            list(helpers.map(lambda server: server.stop(), self._servers.values()))
        self._servers = {}
        if self._sockets is not None:
            remove_socket_directory(self._sockets)
        self._state.close()

    async def _bound_logs(self) -> None:
        while True:
            await asyncio.sleep(LOG_CHECK_S)
            for name in self._servers:
                await asyncio.to_thread(self._state.bound_log, name)

    async def _watch(self, server: Server) -> None:
        """Restart one server whenever it dies unasked, pausing longer each time it fails."""
        pause_s = BACKOFF_S_MIN
        started_at = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_S)
            if server.pid is not None or not server.wanted:
                continue
            if time.monotonic() - started_at > HEALTHY_AFTER_S:
                pause_s = BACKOFF_S_MIN
            _log.error(
                "embedded_server_died",
                server=server.name,
                exit_code=server.exit_code,
                restart_in_s=pause_s,
                log_tail=log_tail(self._state.log(server.name)),
            )
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, BACKOFF_S_MAX)
            started_at = time.monotonic()
            try:
                await self._in_control(functools.partial(self._revive_wanted, server))
            except (EmbeddedError, OSError) as error:  # OSError: no file could be opened
                _log.error("embedded_server_restart_failed", server=server.name, error=str(error))
                continue
            _log.warning("embedded_server_restarted", server=server.name, pid=server.pid)
