"""One channel of a conversation: what was received last, and whether the next frame fits.

Invariant: a number is handed on only if it is the last one plus 1, or if the frame is a `snap`;
every other break of the run is announced by a `Reset` before anything else is handed on.

States: JOINING (to be asked for) -> ASKED -> SNAPSHOT (a `snap` must come) or LIVE; LEAVING
(unsubscribe first, then perhaps JOINING again); a lost socket leads back to JOINING.

Source: wire-protocol.md, "Rule for a client".
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from streams.client.items import Delta, Event, Item, Reset, ResumePoint, Snap, WireEntry, WireFrame


class TrackState(Enum):
    """Where a channel stands between client and server."""

    JOINING = auto()
    ASKED = auto()
    SNAPSHOT = auto()
    LIVE = auto()
    LEAVING = auto()


class Track:
    """State of one channel.

    Args:
        channel: name as asked, canonical.
        resume: last frame the program has, None to begin anew.

    Attributes:
        name: name under which the server sends frames, known once it has answered.
        state: see the module docstring.
        point: last number handed on, None when there is none to go on from.
        closing: the program does not want the channel any more.
        joined: the server has given the channel at least once.
    """

    __slots__ = (
        "_asked",
        "_before",
        "_why",
        "channel",
        "closing",
        "joined",
        "name",
        "point",
        "state",
    )

    def __init__(self, channel: str, resume: ResumePoint | None = None) -> None:
        self.channel = channel
        self.name: str | None = None
        self.state = TrackState.JOINING
        self.point = resume
        self.closing = False
        self.joined = False
        self._asked: ResumePoint | None = None
        self._before: ResumePoint | None = None
        self._why: str | None = None

    @property
    def last(self) -> ResumePoint | None:
        """The last frame that was handed on, even if the run does not go on from it."""
        return self.point if self.point is not None and self.point.seq >= 0 else self._before

    def request(self) -> dict[str, Any]:
        """Return the channel's item of a `subscribe`; the track is ASKED from now on."""
        self.state = TrackState.ASKED
        self._asked = self.point
        if self.point is None:
            return {"ch": self.channel}
        return {"ch": self.channel, "from": {"epoch": self.point.epoch, "seq": self.point.seq}}

    def discard(self, why: str) -> None:
        """Forget the point: the next start is from scratch and begins with a `Reset`."""
        self._before = self.last
        self.point = None
        self._why = why

    def accepted(self, entry: WireEntry) -> list[Item] | None:
        """Take the server's answer.

        Returns:
            Items to hand on, or None when the answer is for a point that was discarded in the
            meantime: unsubscribe and ask again.
        """
        self.name, self.joined = entry.ch, True
        if self._why is not None and self._asked is not None:
            return None
        asked = self._asked
        if entry.mode == "resumed" and asked is not None and entry.epoch == asked.epoch:
            self.state = TrackState.LIVE
            return []
        items = self._reset(entry)
        if entry.mode == "snapshot":
            self.state, self.point = TrackState.SNAPSHOT, ResumePoint(entry.epoch, -1)
        else:
            self.state, self.point = TrackState.LIVE, ResumePoint(entry.epoch, entry.seq)
        return items

    def _reset(self, entry: WireEntry) -> list[Item]:
        before, own_why = self.last, self._why
        self._before = self._why = None
        if before is None and own_why is None:
            return []
        return [
            Reset(
                channel=self.channel,
                why=own_why or entry.why or "UNEXPLAINED",
                epoch=entry.epoch,
                seq=entry.seq,
                after=before,
                history=entry.history,
            )
        ]

    def received(self, frame: WireFrame) -> Item | None:
        """Take a frame of a channel that is LIVE or in SNAPSHOT.

        Returns:
            The item to hand on, or None when the frame leaves a gap; then nothing has changed.
        """
        point = self.point
        if point is None:
            raise AssertionError(f"expected a point in {self.state}, was none")
        epoch, seq = point.epoch, frame.seq
        item: Item
        if frame.t == "snap":
            item = Snap(
                channel=self.channel,
                epoch=epoch,
                seq=seq,
                ts_us=frame.ts,
                data=frame.data,
                crc=frame.crc,
            )
        elif self.state is not TrackState.LIVE or seq != point.seq + 1:
            return None
        elif frame.t == "delta":
            item = Delta(
                channel=self.channel,
                epoch=epoch,
                seq=seq,
                ts_us=frame.ts,
                data=frame.data,
                crc=frame.crc,
            )
        else:
            item = Event(
                channel=self.channel, epoch=epoch, seq=seq, ts_us=frame.ts, data=frame.data
            )
        self.state, self.point = TrackState.LIVE, ResumePoint(epoch, seq)
        return item

    def detached(self) -> None:
        """Note that the server sends the channel no more: it must be asked for again."""
        self.state = TrackState.JOINING
        self._asked = None
        if self.point is not None and self.point.seq < 0:
            # A snapshot was promised and did not come: there is no number to go on from.
            self.point = None
