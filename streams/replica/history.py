"""Recent frames in memory, from which a client resumes.

Lossless channels keep their events; a frame is built only when somebody asks. Conflatable
channels keep the deltas that were sent while somebody listened; a channel nobody listens to keeps
none. Both are bounded; what left memory is in the archive (lossless) or does not matter
(conflatable).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice, takewhile

import msgspec

from streams.core.events import Event
from streams.core.state import State
from streams.core.view import channel_data
from streams.ports import Frame


EVENTS_MAX = 200_000
"""Events of lossless channels held in all; the oldest leave first."""

EVENT_AGE_US_MAX = 3_600 * 1_000_000
"""Age in log time at which an event leaves memory when the history is above half its bound."""

WALKED_MAX = 10_000
"""Events of all channels walked over to list what happened, about 3 ms."""

DELTAS_PER_CHANNEL_MAX = 128
"""Deltas of one conflatable channel held."""


Place = tuple[int, int, int]
"""Where an event stands in the log: (log time in microseconds, entry's number, event's index)."""

NOWHERE: Place = (0, 0, 0)


class Kept(msgspec.Struct, frozen=True, gc=False):
    """One numbered event of a lossless channel. No tuple: the collector never looks at it."""

    seq: int
    ts_us: int
    event: Event
    entry_seq: int = 0
    event_index: int = 0

    @property
    def place(self) -> Place:
        """Where the event stands in the log."""
        return self.ts_us, self.entry_seq, self.event_index


def wire_name(key: str) -> str:
    """Return the name sent on the wire: an account's own channels lose the trader."""
    kind, _, _ = key.partition(":")
    return kind if kind in OWN_KINDS else key


OWN_KINDS = ("account", "copies", "notifications", "feed")


class History:
    """Recent events of lossless channels and recent deltas of conflatable ones.

    Attributes:
        whole_after: every event after this place was held once; older ones may have holes.
    """

    def __init__(self, events_max: int = EVENTS_MAX) -> None:
        self.whole_after = NOWHERE
        self._events_max = events_max
        self._events: dict[str, deque[Kept]] = {}
        self._order: deque[tuple[str, int]] = deque()
        self._deltas: dict[str, deque[Frame]] = {}

    def __len__(self) -> int:
        """Events held."""
        return len(self._order)

    def add_event(
        self,
        key: str,
        seq: int,
        ts_us: int,
        event: Event,
        entry_seq: int = 0,
        event_index: int = 0,
    ) -> None:
        """Remember a numbered event; `ts_us` is log time in microseconds."""
        kept = self._events.get(key)
        if kept is None:
            kept = self._events[key] = deque()
        kept.append(Kept(seq, ts_us, event, entry_seq, event_index))
        order = self._order
        order.append((key, ts_us))
        while len(order) > self._events_max or (
            len(order) * 2 > self._events_max and ts_us - order[0][1] > EVENT_AGE_US_MAX
        ):
            oldest, _ = order.popleft()
            held = self._events[oldest]
            held.popleft()
            if not held:
                del self._events[oldest]

    def add_delta(self, frame: Frame) -> None:
        """Remember a delta of a conflatable channel somebody listens to."""
        deltas = self._deltas.get(frame.key)
        if deltas is None:
            deltas = self._deltas[frame.key] = deque(maxlen=DELTAS_PER_CHANNEL_MAX)
        deltas.append(frame)

    def forget_deltas(self, key: str) -> None:
        """Forget the deltas of a channel nobody listens to: the next one would leave a gap."""
        self._deltas.pop(key, None)

    def events_after(
        self, state: State, key: str, after_seq: int, newest: int
    ) -> list[Frame] | None:
        """Return the frames of a lossless channel after a number, or None when some left memory.

        Args:
            state: for ticks and lots.
            key: the channel.
            after_seq: number the client has.
            newest: newest number of the channel.
        """
        if after_seq >= newest:
            return []
        kept = self._events.get(key)
        if not kept or kept[0].seq > after_seq + 1:
            return None
        return [event_frame(state, key, item) for item in kept if item.seq > after_seq]

    def deltas_after(self, key: str, after_seq: int, newest: int) -> list[Frame] | None:
        """Return the deltas of a conflatable channel after a number, or None when not all held."""
        if after_seq >= newest:
            return []
        deltas = self._deltas.get(key)
        if not deltas or deltas[0].seq > after_seq + 1 or deltas[-1].seq != newest:
            return None
        return [frame for frame in deltas if frame.seq > after_seq]

    def clear(self) -> None:
        """Forget everything: the node was rebuilt, and its numbers may be others now."""
        self._events.clear()
        self._order.clear()
        self._deltas.clear()
        self.whole_after = NOWHERE

    def merged(
        self, keys: Iterable[str], before: Place | None = None
    ) -> Iterable[tuple[str, Kept]]:
        """Yield (key, event) of several channels from the newest to the oldest one held.

        Args:
            keys: of lossless channels.
            before: only events before this place.
        """

        def rows(key: str) -> Iterable[tuple[str, Kept]]:
            for kept in reversed(self._events.get(key, ())):
                if before is None or kept.place < before:
                    yield key, kept

        held = [rows(key) for key in keys if key in self._events]
        return merge(*held, key=lambda row: row[1].place, reverse=True)

    def whole(self, rows: Iterable[tuple[str, Kept]]) -> Iterable[tuple[str, Kept]]:
        """Yield the rows of `merged` as long as no event between them can be missing."""
        return takewhile(lambda row: row[1].place > self.whole_after, rows)

    def newest_of_all(self, before: Place | None = None) -> Iterator[tuple[str, Kept]]:
        """Yield (key, event) of all channels from the newest back, at most `WALKED_MAX` of them.

        Args:
            before: only events before this place.
        """
        passed: dict[str, int] = {}
        for key, _ in islice(reversed(self._order), WALKED_MAX):
            back = passed[key] = passed.get(key, 0) + 1
            kept = self._events[key][-back]
            if before is None or kept.place < before:
                yield key, kept

    def newest_first(self, key: str, count_max: int | None = None) -> list[Kept]:
        """Return what is held of a lossless channel, newest first; at most so many if given."""
        return list(islice(reversed(self._events.get(key, ())), count_max))


def event_frame(state: State, key: str, kept: Kept) -> Frame:
    """Build the frame of a numbered event."""
    data = channel_data(state, key, kept.event)
    return Frame(key, wire_name(key), "ev", kept.seq, kept.ts_us, data)
