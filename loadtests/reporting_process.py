"""A process of a load test that reports in lines of JSON, read as they come.

Invariant: when the context is left, the process and the threads that read from it are gone.
"""

from __future__ import annotations

import json
import subprocess
import threading
from types import TracebackType
from typing import IO, Any, Final, Self


END_SECONDS_MAX: Final = 60.0
"""Wait for a process that was told to end."""

SAID_BYTES_MAX: Final = 100_000
"""Newest output on standard error that is kept."""

SAID_BYTES_TOLD: Final = 2_000


class LoadProcessFailed(Exception):
    """A process did not start, or ended before its time; the text is what it said."""


class ReportingProcess:
    """One such process. Use as a context manager: it is started, and killed at the end.

    Args:
        name: for its threads, and for what is said about it.

    Attributes:
        sample: its newest report of the kind `sample`.
        done: its last report; None while it runs.
    """

    def __init__(self, name: str) -> None:
        self.sample: dict[str, Any] = {}
        self.done: dict[str, Any] | None = None
        self._name = name
        self._said = b""

    def start(self) -> tuple[subprocess.Popen[bytes], IO[Any]]:
        """Start it; return it with standard error piped, and the lines that it reports."""
        raise NotImplementedError

    def take(self, report: dict[str, Any]) -> None:
        """Take one report."""
        if report["event"] == "sample":
            self.sample = report
        else:
            self.done = report

    def ended(self) -> None:
        """Note that no report follows."""

    def __enter__(self) -> Self:
        self._process, lines = self.start()
        self._reader = threading.Thread(
            target=self._read, args=(lines,), name=self._name, daemon=True
        )
        self._errors = threading.Thread(
            target=self._listen, name=f"{self._name} errors", daemon=True
        )
        self._reader.start()
        self._errors.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        self._errors.join()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def wait(self, seconds_max: float) -> dict[str, Any]:
        """Wait until it is done; return its last report.

        Raises:
            LoadProcessFailed: it ended otherwise, or takes longer.
        """
        self._reader.join(seconds_max)
        if self._reader.is_alive():
            self._process.terminate()
            self._reader.join(END_SECONDS_MAX)
        if self.done is None:
            self._errors.join(END_SECONDS_MAX)
            said = self._said[-SAID_BYTES_TOLD:].decode("utf-8", "replace")
            raise LoadProcessFailed(
                f"expected the {self._name} to end with a report, it said: {said}"
            )
        return self.done

    def _read(self, lines: IO[Any]) -> None:
        with lines:
            for line in lines:
                self.take(json.loads(line))
        self.ended()

    def _listen(self) -> None:
        for line in self._process.stderr or ():
            self._said = (self._said + line)[-SAID_BYTES_MAX:]
