"""The hub: who subscribes to what, and the publishing of frames to them.

A frame is encoded at most once per codec, and only when somebody listens; all subscribers get
the same `bytes`. Everything published in one call reaches a socket in one write.

Invariants:
    * The hub is used from one event loop only and nothing in it awaits.
    * A subscriber attached at number `s` receives `s + 1` next, whatever is under way: a frame
      at or below `s` that is published late is left out for it.
    * `publish` returns after at most `SLICE_MS` or so; what is left goes on in later turns of the
      loop, and every other way of writing to a socket settles it first (`settle`).
    * Bounded: more than `DELIVERIES_MAX` deliveries under way are finished inside `publish`,
      which slows the replica down instead of filling memory.

Discarded: a queue and a task per connection. Measured, they cost more than the writes.

Source: architecture.md, "Gateway and fan-out".
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from streams.fanout.channel import Channel, Lane
from streams.fanout.delivery import Delivery
from streams.fanout.outbox import Outbox
from streams.ports import ChannelInfo, ChannelSource, Frame
from streams.protocol.codec import CODECS, Codec


# Longest stretch of writing before other work gets a turn.
SLICE_MS: Final = 4.0
# Deliveries under way above which `publish` finishes them before it returns.
DELIVERIES_MAX: Final = 256
# Begins the keys of feeds, which are made for each reader from what others post.
FEED_PREFIX: Final = "feed:"


class Hub:
    """Fan-out of one node.

    Args:
        source: snapshots and history of channels.
        call_soon: schedules the rest of a long delivery; the running loop's by default.
        monotonic: seconds, to measure slices.

    Attributes:
        source: as given.
        frames_encoded: frames encoded (once per codec), for metrics.
        frames_delivered: frames written or offered to a subscriber.
        frames_replayed: frames sent from history to clients that resumed.
        bytes_delivered: bytes written.
        conflations: frames not written because a later snapshot replaces them.
        slow_closes: sockets given up as slow.
        write_errors: writes to sockets that were gone.
        subscriptions: subscriptions held now.
    """

    def __init__(
        self,
        source: ChannelSource,
        *,
        call_soon: Callable[[Callable[[], None]], object] | None = None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.source = source
        self.frames_encoded = 0
        self.frames_delivered = 0
        self.frames_replayed = 0
        self.bytes_delivered = 0
        self.conflations = 0
        self.slow_closes = 0
        self.write_errors = 0
        self.subscriptions = 0
        self._call_soon = call_soon
        self._monotonic = monotonic
        self._channels: dict[str, Channel] = {}
        self._feeds: dict[str, Channel] = {}
        self._deliveries: deque[Delivery] = deque()
        self._stepping = False
        self._scheduled = False
        self._paused: list[Outbox] = []

    # Membership

    def wanted(self, key: str) -> bool:
        """Return whether anybody receives the channel: if not, its frames need not be made."""
        return key in self._channels

    def feeds(self) -> Mapping[str, object]:
        """Return the `feed` channels that somebody receives, by key."""
        return self._feeds

    def subscribers(self, key: str) -> list[Outbox]:
        """Return the outboxes that receive a channel, in the order in which they came."""
        channel = self._channels.get(key)
        return [] if channel is None else list(channel.subscribers)

    def subscribe(
        self, outbox: Outbox, info: ChannelInfo, seq: int, *, snapshot: bool, after_seq: int
    ) -> None:
        """Attach an outbox to a channel, in the same step in which `seq` was read.

        Args:
            outbox: the socket.
            info: the channel; not subscribed yet.
            seq: the channel's newest number.
            snapshot: whether to send a snapshot first.
            after_seq: last number the client has; below `seq` the frames between go first.
        """
        self.settle(outbox)
        channel = self._channels.get(info.key)
        if channel is None:
            channel = self._channels[info.key] = Channel(info.key, conflatable=info.conflatable)
            if info.key.startswith(FEED_PREFIX):
                self._feeds[info.key] = channel
        channel.add(outbox, seq)
        outbox.joined(channel)
        self.subscriptions += 1
        if snapshot:
            outbox.begin(channel, None)
        elif after_seq < seq:
            outbox.begin(channel, after_seq)

    @property
    def busy(self) -> bool:
        """Whether frames published are still being written."""
        return bool(self._deliveries)

    def unsubscribe(self, outbox: Outbox, key: str) -> None:
        """Detach an outbox from a channel; what was published before is written first."""
        channel = outbox.channels.get(key)
        if channel is None:
            return
        self.settle(outbox)
        self._remove(outbox, channel)

    def detach(self, outbox: Outbox) -> None:
        """Detach an outbox from everything: its socket closes or is gone."""
        for delivery in self._deliveries:
            delivery.forget(outbox)
        for channel in list(outbox.channels.values()):
            self._remove(outbox, channel)

    # Publishing

    def publish(self, frames: Sequence[Frame]) -> None:
        """Deliver the frames of one apply slice, in their order.

        Args:
            frames: of any channels; the numbers of one channel ascend by 1.
        """
        runs: list[tuple[Channel, list[Frame]]] = []
        last: Channel | None = None
        for frame in frames:
            channel = self._channels.get(frame.key)
            if channel is None:
                continue
            if channel is last:
                runs[-1][1].append(frame)
            else:
                runs.append((channel, [frame]))
                last = channel
        if not runs:
            return
        if any(run[0].seq <= channel.floor for channel, run in runs):
            self._publish_late(runs)
        elif len(runs) == 1:
            self._publish_one(*runs[0])
        else:
            self._publish_many(runs)
        self._pump()

    def settle(self, outbox: Outbox) -> None:
        """Write to an outbox what was published before but is still under way."""
        if self._deliveries:
            for delivery in list(self._deliveries):
                delivery.deliver_now(outbox)

    def snapshot(self, channel: Channel, codec: Codec) -> tuple[int, bytes]:
        """Return the number and the encoded snapshot of a channel, made once for all askers."""
        seq = self.source.seq(channel.key)
        data = channel.snapshot_wire[codec.index] if channel.snapshot_seq == seq else None
        if data is None:
            frame = self.source.snapshot(channel.key)
            data = codec.wire_frame(frame)
            self.frames_encoded += 1
            if channel.snapshot_seq != frame.seq:
                channel.snapshot_seq = seq = frame.seq
                channel.snapshot_wire = [None] * len(CODECS)
            channel.snapshot_wire[codec.index] = data
        return seq, data

    def outbox_paused(self, outbox: Outbox) -> None:
        """Take an outbox out of the direct lanes (it called `pause_writing`)."""
        if self._stepping:
            # Its place in the delivery under way is not settled before the step has ended.
            self._paused.append(outbox)
            return
        self.settle(outbox)
        outbox.become_counted()

    # Inside

    def _remove(self, outbox: Outbox, channel: Channel) -> None:
        channel.remove(outbox)
        outbox.left(channel)
        self.subscriptions -= 1
        if not channel.subscribers:
            del self._channels[channel.key]
            self._feeds.pop(channel.key, None)

    def _encode(self, frames: Sequence[Frame], codec: Codec) -> bytes:
        self.frames_encoded += len(frames)
        if len(frames) == 1:
            return codec.wire_frame(frames[0])
        return b"".join([codec.wire_frame(frame) for frame in frames])

    def _encode_run(self, channel: Channel, frames: Sequence[Frame]) -> list[tuple[Lane, bytes]]:
        """Return the lanes that have subscribers, with the bytes for each."""
        run: list[tuple[Lane, bytes]] = []
        for codec, lane in zip(CODECS, channel.lanes(), strict=True):
            if lane.outboxes or lane.counted:
                run.append((lane, self._encode(frames, codec)))
                self._count(len(lane.outboxes) + len(lane.counted), len(frames))
        return run

    def _publish_one(self, channel: Channel, frames: Sequence[Frame]) -> None:
        for lane, data in self._encode_run(channel, frames):
            self.bytes_delivered += len(lane.outboxes) * len(data)
            if lane.outboxes:
                self._deliveries.append(Delivery(lane.outboxes, lane.writers, shared=data))
            for outbox in lane.counted:
                outbox.offer(data, channel, len(frames))

    def _publish_many(self, runs: Sequence[tuple[Channel, list[Frame]]]) -> None:
        """Collect the pieces of each socket, then write them at once."""
        # Encoded before anything is collected: a frame that cannot be encoded leaves no trace.
        encoded = [(*run, self._encode_run(*run)) for run in runs]
        touched: list[Outbox] = []
        for channel, frames, lanes in encoded:
            for lane, data in lanes:
                for outbox in lane.outboxes:
                    batch = outbox.batch
                    if not batch:
                        touched.append(outbox)
                    batch.append(data)
                for outbox in lane.counted:
                    if channel.key in outbox.channels:
                        outbox.offer(data, channel, len(frames))
        if touched:
            self._deliver_batches(touched)

    def _deliver_batches(self, touched: Sequence[Outbox]) -> None:
        # Most sockets have the same channels, so the same pieces: join those once, share them.
        joined: dict[tuple[bytes, ...], bytes] = {}
        pieces: list[bytes] = []
        for outbox in touched:
            batch = tuple(outbox.batch)
            outbox.batch.clear()
            data = joined.get(batch)
            if data is None:
                data = joined[batch] = b"".join(batch)
            pieces.append(data)
            self.bytes_delivered += len(data)
        writers = [outbox.write for outbox in touched]
        if len(joined) == 1:
            self._deliveries.append(Delivery(touched, writers, shared=pieces[0]))
        else:
            self._deliveries.append(Delivery(touched, writers, pieces=pieces))

    def _publish_late(self, runs: Sequence[tuple[Channel, list[Frame]]]) -> None:
        """Publish frames that some subscriber already has, looking at each subscriber."""
        for channel, frames in runs:
            encoded: dict[tuple[int, int], bytes] = {}
            for outbox, seq in list(channel.subscribers.items()):
                fresh = [frame for frame in frames if frame.seq > seq]
                if not fresh:
                    continue
                place = (outbox.codec.index, len(fresh))
                if place not in encoded:
                    encoded[place] = self._encode(fresh, outbox.codec)
                self._count(1, len(fresh))
                self.settle(outbox)
                if outbox.direct:
                    outbox.send(encoded[place])
                else:
                    outbox.offer(encoded[place], channel, len(fresh))

    def _count(self, receivers: int, frames: int) -> None:
        self.frames_delivered += receivers * frames

    def _pump(self) -> None:
        """Work on the deliveries for one slice; leave the rest for the loop's next turn."""
        if self._stepping:
            return
        until_s = self._monotonic() + SLICE_MS / 1000
        while self._deliveries:
            delivery = self._deliveries[0]
            self._stepping = True
            try:
                done = delivery.step()
            finally:
                self._stepping = False
            if done:
                self._deliveries.popleft()
                self.write_errors += delivery.errors
            if self._paused:
                self._take_paused()
            if len(self._deliveries) <= DELIVERIES_MAX and self._monotonic() >= until_s:
                break
        if self._deliveries and not self._scheduled:
            self._scheduled = True
            call_soon = self._call_soon or asyncio.get_running_loop().call_soon
            call_soon(self._continue)

    def _continue(self) -> None:
        self._scheduled = False
        self._pump()

    def _take_paused(self) -> None:
        paused, self._paused = self._paused, []
        for outbox in paused:
            self.outbox_paused(outbox)
