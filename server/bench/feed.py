"""A recorded market by `optix feed play --speed max` through log, core and archive.

The time is the player's own, from its first delivery on, plus the time from its end until the
archive has reached the entry that the node had applied then: so it ends when the last record is
archived too. Floor: the same commands applied by a core alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from server.bench import core
from server.bench.figures import Figure, Report, at_least
from server.bench.node_process import NodeProcess
from server.demo import RECORDED_DAY
from storage.archive_position import read_position
from storage.pool import Pool, open_pool
from streams.ports import EntryId
from streams.replica.feeds.player import read_recording


RECORDS_PER_SECOND_MIN = 10_000
ARCHIVED_SECONDS_MAX = 300.0
POLL_SECONDS = 0.005

SHARED_DATA = "OPTIX_SHARED_DATA"
"""Names a directory with further recordings; else `shared/data` beside the checkout."""

LARGER_DAY = Path("replay", "market_day.jsonl.gz")


class Played(NamedTuple):
    """One recording played into a node.

    Attributes:
        records: taken.
        playing_seconds: of the player, from its first delivery to its last answer.
        archive_seconds: from then until the archive held all of it.
        cpu_seconds: processor time of the node meanwhile.
        refused: commands the core refused.
    """

    records: int
    playing_seconds: float
    archive_seconds: float
    cpu_seconds: float
    refused: int


def run(recording: Path | None = None) -> Report:
    """Play the shipped day, and the larger one where there is one; each into a new node."""
    figures: list[Figure] = []
    conditions = []
    for path in [recording] if recording else _recordings():
        played = _play(path)
        figures += _figures(path, played)
        conditions.append(f"{path.name}: {played.records:,} records, {played.refused} refused")
    return Report(
        "a recorded market through log, core and archive, until the last record is archived",
        figures,
        f"{'; '.join(conditions)}; one node with its own stores, appendfsync always, PostgreSQL "
        f"with synchronous_commit; the player, the node and both stores share "
        f"{len(os.sched_getaffinity(0))} cores",
    )


def _figures(path: Path, played: Played) -> list[Figure]:
    name = path.name.partition(".")[0]
    records = played.records
    seconds = played.playing_seconds + played.archive_seconds
    alone = _core_seconds(path)
    return [
        at_least(f"{name}, archived", records / seconds, "records/s", RECORDS_PER_SECOND_MIN),
        Figure(f"{name}, applied", records / played.playing_seconds, "records/s"),
        Figure(f"{name}, archive behind by", played.archive_seconds * 1e3, "ms"),
        Figure("processor time of the node", played.cpu_seconds / records * 1e6, "µs/record"),
        Figure("core alone (floor)", records / alone, "records/s"),
        Figure("ratio to the core alone", seconds / alone, "times"),
    ]


def _recordings() -> list[Path]:
    shared = os.environ.get(SHARED_DATA)
    root = Path(shared) if shared else Path(__file__).parents[3] / "shared" / "data"
    larger = root / LARGER_DAY
    return [RECORDED_DAY, larger] if larger.exists() else [RECORDED_DAY]


def _core_seconds(path: Path) -> float:
    """Return the least processor time that a core alone needs for a recording."""
    report = core.run(path, rounds=2)
    speed = next(figure.value for figure in report.figures if figure.name == "records")
    return len(read_recording(path)) / speed


def _play(path: Path) -> Played:
    with (
        tempfile.TemporaryDirectory(prefix="optix-bench-") as folder,
        NodeProcess(Path(folder)) as node,
    ):
        node.wait_ready()
        cpu_before = node.cpu_seconds()
        result, ended_at = _run_player(node, path)
        archived_at = asyncio.run(_until_archived(node))
        return Played(
            records=result["records"],
            playing_seconds=result["seconds"],
            archive_seconds=archived_at - ended_at,
            cpu_seconds=node.cpu_seconds() - cpu_before,
            refused=sum(result["refused"].values()),
        )


def _run_player(node: NodeProcess, path: Path) -> tuple[dict[str, Any], float]:
    """Run `optix feed play`; return what it reports, and when it did."""
    arguments = ["feed", "play", str(path), "--speed", "max", "--json"]
    with subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-m", "server.cli.main", *arguments],
        env=node.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as player:
        if player.stdout is None:
            raise RuntimeError("expected a pipe")
        line = player.stdout.readline()
        ended_at = time.perf_counter()
    if player.returncode != 0:
        raise RuntimeError(f"expected the player to end with 0, was {player.returncode}")
    result: dict[str, Any] = json.loads(line)
    return result, ended_at


async def _until_archived(node: NodeProcess) -> float:
    """Wait until all that the node has applied is archived; return when that was."""
    _, health = node.get("/health/ready")
    target = EntryId.parse(health["offset"].partition(".")[0])
    pool = await open_pool(node.stores.database_url)
    try:
        async with asyncio.timeout(ARCHIVED_SECONDS_MAX):
            return await _reached(pool, target)
    finally:
        await pool.close()


async def _reached(pool: Pool, target: EntryId) -> float:
    while (await read_position(pool)).entry_id < target:  # noqa: ASYNC110  # a row, no event
        await asyncio.sleep(POLL_SECONDS)
    return time.perf_counter()
