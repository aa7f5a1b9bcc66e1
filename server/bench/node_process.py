"""A real node as a process of its own, on a state directory of its own, for benchmarks.

Runs `optix serve` with the default settings (own stores, fsync) and what a benchmark sets besides.
Settings of the surrounding environment are not passed on: two runs measure the same thing.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from server.settings import PREFIX, Settings, load_settings
from storage.embedded import Endpoints, find_running


READY_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 40.0
POLL_SECONDS = 0.01
NODE = "bench"


class NodeProcess:
    """One `optix serve`. Use as a context manager: it is started, and stopped at the end.

    Attributes:
        settings: what the process is told; also for `FeedTarget` and the like.
        started_at: Unix time at which the process was started, seconds.
        pid: of the process.
    """

    def __init__(self, state_dir: Path, *, core: int | None = None, **settings: str) -> None:
        """Prepare.

        Args:
            state_dir: of the node and its stores; may hold data of an earlier run.
            core: the only core the node and, until `pin_stores`, its stores may use.
            settings: further settings by field name.
        """
        fixed = {
            "state_dir": str(state_dir),
            "port": str(_free_port()),
            "node": NODE,
            "log_format": "json",
        }
        self._own = {PREFIX + name.upper(): text for name, text in (fixed | settings).items()}
        self._core = core
        self._log = state_dir / "node.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.settings: Settings = load_settings(self._own)
        self.started_at = 0.0

    @property
    def pid(self) -> int:
        """Process id of the node."""
        return self._running().pid

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the node, also for commands of `optix` that are to meet it."""
        foreign = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
        return foreign | self._own

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process; it is not ready yet."""
        self._log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pinned: Sequence[str] = ()
        if self._core is not None:
            pinned = ("taskset", "--cpu-list", str(self._core))
        with self._log.open("wb") as log:
            self.started_at = time.time()
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                [*pinned, sys.executable, "-m", "server.cli.main", "serve"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self) -> float:
        """Wait until `/health/ready` answers 200; return the seconds since the start.

        Raises:
            RuntimeError: the process ended, or is not ready within `READY_SECONDS_MAX`.
        """
        deadline = self.started_at + READY_SECONDS_MAX
        while time.time() < deadline:
            if self._running().poll() is not None:
                break
            try:
                status, _ = self.get("/health/ready")
            except (OSError, HTTPException):
                status = 0
            if status == 200:
                return time.time() - self.started_at
            time.sleep(POLL_SECONDS)
        tail = self._log.read_text("utf-8", "replace")[-2_000:]
        raise RuntimeError(f"expected a ready node within {READY_SECONDS_MAX} s, was: {tail}")

    def get(self, path: str) -> tuple[int, Any]:
        """Return status and decoded body of a GET.

        Raises:
            OSError, HTTPException: no answer.
        """
        connection = HTTPConnection(self.settings.host, self.settings.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of the node's log with one event name, in order."""
        found = []
        for line in self._log.read_text("utf-8", "replace").splitlines():
            if line.startswith("{"):
                event = json.loads(line)
                if event.get("event") == name:
                    found.append(event)
        return found

    def cpu_seconds(self) -> float:
        """Return the processor time that the node, without its stores, has used (Linux)."""
        line = Path(f"/proc/{self.pid}/stat").read_text("ascii", "replace")
        # Fields 14 and 15 by proc(5); the name in field 2 may hold spaces.
        ticks = line.rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    @property
    def stores(self) -> Endpoints:
        """Addresses of the node's own stores.

        Raises:
            RuntimeError: they do not run.
        """
        found = find_running(self.settings.state_dir)
        if found is None:
            raise RuntimeError("expected the node's stores to run, did not")
        return found

    def pin_stores(self, core: int) -> None:
        """Move the node's stores, and what they will start, to one core."""
        for pid in _descendants(self.pid):
            with suppress(ProcessLookupError):  # a backend of PostgreSQL that has just ended
                os.sched_setaffinity(pid, {core})

    def stop(self) -> None:
        """Stop the node in order, and by force when it takes too long. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("expected a started node")
        return self._process


def spare_cores() -> tuple[int, int]:
    """Return the core for the node and the one for everybody else; equal when there is one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
        return number


def _descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they started (Linux)."""
    found = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # its thread has just ended
            for child in listing.read_text("ascii").split():
                found += [int(child), *_descendants(int(child))]
    return found
