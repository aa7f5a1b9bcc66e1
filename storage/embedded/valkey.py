"""Embedded Valkey (or Redis): the log's server, durable by default.

Choices:
    * `appendfsync always`: an acknowledged entry is on disk. `everysec` loses up to 2 s in a crash.
    * No snapshots (`save ""`): the append-only file is the data, rewritten in the background.
    * `noeviction`: at `memory_bytes_max` writes are refused; the log is never forgotten.
    * The configuration goes in by standard input: the password stands in no file and no `ps`.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from typing import Literal
from urllib.parse import quote

from storage.embedded.account import make_server_directory
from storage.embedded.errors import DataMajorMismatch
from storage.embedded.process import Command, spawn
from storage.embedded.server import Server
from storage.embedded.state import write_private


Durability = Literal["fsync", "everysec"]
APPEND_FSYNC = {"fsync": "always", "everysec": "everysec"}
SOCKET_NAME = "v.sock"
STOP_S_MAX = 20.0
PROBE_S_MAX = 2.0
MEMORY_BYTES_MAX = 4 * 1024**3
REDIS_MAJOR_READABLE_MAX = 7  # Valkey was split off Redis 7.2 and reads its files
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "dir": ".",
    "daemonize": "no",
    "appendonly": "yes",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "logfile": '""',
}


class ValkeyServer(Server):
    """A Valkey server of ours."""

    name = "valkey"
    death_signal = signal.SIGTERM
    patience = ((signal.SIGTERM, STOP_S_MAX),)
    durability: Durability = "fsync"
    unsafe_fast = False

    @property
    def socket(self) -> str:
        """Path of the socket."""
        return str(self.sockets / SOCKET_NAME)

    def url(self) -> str:
        """Return the address for redis-py."""
        return f"unix://:{self.password}@{quote(self.socket)}"

    def prepare(self) -> None:
        """Make the data directory, or check that this server can follow on what lies there.

        Raises:
            DataMajorMismatch: it was written by a server this one cannot read.
        """
        make_server_directory(self.data_dir, self.account)
        version_file = self.state.path / "valkey.version"
        if version_file.exists():
            title = version_file.read_text().strip()
            if not can_follow(self.program.product, self.program.major, title):
                raise DataMajorMismatch(
                    server=self.program.product,
                    data_dir=self.data_dir,
                    expected=f"{self.program.title} or an older one it can read",
                    actual=title,
                )
        write_private(version_file, self.program.title)
        (self.sockets / SOCKET_NAME).unlink(missing_ok=True)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server's process; its working directory is the data directory."""
        settings = {
            **SETTINGS,
            "unixsocket": f'"{self.socket}"',
            "requirepass": self.password,
            "maxmemory": str(memory_bytes_max()),
            "appendfsync": "no" if self.unsafe_fast else APPEND_FSYNC[self.durability],
        }
        lines = "".join(f"{name} {value}\n" for name, value in settings.items())
        return spawn(
            Command(
                program=self.runnable,
                arguments=["-"],
                directory=self.data_dir,
                account=self.account,
                log=self.state.log(self.name),
                death_signal=self.death_signal,
                keep_fds=(self.state.lock_fd,),
                stdin=lines.encode(),
            )
        )

    def answers(self) -> bool:
        """Whether it answers PING, that is, has loaded its data."""
        try:
            with socket.socket(socket.AF_UNIX) as probe, probe.makefile("rb") as replies:
                probe.settimeout(PROBE_S_MAX)
                probe.connect(self.socket)
                probe.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                admitted, pong = replies.readline(), replies.readline()
        except OSError:
            return False  # not there yet
        if admitted.startswith(b"-WRONGPASS"):
            raise self.not_ready("it refused our password")
        return pong == b"+PONG\r\n"  # else `-LOADING`


def memory_bytes_max() -> int:
    """Return the memory for the log: half of the machine's, at most `MEMORY_BYTES_MAX`."""
    return min(MEMORY_BYTES_MAX, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)


def can_follow(product: str, major: int, written_by: str) -> bool:
    """Whether a server can read the data of another one.

    Args:
        product: `Valkey` or `Redis`.
        major: its major version.
        written_by: product and major of the one that wrote, for instance `Valkey 9`.
    """
    match = re.fullmatch(r"(Valkey|Redis) (\d+)", written_by)
    if match is None:
        return False
    old_product, old_major = match.group(1), int(match.group(2))
    if product == old_product:
        return major >= old_major
    return product == "Valkey" and old_major <= REDIS_MAJOR_READABLE_MAX
