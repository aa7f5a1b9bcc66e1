"""The scheduler role: appends numbered ticks, by which time passes in the core.

Two schedulers at once are harmless: the core ignores a number it has seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from streams.core.commands import Tick
from streams.core.market_clock import TICKS_PER_SECOND
from streams.ports import Clock, CommandError
from streams.replica.edge import Edge


PERIOD_US = 1_000_000 // TICKS_PER_SECOND


class Scheduler:
    """Appends one tick each 100 ms while it holds the role.

    Attributes:
        ticks: ticks acknowledged.
        missed: periods without a tick, because an answer was late or the log away.
    """

    def __init__(self, edge: Edge, clock: Clock, holds_role: Callable[[], bool]) -> None:
        self._edge = edge
        self._clock = clock
        self._holds_role = holds_role
        self.ticks = 0
        self.missed = 0
        self._journal = structlog.get_logger("optix.scheduler")

    async def run(self) -> None:
        """Append ticks until cancelled."""
        number = self._clock.now_us() // PERIOD_US
        while True:
            now_us = self._clock.now_us()
            await asyncio.sleep((PERIOD_US - now_us % PERIOD_US) / 1e6)
            due = self._clock.now_us() // PERIOD_US
            if due <= number:
                continue
            if not self._holds_role():
                number = due  # another node's to tick: nothing is missed here
                continue
            self.missed += due - number - 1
            number = due
            try:
                await self._edge.submit(Tick(number), "scheduler", privileged=True)
                self.ticks += 1
            except CommandError as error:
                self.missed += 1
                self._journal.debug("tick_missed", code=error.code)
