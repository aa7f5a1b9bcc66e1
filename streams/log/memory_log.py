"""The log in the memory of one process: for simulation, tests and examples.

A `MemoryLogServer` plays the Redis server; every node opens its own `MemoryLog` handle to it.
Waiting uses futures of the running event loop only, so it works under a virtual clock.

Invariants:
    * Same contract as `redis_log`, proved by one suite; the same links between entries.
    * Ids are made like Redis does: milliseconds of the appending handle's clock, never going back,
      else the same milliseconds and the next sequence number.
    * `server.faults` makes the server fail the way real ones do. Nothing fails by itself.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from streams.log.link import (
    LINK_ZERO,
    Link,
    check_follows,
    check_head,
    checksum_of,
    missing_from,
)
from streams.ports import (
    ENTRY_ZERO,
    Appended,
    AppendUnknown,
    Clock,
    EntryId,
    EpochChanged,
    LogEntry,
    LogFull,
    LogTruncated,
    LogUnavailable,
)


LIVENESS_MS_MAX = 5_000
"""A paused read fails this long after its own waiting time, as a silent connection would."""


class _Stored(NamedTuple):
    entry: LogEntry
    checksum: str
    follows: Link


class LogFaults:
    """What shall go wrong next at a server. All off by default.

    Attributes:
        appends_lost: so many next appends are stored but not acknowledged (`AppendUnknown`).
        appends_refused: so many next appends fail before they are stored (`LogUnavailable`).
        append_ms: time between storing an entry and acknowledging it.
        down: every call fails with `LogUnavailable`, as if the server were gone.
    """

    def __init__(self, server: MemoryLogServer) -> None:
        self._server = server
        self._paused: set[str] = set()
        self.appends_lost = 0
        self.appends_refused = 0
        self.append_ms = 0.0
        self.down = False

    def truncate(self, count: int) -> None:
        """Lose the last `count` entries, as a crash between write and fsync does."""
        self._server.lose(count)

    def pause_reads(self, node: str) -> None:
        """Let the reads of the handle of that name hear nothing until `resume_reads`."""
        self._paused.add(node)

    def resume_reads(self, node: str) -> None:
        """End `pause_reads`."""
        self._paused.discard(node)
        self._server.wake_readers()

    def reads_paused(self, node: str) -> bool:
        """Say whether reads of that handle are paused."""
        return node in self._paused


class MemoryLogServer:
    """Holds one log; never awaits, so every method is atomic."""

    def __init__(self, *, bytes_max: int = 1 << 40) -> None:
        """Make an empty log without an epoch; the first handle that opens begins one.

        Args:
            bytes_max: payload bytes held beyond which appends are refused (`LogFull`).
        """
        self.faults = LogFaults(self)
        self.epoch = ""
        self.bytes_held = 0
        self.link = LINK_ZERO
        self._epoch_number = 0
        self._bytes_max = bytes_max
        self._stored: list[_Stored] = []
        self._waiting: dict[asyncio.Future[None], None] = {}

    @property
    def length(self) -> int:
        """How many entries are held."""
        return len(self._stored)

    def append(self, payload: bytes, now_ms: int) -> EntryId:
        """Store one entry under a new id."""
        if self.bytes_held + len(payload) > self._bytes_max:
            raise LogFull(f"expected at most {self._bytes_max} bytes in the log")
        last = self.link.high
        entry_id = EntryId(now_ms, 0) if now_ms > last.ms else EntryId(last.ms, last.seq + 1)
        self.store(LogEntry(entry_id, payload))
        return entry_id

    def store(self, entry: LogEntry) -> None:
        """Store one entry under its own id, which is above the head."""
        if entry.entry_id <= self.link.high:
            raise ValueError(f"expected an id above {self.link.high}, was {entry.entry_id}")
        checksum = checksum_of(entry.payload)
        self._stored.append(_Stored(entry, checksum, self.link))
        self.bytes_held += len(entry.payload)
        self.link = Link.of(entry.entry_id, checksum)
        self.wake_readers()

    def after(self, after: EntryId, count_max: int) -> list[_Stored]:
        """Return what is stored after an id."""
        start = bisect_right(self._stored, after, key=_id_of)
        return self._stored[start : start + count_max]

    def holds(self, entry: LogEntry) -> bool:
        """Say whether this very entry is stored."""
        end = bisect_right(self._stored, entry.entry_id, key=_id_of)
        if end == 0 or self._stored[end - 1].entry.entry_id != entry.entry_id:
            return False
        return not entry.payload or self._stored[end - 1].entry.payload == entry.payload

    def trim(self, keep_from: EntryId) -> int:
        """Forget entries below an id, never the newest."""
        end = bisect_right(self._stored, keep_from, key=_id_of)
        if end and self._stored[end - 1].entry.entry_id == keep_from:
            end -= 1
        end = max(0, min(end, len(self._stored) - 1))
        self.bytes_held -= sum(len(stored.entry.payload) for stored in self._stored[:end])
        del self._stored[:end]
        return end

    def lose(self, count: int) -> None:
        """Drop the newest entries; the head goes back with them."""
        for _ in range(min(count, len(self._stored))):
            lost = self._stored.pop()
            self.bytes_held -= len(lost.entry.payload)
            self.link = lost.follows

    def begin_epoch(self, entry_id: EntryId, now_ms: int) -> None:
        """Begin the next epoch, whose ids follow `entry_id`."""
        self._epoch_number += 1
        self.epoch = f"e{self._epoch_number}.{now_ms:x}"
        self.link = self.link.beginning_after(entry_id)
        self.wake_readers()

    def wake_readers(self) -> None:
        """Let every waiting reader look again."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def changed(self) -> None:
        """Wait until something may have changed for a reader."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = None
        try:
            await future
        finally:
            self._waiting.pop(future, None)


class MemoryLog:
    """One node's handle to a `MemoryLogServer`. Implements `streams.ports.Log`."""

    def __init__(self, server: MemoryLogServer, clock: Clock, *, node: str = "node") -> None:
        """Make a handle.

        Args:
            server: the log.
            clock: gives the milliseconds of the ids of this handle's appends.
            node: name by which `server.faults` pauses this handle.
        """
        self.node = node
        self._server = server
        self._clock = clock
        self._epoch = ""
        self._reading = False
        self._last = (ENTRY_ZERO, "")

    async def open(self) -> str:
        """See `Log.open`."""
        self._check_up()
        if not self._server.epoch:
            self._server.begin_epoch(ENTRY_ZERO, self._now_ms())
        self._epoch = self._server.epoch
        return self._epoch

    async def append(self, payload: bytes, *, seen: EntryId) -> Appended:
        """See `Log.append`."""
        if not payload:
            raise ValueError("expected a payload, was empty")
        server, faults = self._server, self._server.faults
        self._check_up()
        if faults.appends_refused > 0:
            faults.appends_refused -= 1
            raise LogUnavailable("expected the log to accept an append, it was refused by a fault")
        self._check_epoch()
        if server.link.high < seen:
            raise LogTruncated(head=server.link.high, seen=seen)
        follows = server.link.high == seen
        entry_id = server.append(payload, self._now_ms())
        lost = faults.appends_lost > 0
        if lost:
            faults.appends_lost -= 1
        await asyncio.sleep(faults.append_ms / 1000)
        if lost or faults.down:
            raise AppendUnknown("expected an acknowledgement of the append, it was lost")
        return Appended(entry_id, follows)

    async def read(self, after: EntryId, *, count_max: int, wait_ms: int) -> list[LogEntry]:
        """See `Log.read`."""
        if self._reading:
            if wait_ms > 0:
                raise RuntimeError("expected one waiting read of a handle at a time, was another")
            return (await self._read(after, "", count_max, 0))[0]
        self._reading = True
        try:
            checksum = self._last[1] if self._last[0] == after else ""
            found, newest = await self._read(after, checksum, count_max, wait_ms)
            self._last = newest
            return found
        finally:
            self._reading = False

    async def head(self) -> EntryId:
        """See `Log.head`."""
        self._check_up()
        return self._server.link.high

    async def repair(self, entries: Sequence[LogEntry]) -> EntryId:
        """See `Log.repair`."""
        self._check_up()
        self._check_epoch()
        server = self._server
        if not entries:
            return server.link.high
        missing = missing_from(entries, server.link)
        if missing is None:
            newest = entries[-1]
            if server.holds(newest):
                return server.link.high
            head = server.link.high
            raise LogTruncated(head=head, seen=newest.entry_id, foreign=head > newest.entry_id)
        for entry in missing:
            server.store(entry)
        return server.link.high

    async def begin_epoch(self, entry_id: EntryId) -> str:
        """See `Log.begin_epoch`."""
        self._check_up()
        self._check_epoch()
        self._server.begin_epoch(entry_id, self._now_ms())
        self._epoch = self._server.epoch
        return self._epoch

    async def trim(self, keep_from: EntryId) -> int:
        """See `Log.trim`."""
        self._check_up()
        return self._server.trim(keep_from)

    async def length(self) -> int:
        """See `Log.length`."""
        self._check_up()
        return self._server.length

    async def close(self) -> None:
        """See `Log.close`."""
        self._epoch = ""

    async def _read(
        self, after: EntryId, checksum: str, count_max: int, wait_ms: int
    ) -> tuple[list[LogEntry], tuple[EntryId, str]]:
        """Read and check; return the entries, and id and checksum of the newest."""
        deadline = _loop_s() + wait_ms / 1000
        while True:
            await self._until_resumed(deadline + LIVENESS_MS_MAX / 1000)
            self._check_up()
            self._check_epoch()
            found, newest = self._found(after, checksum, count_max)
            remaining_s = deadline - _loop_s()
            if found or remaining_s <= 0:
                return found, newest
            await self._wait(remaining_s)

    def _found(
        self, after: EntryId, checksum: str, count_max: int
    ) -> tuple[list[LogEntry], tuple[EntryId, str]]:
        found: list[LogEntry] = []
        newest = after
        for stored in self._server.after(after, count_max):
            check_follows(stored.follows, newest, checksum, stored.entry.entry_id)
            newest, checksum = stored.entry.entry_id, stored.checksum
            found.append(stored.entry)
        if not found:
            check_head(self._server.link, after, checksum)
        return found, (newest, checksum)

    async def _until_resumed(self, deadline: float) -> None:
        while self._server.faults.reads_paused(self.node):
            remaining_s = deadline - _loop_s()
            if remaining_s <= 0:
                raise LogUnavailable(f"expected an answer to a read of {self.node}, was silence")
            await self._wait(remaining_s)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._server.changed()
        except TimeoutError:
            return  # the caller looks once more and decides

    def _check_up(self) -> None:
        if self._server.faults.down:
            raise LogUnavailable("expected a log server, it was down")

    def _now_ms(self) -> int:
        return self._clock.now_us() // 1000

    def _check_epoch(self) -> None:
        if not self._epoch:
            raise RuntimeError("expected the log to be opened first")
        if self._epoch != self._server.epoch:
            raise EpochChanged(expected=self._epoch, actual=self._server.epoch)


def _loop_s() -> float:
    """Waiting is measured on the loop's own clock, which a simulation may make virtual."""
    return asyncio.get_running_loop().time()


def _id_of(stored: _Stored) -> EntryId:
    return stored.entry.entry_id
