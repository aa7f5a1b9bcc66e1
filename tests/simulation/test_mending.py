"""What a node does when it and the log disagree, one case at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from streams.core.commands import RegisterTrader, SetCopy
from streams.core.snapshots import digest
from streams.log.codec import BatchCodec
from streams.log.memory_log import MemoryLog
from streams.ports import CommandError, EntryId
from tests.simulation.archive import SimulatedStore
from tests.simulation.cluster import Cluster, Node
from tests.simulation.virtual_loop import run_virtual


SETTLE_POLLS_MAX = 1_000
Case = Callable[[Cluster], Coroutine[Any, Any, None]]


def _run(case: Case) -> None:
    """Run a case on two nodes that have applied six entries, four of them archived."""

    async def work() -> None:
        cluster = Cluster(["a", "b"], listen_one_of=1)
        cluster.ticking = False
        for name in cluster.names:
            node = cluster.start(name, SimulatedStore(cluster.archive))
            await node.replica.became_ready.wait()
        for number in range(6):
            await _register(cluster.nodes["ab"[number % 2]], number)
        await _settled(cluster)
        cluster.write_archive(cluster.nodes["a"], 4)
        await case(cluster)
        await _settled(cluster)
        assert cluster.failures() == []
        assert [node.sink.gaps for node in cluster.nodes.values()] == [[], []]
        assert len({digest(node.replica.state) for node in cluster.nodes.values()}) == 1
        for name in cluster.names:
            cluster.crash(name)

    run_virtual(work())


async def _register(node: Node, number: int) -> None:
    trader = f"t_{number}"
    command = RegisterTrader(trader, trader, trader, "account", 1_000_000)
    await node.edge.submit(command, trader, key=f"k{number}")


async def _copy_thrice(node: Node) -> None:
    for allocation in (300_000, 400_000, 500_000):
        outcome = await node.edge.submit(SetCopy("t_1", allocation), "t_0")
        assert outcome.code == "OK"


def _copies_seen(node: Node) -> list[int] | None:
    frames = node.source.history("account:t_0", 0)
    return None if frames is None else [frame.seq for frame in frames]


async def _settled(cluster: Cluster) -> None:
    for _ in range(SETTLE_POLLS_MAX):
        if cluster.settled():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("expected the nodes to settle")


def _fork(cluster: Cluster) -> None:
    """Let the log lose two entries and get another one, from a node that had not seen them."""
    codec: BatchCodec[Any] = BatchCodec(Any)
    cluster.lose(2)
    envelope = ["e", None, "t_9", 0, ["RegisterTrader", "t_9", "t_9", "N", "account", 1, 0]]
    payload = codec.encode_encoded("c", "c.1", [codec._encoder.encode(envelope)])
    cluster.server.append(payload, cluster.nodes["a"].clock.now_us() // 1000 + 1_000)


def test_entries_the_log_lost_are_given_back() -> None:
    async def case(cluster: Cluster) -> None:
        epoch = cluster.server.epoch
        cluster.lose(2)
        await _register(cluster.nodes["a"], 7)
        await _settled(cluster)
        assert cluster.server.epoch == epoch
        assert len(cluster.nodes["b"].replica.state.traders) == 7

    _run(case)


def test_a_fork_begins_one_epoch_and_every_node_forgets_what_was_lost() -> None:
    async def case(cluster: Cluster) -> None:
        _fork(cluster)
        await _settled(cluster)
        assert cluster.server.epoch.startswith("e2.")
        for node in cluster.nodes.values():
            assert list(node.replica.state.traders) == ["t_0", "t_1", "t_2", "t_3", "t_9"]

    _run(case)


def test_an_archive_ahead_of_a_forked_log_keeps_both_branches() -> None:
    async def case(cluster: Cluster) -> None:
        cluster.write_archive(cluster.nodes["a"], 10)
        _fork(cluster)
        await _settled(cluster)
        for node in cluster.nodes.values():
            assert len(node.replica.state.traders) == 7

    _run(case)


def test_a_node_is_ready_in_an_epoch_that_began_above_the_newest_entry() -> None:
    async def case(cluster: Cluster) -> None:
        seen = cluster.nodes["a"].replica.seen
        other = MemoryLog(cluster.server, cluster.nodes["a"].clock, node="c")
        await other.open()
        await other.begin_epoch(EntryId(seen.ms + 60_000, 0))
        await _settled(cluster)
        await _register(cluster.nodes["b"], 8)

    _run(case)


def test_a_log_that_is_away_while_it_is_mended_does_not_end_the_node() -> None:
    async def case(cluster: Cluster) -> None:
        _fork(cluster)
        cluster.server.faults.down = True
        cluster.server.wake_readers()
        await asyncio.sleep(5)
        cluster.server.faults.down = False

    _run(case)


def test_a_hole_is_filled_from_the_archive_without_going_back() -> None:
    async def case(cluster: Cluster) -> None:
        cluster.server.faults.pause_reads("b")
        await _copy_thrice(cluster.nodes["a"])
        cluster.write_archive(cluster.nodes["a"], 100)
        cluster.server.trim(cluster.nodes["a"].replica.seen)
        cluster.server.faults.resume_reads("b")
        await _settled(cluster)
        assert _copies_seen(cluster.nodes["b"]) == [1, 2, 3, 4]

    _run(case)


def test_history_of_a_node_that_was_rebuilt_has_each_number_once() -> None:
    async def case(cluster: Cluster) -> None:
        await _copy_thrice(cluster.nodes["a"])
        cluster.write_archive(cluster.nodes["a"], 100)
        for number in (10, 11):
            await _register(cluster.nodes["a"], number)
        await _settled(cluster)
        _fork(cluster)
        await _settled(cluster)
        for node in cluster.nodes.values():
            assert _copies_seen(node) == [1, 2, 3, 4]

    _run(case)


def test_a_command_under_way_in_a_fork_is_answered_once() -> None:
    async def case(cluster: Cluster) -> None:
        _fork(cluster)
        for _ in range(20):
            try:
                await _register(cluster.nodes["b"], 20)
            except CommandError:
                await asyncio.sleep(0.5)
            else:
                break
        assert "t_20" in cluster.nodes["b"].replica.state.traders

    _run(case)
