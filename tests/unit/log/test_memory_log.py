"""The memory log: its faults, and everything it does against a plain list."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streams.log import memory_log
from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.log.recent import RecentEntries
from streams.ports import (
    ENTRY_ZERO,
    AppendUnknown,
    EntryId,
    LogEntry,
    LogFull,
    LogHole,
    LogTruncated,
    LogUnavailable,
)
from tests.support import MS, eventually


T = TypeVar("T")


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_000

    def now_us(self) -> int:
        return self.now_ms * 1000

    def monotonic(self) -> float:
        return self.now_ms / 1000


async def opened(
    server: MemoryLogServer, node: str = "n1", clock: Clock | None = None
) -> MemoryLog:
    log = MemoryLog(server, clock if clock is not None else Clock(), node=node)
    await log.open()
    return log


async def test_ids_take_the_clock_and_never_go_back() -> None:
    clock = Clock()
    log = await opened(MemoryLogServer(), clock=clock)
    ids = []
    for now_ms in (1_000, 1_000, 1_001, 900, 1_002):
        clock.now_ms = now_ms
        ids.append(str((await log.append(b"x", seen=ENTRY_ZERO)).entry_id))

    assert ids == ["1000-0", "1000-1", "1001-0", "1001-1", "1002-0"]


async def test_lost_acknowledgement_leaves_the_entry_stored() -> None:
    server = MemoryLogServer()
    log = await opened(server)
    server.faults.appends_lost = 1

    with pytest.raises(AppendUnknown):
        await log.append(b"one", seen=ENTRY_ZERO)
    await log.append(b"two", seen=ENTRY_ZERO)

    found = await log.read(ENTRY_ZERO, count_max=9, wait_ms=0)
    assert [entry.payload for entry in found] == [b"one", b"two"]


async def test_refused_append_stores_nothing() -> None:
    server = MemoryLogServer()
    log = await opened(server)
    server.faults.appends_refused = 1

    with pytest.raises(LogUnavailable):
        await log.append(b"one", seen=ENTRY_ZERO)

    assert await log.length() == 0


async def test_server_that_is_down_answers_nothing() -> None:
    server = MemoryLogServer()
    log = await opened(server)
    server.faults.down = True

    for call in (
        log.open(),
        log.append(b"x", seen=ENTRY_ZERO),
        log.read(ENTRY_ZERO, count_max=1, wait_ms=0),
        log.head(),
        log.repair([]),
        log.begin_epoch(ENTRY_ZERO),
        log.trim(ENTRY_ZERO),
        log.length(),
    ):
        with pytest.raises(LogUnavailable):
            await call


async def test_server_that_goes_down_during_an_append_leaves_the_outcome_unknown() -> None:
    server = MemoryLogServer()
    log = await opened(server)
    server.faults.append_ms = 10
    appending = asyncio.create_task(log.append(b"one", seen=ENTRY_ZERO))
    await eventually(lambda: server.length == 1)
    server.faults.down = True

    with pytest.raises(AppendUnknown):
        await appending


async def test_full_server_refuses_until_trimmed() -> None:
    server = MemoryLogServer(bytes_max=10)
    log = await opened(server)
    await log.append(b"12345", seen=ENTRY_ZERO)
    second = (await log.append(b"12345", seen=ENTRY_ZERO)).entry_id

    with pytest.raises(LogFull):
        await log.append(b"1", seen=ENTRY_ZERO)
    await log.trim(second)

    await log.append(b"1", seen=ENTRY_ZERO)


async def test_paused_reads_of_one_node_wait_until_resumed() -> None:
    server = MemoryLogServer()
    paused, other = await opened(server, "n1"), await opened(server, "n2")
    server.faults.pause_reads("n1")
    entry = LogEntry((await other.append(b"one", seen=ENTRY_ZERO)).entry_id, b"one")
    reading = asyncio.create_task(paused.read(ENTRY_ZERO, count_max=1, wait_ms=0))

    assert await other.read(ENTRY_ZERO, count_max=1, wait_ms=0) == [entry]
    assert not reading.done()
    server.faults.resume_reads("n1")

    async with asyncio.timeout(1_000 * MS):
        assert await reading == [entry]


async def test_read_that_stays_paused_fails_like_a_silent_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory_log, "LIVENESS_MS_MAX", 5)
    server = MemoryLogServer()
    log = await opened(server)
    server.faults.pause_reads("n1")

    with pytest.raises(LogUnavailable, match="silence"):
        await log.read(ENTRY_ZERO, count_max=1, wait_ms=5)


async def test_cancelled_readers_leave_nothing_behind() -> None:
    server = MemoryLogServer()
    logs = [await opened(server, f"n{number}") for number in range(3)]
    readings = [
        asyncio.create_task(log.read(ENTRY_ZERO, count_max=1, wait_ms=60_000)) for log in logs
    ]
    await eventually(lambda: len(server._waiting) == 3)
    for reading in readings:
        reading.cancel()
    await asyncio.gather(*readings, return_exceptions=True)

    assert len(server._waiting) == 0


async def test_an_id_of_the_past_cannot_be_stored() -> None:
    server = MemoryLogServer()
    server.store(LogEntry(EntryId(5, 0), b"x"))

    with pytest.raises(ValueError, match="above 5-0"):
        server.store(LogEntry(EntryId(5, 0), b"x"))


class MemoryLogMachine(RuleBasedStateMachine):
    """Any sequence of calls does to the log what it does to a list."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.server = MemoryLogServer()
        self.log = self.run(opened(self.server, clock=self.clock))
        self.ever: list[LogEntry] = []  # what was appended and not lost
        self.trimmed = 0  # how many of them were forgotten

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.runner.close()

    @property
    def head(self) -> EntryId:
        return self.ever[-1].entry_id if self.ever else ENTRY_ZERO

    @rule(step_ms=st.integers(-5, 5))
    def time_passes(self, step_ms: int) -> None:
        self.clock.now_ms += step_ms

    @rule(payload=st.binary(min_size=1, max_size=4))
    def append(self, payload: bytes) -> None:
        before = self.head
        entry_id, follows = self.run(self.log.append(payload, seen=before))
        assert follows
        assert entry_id > before
        self.ever.append(LogEntry(entry_id, payload))

    @rule(ahead=st.integers(1, 3))
    def append_from_the_future(self, ahead: int) -> None:
        seen = EntryId(self.head.ms, self.head.seq + ahead)
        with pytest.raises(LogTruncated):
            self.run(self.log.append(b"x", seen=seen))

    @rule(data=st.data(), count_max=st.integers(1, 5))
    def read(self, data: st.DataObject, count_max: int) -> None:
        start = data.draw(st.integers(0, len(self.ever)))
        after = self.ever[start - 1].entry_id if start else ENTRY_ZERO
        reading = self.log.read(after, count_max=count_max, wait_ms=0)
        if start < self.trimmed:
            with pytest.raises(LogHole) as caught:
                self.run(reading)
            assert caught.value.first == self.ever[self.trimmed].entry_id
        else:
            assert self.ever[start : start + count_max] == self.run(reading)

    @precondition(lambda self: self.ever)
    @rule(data=st.data())
    def trim(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.ever) - 1))
        expected = max(0, index - self.trimmed)
        assert expected == self.run(self.log.trim(self.ever[index].entry_id))
        self.trimmed += expected

    @rule(count=st.integers(1, 3))
    def lose_and_repair(self, count: int) -> None:
        held = len(self.ever) - self.trimmed
        lost = min(count, held - 1)
        if lost <= 0:
            return
        recent = RecentEntries()
        for entry in self.ever:
            recent.add(entry)
        self.server.faults.truncate(lost)
        with pytest.raises(LogTruncated):
            self.run(self.log.append(b"x", seen=self.head))
        with pytest.raises(LogTruncated):
            self.run(self.log.read(self.head, count_max=1, wait_ms=0))
        assert self.head == self.run(self.log.repair(recent.entries()))

    @rule(count=st.integers(1, 3))
    def lose_for_good(self, count: int) -> None:
        lost = min(count, len(self.ever) - self.trimmed - 1)
        if lost > 0:
            self.server.faults.truncate(lost)
            del self.ever[-lost:]
            # A handle that had read what was lost would rightly miss it: ask as another node.
            self.log = self.run(opened(self.server, clock=self.clock))

    @invariant()
    def agrees(self) -> None:
        assert self.head == self.run(self.log.head())
        assert len(self.ever) - self.trimmed == self.run(self.log.length())
        held = sum(len(entry.payload) for entry in self.ever[self.trimmed :])
        assert held == self.server.bytes_held


TestMemoryLogAgainstAList = MemoryLogMachine.TestCase
TestMemoryLogAgainstAList.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None
)
