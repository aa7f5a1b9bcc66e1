"""From what an entry produced to frames for the sockets.

A frame is built only for channels somebody listens to; numbers run regardless (core). Frames of
one slice of work are handed to the hub together, so that a socket gets them in one write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from streams.core.derived import Derived
from streams.core.kernel import Applied
from streams.core.state import INTERVALS, State
from streams.ports import Frame
from streams.replica.feed_fanout import FeedFanout
from streams.replica.history import History, Kept, event_frame
from streams.replica.rendering import delta_frame


class FrameSink(Protocol):
    """Where frames go: the hub of the gateway."""

    def wanted(self, key: str) -> bool:
        """Whether a channel has a subscriber on this node."""
        ...

    def feeds(self) -> Mapping[str, object]:
        """Return the keys of the `feed` channels that have subscribers on this node.

        The value stands for the subscribers: it is another one once all of them had left.
        """
        ...

    def publish(self, frames: Sequence[Frame]) -> None:
        """Send frames to their subscribers, in order."""
        ...


class NoSink:
    """The sink of a node without a gateway."""

    def wanted(self, key: str) -> bool:
        """Nobody listens."""
        return False

    def feeds(self) -> Mapping[str, object]:
        """Nobody listens."""
        return {}

    def publish(self, frames: Sequence[Frame]) -> None:
        """Nothing is ever published, because nothing is wanted."""
        raise AssertionError(f"expected no frames, were {len(frames)}")


class Publisher:
    """Collects the frames of a slice of work and keeps the history."""

    def __init__(self, sink: FrameSink, history: History) -> None:
        self.sink = sink
        self._history = history
        self._frames: list[Frame] = []
        self._feeds = FeedFanout()
        self.frames_total = 0

    def on_cut(self, state: State, derived: Derived, interval: int) -> None:
        """Build the deltas of a cut. Given to the kernel; only reads the state."""
        del derived
        suffix = INTERVALS[interval]
        for base in state.pending_channels[interval]:
            key = base + suffix
            if self.sink.wanted(key):
                frame = delta_frame(state, base, key, interval)
                self._history.add_delta(frame)
                self._frames.append(frame)
            else:
                self._history.forget_deltas(key)

    def on_applied(self, state: State, applied: Applied) -> None:
        """Remember the numbered events of an entry and build the frames that are wanted."""
        ts_us = applied.ms * 1000
        wanted, add_event = self.sink.wanted, self._history.add_event
        for key, seq, event_index in applied.numbered:
            event = applied.events[event_index][1]
            add_event(key, seq, ts_us, event, applied.seq, event_index)
            if wanted(key):
                self._frames.append(event_frame(state, key, Kept(seq, ts_us, event)))
        feeds = self.sink.feeds()
        if feeds:
            self._frames += self._feeds.frames(state, applied, feeds)

    def reset(self) -> None:
        """Forget the frames of a state that is given up."""
        self._frames.clear()
        self._feeds = FeedFanout()

    def flush(self) -> None:
        """Hand the collected frames to the hub."""
        if self._frames:
            frames, self._frames = self._frames, []
            self.frames_total += len(frames)
            self.sink.publish(frames)
