"""Start, watch and end one child process.

Invariants:
    * A child never outlives us: the kernel signals it when the thread that started it ends
      (see `launch`), so children are started by one thread that lives as long as they may.
    * A child leads its own session: Ctrl-C in the terminal reaches us, and we end it in order.
    * A child gets a small environment of ours, never that of the user.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.embedded import launch
from storage.embedded.account import Account


KILL_WAIT_S_MAX = 10.0
STDIN_BYTES_MAX = 4_096
LOG_TAIL_BYTES = 4_096
LOG_TAIL_LINES = 6
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Command:
    """A program and all that surrounds it.

    Attributes:
        program: absolute path.
        arguments: without the program's name.
        directory: working directory.
        account: account to run under; None keeps ours.
        log: file that receives standard output and error, appended.
        death_signal: what the child receives when we die.
        keep_fds: descriptors the child holds open (the lock of the state directory).
        stdin: bytes for the child's standard input, at most `STDIN_BYTES_MAX`.
    """

    program: Path
    arguments: Sequence[str]
    directory: Path
    account: Account | None
    log: Path
    death_signal: signal.Signals
    keep_fds: tuple[int, ...] = ()
    stdin: bytes = b""


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start the program; the calling thread must live as long as the child may."""
    who = "-" if command.account is None else f"{command.account.uid}:{command.account.gid}"
    launcher = [sys.executable, "-I", "-S", launch.__file__]
    ties = [str(os.getpid()), str(int(command.death_signal)), who]
    # A pipe holds this much without a reader: nobody waits, and none can be broken.
    assert len(command.stdin) <= STDIN_BYTES_MAX  # noqa: S101 - our own callers
    reading_fd, writing_fd = os.pipe()
    os.write(writing_fd, command.stdin)
    os.close(writing_fd)
    try:
        log_fd = os.open(command.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return subprocess.Popen(  # noqa: S603 - the program is ours, no shell
                [*launcher, *ties, str(command.program), *command.arguments],
                cwd=command.directory,
                env=ENVIRONMENT,
                stdin=reading_fd,
                stdout=log_fd,
                stderr=log_fd,
                pass_fds=command.keep_fds,
                start_new_session=True,
            )
        finally:
            os.close(log_fd)
    finally:
        os.close(reading_fd)


def end(
    child: subprocess.Popen[bytes], patience: Sequence[tuple[signal.Signals, float]]
) -> int | None:
    """End a child: each signal in turn with the seconds it may take, then SIGKILL.

    Returns:
        The exit code; None if even SIGKILL did not end it in time (a disk that hangs).
    """
    for signal_number, wait_s in (*patience, (signal.SIGKILL, KILL_WAIT_S_MAX)):
        if child.poll() is not None:
            break
        child.send_signal(signal_number)
        try:
            return child.wait(wait_s)
        except subprocess.TimeoutExpired:
            continue
    return child.returncode


def log_tail(log: Path) -> str:
    """Return the last lines of a log, joined by ` | `; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return " | ".join(line.strip() for line in lines[-LOG_TAIL_LINES:] if line.strip())
