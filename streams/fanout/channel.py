"""The subscribers of one channel, sorted for the write loop.

Invariants:
    * Subscribers are kept in the order in which they came; every delivery follows that order.
    * `lanes` are derived from the subscribers and rebuilt when they or their state changed; a
      lane handed out is immutable, so a loop over it is safe while subscribers come and go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from streams.protocol.codec import CODECS


if TYPE_CHECKING:
    from streams.fanout.outbox import Outbox


Write: TypeAlias = Callable[[bytes], None]


class Lane(NamedTuple):
    """Subscribers of one channel with one codec.

    Attributes:
        outboxes: those that take bytes directly.
        writers: their write functions, in the same order.
        counted: the slow ones, offered each piece one by one.
    """

    outboxes: tuple[Outbox, ...]
    writers: tuple[Write, ...]
    counted: tuple[Outbox, ...]


class Channel:
    """Who receives a channel, and what it was last encoded to.

    Args:
        key: the channel's key inside the node.
        conflatable: whether only the newest state matters.

    Attributes:
        subscribers: outbox -> number of the newest frame it needs no more.
        floor: highest of these numbers: a frame above it goes to everybody without looking.
        snapshot_seq: number of the snapshot whose encodings are kept, -1 for none.
        snapshot_wire: encoded snapshot by codec index.
    """

    __slots__ = (
        "_lanes",
        "conflatable",
        "floor",
        "key",
        "snapshot_seq",
        "snapshot_wire",
        "subscribers",
    )

    def __init__(self, key: str, *, conflatable: bool) -> None:
        self.key = key
        self.conflatable = conflatable
        self.subscribers: dict[Outbox, int] = {}
        self.floor = 0
        self.snapshot_seq = -1
        self.snapshot_wire: list[bytes | None] = [None] * len(CODECS)
        self._lanes: tuple[Lane, ...] | None = None

    def add(self, outbox: Outbox, seq: int) -> None:
        """Add a subscriber that has everything up to `seq`."""
        self.subscribers[outbox] = seq
        self.floor = max(self.floor, seq)
        self._lanes = None

    def remove(self, outbox: Outbox) -> None:
        """Remove a subscriber."""
        del self.subscribers[outbox]
        self._lanes = None

    def raise_floor(self, outbox: Outbox, seq: int) -> None:
        """Note that a subscriber has everything up to `seq`, sent to it alone."""
        self.subscribers[outbox] = seq
        self.floor = max(self.floor, seq)

    def invalidate(self) -> None:
        """Forget the lanes: a subscriber became slow or is well again."""
        self._lanes = None

    def lanes(self) -> tuple[Lane, ...]:
        """Return the lanes by codec index."""
        lanes = self._lanes
        if lanes is None:
            lanes = self._lanes = tuple(self._lane(codec.index) for codec in CODECS)
        return lanes

    def _lane(self, codec_index: int) -> Lane:
        outboxes = [box for box in self.subscribers if box.codec.index == codec_index]
        direct = tuple(box for box in outboxes if box.direct)
        return Lane(
            direct,
            tuple([box.write for box in direct]),
            tuple(box for box in outboxes if not box.direct),
        )
