"""Virtual time passes by jumps, in order, and stops at a deadlock."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulation.virtual_loop import EPOCH_US, Deadlock, VirtualClock, run_virtual


def test_an_hour_passes_at_once_and_timers_fire_in_order() -> None:
    fired: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        fired.append((name, asyncio.get_running_loop().time()))

    async def work() -> None:
        await asyncio.gather(wait("late", 3600.0), wait("soon", 0.1), wait("tie", 0.1))

    run_virtual(work())
    assert fired == [("soon", 0.1), ("tie", 0.1), ("late", 3600.0)]


def test_a_clock_shows_virtual_time_with_its_own_skew() -> None:
    async def work() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        right, wrong = VirtualClock(loop), VirtualClock(loop, skew_us=-5)
        await asyncio.sleep(1.5)
        return right.now_us() - EPOCH_US, wrong.now_us() - EPOCH_US

    assert run_virtual(work()) == (1_500_000, 1_499_995)


def test_waiting_for_what_never_comes_is_a_deadlock() -> None:
    async def work() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock, match="1 tasks wait"):
        run_virtual(work())


def test_a_timeout_ends_in_virtual_time() -> None:
    async def work() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtual(work()) == 30.0
