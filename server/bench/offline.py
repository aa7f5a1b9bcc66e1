"""A node without stores: the memory log, one replica, its edge. For benchmarks of the core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from server.clock import SystemClock
from server.garbage import settle_garbage_collection
from streams.core.commands import AnyCommand, Command
from streams.log.codec import Batch, BatchCodec
from streams.log.flight import SubmitterLimits
from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.log.submitter import Submitter
from streams.ports import LogEntry
from streams.replica.edge import Edge
from streams.replica.feeds.recorded_feed import RecordedFeed
from streams.replica.publisher import FrameSink
from streams.replica.replica import Replica


PORTION = 500


class OfflineNode:
    """One node on the memory log.

    Attributes:
        replica: the state.
        edge: where commands go.
        entries: every entry applied, as read from the log.
    """

    def __init__(self, sink: FrameSink | None = None) -> None:
        self.entries: list[LogEntry] = []
        codec: BatchCodec[Command] = BatchCodec(AnyCommand)
        self.codec = codec
        log = MemoryLog(MemoryLogServer(), SystemClock(), node="bench")
        self.replica = Replica(
            log, codec, node="bench", sink=sink, on_entry=lambda e, *_: self.entries.append(e)
        )
        self.submitter: Submitter[Command] = Submitter(
            log,
            codec,
            node="bench",
            incarnation="1",
            seen=lambda: self.replica.seen,
            on_truncated=self.replica.mend,
            on_appended=self.replica.take_appended,
            limits=SubmitterLimits(batch_commands_max=128),
        )
        self.replica.submitter = self.submitter
        self.edge = Edge(self.replica, self.submitter)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[OfflineNode]:
        """Run the node's tasks."""
        await self.replica.recover()
        tasks = [
            asyncio.create_task(self.replica.run(), name="replica"),
            asyncio.create_task(self.submitter.run(), name="submitter"),
        ]
        await self.replica.became_ready.wait()
        settle_garbage_collection()
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def decoded(self) -> list[tuple[LogEntry, Batch[Command]]]:
        """Return all entries with their batches."""
        return [(entry, self.codec.decode(entry.payload)) for entry in self.entries]


async def recorded_entries(records: list[dict[str, Any]]) -> list[LogEntry]:
    """Play a recording into an offline node and return the log's entries."""
    node = OfflineNode()
    async with node.running():
        feed = RecordedFeed(node.edge)
        for first in range(0, len(records), PORTION):
            await feed.ingest("bench", first, records[first : first + PORTION])
    return node.entries
