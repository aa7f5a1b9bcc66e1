"""The submitter when the log fails: unknown outcomes, refusals, truncation, epochs, replicas."""

from __future__ import annotations

import asyncio

import pytest

from streams.log.flight import SubmitterLimits
from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.log.recent import RecentEntries
from streams.log.submitter import Submitter
from streams.ports import (
    ENTRY_ZERO,
    AppendUnknown,
    CommandOutcome,
    EntryId,
    EpochChanged,
    LogTruncated,
    ReplicasMissing,
)
from tests.support import MS, eventually
from tests.unit.log.samples import Sample, Tail, cancelled, sample_codec, say
from tests.unit.log.submitting import Clock, Node, code_of, running


QUICK = SubmitterLimits(seen_ms_max=20, retry_ms=1, retry_ms_max=5)


async def test_a_lost_acknowledgement_is_made_up_for_by_the_tail() -> None:
    async with running(limits=QUICK) as node:
        node.server.faults.appends_lost = 1
        outcome = await node.submitter.submit(say("c1"))
        await node.submitter.submit(say("c2"))

        assert outcome.code == "OK"
        assert node.tail.applied == ["c1", "c2"]
        assert (node.submitter.unknown, node.submitter.resent) == (1, 0)
        assert node.tail.repeated == []


async def test_a_batch_the_tail_does_not_show_is_sent_again_under_its_id() -> None:
    async with running(limits=QUICK) as node:
        node.server.faults.pause_reads("n1")
        node.server.faults.appends_lost = 1
        future = node.submitter.submit(say("c1"))
        await eventually(lambda: node.server.length == 2)
        node.server.faults.resume_reads("n1")

        assert (await future).code == "OK"
        await eventually(lambda: node.tail.repeated == ["n1.a.1"])
        assert node.tail.applied == ["c1"]
        assert node.submitter.resent == 1


async def test_a_lost_append_is_sent_again() -> None:
    async with running(limits=QUICK) as node:
        append, failures = node.log.append, [AppendUnknown("cut, and it was not stored")]

        async def cut_once(payload: bytes, *, seen: EntryId) -> EntryId:
            if failures:
                raise failures.pop()
            return await append(payload, seen=seen)

        node.log.append = cut_once
        outcome = await node.submitter.submit(say("c1"))

        assert outcome.code == "OK"
        assert node.tail.applied == ["c1"]
        assert (node.submitter.unknown, node.submitter.resent) == (1, 1)


async def test_a_batch_of_unknown_outcome_is_given_up_when_nobody_waits_for_it() -> None:
    limits = SubmitterLimits(outcome_ms_max=30, seen_ms_max=10, retry_ms=1, retry_ms_max=2)
    async with running(limits=limits) as node:

        async def cut(payload: bytes, *, seen: EntryId) -> EntryId:
            raise AppendUnknown("cut, and it was not stored")

        append, node.log.append = node.log.append, cut
        assert await code_of(node.submitter.submit(say("c1"))) == "OUTCOME_UNKNOWN"
        await eventually(lambda: node.submitter.abandoned == 1)
        node.log.append = append
        await node.submitter.submit(say("c2"))

        assert node.tail.applied == ["c2"]


async def test_a_refused_append_is_tried_again_in_order() -> None:
    async with running(limits=QUICK) as node:
        node.server.faults.appends_refused = 1_000_000
        futures = [node.submitter.submit(say("c1"))]
        await eventually(lambda: node.submitter.refused > 1)
        futures.append(node.submitter.submit(say("c2")))
        node.server.faults.appends_refused = 0
        await asyncio.gather(*futures)

        assert node.tail.applied == ["c1", "c2"]
        assert node.tail.repeated == []


async def test_a_full_log_sheds_commands() -> None:
    server = MemoryLogServer(bytes_max=100)
    log = MemoryLog(server, Clock(), node="n1")
    await log.open()
    node = Node(server, log, QUICK)
    task = asyncio.create_task(node.submitter.run())
    await eventually(lambda: node.submitter.accepting)

    error = await asyncio.gather(
        node.submitter.submit(say("c1", "x" * 200)), return_exceptions=True
    )

    assert [(one.code, one.retry_ms) for one in error] == [("LOG_FULL", 500)]
    await cancelled(task)


