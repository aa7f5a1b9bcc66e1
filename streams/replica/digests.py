"""Comparing digests between nodes: the odd one out stops instead of serving wrong data.

Every node publishes the chain digest of its state at the same entries (the first entry at or
after each `EVERY_TICKS` ticks). Digests of different epochs are never compared: an entry may stand
in another history there. A node that differs from a strict majority stops; without a
majority the first that was published stands.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog

from streams.core.state import State
from streams.ports import DigestBoard, EntryId, LogUnavailable, OptixError


EVERY_TICKS = 50
"""Ticks between two comparisons: five seconds."""

QUEUE_MAX = 64
"""Digests waiting to be compared; when the board is away the oldest are dropped and counted."""


class DigestMismatch(OptixError):
    """This node's state differs from the other nodes'."""

    def __init__(self, entry_id: EntryId, mine: str, reference: str) -> None:
        super().__init__(f"at entry {entry_id} expected digest {reference}, was {mine}")
        self.entry_id = entry_id
        self.mine = mine
        self.reference = reference


class DigestWatch:
    """Notes digests while entries are applied and compares them in its own task.

    Attributes:
        compared: comparisons made.
        dropped: digests not compared because the board was away.
        newest: (entry, digest) noted last.
    """

    def __init__(self, board: DigestBoard, node: str) -> None:
        self._board = board
        self._node = node
        self._epoch = ""
        self._period = -1
        self._queue: asyncio.Queue[tuple[EntryId, str]] = asyncio.Queue(QUEUE_MAX)
        self.compared = 0
        self.dropped = 0
        self.newest: tuple[EntryId, str] | None = None
        self._journal = structlog.get_logger("optix.digest").bind(node=node)

    def begin(self, epoch: str) -> None:
        """Start anew with a state of that epoch; what waits of the one before is not compared."""
        self._epoch = epoch
        self._period = -1
        while not self._queue.empty():
            self._queue.get_nowait()

    def observe(self, state: State) -> None:
        """Note the digest if the entry just applied is one to compare at."""
        period = state.tick_number // EVERY_TICKS
        if period == self._period:
            return
        first = self._period < 0
        self._period = period
        if first:
            return
        entry_id = EntryId(state.entry_ms, state.entry_seq)
        self.newest = entry_id, state.chain.hex()
        if self._queue.full():
            self._queue.get_nowait()
            self.dropped += 1
        self._queue.put_nowait(self.newest)

    async def run(self) -> None:
        """Compare until cancelled.

        Raises:
            DigestMismatch: this node is the odd one out.
        """
        while True:
            entry_id, mine = await self._queue.get()
            suffix = f"@{self._epoch}"
            try:
                published = await self._board.exchange(entry_id, self._node + suffix, mine)
            except LogUnavailable as error:
                self.dropped += 1
                self._journal.warning("digest_board_away", error=str(error))
                continue
            self.compared += 1
            reference = reference_digest(
                [digest for node, digest in published if node.endswith(suffix)]
            )
            if reference != mine:
                self._journal.error(
                    "digest_mismatch", entry=str(entry_id), mine=mine, reference=reference
                )
                raise DigestMismatch(entry_id, mine, reference)


def reference_digest(digests: list[str]) -> str:
    """Return the digest of a strict majority, else the first one published."""
    digest, count = Counter(digests).most_common(1)[0]
    return digest if count * 2 > len(digests) else digests[0]
