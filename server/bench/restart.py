"""A restart: from the start of the process until `/health/ready` answers 200.

The node has `TRADERS` traders, `EVENTS` archived events and a snapshot that is as old as one gets
in service (the next would be due); see `dataset` for how they were made. Each round starts
`optix serve` with its own stores, as after an orderly stop. Floor: the same node with the same
stores and nothing in them.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from server.bench.dataset import COMMANDS_PER_ENTRY, DAYS, UNARCHIVED_ENTRIES, make_dataset
from server.bench.figures import Figure, Report, at_most, percentile
from server.bench.node_process import NodeProcess
from storage.snapshotter import ENTRIES_BETWEEN


TRADERS = 10_000
EVENTS = 1_000_000
ROUNDS = 3
SECONDS_MAX = 5.0

Parts = dict[str, float]


def run(
    traders: int = TRADERS,
    events: int = EVENTS,
    entries: int = ENTRIES_BETWEEN,
    rounds: int = ROUNDS,
) -> Report:
    """Make the data, then start the node on them, and on nothing, several times."""
    with tempfile.TemporaryDirectory(prefix="optix-bench-") as folder:
        empty, full = Path(folder, "empty"), Path(folder, "full")
        with NodeProcess(empty) as node:
            node.wait_ready()
        floor = [_start(empty)["ready"] for _ in range(rounds)]
        made = asyncio.run(make_dataset(full, traders=traders, events=events, entries=entries))
        starts = [_start(full) for _ in range(rounds)]
    ready = sorted(parts["ready"] for parts in starts)
    middle = next(parts for parts in starts if parts["ready"] == ready[len(ready) // 2])
    return Report(
        f"restart with {made.traders:,} traders and {made.events:,} archived events",
        [
            at_most("process start → ready, p50", percentile(ready, 0.5), "s", SECONDS_MAX),
            Figure("slowest of the starts", ready[-1], "s"),
            Figure("an empty node (floor)", percentile(floor, 0.5), "s"),
            *(Figure(f"of these: {name}", value, "s") for name, value in _named(middle)),
            Figure("processor time of the node", middle["cpu"], "s"),
            Figure("archived entries replayed", middle["archived"], "entries"),
            Figure("snapshot", made.snapshot_bytes / 1e6, "MB"),
        ],
        f"{rounds} starts of `optix serve` with its own stores after an orderly stop, page cache "
        f"warm, {len(os.sched_getaffinity(0))} cores; snapshot {made.entries:,} entries of about "
        f"{COMMANDS_PER_ENTRY} commands behind the archive, which is {UNARCHIVED_ENTRIES} entries "
        f"behind the log; {made.commands:,} commands in all, {DAYS} days closed; made in "
        f"{made.seconds:.0f} s by a real edge, log, replica, archiver and snapshotter in process",
    )


def _start(state_dir: Path) -> Parts:
    """Start a node, stop it, and return when it reached what, in seconds since its start."""
    with NodeProcess(state_dir) as node:
        ready = node.wait_ready()
        cpu_seconds = node.cpu_seconds()
        recovered = node.events("recovered")[0]
        return {
            "stores": _since(node, "stores_open"),
            "restore": recovered["restore_seconds"],
            "history": recovered["history_seconds"],
            "recovery": recovered["seconds"],
            "recovered": _since(node, "recovered"),
            "archived": recovered["archived"],
            "caught_up": _since(node, "ready"),
            "ready": ready,
            "cpu": cpu_seconds,
        }


def _since(node: NodeProcess, event: str) -> float:
    line: dict[str, Any] = node.events(event)[0]
    return datetime.fromisoformat(line["timestamp"]).timestamp() - node.started_at


def _named(parts: Parts) -> list[tuple[str, float]]:
    """Return the parts of one start, in order; they add up to the whole."""
    archived = parts["recovery"] - parts["restore"] - parts["history"]
    return [
        ("interpreter and stores", parts["stores"]),
        ("schema, parts of the node", parts["recovered"] - parts["recovery"] - parts["stores"]),
        ("snapshot read and restored", parts["restore"]),
        ("history read", parts["history"]),
        ("archived entries applied", archived),
        ("tail of the log applied", parts["caught_up"] - parts["recovered"]),
        ("until HTTP said so", parts["ready"] - parts["caught_up"]),
    ]
