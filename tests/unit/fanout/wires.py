"""An in-memory transport with a small kernel buffer, and clients that check what they read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.fanout.hub import Hub
from streams.fanout.outbox import Outbox
from streams.ports import ChannelInfo
from streams.protocol.codec import JSON, Codec
from streams.protocol.limits import StreamLimits
from tests.counter_replica import CounterReplica
from tests.manual_clock import ManualClock


LIMITS = StreamLimits(outbox_hold_bytes=1_000, outbox_bytes_max=4_000, lossless_wait_ms_max=10_000)


class Wire:
    """A transport: what does not fit the kernel waits, with the marks asyncio has.

    Args:
        kernel_bytes: bytes that leave at once.
        high: bytes waiting above which `pause_writing` is called.
    """

    def __init__(self, kernel_bytes: int, high: int) -> None:
        self.on_pause: Callable[[], None] = lambda: None
        self.on_resume: Callable[[], None] = lambda: None
        self.room = kernel_bytes
        self.received = b""
        self.waiting = b""
        self.writes = 0
        self.lost = False
        self._high = high
        self._paused = False

    def write(self, data: bytes) -> None:
        if self.lost:
            raise RuntimeError("the handler is closed")
        self.writes += 1
        self.waiting += data
        self._flush()
        if len(self.waiting) > self._high and not self._paused:
            self._paused = True
            self.on_pause()

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def read(self, count: int) -> None:
        """Let the client read so many bytes more."""
        self.room += count
        self._flush()
        if self._paused and len(self.waiting) <= self._high // 4:
            self._paused = False
            self.on_resume()

    def _flush(self) -> None:
        sent, self.waiting = self.waiting[: self.room], self.waiting[self.room :]
        self.room -= len(sent)
        self.received += sent


class Client:
    """A subscriber: its wire, its outbox, and what arrived."""

    def __init__(
        self,
        hub: Hub,
        *,
        kernel_bytes: int = 1_000_000,
        codec: Codec = JSON,
        clock: ManualClock | None = None,
        limits: StreamLimits = LIMITS,
    ) -> None:
        self.hub = hub
        self.wire = Wire(kernel_bytes, limits.outbox_hold_bytes)
        self.overflow = ""
        self.outbox = Outbox(
            self.wire,
            codec,
            hub,
            limits=limits,
            monotonic=(clock or ManualClock()).monotonic,
            on_overflow=self._overflow,
        )
        self.wire.on_pause = self.outbox.pause
        self.wire.on_resume = self.outbox.resume

    def join(self, name: str, after_seq: int | None = None) -> int:
        """Subscribe; without `after_seq` to a snapshot, or to live events."""
        source = self.hub.source
        info = source.resolve(name, None)
        assert isinstance(info, ChannelInfo)
        seq = source.seq(info.key)
        snapshot = after_seq is None and info.conflatable
        self.hub.subscribe(
            self.outbox,
            info,
            seq,
            snapshot=snapshot,
            after_seq=seq if after_seq is None else after_seq,
        )
        return seq

    def messages(self) -> list[dict[str, Any]]:
        """Return what has arrived whole, decoded from its WebSocket frames."""
        data, seen = self.wire.received, []
        while len(data) >= 2:
            length, start = data[1], 2
            if length == 126:
                length, start = int.from_bytes(data[2:4], "big"), 4
            if len(data) < start + length:
                break
            seen.append(self.outbox.codec.decode(data[start : start + length]))
            data = data[start + length :]
        return seen

    def numbers(self, name: str) -> list[tuple[str, int]]:
        """Return kind and number of each message of a channel."""
        return [(each["t"], each["seq"]) for each in self.messages() if each.get("ch") == name]

    def _overflow(self, reason: str) -> None:
        self.overflow = reason
        self.hub.detach(self.outbox)


class Turns:
    """The event loop's queue, turned by hand."""

    def __init__(self) -> None:
        self.queued: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.queued.append(callback)

    def turn(self) -> bool:
        queued, self.queued = self.queued, []
        for callback in queued:
            callback()
        return bool(queued)


def make_hub(
    source: CounterReplica | None = None, *, turns: Turns | None = None, sliced: bool = False
) -> Hub:
    """Return a hub; a sliced one takes a new turn of the loop after each step."""
    times = iter(range(10**9))
    return Hub(
        source or CounterReplica(),
        call_soon=(turns or Turns()).call_soon,
        monotonic=(lambda: float(next(times))) if sliced else (lambda: 0.0),
    )
