"""What processes use, read from /proc: processor time and memory, by the work they do.

Memory is a process's own, resident without pages shared with files or others, so that the
backends of PostgreSQL, which share one large buffer, can be added up.

Source: proc(5), `stat` and `statm`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple


_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGESIZE")
_STORES: Final = {"valkey-server": "valkey", "redis-server": "valkey", "postgres": "postgres"}


class Usage(NamedTuple):
    """What the processes of one kind use.

    Attributes:
        cpu_seconds: processor time of those that live.
        memory_bytes: their own resident memory.
        processes: how many there are.
    """

    cpu_seconds: float
    memory_bytes: int
    processes: int


class Accounts:
    """Adds up processes by kind, so that processor time never falls when one ends.

    Args:
        roots: process id by kind; what a root started counts as its own kind if it is a store,
            else as the root's.
    """

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = dict(roots)
        self._seen: dict[str, dict[int, float]] = {}

    def watch(self, kind: str, process: int) -> None:
        """Count one more process, and what it starts."""
        self._roots[kind] = process

    def usage(self) -> dict[str, Usage]:
        """Return what each kind uses now, by kind."""
        memory: dict[str, int] = {}
        living: dict[str, int] = {}
        for kind, root in self._roots.items():
            for process in (root, *descendants(root)):
                with suppress(OSError, IndexError):  # it has just ended
                    name, seconds = _stat(process)
                    own = kind if process == root else _STORES.get(name, kind)
                    self._seen.setdefault(own, {})[process] = seconds
                    memory[own] = memory.get(own, 0) + _memory_bytes(process)
                    living[own] = living.get(own, 0) + 1
        return {
            kind: Usage(sum(seconds.values()), memory.get(kind, 0), living.get(kind, 0))
            for kind, seconds in self._seen.items()
        }


def descendants(process: int) -> Iterable[int]:
    """Return the processes that a process started, and those that they started."""
    found: list[int] = []
    for listing in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in listing.read_text("ascii").split():
                found += [int(child), *descendants(int(child))]
    return found


def _stat(process: int) -> tuple[str, float]:
    line = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
    head, _, tail = line.rpartition(")")
    fields = tail.split()
    # Fields 14 and 15 of the line: user and system time in ticks.
    return head.partition("(")[2], (int(fields[11]) + int(fields[12])) / _TICKS


def _memory_bytes(process: int) -> int:
    fields = Path(f"/proc/{process}/statm").read_text("ascii").split()
    return (int(fields[1]) - int(fields[2])) * _PAGE
