"""One channel as it must be: its frames in the order of their numbers, rebuilt and compared.

The first socket that brings a number brings the original: it is decoded, applied to the book or
board of its kind, and its checksum compared. Whatever another socket brings under that number must
have the same bytes.

Invariants:
    * A rebuilt view only ever takes consecutive numbers. An original that comes early waits, since
      another socket may still bring the one before it.
    * Memory is bounded by `REMEMBERED` and `WAITING_MAX`.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from loadtests.swarm.counts import Counts
from streams.client.errors import ViewBroken
from streams.client.items import Delta, Snap, WireFrame
from streams.client.views import BoardView, BookView, MarksView, PositionBookView, Rebuilt


REMEMBERED: Final = 4_096
"""Numbers of a channel whose bytes can still be compared."""

WAITING_MAX: Final = 256
"""Early originals kept; with more the view is given up until the next snapshot."""

UNPROVED_MAX: Final = 64
"""Snapshots that still wait for the delta that proves them; when reached, the oldest leaves."""


def view_of(channel: str) -> Rebuilt | None:
    """Return an empty view of a channel; None for kinds that are not rebuilt."""
    name, _, interval = channel.partition("@")
    kind, _, argument = name.partition(":")
    interval = interval or "100ms"
    if kind == "book":
        return BookView(argument, interval)
    if kind == "positions":
        return PositionBookView(argument, interval)
    if kind == "marks":
        return MarksView(argument or None, interval)
    if kind == "leaderboard":
        metric, _, period = argument.partition(":")
        return BoardView(metric, period, interval)
    return None


class Original:
    """The frames of one channel.

    Attributes:
        name: of the channel.
        newest: highest number seen, 0 when none.
    """

    def __init__(self, name: str, counts: Counts) -> None:
        self.name = name
        self.newest = 0
        self._counts = counts
        self._view = view_of(name)
        self._digests: dict[int, int] = {}
        self._snapshots: dict[int, None] = {}
        self._applied: dict[int, tuple[int | None, Delta | None]] = {}
        self._waiting: dict[int, WireFrame] = {}
        self._unproved: list[Rebuilt] = []

    def take(self, frame: WireFrame, payload: bytes) -> bool:
        """Take a frame whose bytes are not known; return whether they are right.

        Args:
            frame: decoded.
            payload: its bytes as received.
        """
        whole, digest = frame.t == "snap", zlib.crc32(payload)
        if whole:
            if digest not in self._snapshots:
                self._take_snapshot(frame, digest)
            return True
        known = self._digests.get(frame.seq)
        if known is not None:
            if known != digest:
                self._counts.fault("content_errors", f"{frame.t} {frame.seq} of {self.name}")
            return known == digest
        if frame.seq <= self.newest - REMEMBERED:
            self._counts.unverified += 1
            return True
        self._digests[frame.seq] = digest
        _forget_oldest(self._digests)
        self._note(frame)
        if self._view is not None:
            self._rebuild(self._view, frame)
        return True

    def _note(self, frame: WireFrame) -> None:
        self._counts.originals += 1
        self._counts.originals_by_kind[self.name.partition(":")[0]] += 1
        self.newest = max(self.newest, frame.seq)

    def _rebuild(self, view: Rebuilt, frame: WireFrame) -> None:
        if view.ready and frame.seq > view.seq:
            self._waiting[frame.seq] = frame
        else:
            self._counts.unverified += 1
        self._catch_up()
        if len(self._waiting) > WAITING_MAX:
            self._jump()

    def _take_snapshot(self, frame: WireFrame, digest: int) -> None:
        """Check a snapshot by itself, then against the view."""
        self._snapshots[digest] = None
        _forget_oldest(self._snapshots)
        self._note(frame)
        fresh = view_of(self.name)
        if fresh is None or not self._apply(fresh, _item(frame)):
            return
        if self._view is not None and self._view.ready:
            self._prove(fresh)
            return
        self._view = fresh
        self._applied[fresh.seq] = (fresh.checksum(), None)
        self._catch_up()

    def _prove(self, fresh: Rebuilt) -> None:
        """Compare a snapshot with the view at its number, or one delta later.

        A node sends its state of this instant, under the number of the last delta. So a snapshot
        may hold some of what the next delta brings; after that delta both must be equal.
        """
        for last in (False, True):
            applied = self._applied.get(fresh.seq)
            following = self._applied.get(fresh.seq + 1)
            if applied is not None and applied[0] == fresh.checksum():
                return
            if last:
                what = f"{self.name}: snap {fresh.seq - 1} does not lead to delta {fresh.seq}"
                self._counts.fault("checksum_errors", what)
                return
            if following is None or following[1] is None:
                if fresh.seq >= self._reached:
                    self._unproved.append(fresh)
                    del self._unproved[:-UNPROVED_MAX]
                return
            if not self._apply(fresh, following[1]):
                return

    @property
    def _reached(self) -> int:
        return self._view.seq if self._view is not None else 0

    def _catch_up(self) -> None:
        """Apply what waited for its turn."""
        view = self._view
        while view is not None and view.ready:
            due = self._waiting.pop(view.seq + 1, None)
            if due is None:
                break
            item = _item(due)
            if self._apply(view, item) and isinstance(item, Delta):
                self._applied[item.seq] = (view.checksum(), item)
                _forget_oldest(self._applied)
        unproved, self._unproved = self._unproved, []
        for fresh in unproved:
            self._prove(fresh)

    def _jump(self) -> None:
        """Give up the numbers before the newest snapshot: no socket has brought them."""
        ahead = [each for each in self._unproved if each.seq > self._reached]
        fresh = max(ahead, key=lambda each: each.seq, default=_empty_view(self.name))
        reached = fresh.seq if fresh.ready else max(self._waiting)
        passed = [seq for seq in self._waiting if seq <= reached]
        for seq in passed:
            del self._waiting[seq]
        self._counts.unverified += len(passed)
        self._unproved = [each for each in ahead if each.seq > fresh.seq]
        self._view = fresh
        self._catch_up()

    def _apply(self, view: Rebuilt, item: Snap | Delta) -> bool:
        """Apply a frame to a view; return whether the view is the server's state then."""
        verified = view.verified
        try:
            view.apply(item)
        except ViewBroken as error:
            self._counts.fault("checksum_errors", str(error))
            return False
        self._counts.checksums += view.verified - verified
        return True


def _forget_oldest(kept: dict[Any, Any]) -> None:
    if len(kept) > REMEMBERED:
        del kept[next(iter(kept))]


def _empty_view(channel: str) -> Rebuilt:
    view = view_of(channel)
    if view is None:
        raise AssertionError(f"expected a channel with a view, was {channel}")
    return view


def _item(frame: WireFrame) -> Snap | Delta:
    kind: Any = Snap if frame.t == "snap" else Delta
    item: Snap | Delta = kind(
        channel=frame.ch,
        epoch="",
        seq=frame.seq,
        ts_us=frame.ts,
        data=frame.data,
        crc=frame.crc,
    )
    return item
