"""One tick each tenth of a second, by whoever holds the role."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from server.bench.offline import OfflineNode
from streams.core.commands import Tick
from streams.replica.scheduler import PERIOD_US, Scheduler
from tests.simulation.virtual_loop import EPOCH_US, VirtualClock, run_virtual


class Scene:
    """A scheduler of a node in virtual time."""

    def __init__(self, node: OfflineNode) -> None:
        self.node = node
        self.holds = True
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.made = Scheduler(node.edge, self.clock, lambda: self.holds)

    def numbers(self) -> list[int]:
        commands = [e.command for _, batch in self.node.decoded() for e in batch.envelopes]
        first = EPOCH_US // PERIOD_US
        return [each.number - first for each in commands if isinstance(each, Tick)]


async def pass_virtual(seconds: float) -> None:
    """Let so much virtual time pass."""
    loop = asyncio.get_running_loop()
    passed: asyncio.Future[None] = loop.create_future()
    loop.call_later(seconds, passed.set_result, None)
    await passed


def run(work: Callable[[Scene], Awaitable[None]]) -> Scene:
    async def all_of_it() -> Scene:
        node = OfflineNode()
        async with node.running():
            scene = Scene(node)
            running = asyncio.create_task(scene.made.run())
            await work(scene)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            return scene

    return run_virtual(all_of_it())


def test_ticks_are_numbered_by_tenths_of_seconds() -> None:
    async def work(_: Scene) -> None:
        await pass_virtual(1.05)

    scene = run(work)

    assert scene.numbers() == list(range(1, 11))
    assert (scene.made.ticks, scene.made.missed) == (10, 0)
    assert scene.node.replica.state.tick_number == EPOCH_US // PERIOD_US + 10


def test_nobody_ticks_without_the_role_and_nothing_is_missed() -> None:
    async def work(scene: Scene) -> None:
        scene.holds = False
        await pass_virtual(1.05)
        scene.holds = True
        await pass_virtual(0.3)

    scene = run(work)

    assert scene.numbers() == [11, 12, 13]
    assert scene.made.missed == 0


def test_a_clock_that_goes_back_repeats_no_number() -> None:
    async def work(scene: Scene) -> None:
        await pass_virtual(0.35)
        scene.clock.skew_us -= 200_000
        await pass_virtual(0.5)

    numbers = run(work).numbers()

    assert numbers == sorted(set(numbers))


def test_periods_that_went_by_are_counted() -> None:
    async def work(scene: Scene) -> None:
        await pass_virtual(0.15)
        scene.clock.skew_us += 500_000
        await pass_virtual(0.1)

    scene = run(work)

    assert scene.numbers() == [1, 7]
    assert scene.made.missed == 5


def test_a_tick_that_is_not_taken_is_missed() -> None:
    async def work(scene: Scene) -> None:
        scene.node.replica.ready = False
        await pass_virtual(0.25)
        scene.node.replica.ready = True
        await pass_virtual(0.1)

    scene = run(work)

    assert scene.numbers() == [3]
    assert (scene.made.ticks, scene.made.missed) == (1, 2)
