"""Digests are compared at the same entries on every node; the odd one out stops."""

from __future__ import annotations

import asyncio

import pytest

from streams.core.state import State
from streams.ports import EntryId, LogUnavailable
from streams.replica.digest_boards import ENTRIES_KEPT_MAX, MemoryDigestBoard
from streams.replica.digests import (
    EVERY_TICKS,
    QUEUE_MAX,
    DigestMismatch,
    DigestWatch,
    reference_digest,
)
from tests.simulation.virtual_loop import run_virtual
from tests.support import eventually


MINE, OTHER = "aa" * 16, "bb" * 16


class AbsentBoard(MemoryDigestBoard):
    """A board that cannot be reached for so many exchanges."""

    def __init__(self, absent: int) -> None:
        super().__init__()
        self.absent = absent

    async def exchange(self, entry_id: EntryId, node: str, digest: str) -> list[tuple[str, str]]:
        if self.absent > 0:
            self.absent -= 1
            raise LogUnavailable("expected the board")
        return await super().exchange(entry_id, node, digest)


def at(period: int, ms: int) -> State:
    chain = bytes.fromhex(MINE)
    return State(tick_number=period * EVERY_TICKS, entry_ms=ms, chain=chain)


@pytest.mark.parametrize(
    ("published", "reference"),
    [("a", "a"), ("ab", "a"), ("abb", "b"), ("aabb", "a"), ("abcb", "a"), ("abbb", "b")],
)
def test_a_strict_majority_is_right_else_the_first(published: str, reference: str) -> None:
    assert reference == reference_digest(list(published))


def test_the_first_entry_of_each_period_is_noted_but_for_the_one_begun_in() -> None:
    watch = DigestWatch(MemoryDigestBoard(), "n")
    noted = []
    for period, ms in ((3, 1), (3, 2), (4, 3), (4, 4), (7, 5)):
        watch.observe(at(period, ms))
        noted.append(watch.newest)

    first, second = (EntryId(3, 0), MINE), (EntryId(5, 0), MINE)
    assert noted == [None, None, first, first, second]


def test_the_oldest_leave_when_the_board_is_away_for_long() -> None:
    watch = DigestWatch(MemoryDigestBoard(), "n")
    for period in range(QUEUE_MAX + 4):
        watch.observe(at(period, period + 1))

    assert watch.dropped == 3


async def compared(watch: DigestWatch, count: int) -> None:
    running = asyncio.create_task(watch.run())
    await eventually(lambda: watch.compared + watch.dropped >= count or running.done())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_equal_digests_are_compared_on() -> None:
    async def work() -> int:
        board = MemoryDigestBoard()
        watches = [DigestWatch(board, name) for name in "ab"]
        for watch in watches:
            watch.begin("e1")
            for period in range(3):
                watch.observe(at(period, period + 1))
            await compared(watch, 2)
        return sum(watch.compared for watch in watches)

    assert run_virtual(work()) == 4


def test_the_odd_one_out_stops() -> None:
    async def work() -> DigestMismatch:
        board = MemoryDigestBoard()
        for node in "ab":
            await board.exchange(EntryId(2, 0), f"{node}@e1", OTHER)
        watch = DigestWatch(board, "n")
        watch.begin("e1")
        watch.observe(at(0, 1))
        watch.observe(at(1, 2))
        with pytest.raises(DigestMismatch) as caught:
            await watch.run()
        return caught.value

    error = run_virtual(work())
    assert (error.entry_id, error.mine, error.reference) == (EntryId(2, 0), MINE, OTHER)


def test_digests_of_another_epoch_say_nothing() -> None:
    async def work() -> tuple[int, int]:
        board = MemoryDigestBoard()
        await board.exchange(EntryId(2, 0), "other@e1", OTHER)
        watch = DigestWatch(board, "n")
        watch.begin("e1")
        watch.observe(at(0, 1))
        watch.observe(at(1, 2))
        watch.begin("e2")  # what waited is of a state that was given up
        watch.observe(at(1, 2))
        watch.observe(at(2, 3))
        await compared(watch, 1)
        return watch.compared, watch.dropped

    assert run_virtual(work()) == (1, 0)


def test_a_board_that_is_away_is_no_mismatch() -> None:
    async def work() -> tuple[int, int]:
        watch = DigestWatch(AbsentBoard(2), "n")
        for period in range(4):
            watch.observe(at(period, period + 1))
        await compared(watch, 3)
        return watch.compared, watch.dropped

    assert run_virtual(work()) == (1, 2)


def test_the_board_in_memory_is_bounded_and_keeps_the_first_word() -> None:
    async def work() -> list[tuple[str, str]]:
        board = MemoryDigestBoard()
        for ms in range(ENTRIES_KEPT_MAX + 1):
            await board.exchange(EntryId(ms, 0), "a", "old")
        assert await board.exchange(EntryId(0, 0), "b", "new") == [("b", "new")]
        return await board.exchange(EntryId(ENTRIES_KEPT_MAX, 0), "a", "changed")

    assert run_virtual(work()) == [("a", "old")]
