"""Locust's process: started with the users of a profile.

Locust patches the whole standard library for gevent, so it is never imported here.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from loadtests.place import ROOT
from loadtests.profile_file import UsersPart
from loadtests.reporting_process import LoadProcessFailed, ReportingProcess
from loadtests.target import Target


LOCUSTFILE: Final = Path(__file__).with_name("locustfile.py")
VARIABLE: Final = "LOAD_PLAN"
"""Names the plan in locust's environment, see `loadtests.users.plan`."""


class UsersProcess(ReportingProcess):
    """The users of one run.

    Args:
        part: of the profile.
        target: the node.
        accounts: how many accounts act.
        credentials: values of `Authorization`; empty: `Dev` handles.
    """

    def __init__(
        self, part: UsersPart, target: Target, accounts: int, credentials: list[str]
    ) -> None:
        super().__init__("users")
        self._url = target.url
        self._plan = {
            "accounts": accounts,
            "credentials": credentials,
            "shares": part.shares,
            "pause_seconds": part.pause_seconds,
            "steps": [(step.seconds, step.users) for step in part.steps],
        }

    def start(self) -> tuple[subprocess.Popen[bytes], IO[Any]]:
        """See `ReportingProcess.start`. Standard output is locust's own, so it reports on a pipe.

        Raises:
            LoadProcessFailed: locust is not installed.
        """
        if importlib.util.find_spec("locust") is None:
            raise LoadProcessFailed("expected locust to be installed; start with `./optix load`")
        reading, writing = os.pipe()
        plan = msgspec.json.encode({**self._plan, "report": writing}).decode()
        arguments = ["-f", str(LOCUSTFILE), "--headless", "--host", self._url]
        try:
            process = subprocess.Popen(  # noqa: S603  # our own program
                [sys.executable, "-P", "-m", "locust", *arguments, "--exit-code-on-error", "0"],
                cwd=ROOT,
                env={**os.environ, VARIABLE: plan},
                pass_fds=(writing,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        finally:
            os.close(writing)
        return process, os.fdopen(reading)
