"""Whole nodes on one log in memory, in virtual time.

A node is what the composition root builds, without sockets and databases: replica, submitter,
edge, scheduler, digest watch, history and a sink that checks what subscribers would see. A crash
cancels its tasks and drops it; a restart is another node of the same name.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, NamedTuple

from streams.core.commands import AnyCommand, Command
from streams.core.kernel import Applied
from streams.core.snapshots import snapshot
from streams.core.state import State
from streams.log.codec import BatchCodec
from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.log.submitter import Submitter
from streams.ports import CommandError, EntryId, LogEntry, RecentEvent
from streams.replica.digest_boards import MemoryDigestBoard
from streams.replica.digests import DigestWatch
from streams.replica.edge import Edge
from streams.replica.replica import Replica
from streams.replica.scheduler import Scheduler
from streams.replica.source import ReplicaSource
from tests.simulation.archive import SimulatedArchive, SimulatedStore, Unit
from tests.simulation.sink import RecordingSink, SharedFrames
from tests.simulation.virtual_loop import VirtualClock


STEPS_MAX = 40
"""Newest steps of a run that a failure prints."""


class Lost(NamedTuple):
    """An entry that the log lost, and the runs of nodes that had applied it."""

    epoch: str
    entry: LogEntry
    witnesses: tuple[str, ...]


class Node:
    """One run of a node.

    Attributes:
        name: the node's name; runs after a crash share it.
        run: unique name of this run.
        failure: the exception that ended one of its tasks, if one did.
    """

    def __init__(self, cluster: Cluster, name: str, run: int, store: SimulatedStore | None) -> None:
        self.name = name
        self.run = f"{name}{run}"
        self.failure: BaseException | None = None
        self.backlog: deque[Unit] = deque()
        self.clock = VirtualClock(cluster.loop, skew_us=cluster.skews_us[name])
        log = MemoryLog(cluster.server, self.clock, node=name)
        codec: BatchCodec[Command] = BatchCodec(AnyCommand)
        self.sink = RecordingSink(
            self.run, cluster.shared, lambda: self.replica.epoch, one_of=cluster.listen_one_of
        )
        self.watch = DigestWatch(cluster.board, name)
        self.replica = Replica(
            log,
            codec,
            node=name,
            store=store,
            sink=self.sink,
            digests=self.watch,
            on_entry=self._on_entry,
            on_epoch=self._on_epoch,
            stopwatch=cluster.loop.time,
        )
        self.submitter: Submitter[Command] = Submitter(
            log,
            codec,
            node=name,
            incarnation=str(run),
            seen=lambda: self.replica.seen,
            on_truncated=self.replica.mend,
            on_appended=self.replica.take_appended,
        )
        self.replica.submitter = self.submitter
        self.edge = Edge(self.replica, self.submitter, prefix=f"{self.run}.")
        self.source = ReplicaSource(self.replica)
        self._scheduler = Scheduler(self.edge, self.clock, lambda: cluster.ticks_on(name))
        self._tasks: list[asyncio.Task[Any]] = []
        self._calls: dict[asyncio.Task[Any], None] = {}

    def start(self) -> None:
        """Start all tasks."""
        self._spawn("node", self._live())

    async def _live(self) -> None:
        await self.replica.recover()
        self._spawn("tail", self.replica.run())
        self._spawn("submitter", self.submitter.run())
        self._spawn("digests", self.watch.run())
        self._spawn("scheduler", self._scheduler.run())

    def _spawn(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"{self.run} {what}")
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None and self.failure is None:
            self.failure = task.exception()

    def crash(self) -> None:
        """End everything at once; callers learn nothing of their commands."""
        for task in [*self._tasks, *self._calls]:
            task.cancel()

    async def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a client's call, which a crash of the node cuts off.

        Raises:
            CommandError: as the call; `OUTCOME_UNKNOWN` when the node crashed meanwhile.
        """
        task = asyncio.get_running_loop().create_task(work, name=f"{self.run} call")
        self._calls[task] = None
        try:
            return await task
        except asyncio.CancelledError:
            raise CommandError("OUTCOME_UNKNOWN", f"the connection to {self.run} broke") from None
        finally:
            self._calls.pop(task, None)

    def _on_entry(self, entry: LogEntry, before: EntryId, applied: Applied, state: State) -> None:
        del state
        ts_us = applied.ms * 1000
        events = [
            RecentEvent(key, seq, ts_us, applied.events[index][1], applied.seq, index)
            for key, seq, index in applied.numbered
        ]
        self.backlog.append(Unit(self.replica.epoch, before, entry, events))

    def _on_epoch(self, epoch: str) -> None:
        self.sink.epoch_changed(epoch)


