"""One node's copy of the state: recover, tail the log, apply, publish, answer.

Invariants:
    * Start is recovery: newest snapshot, archived entries after it, then the tail of the log. The
      same path serves first start, restart, crash, and a hole in the log.
    * Entries are applied in order on the event loop, in slices of `SLICE_SECONDS_MAX`, so that a
      backlog never starves the sockets.
    * Whoever waits for a command of this node is answered right after it was applied: when the
      log has acknowledged it, unless entries of others stand between.
    * A node that finds that the log went another way than its state rebuilds itself; entries read
      for the state before are never applied to the state after. One task mends at a time.
    * An exception out of the core stops the node before another entry is applied; the log names
      the entry. A digest that differs from the others' stops it too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from streams.core.commands import Command, Tick
from streams.core.kernel import Applied, Kernel
from streams.core.state import State
from streams.log.codec import Batch, BatchCodec
from streams.log.recent import RecentEntries
from streams.log.submitter import Submitter
from streams.ports import (
    ENTRY_ZERO,
    EntryId,
    EpochChanged,
    Log,
    LogEntry,
    LogHole,
    LogTruncated,
    LogUnavailable,
    RecoveryStore,
)
from streams.replica.answers import answer_all
from streams.replica.backoff import backoff_s
from streams.replica.digests import DigestWatch
from streams.replica.history import History
from streams.replica.outcomes import PoisonedEntry, Recovered
from streams.replica.pacing import ReadPacing
from streams.replica.publisher import FrameSink, NoSink, Publisher
from streams.replica.recovery import (
    ARCHIVED_PER_READ_MAX,
    ENTRIES_PER_READ_MAX,
    lost_entries,
    newest_state,
    remember_recent,
)
from streams.replica.waiting import AppliedWaiters


SLICE_SECONDS_MAX = 0.004
"""Longest stretch of applying before the event loop gets a turn."""

READ_WAIT_MS = 2_000

OnEpoch = Callable[[str], None]
"""Called with the new epoch's name when the node begins to rebuild itself for it.

