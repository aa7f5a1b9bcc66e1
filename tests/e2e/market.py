"""The recorded day in a node: playing it, and the numbers it must lead to."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

from server.demo import RECORDED_DAY
from tests.e2e.processes import Completed, Home, Node, completed
from tests.support import MS, eventually


PLAY_S = 60_000 * MS
COUNTED = ("trades", "notional", "fees", "instruments", "traders_with_trades", "open_positions")
"""Numbers of /v1/stats that the recording alone decides."""

LEADERS = ("hl_513b8629fe877bb5", "hl_ae5eacaf9c6b9111", "hl_72c6a4624e1dffa7")
"""Handles of the recorded traders who held positions before the recording began."""


def slice_of_day(path: Path, records: int) -> Path:
    """Write the first records of the recorded day to a file."""
    with gzip.open(RECORDED_DAY, "rt") as lines, path.open("w") as out:
        for _, line in zip(range(records), lines, strict=False):
            out.write(line)
    return path


def start_playing(home: Home, recording: Path = RECORDED_DAY) -> subprocess.Popen[str]:
    """Start `optix feed play --speed max`."""
    return home.start("feed", "play", str(recording), "--speed", "max", "--json")


async def played(playing: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait until the feed has finished by itself, and return its counts."""
    ended: Completed = await completed(playing)
    assert ended.code == 0, ended
    counts: dict[str, Any] = json.loads(ended.output)
    return counts


async def play(home: Home, recording: Path = RECORDED_DAY) -> dict[str, Any]:
    """Play a recording at full speed to its end; return the feed's counts."""
    return await played(start_playing(home, recording))


async def trades_of(node: Node) -> int:
    """Return the number of trades booked so far, 0 while the node is away."""
    try:
        stats = await node.get("/v1/stats")
    except Exception:  # noqa: BLE001 - away, starting, or catching up: no number
        return 0
    return int(stats["trades"])


async def until_trades(node: Node, count: int = 1) -> None:
    """Wait until so many trades were booked."""

    async def reached() -> bool:
        return await trades_of(node) >= count

    await eventually(reached, PLAY_S, f"{count} trades")


async def outcome_of(node: Node) -> dict[str, Any]:
    """Return what the recording led to: counts, and accounts to the last micro-unit."""
    stats = await node.get("/v1/stats")
    accounts = {}
    for trader in LEADERS:
        accounts[trader] = await node.get("/v1/account", trader=trader)
        accounts[trader]["positions"] = await node.get("/v1/positions", trader=trader)
    return {**{name: stats[name] for name in COUNTED}, "accounts": accounts}