class Cluster:
    """The log, the archive, and the nodes that live.

    Attributes:
        ticking: whether schedulers append ticks.
        double_role: every node believes it holds the scheduler's role.
        lost: entries that the log lost.
    """

    def __init__(self, names: list[str], *, listen_one_of: int, double_role: bool = False) -> None:
        self.loop = asyncio.get_running_loop()
        self.server = MemoryLogServer()
        self.archive = SimulatedArchive()
        self.board = MemoryDigestBoard()
        self.shared = SharedFrames()
        self.listen_one_of = listen_one_of
        self.skews_us = dict.fromkeys(names, 0)
        self.ticking = True
        self.double_role = double_role
        self.lost: list[Lost] = []
        self.nodes: dict[str, Node] = {}
        self.ended: list[Node] = []
        self.steps: deque[str] = deque(maxlen=STEPS_MAX)
        self._runs = 0

    @property
    def names(self) -> list[str]:
        """Names of all nodes, living or not."""
        return list(self.skews_us)

    def ticks_on(self, name: str) -> bool:
        """Whether a node appends ticks: the first that lives, or all where two hold the role."""
        return self.ticking and (self.double_role or name == next(iter(self.nodes), name))

    def note(self, step: str) -> None:
        """Remember a step for the report of a failure."""
        self.steps.append(f"{self.loop.time():9.3f} {step}")

    def start(self, name: str, store: SimulatedStore | None) -> Node:
        """Start a run of a node."""
        self._runs += 1
        node = self.nodes[name] = Node(self, name, self._runs, store)
        node.start()
        return node

    def crash(self, name: str) -> None:
        """Crash a node that lives."""
        node = self.nodes.pop(name)
        node.crash()
        self.ended.append(node)
        self._forget_unwitnessed()

    def lose(self, count: int) -> None:
        """Let the log lose its newest entries."""
        kept = self.server.length - min(count, self.server.length)
        for stored in self.server._stored[kept:]:
            entry = stored.entry
            witnesses = [
                node.run
                for node in self.nodes.values()
                if node.replica.epoch == self.server.epoch
                and any(entry == held for held in node.replica.recent.entries())
            ]
            self.lost.append(Lost(self.server.epoch, entry, tuple(witnesses)))
        self.server.faults.truncate(count)
        self._forget_unwitnessed()

    def _forget_unwitnessed(self) -> None:
        """Forget frames of lost entries that no living node has applied.

        Nobody is left who could know of the loss, so the epoch goes on and their numbers are
        given again. Only a log that loses acknowledged entries together with every node that
        applied them does this (with durability `fsync`: a destroyed disk).
        """
        living = {node.run for node in self.nodes.values()}
        for each in self.lost:
            unseen = not living.intersection(each.witnesses)
            if unseen and each.epoch == self.server.epoch and not self.server.holds(each.entry):
                self.shared.forget(each.epoch, each.entry.entry_id.ms * 1000)
                return

    def save_snapshot(self, node: Node) -> None:
        """Take a snapshot of a node as it is."""
        replica = node.replica
        if replica.ready and replica.epoch == self.server.epoch:
            self.archive.save(replica.epoch, replica.seen, snapshot(replica.state))

    def write_archive(self, node: Node, count_max: int) -> int:
        """Let a node's archiver write what it can."""
        return self.archive.write(node.backlog, count_max)

    def trim(self) -> int:
        """Trim below what is archived and covered by a snapshot."""
        saved = self.archive.saved()
        return self.server.trim(min(saved[0].entry_id, self.archive.position)) if saved else 0

    def heal(self) -> None:
        """End all faults."""
        faults = self.server.faults
        faults.appends_lost = faults.appends_refused = 0
        faults.append_ms, faults.down = 0.0, False
        for name in self.names:
            faults.resume_reads(name)

    def settled(self) -> bool:
        """Whether every node has caught up with the log and nothing is under way."""
        for node in self.nodes.values():
            if node.failure is not None:
                return True
            replica, submitter = node.replica, node.submitter
            if not replica.ready or submitter.pending or submitter.in_flight:
                return False
            if replica.epoch != self.server.epoch:
                return False
        if len({node.replica.seen for node in self.nodes.values()}) > 1:
            return False
        newest = self.server._stored[-1].entry.entry_id if self.server.length else None
        return newest is None or all(node.replica.seen >= newest for node in self.nodes.values())

    def failures(self) -> list[str]:
        """Return what ended any task of any node."""
        nodes = [*self.nodes.values(), *self.ended]
        return [f"{node.run}: {node.failure!r}" for node in nodes if node.failure is not None]
