"""Real node processes and the real command line, as a user starts them.

A `Home` is what one machine has: a state directory and a port. `Home.node()` starts a node there;
the stores belong to that node. Whatever a test does, nothing is left running.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

from storage.embedded import Endpoints, find_running
from tests.support import MS, eventually


ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "server.cli.main")
READY_S = 60_000 * MS
END_S = 40_000 * MS
STORES = {"valkey": "valkey-server", "postgres": "postgres"}


class Completed(NamedTuple):
    """How a command ended."""

    code: int
    output: str
    errors: str


class Home:
    """A state directory, a port, and the environment that names both.

    Attributes:
        measured: whether coverage of its processes is measured. A test that plays a whole day
            turns it off: measuring would take several times as long as the day.
    """

    measured = True

    def __init__(self, state_dir: Path, **environment: str) -> None:
        self.state_dir = state_dir
        self.port = free_port()
        self.environment = environment
        self.url = f"http://127.0.0.1:{self.port}"
        self.stream_url = f"ws://127.0.0.1:{self.port}/v1/stream"

    def variables(self) -> dict[str, str]:
        """Return the environment of every process of this home; settings of ours only."""
        left_out = ("OPTIX_",) if self.measured else ("OPTIX_", "COVERAGE_")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
        return {
            **inherited,
            "OPTIX_STATE_DIR": str(self.state_dir),
            "OPTIX_PORT": str(self.port),
            "OPTIX_RATE_PER_SECOND": "100000",
            "OPTIX_RATE_BURST": "100000",
            **self.environment,
        }

    def endpoints(self) -> Endpoints:
        """Return the addresses of the stores that a node of this home runs."""
        found = find_running(self.state_dir)
        assert found is not None
        return found

    def node(self, command: str = "serve", *arguments: str) -> Node:
        """Return a node of this home, to be entered."""
        return Node(self, command, *arguments)

    def start(self, *arguments: str, log: Any = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start a command of `optix` and return at once."""
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=ROOT,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.PIPE if log == subprocess.PIPE else log,
            text=True,
        )

    async def run(self, *arguments: str, timeout_s: float = READY_S) -> Completed:
        """Run a command of `optix` to its end."""
        return await completed(self.start(*arguments), timeout_s)


async def completed(child: subprocess.Popen[str], timeout_s: float = READY_S) -> Completed:
    """Wait for the end of a command started by `Home.start`."""
    try:
        output, errors = await asyncio.to_thread(child.communicate, None, timeout_s)
    except subprocess.TimeoutExpired as error:
        child.kill()
        output, errors = child.communicate()
        raise AssertionError(f"expected {child.args} to end, was\n{output}\n{errors}") from error
    return Completed(child.returncode, output, errors)


class Node:
    """One node process. Entering waits until it is ready; leaving ends it by force."""

    def __init__(self, home: Home, command: str, *arguments: str) -> None:
        self.home = home
        self.log = home.state_dir.with_suffix(".log")
        self._command = (command, *arguments)
        self._child: subprocess.Popen[str] | None = None
        self._http = httpx.AsyncClient(base_url=home.url, verify=False, trust_env=False, timeout=20)
        self._seen: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self.start()
        await self.ready()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        await self.no_orphans()
        await self._http.aclose()

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Start the process; `ready` waits for it."""
        with ExitStack() as stack:
            log = stack.enter_context(self.log.open("a"))
            self._child = self.home.start(*self._command, log=log)

    async def ready(self, status: str = "ready") -> dict[str, Any]:
        """Wait until /health/ready says so, and return what it says.

        Raises:
            AssertionError: it did not in time, or the process has ended.
        """

        async def says() -> dict[str, Any] | None:
            self.check_alive()
            health = await self.health()
            assert health.get("status") == status, health
            return health

        found = await eventually(says, READY_S, f"{self.home.url} {status}")
        self._seen.update(self.servers())
        return found

    def check_alive(self) -> None:
        """Raise with what the node said last when it has ended by itself."""
        child = self._child
        if child is not None and child.poll() not in (None, -signal.SIGKILL):
            raise RuntimeError(f"the node ended with {child.returncode}\n{self.tail()}")

    async def health(self) -> dict[str, Any]:
        """Return the answer of /health/ready, empty when there is none."""
        try:
            health: dict[str, Any] = (await self._http.get("/health/ready")).json()
        except httpx.HTTPError:
            return {}
        return health

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        trader: str | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        """Send a request, as a trader of development logins when one is named."""
        headers = {} if trader is None else {"Authorization": f"Dev {trader}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self._http.request(method, path, json=body, headers=headers)

    async def get(self, path: str, *, trader: str | None = None) -> Any:
        """Return the JSON of an answer that must be 200."""
        response = await self.ask("GET", path, trader=trader)
        assert response.status_code == 200, response.text
        return response.json()

    def servers(self) -> dict[str, int]:
        """Return the process ids of the stores that this node runs now, by name."""
        return {
            name: pid
            for name, program in STORES.items()
            for pid, found, parent in processes()
            if found == program and parent == self.pid
        }

    def kill_server(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal one of its stores; to stop or go on, with all processes it has started."""
        self._seen.update(running := self.servers())
        server = running[name]
        os.kill(server, number)
        if number in (signal.SIGSTOP, signal.SIGCONT):
            for pid, _, parent in processes():
                if parent == server:
                    os.kill(pid, number)

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        if self._child is not None and self._child.poll() is None:
            self._seen.update(self.servers())
            self._child.kill()
            self._child.wait()

    async def terminate(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to leave, and return its exit code."""
        assert self._child is not None
        self._seen.update(self.servers())
        self._child.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Wait until the process is over, and return its exit code."""
        child = self._child
        assert child is not None
        try:
            return await asyncio.to_thread(child.wait, END_S)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"expected the node to end\n{self.tail()}") from error

    async def no_orphans(self) -> None:
        """Wait until no store that this node ever ran is alive."""
        gone = list(self._seen.values())
        await eventually(lambda: not [p for p in gone if alive(p)], END_S, "stores without a node")

    def tail(self) -> str:
        """Return the end of what the node said, requests left out."""
        lines = [line for line in self.log.read_text().splitlines() if '"request"' not in line]
        return "\n".join(lines[-40:])


async def second_home(first: Home, state_dir: Path) -> Home:
    """Return a home whose node joins the stores of another one, as `optix doctor` names them."""
    doctor = await first.run("doctor", "--json")
    report: Mapping[str, Any] = json.loads(doctor.output)
    second = Home(
        state_dir,
        OPTIX_DATABASE_URL=report["database_url"],
        OPTIX_REDIS_URL=report["redis_url"],
    )
    second.measured = first.measured
    return second


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def processes() -> list[tuple[int, str, int]]:
    """Return (pid, program, parent) of every living process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            program = text[text.index("(") + 1 : text.rindex(")")]
            state, parent = text[text.rindex(")") + 2 :].split()[:2]
            if state != "Z":
                found.append((int(entry.name), program, int(parent)))
    return found


def alive(pid: int) -> bool:
    """Whether a process lives; one that is only waiting to be reaped does not."""
    return any(found == pid for found, _, _ in processes())
