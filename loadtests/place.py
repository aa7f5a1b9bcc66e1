"""Where and of what a result was taken: machine, version of the code, time."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from server.bench.figures import machine


ROOT: Final = Path(__file__).parents[1]


class Place(NamedTuple):
    """Where a result was taken.

    Attributes:
        machine: in one line.
        commit: of the code, and whether files were changed since.
        date: now, UTC.
    """

    machine: str
    commit: str
    date: str


def place() -> Place:
    """Return this machine, this code, now."""
    return Place(machine(), _commit(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _commit() -> str:
    head = _git("rev-parse", "--short=12", "HEAD")
    if not head:
        return "unknown: no git checkout"
    return f"{head} with changes" if _git("status", "--porcelain") else head


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # the user's own git
            ["git", *arguments],  # noqa: S607
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
