"""What PostgreSQL and Valkey have in common as child processes of ours.

Invariants:
    * All methods but `kill`, `pid` and `alive` run on the one control thread of the stores (see
      `stores`), so no two of them meet, and the children belong to a thread that lives long.
    * `wanted` tells the supervisor whether a dead server shall be started again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from storage.embedded.account import Account
from storage.embedded.binaries import Program
from storage.embedded.errors import ServerNotReady
from storage.embedded.process import end, log_tail
from storage.embedded.state import StateDir


READY_S_MAX = 300.0  # a large append-only file or a long crash recovery takes its time
READY_POLL_S = 0.005
START_ATTEMPTS_MAX = 3


class Server(ABC):
    """One embedded server on one data directory."""

    name: str
    death_signal: signal.Signals
    patience: Sequence[tuple[signal.Signals, float]]

    def __init__(
        self,
        program: Program,
        runnable: Path,
        state: StateDir,
        account: Account | None,
        sockets: Path,
    ) -> None:
        """Describe the server; nothing is touched before `launch`.

        Args:
            program: what was found.
            runnable: path of the program as the account can run it.
            state: the open state directory.
            account: who runs it; None means us.
            sockets: directory for the socket.
        """
        self.program = program
        self.runnable = runnable
        self.state = state
        self.account = account
        self.sockets = sockets
        self.data_dir = state.path / self.name
        self.password = state.secret(self.name)
        self.wanted = False
        self.closing = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make the data directory, or check that this program can use the one that exists."""

    @abstractmethod
    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server's process."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server serves now. False while it is starting.

        Raises:
            ServerNotReady: it answers, and will never let us in.
        """

    @property
    def pid(self) -> int | None:
        """Process id while the server lives."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """Exit code of the last life (negative: the signal that ended it), None while alive."""
        return self._child.poll() if self._child is not None else None

    def launch(self) -> None:
        """Start the process unless it lives; `wait_ready` completes the start."""
        if self.pid is None:
            self.prepare()
            self._child = self.spawn()
        self.wanted = True

    def wait_ready(self) -> None:
        """Wait until the server serves.

        A server may end at once because remains of its former life are still ending: it is
        started again, up to `START_ATTEMPTS_MAX` times.

        Raises:
            ServerNotReady: it ended each time, stayed silent for `READY_S_MAX`, or we are closing.
        """
        deadline = time.monotonic() + READY_S_MAX
        attempts = 1
        while not self.answers():
            if self.closing.wait(READY_POLL_S):
                raise self.not_ready("the stores were closed meanwhile")
            if self.pid is None:
                if attempts == START_ATTEMPTS_MAX:
                    raise self.not_ready(f"it ended with code {self.exit_code}")
                self.closing.wait(0.1 * 2**attempts)
                attempts += 1
                self.launch()
            if time.monotonic() > deadline:
                raise self.not_ready(f"it did not within {READY_S_MAX:.0f} s")

    def stop(self) -> None:
        """End the process in order, by force if it takes too long."""
        self.wanted = False
        if self._child is not None:
            end(self._child, self.patience)

    def kill(self, signal_number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal; after SIGKILL wait for the end. For fault tests."""
        if signal_number not in (signal.SIGSTOP, signal.SIGCONT):
            self.wanted = False
        if self._child is not None and self._child.poll() is None:
            os.kill(self._child.pid, signal_number)
            if signal_number == signal.SIGKILL:
                self._child.wait()

    def not_ready(self, why: str) -> ServerNotReady:
        """Return the error with the last lines of the server's log."""
        tail = log_tail(self.state.log(self.name))
        return ServerNotReady(server=self.name, why=why, log_tail=tail)