Numbers of channels that were handed out before mean nothing from then on.
"""

OnEntry = Callable[[LogEntry, EntryId, Applied, State], None]
"""Called after an entry was applied: (entry, entry before, what it produced, the state)."""


class Replica:
    """Sole owner of a kernel; see the module docstring.

    Attributes:
        epoch: name of the log's life.
        ready: the replica has caught up with the head it saw at the start.
        entries: entries applied since the start of the process.
        commands: commands applied since then.
        apply_seconds: time spent applying them.
        recovered: how the last recovery went.
    """

    def __init__(
        self,
        log: Log,
        codec: BatchCodec[Command],
        *,
        node: str,
        store: RecoveryStore | None = None,
        sink: FrameSink | None = None,
        history: History | None = None,
        digests: DigestWatch | None = None,
        on_entry: OnEntry | None = None,
        on_epoch: OnEpoch | None = None,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.node = node
        self.epoch = ""
        self.ready = False
        self.entries = 0
        self.commands = 0
        self.apply_seconds = 0.0
        self.log_head = ENTRY_ZERO
        self.recovered = Recovered(ENTRY_ZERO, 0, 0.0)
        self.history = history or History()
        self.recent = RecentEntries()
        self.submitter: Submitter[Command] | None = None
        self.became_ready = asyncio.Event()
        self._log = log
        self._codec = codec
        self._store = store
        self._digests = digests
        self._on_entry = on_entry
        self._on_epoch = on_epoch
        self._stopwatch = stopwatch
        self._publisher = Publisher(sink or NoSink(), self.history)
        self._kernel = Kernel(State(), self._publisher.on_cut)
        self._owner = asyncio.Lock()
        self._generation = 0
        self._rejoin: EntryId | None = None
        self._rebuilt = False
        self._pacing = ReadPacing()
        self._waiters = AppliedWaiters()
        self._journal = structlog.get_logger("optix.replica").bind(node=node)

    @property
    def state(self) -> State:
        """The state; read only for everybody else."""
        return self._kernel.state

    @property
    def kernel(self) -> Kernel:
        """For readers of derived arrays."""
        return self._kernel

    @property
    def seen(self) -> EntryId:
        """The newest entry applied."""
        return EntryId(self.state.entry_ms, self.state.entry_seq)

    @property
    def offset(self) -> str:
        """Text of the newest applied entry, as sent in `hello` and `X-Log-Offset`."""
        return f"{self.state.entry_ms}-{self.state.entry_seq}.0"

    def attach(self, sink: FrameSink) -> None:
        """Send frames to this sink from now on."""
        self._publisher.sink = sink

    async def recover(self) -> None:
        """Rebuild the state from snapshot and archive; `run` goes on with the log's tail."""
        started, self.ready = self._stopwatch(), False
        self.became_ready.clear()
        epoch = await self._open()
        state, snapshot = await newest_state(self._store, epoch, self._codec, self._journal)
        self._begin(epoch, state)
        restored = self._stopwatch()
        await remember_recent(self._store, self.history, self.seen, self.state)
        remembered = self._stopwatch()
        archived = await self._apply_archived()
        seconds = self._stopwatch() - started
        self.recovered = Recovered(snapshot, archived, seconds)
        self._journal.info(
            "recovered",
            snapshot=str(snapshot),
            archived=archived,
            seconds=round(seconds, 3),
            restore_seconds=round(restored - started, 3),
            history_seconds=round(remembered - restored, 3),
        )

    def _begin(self, epoch: str, state: State) -> None:
        """Take another state; whatever was remembered of the one before goes with it."""
        before, self.epoch = self.epoch, epoch
        self._generation += 1
        self._rejoin = None
        self._kernel = Kernel(state, self._publisher.on_cut)
        self._publisher.reset()
        self.history.clear()
        self.recent.restart(self.seen)
        if self._digests is not None:
            self._digests.begin(epoch)
        if before and self._on_epoch is not None:
            self._on_epoch(epoch)

    async def _apply_archived(self) -> int:
        """Apply what the archive has after this state; return how many entries."""
        archived = 0
        if self._store is not None:
            while entries := await self._store.entries(self.seen, count_max=ARCHIVED_PER_READ_MAX):
                archived += len(entries)
                await self._apply_all(entries, archived=True)
        return archived

    async def _open(self) -> str:
        if self._store is None:
            return await self._log.open()
        return await self._store.fence(self._log.open)

    async def run(self) -> None:
        """Tail the log until cancelled.

        Raises:
            PoisonedEntry: the core raised; the state must be rebuilt by a restart.
            DigestMismatch: this node's state differs from the others'.
        """
        target = await self._head()
        failures = 0
        while True:
            if not self.ready and self.seen >= target:
                self._become_ready()
            await self._pacing.until_due()
            generation = self._generation
            try:
                entries = await self._log.read(
                    self._rejoin or self.seen,
                    count_max=ENTRIES_PER_READ_MAX,
                    wait_ms=READ_WAIT_MS if self.ready else 0,
                )
                failures = 0
            except LogUnavailable as error:
                failures += 1
                self._journal.warning("log_unavailable", error=str(error), failures=failures)
                await asyncio.sleep(backoff_s(failures))
                continue
            except (LogTruncated, EpochChanged, LogHole) as error:
                if generation == self._generation:  # else it was about the state before
                    await self.mend(error)
                    target = await self._head()
                continue
            async with self._owner:
                if generation == self._generation:
                    await self._take(entries)
                    if not entries and not self.ready:
                        # The head may be an id that an epoch began after, which no entry has.
                        self._become_ready()

    async def _take(self, entries: list[LogEntry]) -> None:
        """Apply what is new; the rest was applied meanwhile, or read only to find the way."""
        seen = self.seen
        if self._rejoin is not None:
            self._rejoin = entries[-1].entry_id if entries else self._rejoin
        entries = [entry for entry in entries if entry.entry_id > seen]
        if entries:
            self._rejoin = None
            self._rebuilt = False
            await self._apply_all(entries)

    def take_appended(self, entry: LogEntry, after: EntryId | None) -> None:
        """Apply an own entry that the log has acknowledged, or let the tail read what is missing.

        `after` is what it stands right after, None when that was not applied here at the time.
        """
        if after is not None and entry.entry_id <= self.seen:
            # The tail was faster. Nobody else wrote, so it would only read the next one back too.
            self._pacing.applied_own()
            return
        batch = self._codec.decode(entry.payload)
        direct = after == self.seen and self.ready and not self._owner.locked()
        if not direct or _has_tick(batch):
            self._pacing.miss()
            return
        self._rebuilt = False
        self._apply(entry, batch, archived=False)
        self._publisher.flush()
        self._waiters.wake(self.seen)
        self._pacing.applied_own()

    async def _head(self) -> EntryId:
        while True:
            try:
                head = self.log_head = await self._log.head()
                return head
            except LogUnavailable:
                await asyncio.sleep(0.1)

    def _become_ready(self) -> None:
        self.ready = True
        self.became_ready.set()
        self._journal.info("ready", offset=self.offset, epoch=self.epoch)

    async def mend(self, error: LogTruncated | EpochChanged | LogHole) -> None:
        """Make log and node agree again: repair the log, catch up, or rebuild in a new epoch.

        Both the tail and the submitter may find the damage; the second one finds it mended.

        Raises:
            LogHole: the archive does not have what the log has trimmed.
        """
        generation = self._generation
        failures = 0
        async with self._owner:
            while generation == self._generation:
                self._journal.error("log_damaged", error=str(error), seen=str(self.seen))
                try:
                    await self._mend(error)
                except LogUnavailable as unavailable:
                    failures += 1
                    self._journal.warning("log_unavailable", error=str(unavailable))
                    await asyncio.sleep(backoff_s(failures))
                except EpochChanged as changed:
                    error = changed
                else:
                    return

    async def _mend(self, error: LogTruncated | EpochChanged | LogHole) -> None:
        if isinstance(error, LogHole):
            if await self._apply_archived() == 0:
                raise error
        elif isinstance(error, EpochChanged):
            if error.actual != self.epoch:
                await self._rebuild()
        elif self._rebuilt and error.foreign:
            # The archive is ahead of a log that went another way: both are kept, in this order.
            self._rejoin = error.head
        else:
            await self._repair(error)

    async def _repair(self, error: LogTruncated) -> None:
        """Give the log back what it lost, or begin an epoch without it."""
        try:
            lost = await lost_entries(self.recent, self._store, error.head)
            head = await self._log.repair(lost)
        except LogTruncated:
            epoch = await self._log.begin_epoch(self.seen)
            self._journal.error("epoch_begun", epoch=epoch, after=str(self.seen))
            await self._rebuild()
        else:
            self._journal.warning("log_repaired", head=str(head))

    async def _rebuild(self) -> None:
        """Forget this state and go on from the store and from what the log still has."""
        await self.recover()
        self._rebuilt = True

    async def _apply_all(self, entries: list[LogEntry], *, archived: bool = False) -> None:
        started = self._stopwatch()
        for entry in entries:
            batch = self._codec.decode(entry.payload)
            if _has_tick(batch):
                for _ in self._kernel.derived.prepare(self.state):
                    started = await self._give_way(started)
            self._apply(entry, batch, archived=archived)
            started = await self._give_way(started)
        self._publisher.flush()
        self._waiters.wake(self.seen)

    async def _give_way(self, started: float) -> float:
        """Give the loop a turn if this stretch has lasted long; return when it began."""
        if self._stopwatch() - started > SLICE_SECONDS_MAX:
            self._publisher.flush()
            await asyncio.sleep(0)
            started = self._stopwatch()
        return started

    def _apply(self, entry: LogEntry, batch: Batch[Command], *, archived: bool) -> None:
        started = self._stopwatch()
        before = self.seen
        try:
            applied = self._kernel.apply(
                entry.entry_id.ms, entry.entry_id.seq, batch.batch_id, batch.envelopes
            )
        except Exception as error:
            self.ready = False
            raise PoisonedEntry(entry.entry_id, error) from error
        self.recent.add(entry)
        self._publisher.on_applied(self.state, applied)
        if self._on_entry is not None and not archived:
            self._on_entry(entry, before, applied, self.state)
        if batch.node == self.node and self.submitter is not None:
            answer_all(self.submitter, self.state, self.history, batch.batch_id, applied)
        if self._digests is not None:
            self._digests.observe(self.state)
        self.entries += 1
        self.commands += len(applied.outcomes)
        self.apply_seconds += self._stopwatch() - started

    async def applied(self, entry_id: EntryId, *, seconds_max: float) -> bool:
        """Wait until this node has applied an entry; return whether it did in time."""
        if self.seen >= entry_id:
            return True
        return await self._waiters.wait(entry_id, seconds_max=seconds_max)


def _has_tick(batch: Batch[Command]) -> bool:  # it needs slices first, see `Derived.prepare`
    return any(type(envelope.command) is Tick for envelope in batch.envelopes)
