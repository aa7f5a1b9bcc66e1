"""The swarm as a process of its own: `python -m loadtests.swarm < settings.json`.

Settings are one JSON object of `SwarmSettings`; reports come one a line on standard output. It
ends at SIGTERM with its report. Exit code 2: the settings or this machine do not allow it.
"""

from __future__ import annotations

import gc
import json
import resource
import signal
import sys
from contextlib import closing
from typing import Any

import msgspec

from loadtests.swarm.driver import Driver
from loadtests.swarm.settings import SwarmSettings


FILES_BESIDE = 64
"""File descriptors that the process needs beside its sockets."""


def main() -> int:
    """Run one swarm; return the exit code."""
    try:
        settings = msgspec.json.decode(sys.stdin.buffer.read(), type=SwarmSettings)
        _allow_files(settings.sockets + FILES_BESIDE)
    except (msgspec.MsgspecError, ValueError) as error:
        print(f"swarm: {error}", file=sys.stderr)
        return 2
    with closing(Driver(settings, _report)) as driver:
        signal.signal(signal.SIGTERM, lambda number, frame: driver.stop())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started it decides
        # Ten thousand sockets live for the whole run: nothing for the collector to look through.
        gc.freeze()
        gc.disable()
        driver.run()
    return 0


def _allow_files(count: int) -> None:
    """Raise this process's own limit of open files.

    Raises:
        ValueError: the machine allows fewer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise ValueError(
            f"expected a limit of at least {count} open files for {count - FILES_BESIDE} sockets, "
            f"was {hard}; raise it with `ulimit -Hn` as root"
        )
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def _report(report: dict[str, Any]) -> None:
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    sys.exit(main())
