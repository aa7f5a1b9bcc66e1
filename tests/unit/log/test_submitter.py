"""The submitter on the memory log: grouping, bounds, deadlines, order."""

from __future__ import annotations

import asyncio

import pytest

from streams.log.flight import SubmitterLimits
from streams.ports import CommandError, CommandOutcome
from tests.support import eventually
from tests.unit.log.samples import say
from tests.unit.log.submitting import code_of, running


async def test_a_command_is_answered_when_the_own_tail_applied_it() -> None:
    async with running() as node:
        future = node.submitter.submit(say("c1"))
        assert node.submitter.waits_for("c1")
        outcome = await future

        assert not node.submitter.waits_for("c1")
        assert outcome == CommandOutcome("OK", f"{node.tail.seen}.0", {})
        assert node.submitter.pending == 0


async def test_a_lone_command_leaves_at_once() -> None:
    async with running() as node:
        for number in range(3):
            await node.submitter.submit(say(f"c{number}"))

        assert node.tail.batch_sizes == [1, 1, 1]


async def test_commands_submitted_together_share_an_entry() -> None:
    async with running() as node:
        futures = [node.submitter.submit(say(f"c{number}")) for number in range(20)]
        await asyncio.gather(*futures)

        assert node.tail.batch_sizes == [20]
        assert (node.submitter.appends, node.submitter.commands) == (1, 20)
        assert node.acknowledged == [20]


async def test_the_next_batch_fills_while_one_is_in_flight() -> None:
    async with running() as node:
        node.server.faults.append_ms = 20
        first = node.submitter.submit(say("c0"))
        await eventually(lambda: node.submitter.in_flight == 1)
        rest = []
        for number in range(1, 6):
            rest.append(node.submitter.submit(say(f"c{number}")))
            await asyncio.sleep(0)
        await asyncio.gather(first, *rest)

        assert node.tail.batch_sizes == [1, 5]


async def test_commands_keep_their_order() -> None:
    async with running(limits=SubmitterLimits(batch_commands_max=7)) as node:
        ids = [f"c{number}" for number in range(100)]
        await asyncio.gather(*(node.submitter.submit(say(id_)) for id_ in ids))

        assert node.tail.applied == ids
        assert max(node.tail.batch_sizes) == 7


async def test_batches_are_bounded_in_bytes() -> None:
    async with running(limits=SubmitterLimits(batch_bytes_max=4_000)) as node:
        sizes = []
        append = node.log.append

        async def watched(payload: bytes, **more: object) -> object:
            sizes.append(len(payload))
            return await append(payload, **more)

        node.log.append = watched
        futures = [node.submitter.submit(say(f"c{number}", "x" * 700)) for number in range(12)]
        await asyncio.gather(*futures)

        assert max(sizes) <= 4_000
        assert node.tail.batch_sizes == [4, 4, 4]


async def test_a_command_larger_than_a_batch_is_refused() -> None:
    async with running(limits=SubmitterLimits(batch_bytes_max=2_000)) as node:
        with pytest.raises(CommandError, match="at most 976 bytes") as caught:
            node.submitter.submit(say("c1", "x" * 2_000))

        assert caught.value.code == "INVALID_ARGUMENT"
        assert node.submitter.pending == 0


async def test_too_many_pending_commands_are_refused() -> None:
    async with running(tailing=False, limits=SubmitterLimits(pending_commands_max=2)) as node:
        for number in range(2):
            node.submitter.submit(say(f"c{number}"))

        with pytest.raises(CommandError) as caught:
            node.submitter.submit(say("c2"))

        assert caught.value.code == "LOG_FULL"
        assert caught.value.retry_ms == 500
        assert node.submitter.pending == 2
        node.submitter.fail_all(CommandError("NOT_READY", "end of the test"))


async def test_a_pending_id_cannot_be_used_again() -> None:
    async with running() as node:
        future = node.submitter.submit(say("c1"))
        with pytest.raises(ValueError, match="c1"):
            node.submitter.submit(say("c1"))
        await future


