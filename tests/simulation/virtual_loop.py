"""An event loop whose time is a number: a simulated hour passes as fast as its callbacks run.

When nothing is ready, time jumps to the next timer. When there is no timer either, nobody can
ever wake anybody: that is a deadlock and is raised at once. The loop serves no sockets and no
threads, and two runs of the same program make the same calls in the same order.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar


T = TypeVar("T")

EPOCH_US = 1_772_366_400_000_000
"""Wall time at virtual time 0: 2026-03-01T12:00:00Z."""


class Deadlock(Exception):
    """Nothing is ready and no timer is set."""


class _JumpSelector(selectors.SelectSelector):
    """Waits by moving the loop's time forward."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            waiting = sorted(
                f"{task.get_name()}: {task.get_coro()}" for task in asyncio.all_tasks(self.loop)
            )
            raise Deadlock(f"expected a callback or a timer, {len(waiting)} tasks wait: {waiting}")
        if timeout > 0:
            self.loop.jump(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module docstring."""

    def __init__(self) -> None:
        selector = _JumpSelector()
        selector.loop = self
        self._virtual_s = 0.0
        super().__init__(selector)

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._virtual_s

    def jump(self, seconds: float) -> None:
        """Move time forward; called by the selector when nothing is ready."""
        self._virtual_s += seconds


class VirtualClock:
    """The `Clock` of one node: virtual time, with a skew of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, skew_us: int = 0) -> None:
        self.skew_us = skew_us
        self._loop = loop

    def now_us(self) -> int:
        """Microseconds since 1970 UTC as this node believes."""
        return EPOCH_US + round(self._loop.time() * 1e6) + self.skew_us

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self._loop.time()


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time.

    Raises:
        Deadlock: everybody waits for ever.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


async def passed(seconds: float) -> None:
    """Let virtual time pass; never waits in real time, because only a virtual loop has this."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    done = loop.create_future()
    loop.call_later(seconds, done.set_result, None)
    await done
