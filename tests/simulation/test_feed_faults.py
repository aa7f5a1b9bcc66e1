"""The feed of recorded markets when answers are late or never come."""

from __future__ import annotations

from typing import Any

import pytest

from streams.ports import CommandError
from streams.replica.feeds.recorded_feed import RecordedFeed
from tests.simulation.archive import SimulatedStore
from tests.simulation.cluster import Cluster
from tests.simulation.virtual_loop import run_virtual


T0 = 1_772_366_400_000_000_000
INSTRUMENT = {"t": T0, "type": "inst", "inst": "X", "venue": "v", "cls": "perp", "symbol": "X"}
FILL = {
    "t": T0,
    "type": "fill",
    "trader": "hl:a",
    "inst": "X",
    "side": "buy",
    "px": "10",
    "qty": "1",
    "pos0": "4",
}
IDEA = {
    "t": T0,
    "type": "idea",
    "id": "i1",
    "trader": "nof1:m",
    "inst": "X",
    "signal": "buy_to_enter",
    "qty": "1",
    "target": "12",
    "stop": "9",
    "conf": "0.5",
    "lev": "1",
    "risk_usd": "1",
    "invalid": "it falls below nine",
    "text": "it goes up from here",
}


async def _play(records: list[dict[str, Any]], *, down_first: bool) -> tuple[Cluster, RecordedFeed]:
    cluster = Cluster(["a"], listen_one_of=50)
    cluster.ticking = False
    node = cluster.start("a", SimulatedStore(cluster.archive))
    await node.replica.became_ready.wait()
    feed = RecordedFeed(node.edge)
    if down_first:
        cluster.server.faults.down = True
        with pytest.raises(CommandError):
            await feed.ingest("day", 0, records)
        cluster.server.faults.down = False
    await feed.ingest("day", 0, records)
    return cluster, feed


def test_an_idea_may_come_in_one_call_with_its_instrument() -> None:
    async def work() -> tuple[list[str], int]:
        cluster, feed = await _play([INSTRUMENT, IDEA], down_first=False)
        state = cluster.nodes["a"].replica.state
        cluster.crash("a")
        return [idea.symbol for idea in state.ideas.values()], feed.refused.total()

    assert run_virtual(work()) == (["X"], 0)


def test_records_sent_again_after_a_failure_leave_nothing_out() -> None:
    async def work() -> tuple[int, int]:
        cluster, feed = await _play([INSTRUMENT, FILL], down_first=True)
        lots = cluster.nodes["a"].replica.state.traders["hl:a"].ledger.positions["X"].lots
        cluster.crash("a")
        return lots, feed.refused.total()

    lots, refused = run_virtual(work())
    assert refused == 0
    assert lots == 5 * 10**6
