"""The swarm's process: started with its settings."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import IO, Any

import msgspec

from loadtests.place import ROOT
from loadtests.reporting_process import ReportingProcess
from loadtests.swarm.settings import SwarmSettings


class SwarmProcess(ReportingProcess):
    """One swarm.

    Attributes:
        storms: its reports of storms.
        whole_seconds: time to the first moment at which all sockets were up.
        whole: set at that moment, and when it ends without.
    """

    def __init__(self, settings: SwarmSettings) -> None:
        super().__init__("swarm")
        self.storms: list[dict[str, Any]] = []
        self.whole_seconds: float | None = None
        self.whole = threading.Event()
        self._settings = settings

    def start(self) -> tuple[subprocess.Popen[bytes], IO[Any]]:
        """See `ReportingProcess.start`."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "loadtests.swarm"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if process.stdin is None or process.stdout is None:
            raise AssertionError("expected pipes")
        process.stdin.write(msgspec.json.encode(self._settings))
        process.stdin.close()
        return process, process.stdout

    def take(self, report: dict[str, Any]) -> None:
        """See `ReportingProcess.take`."""
        match report["event"]:
            case "whole":
                self.whole_seconds = report["seconds"]
                self.whole.set()
            case "storm":
                self.storms.append(report)
            case _:
                super().take(report)

    def ended(self) -> None:
        """Let nobody wait for sockets that will never be up."""
        self.whole.set()
