"""A timer wheel: thousands of coarse timers for one handle of the event loop.

Timers are sorted into slots by the tick they fall due in. Adding and cancelling cost the same
whatever the number of timers, and a tick touches only its own slot.

Invariants:
    * A timer never fires early and fires at most one tick late, unless more than
      `TIMERS_PER_TURN` fall due together: then the rest follow in the next turns of the loop.
    * The wheel turns only while timers are set.

Discarded: `loop.call_later` per connection. It keeps a heap of all of them and leaves cancelled
ones inside; a task per connection costs kilobytes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final


TICK_MS: Final = 50
TIMERS_PER_TURN: Final = 256


class Timer:
    """One timer of a wheel. Cancel it by `cancel`."""

    __slots__ = ("_wheel", "callback", "tick")

    def __init__(self, wheel: TimerWheel, tick: int, callback: Callable[[], None]) -> None:
        self._wheel = wheel
        self.tick = tick
        self.callback = callback

    def cancel(self) -> None:
        """Forget the timer; without effect once it has fired."""
        self._wheel.discard(self)


class TimerWheel:
    """Timers on a monotonic clock.

    Args:
        monotonic: seconds of a clock that never goes back.
        tick_ms: resolution in milliseconds.
    """

    def __init__(self, monotonic: Callable[[], float], *, tick_ms: int = TICK_MS) -> None:
        self._monotonic = monotonic
        self._tick_s = tick_ms / 1000
        # Tick -> its timers, in the order they were set (a dict keeps it and forgets in O(1)).
        self._slots: dict[int, dict[Timer, None]] = {}
        self._tick = self._now_tick()
        self._due: deque[Timer] = deque()
        self._handle: asyncio.Handle | None = None

    def __len__(self) -> int:
        return sum(map(len, self._slots.values())) + len(self._due)

    def schedule(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` once, `delay_s` seconds from now or up to one tick later."""
        if self._handle is None:
            # The wheel stood still: nothing is due between then and now.
            self._tick = self._now_tick()
        due_s = self._monotonic() + max(0.0, delay_s)
        tick = max(self._tick + 1, int(due_s / self._tick_s) + 1)
        timer = Timer(self, tick, callback)
        self._slots.setdefault(tick, {})[timer] = None
        if self._handle is None:
            self._arm()
        return timer

    def discard(self, timer: Timer) -> None:
        """Forget a timer."""
        slot = self._slots.get(timer.tick)
        if slot is not None:
            slot.pop(timer, None)
            if not slot:
                del self._slots[timer.tick]
        elif timer in self._due:
            self._due.remove(timer)

    def turn(self) -> None:
        """Fire what is due now, at most `TIMERS_PER_TURN`. The loop calls this by itself."""
        now_tick = self._now_tick()
        while self._tick < now_tick:
            self._tick += 1
            self._due.extend(self._slots.pop(self._tick, ()))
        for _ in range(min(TIMERS_PER_TURN, len(self._due))):
            if not self._due:
                # A callback cancelled the timers after it.
                break
            self._due.popleft().callback()

    def stop(self) -> None:
        """Forget all timers."""
        self._slots.clear()
        self._due.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _now_tick(self) -> int:
        return int(self._monotonic() / self._tick_s)

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        if self._due:
            self._handle = loop.call_soon(self._on_loop)
        else:
            self._handle = loop.call_later(self._tick_s, self._on_loop)

    def _on_loop(self) -> None:
        try:
            self.turn()
        finally:
            self._handle = None
            if self._slots or self._due:
                self._arm()
