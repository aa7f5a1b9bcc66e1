"""What waits to be written to one socket, bounded in bytes.

A healthy socket is *direct*: the hub writes to its transport with no further thought, and the
transport's `pause_writing` tells when more than `outbox_hold_bytes` wait. From then on the
outbox is *counted*: every piece passes `offer`, which

* holds conflatable channels back, remembering only which ones: when the socket drains they get a
  fresh snapshot, so the memory for them is a name each;
* writes lossless data until `outbox_bytes_max` wait, and gives up the socket beyond that, or
  when such data has waited for longer than `lossless_wait_ms_max`.

A resumed channel is caught up the same way, from the source's history, as fast as the socket
takes it: a long absence does not overflow the outbox.

Invariants:
    * What is written to the transport is never taken back: order within a channel is the order
      of its numbers, whatever is held.
    * A held channel is complete in the source: as snapshot, or as history.

Source: wire-protocol.md, "Liveness, flow, limits".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from streams.fanout.channel import Channel, Write
from streams.protocol.codec import Codec
from streams.protocol.limits import StreamLimits


if TYPE_CHECKING:
    from streams.fanout.hub import Hub


# Writes of lossless data within this fraction of the longest wait share one mark.
_MARKS_PER_WAIT: Final = 8
# Value in `held` for a channel that gets a snapshot, not the frames after a number.
_SNAPSHOT_DUE: Final = -1


class WriteTransport(Protocol):
    """The part of `asyncio.WriteTransport` that an outbox needs."""

    def write(self, data: bytes, /) -> None:
        """Send, or keep what cannot be sent yet."""
        ...

    def get_write_buffer_size(self) -> int:
        """Return how many bytes are kept."""
        ...


class _Mark:
    """Lossless data up to `end` bytes of all queued was written at `at_s` at the latest."""

    __slots__ = ("at_s", "begun_s", "end")

    def __init__(self, end: int, at_s: float) -> None:
        self.end = end
        self.begun_s = at_s
        self.at_s = at_s


class Outbox:
    """The way to one socket.

    Args:
        transport: where bytes go. Its high-water mark must be `limits.outbox_hold_bytes`.
        codec: the socket's encoding.
        hub: the hub this outbox belongs to.
        limits: the bounds.
        monotonic: seconds of a clock that never goes back.
        on_overflow: called once with the reason when the socket must be closed 4001.

    Attributes:
        direct: whether the hub may write without asking.
        write: the transport's write function.
        channels: the channels it is subscribed to, by key.
        held: channels held back -> number of the last frame sent, or -1 for a snapshot.
        batch: pieces of the publish under way (the hub's scratch space).
        conflations: frames that were not written because a later snapshot replaces them.
    """

    __slots__ = (
        "_hub",
        "_limits",
        "_lossless_count",
        "_marks",
        "_monotonic",
        "_on_overflow",
        "_overflown",
        "_queued",
        "_transport",
        "batch",
        "channels",
        "codec",
        "conflations",
        "direct",
        "held",
        "write",
    )

    def __init__(
        self,
        transport: WriteTransport,
        codec: Codec,
        hub: Hub,
        *,
        limits: StreamLimits,
        monotonic: Callable[[], float],
        on_overflow: Callable[[str], None],
    ) -> None:
        self.codec = codec
        self.direct = True
        self.write: Write = transport.write
        self.channels: dict[str, Channel] = {}
        self.held: dict[str, int] = {}
        self.batch: list[bytes] = []
        self.conflations = 0
        self._transport = transport
        self._hub = hub
        self._limits = limits
        self._monotonic = monotonic
        self._on_overflow = on_overflow
        self._overflown = False
        self._lossless_count = 0
        # Bytes written since the outbox became counted, and what waited then.
        self._queued = 0
        self._marks: deque[_Mark] = deque()

    def release(self) -> None:
        """Forget who is told of an overflow, so that neither keeps the other alive.

        To be called when the socket is gone and the outbox has left the hub.
        """
        self._on_overflow = _nobody

    @property
    def bytes_waiting(self) -> int:
        """Bytes the kernel has not taken yet."""
        return self._transport.get_write_buffer_size()

    # Writing

    def send(self, data: bytes) -> None:
        """Write bytes meant for this socket alone, after all that was published before."""
        self._hub.settle(self)
        if self.direct:
            self._hub.bytes_delivered += len(data)
            self.write(data)
        else:
            self._write_lossless(data)

    def offer(self, data: bytes, channel: Channel, frames: int) -> None:
        """Take a piece of a channel for a socket that is not direct.

        Args:
            data: `frames` encoded frames.
            channel: the channel they belong to.
            frames: how many there are.
        """
        if channel.key in self.held:
            self._conflated(channel, frames)
        elif not channel.conflatable:
            self._write_lossless(data)
        elif self._transport.get_write_buffer_size() > self._limits.outbox_hold_bytes:
            self.held[channel.key] = _SNAPSHOT_DUE
            self._conflated(channel, frames)
        else:
            self._write_counted(data)

    def begin(self, channel: Channel, after_seq: int | None) -> None:
        """Bring a new subscription to the present: by snapshot, or by history after a number.

        Args:
            channel: the channel just subscribed to.
            after_seq: last number the client has; None for a snapshot.
        """
        self.held[channel.key] = _SNAPSHOT_DUE if after_seq is None else after_seq
        if self._transport.get_write_buffer_size() > self._limits.outbox_hold_bytes:
            self._become_counted()
        else:
            self._refill()
            if self.held:
                self._become_counted()

    # What the transport and the clock report

    def pause(self) -> None:
        """Note that more than `outbox_hold_bytes` wait (`pause_writing`)."""
        if self.direct:
            self._hub.outbox_paused(self)

    def become_counted(self) -> None:
        """Leave the direct lanes. Called by the hub once deliveries under way are settled."""
        self._become_counted()

    def resume(self) -> None:
        """Note that the socket has drained (`resume_writing`): send what was held."""
        if self.direct or self._overflown:
            return
        self._refill()
        if not self.held:
            self._become_direct()

    def inspect(self) -> float | None:
        """Look after a socket that may have stopped reading. To be called every few seconds.

        Returns:
            Monotonic second at which to look again at the latest, None for the usual interval.
        """
        waiting = self._transport.get_write_buffer_size()
        if self.direct:
            # Too little waits for `pause_writing`, but it may wait for too long.
            if waiting and self._lossless_count:
                self._become_counted()
        else:
            self._refill()
            waiting = self._transport.get_write_buffer_size()
            if not waiting and not self.held:
                self._become_direct()
        self._forget_drained(waiting)
        if not self._marks:
            return None
        due_s = self._marks[0].at_s + self._limits.lossless_wait_ms_max / 1000
        if due_s <= self._monotonic():
            self._overflow(f"lossless data waited over {self._limits.lossless_wait_ms_max} ms")
            return None
        return due_s

    # Membership, kept by the hub

    def joined(self, channel: Channel) -> None:
        """Note a subscription."""
        self.channels[channel.key] = channel
        self._lossless_count += not channel.conflatable

    def left(self, channel: Channel) -> None:
        """Note the end of a subscription."""
        del self.channels[channel.key]
        self.held.pop(channel.key, None)
        self._lossless_count -= not channel.conflatable

    # Inside

    def _refill(self) -> None:
        """Send held channels while the socket takes them; the rest waits for `resume`."""
        hold_bytes = self._limits.outbox_hold_bytes
        while self.held and not self._overflown:
            if self._transport.get_write_buffer_size() > hold_bytes:
                return
            key = next(iter(self.held))
            channel = self.channels[key]
            if self.held[key] == _SNAPSHOT_DUE:
                self._send_snapshot(channel)
            else:
                self._send_history(channel)

    def _send_snapshot(self, channel: Channel) -> None:
        seq, data = self._hub.snapshot(channel, self.codec)
        del self.held[channel.key]
        channel.raise_floor(self, seq)
        self._write_counted(data)

    def _send_history(self, channel: Channel) -> None:
        """Send missed frames until the socket is full or the present is reached."""
        key = channel.key
        frames = self._hub.source.history(key, self.held[key])
        if frames is None:
            if channel.conflatable:
                self.held[key] = _SNAPSHOT_DUE
            else:
                self._overflow("history no longer held in memory")
            return
        for frame in frames:
            # Noted before the write: a write may call `resume`, which comes here again.
            self.held[key] = frame.seq
            data = self.codec.wire_frame(frame)
            self._write_counted(data)
            self._hub.frames_replayed += 1
            if self._transport.get_write_buffer_size() > self._limits.outbox_hold_bytes:
                return
            if self.held.get(key) != frame.seq:
                return
        seq = self.held.pop(key)
        channel.raise_floor(self, seq)

    def _write_lossless(self, data: bytes) -> None:
        if self._overflown:
            return
        waiting = self._transport.get_write_buffer_size()
        if waiting + len(data) > self._limits.outbox_bytes_max:
            self._overflow(f"over {self._limits.outbox_bytes_max} bytes waited")
            return
        self._write_counted(data)
        self._mark()

    def _write_counted(self, data: bytes) -> None:
        self._queued += len(data)
        self._hub.bytes_delivered += len(data)
        self.write(data)

    def _conflated(self, channel: Channel, frames: int) -> None:
        # A channel that is catching up finds these frames in the history.
        if self.held[channel.key] == _SNAPSHOT_DUE:
            self.conflations += frames
            self._hub.conflations += frames

    def _become_counted(self) -> None:
        if not self.direct:
            return
        self.direct = False
        self._queued = self._transport.get_write_buffer_size()
        if self._lossless_count:
            self._mark()
        for channel in self.channels.values():
            channel.invalidate()

    def _become_direct(self) -> None:
        if self.direct:
            return
        self.direct = True
        self._marks.clear()
        for channel in self.channels.values():
            channel.invalidate()

    def _mark(self) -> None:
        now_s = self._monotonic()
        span_s = self._limits.lossless_wait_ms_max / 1000 / _MARKS_PER_WAIT
        if self._marks and now_s - self._marks[-1].begun_s < span_s:
            self._marks[-1].end = self._queued
            self._marks[-1].at_s = now_s
        else:
            self._marks.append(_Mark(self._queued, now_s))

    def _forget_drained(self, waiting: int) -> None:
        drained = self._queued - waiting
        while self._marks and self._marks[0].end <= drained:
            self._marks.popleft()

    def _overflow(self, reason: str) -> None:
        if self._overflown:
            return
        self._overflown = True
        self._hub.slow_closes += 1
        self._on_overflow(reason)


def _nobody(reason: str) -> None:
    """Take the reason for closing a socket that is gone."""
