"""A Valkey of a test's own, durable, to be killed, stopped, cut short and promoted."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
import redis.exceptions

from storage.embedded.binaries import find_valkey
from tests.support import eventually


class ValkeyProcess:
    """One server on a unix socket (and, for replication, a TCP port). Async context manager."""

    def __init__(self, directory: Path, *, port: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.socket = directory / "v.sock"
        self.url = f"unix://{self.socket}"
        self.port = port
        self._child: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        arguments = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "unixsocket": "v.sock",  # relative: a socket's path must be short
            "dir": str(self.directory),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
            "logfile": "valkey.log",
            "repl-diskless-sync-delay": "0",
        }
        self._launch([part for item in arguments.items() for part in (f"--{item[0]}", item[1])])
        await eventually(self.answers, what="a Valkey that answers")

    def _launch(self, arguments: list[str]) -> None:
        command = [str(find_valkey().path), *arguments]
        self._child = subprocess.Popen(command, cwd=self.directory)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
            return False

    def client(self) -> redis.Redis:
        """A plain client, for what the log itself would never do."""
        return redis.Redis.from_url(self.url, protocol=2, socket_timeout=2)

    def signal(self, number: signal.Signals) -> None:
        assert self._child is not None
        self._child.send_signal(number)

    def kill(self) -> None:
        """End the process as a crash would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def cut_log(self, transactions: int, *, more_bytes: int = 0) -> None:
        """Lose the last writes from the append-only file of a dead server.

        Args:
            transactions: so many appends (each is a MULTI ... EXEC) lose their records.
            more_bytes: so many bytes of the record before are lost too, which damages it.
        """
        in_parts = list(self.directory.glob("appendonlydir/*.incr.aof"))  # since Redis 7.0
        [path] = in_parts or [self.directory / "appendonly.aof"]
        records = path.read_bytes()
        end = len(records)
        for _ in range(transactions):
            end = records.rindex(b"*1\r\n$5\r\nMULTI\r\n", 0, end)
        os.truncate(path, end - more_bytes)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
