"""The swarm's process: started with its settings, its reports read as they come."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from loadtests.place import ROOT
from loadtests.swarm.settings import SwarmSettings


END_SECONDS_MAX: Final = 30.0


class SwarmFailed(Exception):
    """The swarm ended before its time; the text is what it said."""


class SwarmProcess:
    """One swarm. Use as a context manager: it is started, and gone at the end.

    Attributes:
        sample: its newest report of the kind `sample`.
        storms: its reports of storms.
        whole_seconds: time to the first moment at which all sockets were up.
        whole: set at that moment, and when it ends without.
        done: its last report; None while it runs.
    """

    def __init__(self, settings: SwarmSettings) -> None:
        self.sample: dict[str, Any] = {}
        self.storms: list[dict[str, Any]] = []
        self.whole_seconds: float | None = None
        self.whole = threading.Event()
        self.done: dict[str, Any] | None = None
        self._settings = settings
        self._said = b""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "loadtests.swarm"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, name="swarm", daemon=True)
        self._errors = threading.Thread(target=self._listen, name="swarm errors", daemon=True)
        if self._process.stdin is None:
            raise AssertionError("expected a pipe")
        self._process.stdin.write(msgspec.json.encode(self._settings))
        self._process.stdin.close()
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
            SwarmFailed: it ended otherwise, or takes longer.
        """
        self._reader.join(seconds_max)
        if self._reader.is_alive():
            self._process.terminate()
            self._reader.join(END_SECONDS_MAX)
        if self.done is None:
            self._errors.join(END_SECONDS_MAX)
            said = self._said.decode("utf-8", "replace")[-2_000:]
            raise SwarmFailed(f"expected the swarm to end with a report, it said: {said}")
        return self.done

    def _read(self) -> None:
        for line in self._process.stdout or ():
            report = json.loads(line)
            match report["event"]:
                case "sample":
                    self.sample = report
                case "whole":
                    self.whole_seconds = report["seconds"]
                    self.whole.set()
                case "storm":
                    self.storms.append(report)
                case _:
                    self.done = report
        self.whole.set()

    def _listen(self) -> None:
        for line in self._process.stderr or ():
            self._said += line
