"""What tests share: a scale for every timeout, waiting for conditions, a loop in a thread.

Tests never sleep for a fixed time: they wait for what they need with `eventually`.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self, TypeVar


T = TypeVar("T")

MS = 0.001 * float(os.environ.get("OPTIX_TEST_TIME_SCALE", "1"))
"""One millisecond in seconds, stretched on slow machines. Every timeout is a multiple of it."""

POLL_S = 0.005


async def eventually(
    condition: Callable[[], T | Awaitable[T]], timeout_s: float = 5_000 * MS, what: str = ""
) -> T:
    """Poll until the condition holds and return its value.

    Args:
        condition: plain or async function; a falsy value or an AssertionError means "not yet".
        timeout_s: seconds until the test fails, as a multiple of `MS`.
        what: what is waited for, for the failure message.

    Raises:
        AssertionError: it did not hold in time; carries the last value or the last failure.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            value = condition()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return value
            seen = f"last value {value!r}"
        except AssertionError as failure:
            seen = f"last failure {failure}"
        if time.monotonic() > deadline:
            wanted = what or inspect.getsource(condition).strip()
            raise AssertionError(f"expected within {timeout_s:g} s: {wanted}; {seen}")
        await asyncio.sleep(POLL_S)


class LoopThread:
    """An event loop in a thread of its own, for what lives longer than the loop of one test."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)
        self._thread.start()
        return self

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
