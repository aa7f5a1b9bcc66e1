"""Takes snapshots of the state while the node serves, and trims the log below them.

A forked child sees the state as it was at the fork and encodes it in its own time; the parent goes
on applying entries and stores what comes through the pipe. The child does nothing but encode,
write and leave: it touches no lock, no loop and no connection of the parent.

Invariants:
    * A snapshot is of the state between two entries.
    * The log is trimmed only below what is archived *and* covered by a complete snapshot, and
      entries of the last `LOG_MS_KEPT` before it always stay for nodes that lag a little.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
import warnings
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import structlog

from storage import snapshots
from storage.errors import StorageError
from storage.pool import Pool
from streams.core.snapshots import SNAPSHOT_SCHEMA, snapshot
from streams.core.state import State
from streams.ports import ENTRY_ZERO, EntryId, Log, LogError


ENTRIES_BETWEEN = 5_000
"""Entries after which the next snapshot is due: a restart applies at most about as many again."""

SECONDS_BETWEEN = 60.0
"""Time after which the next snapshot is due, if any entry was applied."""

LOG_MS_KEPT = 120_000
"""Log time that stays in the log behind a snapshot."""

SNAPSHOTS_KEPT = 3
PIPE_BYTES = 1 << 20
"""Most bytes written to or read from the pipe at once."""

FDS_MAX = 1 << 20
"""Above every descriptor that a process has: the kernel's own bound by default."""


class Subject(NamedTuple):
    """What a snapshot is taken of: the state, its place, and the log's epoch."""

    state: State
    entry_id: EntryId
    epoch: str


class SnapshotFailed(StorageError):
    """The child did not deliver a whole snapshot."""


class Snapshotter:
    """Snapshots of one node's state; runs while the archiver's role is held.

    Attributes:
        taken: snapshots stored since the start.
        newest: entry of the newest one.
        fork_ms: how long the last fork held up the event loop, milliseconds.
        bytes: size of the newest one.
    """

    def __init__(
        self,
        pool: Pool,
        log: Log,
        *,
        subject: Callable[[], Subject],
        archived: Callable[[], EntryId],
        entries: Callable[[], int],
        seconds_between: float = SECONDS_BETWEEN,
    ) -> None:
        """Prepare; `run` works.

        Args:
            pool: connections to the primary.
            log: trimmed behind the snapshots.
            subject: the state and its place, now.
            archived: the newest archived entry.
            entries: entries applied since the start.
            seconds_between: see `SECONDS_BETWEEN`.
        """
        self._pool = pool
        self._log = log
        self._subject = subject
        self._archived = archived
        self._entries = entries
        self._seconds_between = seconds_between
        self.taken = 0
        self.newest = ENTRY_ZERO
        self.fork_ms = 0.0
        self.bytes = 0
        self._journal = structlog.get_logger("optix.snapshots")

    async def run(self) -> None:
        """Take a snapshot whenever one is due, until cancelled."""
        last_entries, last_time = self._entries(), time.monotonic()
        while True:
            await asyncio.sleep(1.0)
            fresh = self._entries() - last_entries
            waited = time.monotonic() - last_time
            if fresh < ENTRIES_BETWEEN and (fresh == 0 or waited < self._seconds_between):
                continue
            try:
                await self.take()
                await self.trim()
            except (StorageError, LogError, OSError) as error:
                self._journal.warning("snapshot_failed", error=str(error))
            last_entries, last_time = self._entries(), time.monotonic()

    async def take(self) -> EntryId:
        """Store a snapshot of the state as it is now; return its place.

        Raises:
            SnapshotFailed: the child failed.
            StorageError: PostgreSQL refused it.
        """
        subject = self._subject()
        started = time.perf_counter()
        child, reading = fork_snapshot(subject.state)
        self.fork_ms = (time.perf_counter() - started) * 1000
        pieces = _Pieces(child, reading)
        try:
            await snapshots.save(
                self._pool,
                epoch=subject.epoch,
                entry_id=subject.entry_id,
                schema=SNAPSHOT_SCHEMA,
                digest=subject.state.chain,
                data=pieces.read(),
            )
        finally:
            pieces.close()
        await snapshots.prune(self._pool, keep=SNAPSHOTS_KEPT)
        self.taken += 1
        self.newest, self.bytes = subject.entry_id, pieces.bytes
        self._journal.info(
            "snapshot",
            offset=str(subject.entry_id),
            bytes=pieces.bytes,
            fork_ms=round(self.fork_ms, 2),
            seconds=round(time.perf_counter() - started, 3),
        )
        return subject.entry_id

    async def trim(self) -> int:
        """Trim the log below the newest snapshot and the archive; return the entries forgotten."""
        covered = min(self.newest, self._archived())
        keep_from = EntryId(max(covered.ms - LOG_MS_KEPT, 0), 0)
        if keep_from.ms == 0:
            return 0
        return await self._log.trim(keep_from)


def fork_snapshot(state: State) -> tuple[int, int]:
    """Fork a child that encodes the state into a pipe; return (child's pid, reading end)."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # The child of a process with threads may only do what needs no lock: it encodes and writes.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            child = os.fork()
        except OSError:
            os.close(reading)
            os.close(writing)
            raise
    if child == 0:  # pragma: no cover - it leaves before it could report
        status = 1
        try:
            # A child that outlives a killed parent must not hold its port or its state directory.
            os.closerange(3, writing)
            os.closerange(writing + 1, FDS_MAX)
            # Where it shares a core with the node that serves, it runs while that waits.
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            data = memoryview(snapshot(state))
            while data:
                data = data[os.write(writing, data[:PIPE_BYTES]) :]
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    return child, reading


class _Pieces:
    """The pieces that come through the pipe, and the end of the child.

    The pipe is read by hand: a transport would own it, and would close its number a second time,
    when it may be another file's already.
    """

    def __init__(self, child: int, reading: int) -> None:
        self._child = child
        self._pipe = reading
        self._ended: asyncio.Future[tuple[int, int]] | None = None
        os.set_blocking(reading, False)
        self.bytes = 0

    async def read(self) -> AsyncIterator[bytes]:
        while True:
            try:
                piece = os.read(self._pipe, PIPE_BYTES)
            except BlockingIOError:
                await self._readable()
                continue
            if not piece:
                break
            self.bytes += len(piece)
            yield piece
        # a cancelled caller leaves the child to the thread that waits for it
        self._ended = self._reaped()
        _, status = await asyncio.shield(self._ended)
        if status != 0:
            raise SnapshotFailed(f"expected the child to end with 0, was {status}")

    def close(self) -> None:
        """Close the pipe; a child that still writes ends, and is reaped."""
        os.close(self._pipe)
        if self._ended is None:
            os.kill(self._child, signal.SIGKILL)
            self._ended = self._reaped()

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._pipe, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._pipe)

    def _reaped(self) -> asyncio.Future[tuple[int, int]]:
        """Wait for the child in a thread: freeing the memory of a large one takes its time."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(None, os.waitpid, self._child, 0)
