"""Deliveries under way: the write loop, cut into slices that never hold up the event loop.

A broadcast to ten thousand sockets is ten thousand system calls, tens of milliseconds. A
`Delivery` remembers how far it came, so the loop may serve others in between.

Invariants:
    * Deliveries run in the order in which they were queued.
    * `deliver_now` brings one outbox up to date out of turn; whoever writes to an outbox past
      the deliveries calls it first. So every socket sees the order of a synchronous publish.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from streams.fanout.channel import Write


if TYPE_CHECKING:
    from streams.fanout.outbox import Outbox


# Sockets written between two looks at the clock: about 0.5 ms.
SOCKETS_PER_LOOK: Final = 128


class Delivery:
    """Bytes on their way to outboxes.

    Args:
        outboxes: the receivers, each once.
        writers: their write functions, in the same order.
        shared: bytes for everybody, or
        pieces: bytes for each, in the same order.

    Attributes:
        errors: writes that raised; the transport reports the loss of its socket by itself.
    """

    __slots__ = ("_next", "_outboxes", "_pieces", "_place", "_shared", "_writers", "errors")

    def __init__(
        self,
        outboxes: Sequence[Outbox],
        writers: Sequence[Write],
        *,
        shared: bytes = b"",
        pieces: Sequence[bytes] | None = None,
    ) -> None:
        self._outboxes = outboxes
        self._writers = writers
        self._shared = shared
        self._pieces = pieces
        self._next = 0
        self._place: dict[Outbox, int] | None = None
        self.errors = 0

    def step(self) -> bool:
        """Write to the next few outboxes; return whether all are done."""
        start = self._next
        writers = self._writers[start : start + SOCKETS_PER_LOOK]
        # Moved first: an outbox written in this step is not written again by `deliver_now`.
        self._next = end = start + len(writers)
        if self._pieces is None:
            self._write_shared(writers)
        else:
            self._write_pieces(writers, self._pieces[start:end])
        return end >= len(self._writers)

    def deliver_now(self, outbox: Outbox) -> None:
        """Write to one outbox at once if it is still to come."""
        place = self._take(outbox)
        if place is None:
            return
        outbox.write(self._shared if self._pieces is None else self._pieces[place])

    def forget(self, outbox: Outbox) -> None:
        """Leave out an outbox whose socket is gone."""
        self._take(outbox)

    def _take(self, outbox: Outbox) -> int | None:
        if self._place is None:
            self._place = {box: place for place, box in enumerate(self._outboxes)}
            self._writers = list(self._writers)
        place = self._place.pop(outbox, None)
        if place is None or place < self._next:
            return None
        self._writers[place] = _written  # type: ignore[index]  # a list since the line above
        return place

    def _write_shared(self, writers: Sequence[Write]) -> None:
        data = self._shared
        left = iter(writers)
        while True:
            try:
                for write in left:
                    write(data)
            except (OSError, RuntimeError):
                # One socket that is gone must not cost the others their frame.
                self.errors += 1
            else:
                return

    def _write_pieces(self, writers: Sequence[Write], pieces: Sequence[bytes]) -> None:
        left = zip(writers, pieces, strict=True)
        while True:
            try:
                for write, data in left:
                    write(data)
            except (OSError, RuntimeError):
                self.errors += 1
            else:
                return


def _written(data: bytes) -> None:
    """Stand in for the writer of an outbox that has its bytes already."""
