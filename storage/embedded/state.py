"""The state directory: who holds it, its passwords, its logs, and the place of the sockets.

    lock            who runs the servers (pid and start time); locked while any of them lives
    secrets.json    the servers' passwords
    endpoints.json  the addresses, for a second process of the same user
    postgres/ valkey/   the data, owned by the servers' account
    log/            what the servers say
    run/            the sockets, unless the path is too long or locked: see `socket_directory`
    servers/        copies of server programs the account could not reach otherwise

Invariants:
    * The directory is made 0700 and its files 0600. One that exists keeps its mode.
    * The lock is an open file shared with the servers, so it ends with the last of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from storage.embedded.account import Account, make_server_directory
from storage.embedded.errors import StateDirBusy, StateDirUnusable


SOCKET_PATH_BYTES_MAX = 107  # sun_path holds 108 bytes with its final zero
SOCKET_NAME_BYTES_MAX = len("/.s.PGSQL.5432")
ORPHANS_END_S_MAX = 20.0
LOCK_POLL_S = 0.02
LOG_BYTES_MAX = 8 * 1024 * 1024
SECRET_BYTES = 24


class Endpoints(NamedTuple):
    """Addresses of running embedded servers."""

    database_url: str
    redis_url: str
    owner_pid: int


class StateDir:
    """One locked state directory. Open, use, close."""

    def __init__(self, path: Path) -> None:
        """Name the directory; nothing is touched before `open`."""
        self.path = path.absolute()
        self._lock_fd: int | None = None

    @property
    def lock_fd(self) -> int:
        """Descriptor of the lock, to be held by the servers as well."""
        if self._lock_fd is None:
            raise StateDirUnusable(f"expected {self.path} to be open, was closed")
        return self._lock_fd

    def open(self) -> None:
        """Make the directory and lock it.

        Servers of a dead process are given `ORPHANS_END_S_MAX` to end.

        Raises:
            StateDirBusy: another process holds it.
            StateDirUnusable: it belongs to somebody else, or cannot be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = self.path.stat().st_uid
            if owner != os.geteuid():
                raise StateDirUnusable(
                    f"expected {self.path} to belong to uid {os.geteuid()}, was uid {owner}"
                )
            (self.path / "log").mkdir(mode=0o700, exist_ok=True)
            self._lock_fd = self._acquire()
        except OSError as error:
            raise StateDirUnusable(f"expected a writable directory, was {error}") from error

    def close(self) -> None:
        """Forget the addresses and give up the lock."""
        if self._lock_fd is None:
            return
        (self.path / "endpoints.json").unlink(missing_ok=True)
        os.truncate(self._lock_fd, 0)
        os.close(self._lock_fd)
        self._lock_fd = None

    def secret(self, name: str) -> str:
        """Return the password called `name`, made at first use (URL-safe characters)."""
        path = self.path / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = secrets.token_hex(SECRET_BYTES)
            write_private(path, json.dumps(known, indent=1))
        return known[name]

    def log(self, name: str) -> Path:
        """Return the log file of a server."""
        return self.path / "log" / f"{name}.log"

    def bound_log(self, name: str) -> None:
        """Keep a log under `LOG_BYTES_MAX`, with one older piece beside it.

        The server appends to the open file, so the file is copied and cut, not renamed.
        """
        log = self.log(name)
        if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
            write_private(log.with_suffix(".log.1"), log.read_bytes()[-LOG_BYTES_MAX:])
            os.truncate(log, 0)

    def publish(self, database_url: str, redis_url: str) -> None:
        """Write the addresses down for `find_running`."""
        endpoints = Endpoints(database_url, redis_url, os.getpid())
        write_private(self.path / "endpoints.json", json.dumps(endpoints._asdict()))

    def _acquire(self) -> int:
        lock_fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + ORPHANS_END_S_MAX
        while True:
            try:
                fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder_pid, alive = _read_holder(lock_fd)
                if alive or time.monotonic() > deadline:
                    os.close(lock_fd)
                    raise StateDirBusy(
                        state_dir=self.path, holder_pid=holder_pid, holder_alive=alive
                    ) from None
                time.sleep(LOCK_POLL_S)
                continue
            os.truncate(lock_fd, 0)
            os.pwrite(lock_fd, f"{os.getpid()} {_start_time(os.getpid())}\n".encode(), 0)
            return lock_fd


def find_running(state_dir: Path) -> Endpoints | None:
    """Return the addresses of the servers another process runs on `state_dir`, if any does."""
    try:
        lock_fd = os.open(state_dir / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(FileNotFoundError):  # still starting, or just stopped
            return Endpoints(**json.loads((state_dir / "endpoints.json").read_text()))
    finally:
        os.close(lock_fd)
    return None


def socket_directory(state_dir: Path, account: Account | None) -> Path:
    """Return an empty directory for the sockets that is short enough and the servers' own.

    `run/` in the state directory where that works; else a directory named after it under
    XDG_RUNTIME_DIR, /run (root) or the temporary directory.

    Raises:
        StateDirUnusable: somebody else took the name, or no candidate is short enough.
    """
    mark = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:12]
    name = f"optix-{os.geteuid()}-{mark}"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    bases = [state_dir]
    bases += [Path(runtime)] if runtime and account is None else []
    bases += [Path("/run")] if account is not None else []
    bases += [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - made 0700, owner checked
    for base in bases:
        path = base / ("run" if base == state_dir else name)
        fits = len(os.fsencode(path)) + SOCKET_NAME_BYTES_MAX <= SOCKET_PATH_BYTES_MAX
        if not fits or not os.access(base, os.W_OK | os.X_OK):
            continue
        if account is not None and not account.can_enter(base):
            continue
        make_server_directory(path, account)
        for left_over in path.iterdir():
            left_over.unlink()
        return path
    raise StateDirUnusable(
        f"expected a writable place with a path of at most {SOCKET_PATH_BYTES_MAX} bytes for "
        f"sockets, found none; set XDG_RUNTIME_DIR or a shorter OPTIX_STATE_DIR than {state_dir}"
    )


def remove_socket_directory(path: Path) -> None:
    """Remove the directory with what killed servers left in it."""
    for left_over in path.iterdir():
        left_over.unlink()
    path.rmdir()


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a file at once with `content`, readable by its owner only."""
    data = content.encode() if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)


def _read_holder(lock_fd: int) -> tuple[int, bool]:
    """Return the pid in the lock and whether that very process is alive."""
    note = os.pread(lock_fd, 64, 0).decode().split()
    if len(note) != 2:  # between locking and writing, or `find_running` is looking: ask again
        return 0, False
    return int(note[0]), _start_time(int(note[0])) == note[1]


def _start_time(pid: int) -> str:
    """Return what tells this process from a later one with the same pid; empty when dead."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    else:
        # Field 22 by proc(5); the name in field 2 may hold spaces, so count from its bracket.
        state, *rest = line.rpartition(")")[2].split()
        return "" if state == "Z" else rest[18]
    try:  # no /proc: alive or not is all we can tell
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"
