"""The channels of a conversation: which are asked for, received, left.

Invariants:
    * A channel is asked for only when the server does not send it: it is left first, and the
      answer to `unsubscribe` awaited, so no frame of the old subscription is taken for one of
      the new.
    * What the program gave up is never handed on.

Source: wire-protocol.md, paragraph on `subscribe`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from streams.client.effects import Counters, Deliver, Effect, Joined, Refused
from streams.client.errors import AlreadySubscribed, CommandRefused
from streams.client.items import Gone, ResumePoint, WireEntry, WireFrame
from streams.client.track import Track, TrackState
from streams.protocol.codes import ErrorCode


_REPEATABLE: Final = (ErrorCode.NOT_READY, ErrorCode.RATE_LIMITED)
_RETRY_MS: Final = 1_000


class ChannelSet:
    """Tracks by the name asked for and by the name the server uses.

    Args:
        counters: where gaps, strays and resets are counted.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._tracks: dict[str, Track] = {}
        self._by_name: dict[str, Track] = {}
        # Wanted again while still being left.
        self._next: dict[str, Track] = {}
        self._joining: dict[str, float] = {}
        self._leaving: dict[str, float] = {}
        self._asked: dict[int, tuple[str, list[Track]]] = {}

    @property
    def waiting(self) -> bool:
        """Whether an answer of the server is outstanding."""
        return bool(self._asked)

    # What the program wants

    def add(self, channels: Sequence[str], resume: Mapping[str, ResumePoint]) -> None:
        """Want channels.

        Raises:
            AlreadySubscribed: one of them is wanted already; nothing has changed.
        """
        for place, channel in enumerate(channels):
            known = self._tracks.get(channel)
            taken = known is not None and not known.closing
            if taken or channel in self._next or channel in channels[:place]:
                raise AlreadySubscribed(channel)
        for channel in channels:
            track = Track(channel, resume.get(channel))
            if channel in self._tracks:
                self._next[channel] = track
            else:
                self._enter(track)

    def remove(self, channels: Sequence[str]) -> None:
        """Want channels no more; names that are unknown say nothing new."""
        for channel in channels:
            if self._next.pop(channel, None) is not None:
                continue
            track = self._tracks.get(channel)
            if track is None or track.closing:
                continue
            track.closing = True
            if track.state is TrackState.JOINING:
                self._forget(track)
            elif track.state in (TrackState.LIVE, TrackState.SNAPSHOT):
                self._leave(track)

    def restart(self, channel: str) -> None:
        """Begin a channel from scratch, whatever was received."""
        track = self._tracks.get(channel)
        if track is None or track.closing or (track.last is None and not track.joined):
            # Nobody has it, or it begins from scratch anyway.
            return
        track.discard("CHECKSUM")
        if track.state in (TrackState.LIVE, TrackState.SNAPSHOT):
            self._leave(track)

    # What the server says

    def on_frame(self, message: Mapping[str, Any]) -> list[Effect]:
        """Take a `snap`, `delta` or `ev`."""
        frame = msgspec.convert(message, WireFrame)
        track = self._by_name.get(frame.ch)
        if track is None or track.state not in (TrackState.LIVE, TrackState.SNAPSHOT):
            self._counters.strays += 1
            return []
        item = track.received(frame)
        if item is None:
            self._counters.gaps += 1
            self._leave(track)
            return []
        return [Deliver(item)]

    def on_gone(self, message: Mapping[str, Any]) -> list[Effect]:
        """Take a `gone`: the subscription ended on the server's side."""
        track = self._by_name.get(str(message["ch"]))
        if track is None:
            return []
        return self._end(track, str(message["code"]), "")

    def awaits(self, request_id: int) -> bool:
        """Return whether an answer with this id is for here."""
        return request_id in self._asked

    def on_answer(
        self,
        request_id: int,
        message: Mapping[str, Any],
        refusal: CommandRefused | None,
        now_s: float,
    ) -> list[Effect]:
        """Take the answer to a `subscribe` or `unsubscribe`."""
        operation, tracks = self._asked.pop(request_id)
        if operation == "unsubscribe":
            return self._on_left(tracks, refusal, now_s)
        if refusal is not None:
            return self._on_subscribe_refused(tracks, refusal, now_s)
        entries = msgspec.convert(message["ch"], list[WireEntry])
        if len(entries) != len(tracks):
            raise ValueError(f"expected {len(tracks)} channels in the answer, was {len(entries)}")
        effects: list[Effect] = []
        for track, entry in zip(tracks, entries, strict=True):
            # A track that the server has ended meanwhile is not ours any more.
            if self._tracks.get(track.channel) is track:
                effects += self._on_entry(track, entry)
        return effects

    def disconnected(self) -> None:
        """Note that the socket is gone: every channel has to be asked for again."""
        self._asked.clear()
        self._leaving.clear()
        self._by_name.clear()
        for track in list(self._tracks.values()):
            if track.closing:
                self._forget(track)
            else:
                track.detached()
                self._joining[track.channel] = 0.0

    # Sending

    def sendable(self, now_s: float) -> bool:
        """Return whether there is a request to send now."""
        for queue in (self._leaving, self._joining):
            for not_before_s in queue.values():
                if not_before_s <= now_s:
                    return True
        return False

    def send(self, request_id: int, now_s: float, batch_max: int) -> dict[str, Any]:
        """Return the next request; ask `sendable` first."""
        leaving = _take(self._leaving, now_s, batch_max)
        if leaving:
            tracks = [self._tracks[channel] for channel in leaving]
            self._asked[request_id] = ("unsubscribe", tracks)
            names = [track.name or track.channel for track in tracks]
            return {"op": "unsubscribe", "id": request_id, "ch": names}
        tracks = [self._tracks[channel] for channel in _take(self._joining, now_s, batch_max)]
        self._asked[request_id] = ("subscribe", tracks)
        return {"op": "subscribe", "id": request_id, "ch": [track.request() for track in tracks]}

    def repeat_at_s(self) -> float | None:
        """Return the earliest second at which something delayed may be sent."""
        times = [*self._joining.values(), *self._leaving.values()]
        return min((time for time in times if time > 0.0), default=None)

    # Steps

    def _enter(self, track: Track) -> None:
        self._tracks[track.channel] = track
        self._joining[track.channel] = 0.0

    def _leave(self, track: Track) -> None:
        track.state = TrackState.LEAVING
        self._leaving[track.channel] = 0.0

    def _forget(self, track: Track) -> None:
        channel = track.channel
        del self._tracks[channel]
        self._joining.pop(channel, None)
        self._leaving.pop(channel, None)
        if track.name is not None and self._by_name.get(track.name) is track:
            del self._by_name[track.name]
        successor = self._next.pop(channel, None)
        if successor is not None:
            self._enter(successor)

    def _on_left(
        self, tracks: list[Track], refusal: CommandRefused | None, now_s: float
    ) -> list[Effect]:
        for track in tracks:
            if self._tracks.get(track.channel) is not track:
                continue
            if refusal is not None and refusal.code in _REPEATABLE:
                self._leaving[track.channel] = _later(refusal, now_s)
            elif track.closing:
                self._forget(track)
            else:
                if track.name is not None:
                    self._by_name.pop(track.name, None)
                track.detached()
                self._joining[track.channel] = 0.0
        return []

    def _on_subscribe_refused(
        self, tracks: list[Track], refusal: CommandRefused, now_s: float
    ) -> list[Effect]:
        effects: list[Effect] = []
        for track in tracks:
            if refusal.code not in _REPEATABLE:
                effects += self._end(track, refusal.code, refusal.message)
            elif track.closing:
                self._forget(track)
            else:
                track.detached()
                self._joining[track.channel] = _later(refusal, now_s)
        return effects

    def _on_entry(self, track: Track, entry: WireEntry) -> list[Effect]:
        if entry.mode == "refused":
            return self._end(track, entry.code or "UNEXPLAINED", "")
        items = track.accepted(entry)
        self._by_name[entry.ch] = track
        if items is None or track.closing:
            self._leave(track)
            return []
        self._counters.resets += len(items)
        joined = Joined(track.channel, entry.mode, ResumePoint(entry.epoch, entry.seq))
        return [joined, *map(Deliver, items)]

    def _end(self, track: Track, code: str, message: str) -> list[Effect]:
        self._forget(track)
        if track.closing:
            return []
        if not track.joined:
            return [Refused(track.channel, code, message)]
        return [Deliver(Gone(channel=track.channel, code=code, after=track.last))]


def _take(queue: dict[str, float], now_s: float, count_max: int) -> list[str]:
    taken = [channel for channel, not_before_s in queue.items() if not_before_s <= now_s]
    del taken[count_max:]
    for channel in taken:
        del queue[channel]
    return taken


def _later(refusal: CommandRefused, now_s: float) -> float:
    wait_ms = _RETRY_MS if refusal.retry_ms is None else refusal.retry_ms
    return now_s + wait_ms / 1000
