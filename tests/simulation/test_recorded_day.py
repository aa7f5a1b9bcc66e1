"""A recorded day through a whole node, with followers of the busiest leaders, and back again.

The shipped day is always played; with the data of the project's authors (`OPTIX_SHARED_DATA`, or
`shared/data` beside the checkout) the day with ideas, messages and positions is played too.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from streams.core.commands import RegisterTrader, SetCopy
from streams.core.invariants import check_invariants
from streams.core.kernel import Applied
from streams.core.snapshots import digest, restore, snapshot
from streams.core.state import State
from streams.ports import EntryId, LogEntry
from streams.replica.feeds.recorded_feed import RecordedFeed
from tests.simulation.archive import SimulatedStore
from tests.simulation.cluster import Cluster, Node
from tests.simulation.oracle import Replayed, apply_entries, check_record
from tests.simulation.virtual_loop import run_virtual


ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "server" / "data" / "recorded_day.jsonl.gz"
FOLLOWERS = 5
RECORDS_A_CALL = 500
ROOM = {"fill": 400, "mark": 800, "idea": 60, "message": 60, "position": 60, "account": 60}
"""Records taken of each type and segment: enough for days to close and copies to run."""


class Played(NamedTuple):
    """A day after it was played."""

    state: State
    entries: list[LogEntry]
    by_type: Counter[str]
    refused: Counter[str]
    snapshot: tuple[EntryId, bytes]


def shared_day() -> Path:
    """Return where the authors' replay would be."""
    named = os.environ.get("OPTIX_SHARED_DATA")
    base = Path(named) if named else ROOT.parent / "shared" / "data"
    return base / "replay" / "market_day.jsonl.gz"


@pytest.fixture(params=["shipped", "shared"], scope="module")
def records(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    path = SHIPPED if request.param == "shipped" else shared_day()
    if not path.is_file():
        pytest.skip(f"no recorded day: {path.name} of the {request.param} data is not here")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return _slice([json.loads(line) for line in lines])


@pytest.fixture(scope="module")
def played(records: list[dict[str, Any]]) -> Played:
    return run_virtual(_play(records))


def _slice(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take some of each type, in order; every instrument and trader they need comes along."""
    room: Counter[str] = Counter()
    taken, known = [], set()
    for record in records:
        kind = record["type"]
        if kind == "segment":
            room = Counter(ROOM)
        if kind == "inst" and record["inst"] in known:
            continue  # a later segment names it again
        known.update([record["inst"]] if kind == "inst" else [])
        if kind in ("segment", "inst", "settle"):
            taken.append(record)
        elif room[kind] > 0:
            room[kind] -= 1
            taken.append(record)
    return taken


def _busiest(records: list[dict[str, Any]]) -> list[str]:
    fills = Counter(record["trader"] for record in records if record["type"] == "fill")
    return [trader for trader, _ in fills.most_common(FOLLOWERS)]


async def _play(records: list[dict[str, Any]]) -> Played:
    cluster = Cluster(["a"], listen_one_of=50)
    node = cluster.start("a", SimulatedStore(cluster.archive))
    await node.replica.became_ready.wait()
    feed = RecordedFeed(node.edge)
    half = len(records) // 2
    middle = EntryId(0, 0), b""
    await _follow(node, feed, records[:200], _busiest(records))
    by_type: Counter[str] = Counter(feed.counts)
    for first in range(200, len(records), RECORDS_A_CALL):
        taken = await feed.ingest("day", first, records[first : first + RECORDS_A_CALL])
        by_type.update(taken["by_type"])
        if first <= half < first + RECORDS_A_CALL:
            middle = node.replica.seen, snapshot(node.replica.state)
    assert cluster.failures() + node.sink.gaps == []
    entries = [stored.entry for stored in cluster.server._stored]
    cluster.crash("a")
    return Played(node.replica.state, entries, by_type, feed.refused, middle)


async def _follow(
    node: Node, feed: RecordedFeed, records: list[dict[str, Any]], leaders: list[str]
) -> None:
    """Play the beginning, then let five followers copy a leader each."""
    await feed.ingest("day", 0, records)
    for number, leader in enumerate(leaders):
        follower = f"f_{number}"
        for trader, origin in ((leader, "recorded"), (follower, "follower")):
            handle = f"h_{number}_{origin[:3]}"
            register = RegisterTrader(trader, handle, handle, origin, 100_000_000_000)
            await node.edge.submit(register, "test", privileged=True)
        copying = SetCopy(leader, 50_000_000_000, slippage_max_bps=1_000)
        outcome = await node.edge.submit(copying, follower)
        assert outcome.code == "OK"


def test_counts_by_type_agree_with_the_file(played: Played, records: list[dict[str, Any]]) -> None:
    assert played.by_type == Counter(record["type"] for record in records)
    recorded = sum(
        trader.track.fills
        for trader in played.state.traders.values()
        if trader.origin == "recorded"
    )
    assert recorded >= played.by_type["fill"] - played.refused.total()
    assert len(played.state.instruments) == played.by_type["inst"]


def test_followers_have_copied(played: Played) -> None:
    assert played.state.totals.copies_active == min(FOLLOWERS, len(played.state.traders))
    assert played.state.totals.copies_executed > 0
    assert played.state.totals.copies_executed + played.state.totals.copies_skipped > 100


def test_invariants_hold_after_the_day(played: Played) -> None:
    assert check_invariants(played.state) == []


def test_replaying_the_log_gives_the_same_chain_and_digest(played: Played) -> None:
    state = State()
    applied = apply_entries(state, played.entries)
    assert state.chain == played.state.chain
    assert digest(state) == digest(played.state)
    assert check_record(Replayed(played.entries, state, applied)) == []


def test_a_snapshot_of_midday_and_the_tail_give_the_same_state(played: Played) -> None:
    entry_id, data = played.snapshot
    state = restore(data)
    apply_entries(state, [entry for entry in played.entries if entry.entry_id > entry_id])
    assert digest(state) == digest(played.state)


def test_events_of_the_day_are_numbered_without_gap(played: Played) -> None:
    applied: list[tuple[str, Applied]] = apply_entries(State(), played.entries)
    newest: dict[str, int] = {}
    for _, unit in applied:
        for key, seq, _ in unit.numbered:
            assert seq == newest.get(key, 0) + 1
            newest[key] = seq
    assert newest == played.state.channel_seqs
