"""Locust's process: started with the users of a profile, its reports read as they come.

Locust patches the whole standard library for gevent, so it is never imported here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from loadtests.place import ROOT
from loadtests.profile_file import UsersPart
from loadtests.target import Target


END_SECONDS_MAX: Final = 60.0
LOCUSTFILE: Final = Path(__file__).with_name("locustfile.py")
VARIABLE: Final = "LOAD_PLAN"
"""Names the plan in locust's environment, see `loadtests.users.plan`."""


class UsersFailed(Exception):
    """Locust is not installed, or ended before its time; the text is what it said."""


class UsersProcess:
    """The users of one run. Use as a context manager: they are started, and gone at the end.

    Args:
        part: of the profile.
        target: the node.
        accounts: how many accounts act.
        credentials: values of `Authorization`; empty: `Dev` handles.

    Attributes:
        sample: the newest report of the kind `sample`.
        done: the last report; None while they act.
    """

    def __init__(
        self, part: UsersPart, target: Target, accounts: int, credentials: list[str]
    ) -> None:
        self.sample: dict[str, Any] = {}
        self.done: dict[str, Any] | None = None
        self._url = target.url
        self._plan = {
            "accounts": accounts,
            "credentials": credentials,
            "shares": part.shares,
            "pause_seconds": part.pause_seconds,
            "steps": [(step.seconds, step.users) for step in part.steps],
        }
        self._said = b""

    def __enter__(self) -> Self:
        if importlib.util.find_spec("locust") is None:
            raise UsersFailed("expected locust to be installed; start with `./optix load`")
        reading, writing = os.pipe()
        plan = msgspec.json.encode({**self._plan, "report": writing}).decode()
        arguments = ["-f", str(LOCUSTFILE), "--headless", "--host", self._url]
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own program
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
        self._reader = threading.Thread(
            target=self._read, args=(reading,), name="users", daemon=True
        )
        self._errors = threading.Thread(target=self._listen, name="users errors", daemon=True)
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
        """Wait until they are done; return the last report.

        Raises:
            UsersFailed: they ended otherwise, or take longer.
        """
        self._reader.join(seconds_max)
        if self._reader.is_alive():
            self._process.terminate()
            self._reader.join(END_SECONDS_MAX)
        if self.done is None:
            self._errors.join(END_SECONDS_MAX)
            said = self._said.decode("utf-8", "replace")[-2_000:]
            raise UsersFailed(f"expected the users to end with a report, locust said: {said}")
        return self.done

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor) as lines:
            for line in lines:
                report = json.loads(line)
                if report["event"] == "sample":
                    self.sample = report
                else:
                    self.done = report

    def _listen(self) -> None:
        for line in self._process.stderr or ():
            self._said = (self._said + line)[-100_000:]