async def test_a_cancelled_command_that_has_not_left_is_taken_back() -> None:
    async with running() as node:
        node.server.faults.append_ms = 10
        first = node.submitter.submit(say("c0"))
        await eventually(lambda: node.submitter.in_flight == 1)
        node.submitter.submit(say("c1")).cancel()
        last = node.submitter.submit(say("c2"))
        await asyncio.gather(first, last)

        assert node.tail.applied == ["c0", "c2"]
        assert node.submitter.pending == 0


async def test_nothing_is_taken_before_it_runs_or_after() -> None:
    async with running() as node:
        pass

    with pytest.raises(CommandError) as caught:
        node.submitter.submit(say("c1"))
    assert caught.value.code == "NOT_READY"


async def test_only_one_run_at_a_time() -> None:
    async with running() as node:
        with pytest.raises(RuntimeError, match="one run"):
            await node.submitter.run()


async def test_a_command_not_applied_in_time_has_an_unknown_outcome() -> None:
    async with running(tailing=False, limits=SubmitterLimits(outcome_ms_max=30)) as node:
        future = node.submitter.submit(say("c1"))

        assert await code_of(future) == "OUTCOME_UNKNOWN"
        assert node.server.length == 1
        assert node.submitter.expired == 1
        assert not node.submitter.resolve("c1", CommandOutcome("OK", "1-0.0", {}))


async def test_a_late_command_takes_no_later_one_with_it() -> None:
    async with running(tailing=False, limits=SubmitterLimits(outcome_ms_max=20)) as node:
        first = node.submitter.submit(say("c1"))
        second = node.submitter.submit(say("c2"))
        node.submitter._pending["c2"].deadline += 3_600

        assert await code_of(first) == "OUTCOME_UNKNOWN"
        assert node.submitter.pending == 1
        node.submitter.resolve("c2", CommandOutcome("OK", "1-0.1", {}))
        assert (await second).code == "OK"


async def test_a_command_that_never_left_is_refused_when_its_time_is_over() -> None:
    async with running(limits=SubmitterLimits(outcome_ms_max=30, retry_ms=5)) as node:
        node.server.faults.appends_refused = 1_000
        future = node.submitter.submit(say("c1"))

        assert await code_of(future) == "NOT_READY"
        node.server.faults.appends_refused = 0
        await node.submitter.submit(say("c2"))

        assert node.tail.applied == ["c2"]


async def test_stopping_answers_what_is_pending() -> None:
    async with running(tailing=False) as node:
        node.server.faults.append_ms = 60_000
        sent = node.submitter.submit(say("c1"))
        await eventually(lambda: node.submitter.in_flight == 1)
        queued = node.submitter.submit(say("c2"))

    assert await code_of(sent) == "OUTCOME_UNKNOWN"
    assert await code_of(queued) == "NOT_READY"
    assert node.submitter.pending == 0


async def test_draining_refuses_new_commands_and_waits_for_the_others() -> None:
    async with running() as node:
        node.server.faults.append_ms = 5
        futures = [node.submitter.submit(say(f"c{number}")) for number in range(5)]

        draining = asyncio.create_task(node.submitter.drain())
        await asyncio.sleep(0)
        with pytest.raises(CommandError) as caught:
            node.submitter.submit(say("late"))
        await draining

        assert caught.value.code == "NOT_READY"
        assert all(future.done() for future in futures)


async def test_draining_with_nothing_pending_returns_at_once() -> None:
    async with running() as node:
        await node.submitter.drain()


async def test_failing_all_gives_everyone_an_error_of_their_own() -> None:
    async with running(tailing=False) as node:
        futures = [node.submitter.submit(say(f"c{number}")) for number in range(3)]

        node.submitter.fail_all(CommandError("NOT_READY", "rebuilding", retry_ms=9))

        errors = await asyncio.gather(*futures, return_exceptions=True)
        assert [error.retry_ms for error in errors] == [9, 9, 9]
        assert len({id(error) for error in errors}) == 3
        await asyncio.sleep(0)
        assert node.server.length == 0
