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
        self._digests: dict[tuple[bool, int], int] = {}
        self._checksums: dict[int, int | None] = {}
        self._expected: dict[int, int | None] = {}
        self._newer: Rebuilt | None = None
        self._waiting: dict[int, WireFrame] = {}

    def take(self, frame: WireFrame, payload: bytes) -> bool:
        """Take a frame whose bytes are not known; return whether they are right.

        Args:
            frame: decoded.
            payload: its bytes as received.
        """
        whole, digest = frame.t == "snap", zlib.crc32(payload)
        known = self._digests.get((whole, frame.seq))
        if known is not None:
            if known != digest:
                self._counts.content_errors += 1
            return known == digest
        if not whole and frame.seq <= self.newest - REMEMBERED:
            self._counts.unverified += 1
            return True
        self._remember(whole, frame.seq, digest)
        self._counts.originals += 1
        self.newest = max(self.newest, frame.seq)
        if self._view is not None:
            self._rebuild(self._view, frame, whole)
        return True

    def _remember(self, whole: bool, seq: int, digest: int) -> None:
        self._digests[whole, seq] = digest
        if len(self._digests) > REMEMBERED:
            del self._digests[next(iter(self._digests))]

    def _rebuild(self, view: Rebuilt, frame: WireFrame, whole: bool) -> None:
        if whole:
            self._take_snapshot(view, frame)
        elif view.ready and frame.seq > view.seq:
            self._waiting[frame.seq] = frame
        else:
            self._counts.unverified += 1
        self._catch_up()
        if len(self._waiting) > WAITING_MAX:
            self._jump()

    def _take_snapshot(self, view: Rebuilt, frame: WireFrame) -> None:
        """Check a snapshot by itself, and against the view when that is or comes to its number."""
        fresh = _empty_view(self.name)
        self._apply(fresh, _item(frame))
        if not fresh.ready:
            return
        if not view.ready:
            self._view = fresh
            return
        if frame.seq > view.seq:
            self._expected[frame.seq] = fresh.checksum()
            if self._newer is None or self._newer.seq < frame.seq:
                self._newer = fresh
        elif self._checksums.get(frame.seq, fresh.checksum()) != fresh.checksum():
            self._counts.checksum_errors += 1

    def _catch_up(self) -> None:
        """Apply what waited for its turn."""
        view = self._view
        while view is not None and view.ready:
            due = self._waiting.pop(view.seq + 1, None)
            if due is None:
                return
            self._apply(view, _item(due))

    def _jump(self) -> None:
        """Give up the numbers before the newest snapshot: no socket has brought them."""
        fresh, self._newer = self._newer, None
        if fresh is None:
            fresh = _empty_view(self.name)
        reached = fresh.seq if fresh.ready else max(self._waiting)
        passed = [seq for seq in self._waiting if seq <= reached]
        for seq in passed:
            del self._waiting[seq]
        self._counts.unverified += len(passed)
        self._view = fresh
        self._catch_up()

    def _apply(self, view: Rebuilt, item: Snap | Delta) -> None:
        verified = view.verified
        try:
            view.apply(item)
        except ViewBroken:
            self._counts.checksum_errors += 1
            return
        self._counts.checksums += view.verified - verified
        own = view.checksum()
        if isinstance(item, Delta):
            if self._expected.pop(item.seq, own) != own:
                self._counts.checksum_errors += 1
            self._checksums[item.seq] = own
            if len(self._checksums) > REMEMBERED:
                del self._checksums[next(iter(self._checksums))]


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
