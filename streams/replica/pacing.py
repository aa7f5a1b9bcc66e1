"""When the tail reads: not while this node's own appends show that it misses nothing.

An append tells whether its entry stands right after the newest one this node has applied. While
they all do, nobody else writes, each entry is applied as soon as it is acknowledged, and reading
it back would only cost time. A pause in the appends, or an entry of another node between them,
lets the tail read again.
"""

from __future__ import annotations

import asyncio


QUIET_SECONDS = 0.003
"""The tail reads when this node has not appended for this long: how late another node's entry may
be noticed here because of it."""


class ReadPacing:
    """What the appends of this node tell its tail."""

    def __init__(self) -> None:
        self._stirred = asyncio.Event()
        self._missing = False
        self._quiet_at_s = 0.0

    def applied_own(self) -> None:
        """Note that an own entry was applied without reading it."""
        self._quiet_at_s = asyncio.get_running_loop().time() + QUIET_SECONDS

    def miss(self) -> None:
        """Note that there are entries to be read."""
        self._missing = True
        self._stirred.set()

    async def until_due(self) -> None:
        """Wait until there is a reason to read."""
        loop = asyncio.get_running_loop()
        while not self._missing and (wait_s := self._quiet_at_s - loop.time()) > 0:
            self._stirred.clear()
            timer = loop.call_later(wait_s, self._stirred.set)
            try:
                await self._stirred.wait()
            finally:
                timer.cancel()
        self._missing = False
