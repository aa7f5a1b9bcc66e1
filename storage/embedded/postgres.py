"""Embedded PostgreSQL: make a cluster, run it on a unix socket, know when it serves.

Choices:
    * No TCP, passwords (SCRAM) even on the socket, data checksums.
    * The sort order is the built-in C.UTF-8, the same on every machine and libc.
    * Settings are arguments, never lines in the data directory, so an upgrade of OPTIX brings its
      own; `postgresql.auto.conf` stays the user's.
    * The cluster is made beside its place and renamed, so a crash leaves none or a whole one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import asyncpg

from storage.embedded.account import make_server_directory, reachable_by
from storage.embedded.errors import DataMajorMismatch
from storage.embedded.process import Command, end, spawn
from storage.embedded.server import READY_POLL_S, Server


DATABASE = "optix"
ROLE = "optix"
INITDB_S_MAX = 120.0
CONNECT_S_MAX = 5.0
FAST_STOP_S_MAX = 30.0
IMMEDIATE_STOP_S_MAX = 10.0
BUILTIN_LOCALE_MAJOR_MIN = 17
IO_METHOD_MAJOR_MIN = 18
STOP_FAST = signal.SIGINT
STOP_IMMEDIATE = signal.SIGQUIT
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "64MB",
    "max_connections": "64",
    "max_wal_size": "512MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "logging_collector": "off",
}
SETTINGS_UNSAFE = {"fsync": "off", "full_page_writes": "off"}  # a killed server loses nothing


class PostgresServer(Server):
    """A PostgreSQL cluster of ours."""

    name = "postgres"
    death_signal = STOP_FAST
    patience = ((STOP_FAST, FAST_STOP_S_MAX), (STOP_IMMEDIATE, IMMEDIATE_STOP_S_MAX))
    synchronous_commit = True
    unsafe_fast = False

    def url(self, database: str = DATABASE) -> str:
        """Return the address of a database, for asyncpg and libpq."""
        host = quote(str(self.sockets), safe="")
        return f"postgresql://{ROLE}:{self.password}@/{database}?host={host}"

    def prepare(self) -> None:
        """Make the cluster, or check the one that exists.

        Raises:
            DataMajorMismatch: it was made by another major version.
            ServerNotReady: `initdb` failed.
        """
        version_file = self.data_dir / "PG_VERSION"
        if not version_file.exists():
            self._make_cluster()
            return
        major = version_file.read_text().strip()
        if major != str(self.program.major):
            raise DataMajorMismatch(
                server=self.program.product,
                data_dir=self.data_dir,
                expected=self.program.title,
                actual=f"{self.program.product} {major}",
            )
        # We hold the lock that every process of an earlier life held: these are left-overs, and
        # the pid in the first may by now be that of a process which would mislead PostgreSQL.
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)
        for left_over in self.sockets.glob(".s.PGSQL.*"):
            left_over.unlink(missing_ok=True)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server's process."""
        settings = {**SETTINGS, "unix_socket_directories": str(self.sockets)}
        settings["synchronous_commit"] = "on" if self.synchronous_commit else "off"
        if self.program.major >= IO_METHOD_MAJOR_MIN:
            settings["io_method"] = "sync"  # no extra worker processes
        if self.unsafe_fast:
            settings.update(SETTINGS_UNSAFE)
        arguments = [part for item in settings.items() for part in ("-c", "=".join(item))]
        return self._spawn(self.runnable, arguments, self.data_dir)

    def answers(self) -> bool:
        """Whether our database can be connected to; it is created at the first time."""
        if not (self.sockets / ".s.PGSQL.5432").exists():
            return False
        try:
            asyncio.run(self._connect())
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        except asyncpg.InvalidPasswordError as error:
            raise self.not_ready(
                f"it refused the password in {self.state.path / 'secrets.json'}"
            ) from error
        return True

    async def _connect(self) -> None:
        try:
            connection = await asyncpg.connect(self.url(), timeout=CONNECT_S_MAX)
        except asyncpg.InvalidCatalogNameError:
            connection = await asyncpg.connect(self.url("postgres"), timeout=CONNECT_S_MAX)
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        await connection.close()

    def _make_cluster(self) -> None:
        unfinished = self.data_dir.with_name("postgres.new")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        make_server_directory(unfinished, self.account)
        password_file = self._write_password()
        try:
            options = [f"--pwfile={password_file}", *self._initdb_options()]
            child = self._spawn(self.runnable.with_name("initdb"), options, unfinished)
            code = end(child, ()) if self._given_up(child) else child.returncode
        finally:
            password_file.unlink()
        if code != 0:
            raise self.not_ready(f"initdb ended with code {code}")
        unfinished.rename(self.data_dir)

    def _write_password(self) -> Path:
        """Write the password where the account can read it: the state directory is closed to it."""
        descriptor, path = tempfile.mkstemp(dir=self.sockets)  # 0600
        with os.fdopen(descriptor, "w") as file:
            file.write(self.password)
            if self.account is not None:
                os.fchown(file.fileno(), self.account.uid, self.account.gid)
        return Path(path)

    def _given_up(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait for initdb; True when it takes too long or the stores are being closed."""
        deadline = time.monotonic() + INITDB_S_MAX
        while child.poll() is None:
            if self.closing.wait(READY_POLL_S) or time.monotonic() > deadline:
                return True
        return False

    def _initdb_options(self) -> list[str]:
        options = ["-U", ROLE, "--auth=scram-sha-256", "-E", "UTF8", "--locale=C", "-k"]
        if self.program.major >= BUILTIN_LOCALE_MAJOR_MIN:
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self.unsafe_fast:
            options.append("--no-sync")
        return options

    def _spawn(
        self, program: Path, arguments: list[str], data_dir: Path
    ) -> subprocess.Popen[bytes]:
        with reachable_by(self.account, data_dir) as (name, descriptors):
            return spawn(
                Command(
                    program=program,
                    arguments=["-D", name, *arguments],
                    directory=self.sockets,  # one the account can enter; the server goes to -D
                    account=self.account,
                    log=self.state.log(self.name),
                    death_signal=self.death_signal,
                    keep_fds=(self.state.lock_fd, *descriptors),
                )
            )
