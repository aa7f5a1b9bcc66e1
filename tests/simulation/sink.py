"""What the sockets of a simulated cluster receive, checked frame by frame.

Invariants checked:
    * On one node and in one epoch, the frames of a channel are numbered without gap or repeat.
    * A frame of a channel with one number is the same on every node. Two histories may exist for
      a moment after entries were lost, so a difference counts unless its epoch has ended since.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from streams.ports import Frame


_encode = msgspec.msgpack.Encoder().encode


class Shown(NamedTuple):
    """A frame as it was first shown."""

    ts_us: int
    encoded: bytes


class Difference(NamedTuple):
    """Two nodes showed different frames under one number."""

    epoch: str
    key: str
    seq: int
    text: str


class SharedFrames:
    """Every frame that any node has published, by epoch, channel and number."""

    def __init__(self) -> None:
        self.frames: dict[tuple[str, str, int], Shown] = {}
        self.differences: list[Difference] = []

    def see(self, epoch: str, node: str, frame: Frame) -> None:
        """Compare a frame with what others showed under its number."""
        encoded = _encode(frame)
        place = epoch, frame.key, frame.seq
        known = self.frames.setdefault(place, Shown(frame.ts_us, encoded))
        if known.encoded != encoded:
            text = f"{node} showed {encoded!r}, another {known.encoded!r}"
            self.differences.append(Difference(epoch, frame.key, frame.seq, text))

    def forget(self, epoch: str, from_us: int) -> None:
        """Forget the frames of an epoch from a log time on."""
        for place, shown in list(self.frames.items()):
            if place[0] == epoch and shown.ts_us >= from_us:
                del self.frames[place]

    def breaches(self, epoch: str) -> list[str]:
        """Return the differences within the epoch that lives."""
        found = [each for each in self.differences if each.epoch == epoch]
        return [f"{each.key} #{each.seq}: {each.text}" for each in found]


class RecordingSink:
    """The hub of one run of a node, with subscribers to one channel in `one_of`."""

    def __init__(
        self, node: str, shared: SharedFrames, epoch: Callable[[], str], *, one_of: int
    ) -> None:
        self.gaps: list[str] = []
        self._node = node
        self._shared = shared
        self._epoch = epoch
        self._one_of = one_of
        self._newest: dict[str, int] = {}

    def wanted(self, key: str) -> bool:
        return zlib.crc32(key.encode()) % self._one_of == 0

    def feeds(self) -> Mapping[str, object]:
        return {}

    def publish(self, frames: Sequence[Frame]) -> None:
        epoch = self._epoch()
        for frame in frames:
            newest = self._newest.get(frame.key)
            if newest is not None and frame.seq != newest + 1:
                self.gaps.append(
                    f"{self._node}: expected {frame.key} #{newest + 1}, was #{frame.seq}"
                )
            self._newest[frame.key] = frame.seq
            self._shared.see(epoch, self._node, frame)

    def epoch_changed(self, epoch: str) -> None:
        """Subscribers were sent away; whoever comes back starts from a snapshot."""
        del epoch
        self._newest.clear()