async def test_a_truncated_log_is_repaired_and_submitting_goes_on() -> None:
    async with running(limits=QUICK) as node:
        for number in range(4):
            await node.submitter.submit(say(f"c{number}"))
        recent = RecentEntries()
        other = MemoryLog(node.server, Clock(), node="n2")
        await other.open()
        for entry in await other.read(ENTRY_ZERO, count_max=9, wait_ms=0):
            recent.add(entry)
        node.server.faults.truncate(2)
        accepting = []

        def repair() -> None:
            accepting.append(node.submitter.accepting)
            for entry in recent.entries()[3:]:
                node.server.store(entry)

        node.on_recover = repair
        outcome = await node.submitter.submit(say("c4"))

        assert outcome.code == "OK"
        assert node.tail.applied == ["c0", "c1", "c2", "c3", "c4"]
        assert [type(error) for error in node.recovered] == [LogTruncated]
        assert accepting == [False]
        assert node.submitter.accepting
        assert node.submitter.truncations == 1


async def test_a_new_epoch_is_handled_and_submitting_goes_on() -> None:
    async with running(tailing=False, limits=QUICK) as node:
        other = MemoryLog(node.server, Clock(), node="n2")
        await other.open()
        await other.begin_epoch(ENTRY_ZERO)

        future = node.submitter.submit(say("c1"))
        await eventually(lambda: node.server.length == 1)

        assert [type(error) for error in node.recovered] == [EpochChanged]
        node.submitter.resolve("c1", CommandOutcome("OK", "1-0.0", {}))
        assert (await future).code == "OK"


async def test_a_failing_repair_ends_the_run_and_answers_everyone() -> None:
    server = MemoryLogServer()
    log = MemoryLog(server, Clock(), node="n1")
    await log.open()
    node = Node(server, log, QUICK)

    def fail() -> None:
        raise OSError("the archive is gone")

    node.on_recover = fail
    node.tail.seen = EntryId(1, 0)
    task = asyncio.create_task(node.submitter.run())
    await eventually(lambda: node.submitter.accepting)
    future = node.submitter.submit(say("c1"))

    with pytest.raises(OSError, match="archive"):
        await task
    assert await code_of(future) == "NOT_READY"
    assert not node.submitter.accepting


class ReplicatedLog(MemoryLog):
    """Waits for replicas: acknowledges when told, or misses them."""

    def __init__(self, server: MemoryLogServer) -> None:
        super().__init__(server, Clock(), node="n1")
        self.confirmed = asyncio.Event()
        self.failure: AppendUnknown | None = None

    async def append(self, payload: bytes, *, seen: EntryId) -> EntryId:
        entry_id = await super().append(payload, seen=seen)
        await self.confirmed.wait()
        if self.failure is not None:
            raise self.failure
        return entry_id


async def replicated() -> tuple[ReplicatedLog, Tail, Submitter[Sample], list[asyncio.Task[None]]]:
    log = ReplicatedLog(MemoryLogServer())
    await log.open()
    tail = Tail(log)

    async def never(error: LogTruncated | EpochChanged) -> None:
        raise error

    submitter: Submitter[Sample] = Submitter(
        log,
        sample_codec(),
        node="n1",
        incarnation="a",
        seen=lambda: tail.seen,
        on_truncated=never,
        hold_until_appended=True,
        limits=QUICK,
    )
    tasks = [
        asyncio.create_task(submitter.run()),
        asyncio.create_task(tail.run(lambda: submitter)),
    ]
    await eventually(lambda: submitter.accepting)
    return log, tail, submitter, tasks


async def test_an_outcome_is_held_until_the_replicas_have_the_entry() -> None:
    log, tail, submitter, tasks = await replicated()
    future = submitter.submit(say("c1"))
    await eventually(lambda: tail.applied == ["c1"])
    assert not future.done()

    log.confirmed.set()

    async with asyncio.timeout(1_000 * MS):
        assert (await future).code == "OK"
    for task in tasks:
        await cancelled(task)


@pytest.mark.parametrize(
    "failure", [ReplicasMissing(expected=1, actual=0), AppendUnknown("cut while waiting")]
)
async def test_an_unconfirmed_outcome_is_unknown_and_nothing_is_sent_again(
    failure: AppendUnknown,
) -> None:
    log, tail, submitter, tasks = await replicated()
    log.failure = failure
    log.confirmed.set()

    assert await code_of(submitter.submit(say("c1"))) == "OUTCOME_UNKNOWN"

    log.failure = None
    assert (await submitter.submit(say("c2"))).code == "OK"
    assert tail.applied == ["c1", "c2"]
    assert await log.length() == 2
    for task in tasks:
        await cancelled(task)
