"""The run as it goes: one row a second of what each part reports and what its processes use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from loadtests.processes import Accounts, Usage


SAMPLE_SECONDS: Final = 1.0

Row = dict[str, Any]


class Sampler:
    """Takes a row each second, in a thread of its own, from `start` to `stop`.

    Args:
        accounts: reads what processes use.
        look: returns further fields of a row: what swarm and users reported last.
        say: takes each row as it is made.

    Attributes:
        rows: in order of time. `at` is Unix time; `cpu` and `memory_bytes` are by kind of process,
            processor time as a share of one core since the row before.
    """

    def __init__(
        self, accounts: Accounts, look: Callable[[], Row], say: Callable[[Row], None]
    ) -> None:
        self.rows: list[Row] = []
        self._accounts = accounts
        self._look = look
        self._say = say
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._before: dict[str, Usage] = {}
        self._at_s = 0.0

    def start(self) -> None:
        """Begin."""
        self._before, self._at_s = self._accounts.usage(), time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """End; no row is added afterwards."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            row = self._row()
            self.rows.append(row)
            self._say(row)

    def _row(self) -> Row:
        usage, now_s = self._accounts.usage(), time.monotonic()
        seconds = now_s - self._at_s
        cpu = {
            kind: round((each.cpu_seconds - self._before[kind].cpu_seconds) / seconds, 4)
            for kind, each in usage.items()
            if kind in self._before
        }
        self._before, self._at_s = usage, now_s
        memory = {kind: each.memory_bytes for kind, each in usage.items()}
        return {"at": round(time.time(), 3), "cpu": cpu, "memory_bytes": memory, **self._look()}
