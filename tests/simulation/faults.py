"""What goes wrong in a simulated cluster, chosen by a seeded random generator."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from streams.core.commands import AnyCommand, Command, Tick
from streams.core.kernel import PRIVILEGED
from streams.log.codec import BATCH_SCHEMA, Batch, BatchCodec, Envelope
from tests.simulation.archive import SimulatedStore
from tests.simulation.cluster import Cluster, Node


SKEW_US_MAX = 3_000_000
CUT_MS_MAX = 60.0
LOST_MAX = 6

_codec: BatchCodec[Command] = BatchCodec(AnyCommand)


class FaultDriver:
    """Injects one fault after another until it is cancelled.

    Args:
        truncations: whether the log may lose entries.
    """

    def __init__(self, cluster: Cluster, random: Random, *, truncations: bool) -> None:
        self.counts: dict[str, int] = {}
        self._forks = 0
        self._cluster = cluster
        self._random = random
        self._faults: dict[Callable[[], Awaitable[None]], int] = {
            self._lost_acknowledgement: 4,
            self._refused: 3,
            self._slow: 3,
            self._down: 2,
            self._stalled: 4,
            self._crashed: 4,
            self._crashed_before_apply: 3,
            self._skewed: 2,
            self._snapshot: 4,
            self._archived: 8,
            self._trimmed: 2,
            self._truncated: 3 if truncations else 0,
            self._truncated_unseen: 2 if truncations else 0,
            self._forked: 3 if truncations else 0,
        }

    async def run(self) -> None:
        """Let something go wrong, again and again."""
        while True:
            await asyncio.sleep(self._random.uniform(0.03, 0.3))
            fault = self._random.choices(list(self._faults), list(self._faults.values()))[0]
            name = fault.__name__.strip("_")
            self.counts[name] = self.counts.get(name, 0) + 1
            self._cluster.note(name)
            await fault()

    def _node(self) -> Node:
        return self._random.choice(list(self._cluster.nodes.values()))

    async def _lost_acknowledgement(self) -> None:
        self._cluster.server.faults.appends_lost += self._random.randint(1, 2)

    async def _refused(self) -> None:
        self._cluster.server.faults.appends_refused += self._random.randint(1, 4)

    async def _slow(self) -> None:
        self._cluster.server.faults.append_ms = self._random.uniform(0.0, CUT_MS_MAX)

    async def _down(self) -> None:
        self._cluster.server.faults.down = True
        await asyncio.sleep(self._random.uniform(0.05, 0.6))
        self._cluster.server.faults.down = False

    async def _stalled(self) -> None:
        name = self._node().name
        self._cluster.server.faults.pause_reads(name)
        await asyncio.sleep(self._random.uniform(0.1, 1.0))
        self._cluster.server.faults.resume_reads(name)

    async def _crashed(self) -> None:
        await self._crash_and_restart(self._node().name)

    async def _crashed_before_apply(self) -> None:
        """The node appends, and dies before it has met its own entry."""
        node, faults = self._node(), self._cluster.server.faults
        faults.pause_reads(node.name)
        faults.append_ms = self._random.uniform(1.0, CUT_MS_MAX)
        await asyncio.sleep(self._random.uniform(0.0, 0.25))
        await self._crash_and_restart(node.name)

    async def _crash_and_restart(self, name: str) -> None:
        self._cluster.crash(name)
        await asyncio.sleep(self._random.uniform(0.0, 0.4))
        self._cluster.server.faults.resume_reads(name)
        self._restart(name)

    def _restart(self, name: str) -> None:
        """Start from the newest snapshot, an older one, a damaged one, or none."""
        random, archive = self._random, self._cluster.archive
        store = random.choice(
            (
                SimulatedStore(archive),
                SimulatedStore(archive, skip=random.randint(1, 3)),
                SimulatedStore(archive, skip=1_000),
                SimulatedStore(archive, damaged=True),
            )
        )
        self._cluster.start(name, store)

    async def _skewed(self) -> None:
        skew_us = self._random.randint(-SKEW_US_MAX, SKEW_US_MAX)
        node = self._node()
        self._cluster.skews_us[node.name] = node.clock.skew_us = skew_us

    async def _snapshot(self) -> None:
        self._cluster.save_snapshot(self._node())

    async def _archived(self) -> None:
        self._cluster.write_archive(self._node(), self._random.randint(1, 60))

    async def _trimmed(self) -> None:
        self._cluster.trim()

    async def _truncated(self) -> None:
        """The log's server crashes and loses its newest entries, which nodes have applied."""
        self._save_before_loss()
        self._cluster.lose(self._random.randint(1, LOST_MAX))

    async def _forked(self) -> None:
        """The log loses entries, and a node that had not applied them appends before others do."""
        self._save_before_loss()
        cluster = self._cluster
        cluster.lose(self._random.randint(1, LOST_MAX))
        for _ in range(self._random.randint(1, 2)):
            self._forks += 1
            number = next(iter(cluster.nodes.values())).replica.state.tick_number + self._forks
            envelope: Envelope[Command] = Envelope(
                f"fork{self._forks}", None, "scheduler", PRIVILEGED, Tick(number)
            )
            batch: Batch[Command] = Batch(BATCH_SCHEMA, "fork", f"fork.{self._forks}", [envelope])
            now_ms = self._node().clock.now_us() // 1000
            cluster.server.append(_codec.encode(batch), now_ms)

    def _save_before_loss(self) -> None:
        """What is about to be lost is sometimes archived, sometimes within a snapshot."""
        if self._random.random() < 0.5:
            self._cluster.save_snapshot(self._node())
        if self._random.random() < 0.5:
            for node in self._cluster.nodes.values():
                self._cluster.write_archive(node, 10_000)

    async def _truncated_unseen(self) -> None:
        """Entries are lost together with every node, or with all that had applied them."""
        self._save_before_loss()
        names = list(self._cluster.nodes)
        spared = self._random.choice([None, None, *names])
        for name in names:
            if name != spared:
                self._cluster.crash(name)
        self._cluster.lose(self._random.randint(1, LOST_MAX))
        await asyncio.sleep(self._random.uniform(0.0, 0.4))
        for name in names:
            if name != spared:
                self._restart(name)
