"""Every frame of every socket, judged: its number, its bytes, its content, its age.

A frame whose bytes were verified before costs one look-up; only the first of its kind is decoded.
Frames of an account's own channels are compared within that account.

Invariants:
    * What a socket should have got is decided by its own run of numbers alone, never by what other
      sockets got.
    * A number that is missing when a higher one comes is a gap until it comes late, then it is an
      order error; one that came before is a duplicate.

Source: wire-protocol.md, "Rule for a client".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from loadtests.histogram import Histogram
from loadtests.swarm.counts import Counts
from loadtests.swarm.original import Original
from streams.client.items import WireEntry, WireFrame


OWN_CHANNELS: Final = ("copies", "account", "notifications", "feed")
"""Channels that are another one for each account."""

KNOWN_MAX: Final = 65_536
"""Frames whose bytes are remembered; older ones are decoded again."""

MISSING_MAX: Final = 1_000
"""Missing numbers of a socket and channel that are still expected late; more are gaps at once."""


class Known(NamedTuple):
    """What the bytes of a verified frame say."""

    channel: str
    seq: int
    ts_us: int
    whole: bool


class Run:
    """The channels of one socket of one account, over all its connections.

    Attributes:
        account: whose own channels these are.
        last: number received last by channel; absent until the first.
        catching_up: by channel the newest number at the time of subscribing, until it is reached.
        epoch: life of the log that the numbers belong to.
    """

    __slots__ = ("account", "catching_up", "epoch", "last", "missing")

    def __init__(self, account: str) -> None:
        self.account = account
        self.epoch = ""
        self.last: dict[str, int] = {}
        self.catching_up: dict[str, int] = {}
        self.missing: dict[str, set[int]] = {}


class Verifier:
    """Judges what all sockets of a swarm receive.

    Args:
        decode_frame: bytes of a message to `WireFrame`.

    Attributes:
        counts: what was found.
        latency: from a frame's log time to its arrival, frames sent to catch up left out.
    """

    def __init__(self, decode_frame: Callable[[bytes], WireFrame]) -> None:
        self.counts = Counts()
        self.latency = Histogram()
        self._decode = decode_frame
        self._epoch = ""
        self._known: dict[bytes, Known] = {}
        self._originals: dict[tuple[str, str], Original] = {}

    def take(self, run: Run, payload: bytes, now_us: int) -> bool:
        """Take one message; return whether it is a frame of a channel.

        Args:
            run: of the socket that received it.
            payload: of the message.
            now_us: when it was received, microseconds since 1970.
        """
        known = self._known.get(payload)
        if known is None:
            known = self._open(run, payload)
            if known is None:
                return False
        channel, seq, ts_us, whole = known
        self.counts.frames += 1
        last = run.last.get(channel)
        if last is not None and seq == last + 1 and not whole:
            run.last[channel] = seq
        elif not self._judge(run, channel, seq, last, whole):
            return True
        if run.catching_up and (newest := run.catching_up.get(channel)) is not None:
            if seq >= newest:
                del run.catching_up[channel]
            return True
        self.latency.add(now_us - ts_us)
        return True

    def joined(self, run: Run, epoch: str, entries: list[WireEntry], asked: dict[str, int]) -> None:
        """Take the answer to a subscription.

        Args:
            run: of the socket.
            epoch: of the socket's `hello`.
            entries: what the server answered, a channel each.
            asked: numbers it was asked to resume from, by channel.
        """
        self._begin_epoch(run, epoch)
        for entry in entries:
            if entry.mode == "refused":
                self.counts.refused[entry.code or "none"] += 1
                continue
            before = asked.get(entry.ch)
            if before is not None and entry.mode != "resumed":
                self.counts.not_resumed[entry.why or "UNEXPLAINED"] += 1
            if entry.mode == "resumed":
                if entry.seq > run.last.setdefault(entry.ch, 0):
                    run.catching_up[entry.ch] = entry.seq
            elif entry.mode == "live":
                self._lost(run, entry)
                run.last[entry.ch] = entry.seq
            else:
                run.last.pop(entry.ch, None)
                run.catching_up[entry.ch] = entry.seq
            run.missing.pop(entry.ch, None)

    def _begin_epoch(self, run: Run, epoch: str) -> None:
        """Forget the numbers of an earlier life of the log."""
        if run.epoch != epoch:
            run.last.clear()
            run.epoch = epoch
        if self._epoch != epoch:
            self.counts.epochs += self._epoch != ""
            self._originals.clear()
            self._known.clear()
            self._epoch = epoch

    def _lost(self, run: Run, entry: WireEntry) -> None:
        """Count what a lossless channel did not bring while this socket was away."""
        before = run.last.get(entry.ch)
        if before is not None and entry.seq > before:
            self._missed(run, entry.ch, before + 1, entry.seq + 1)

    def _open(self, run: Run, payload: bytes) -> Known | None:
        """Decode and check a frame that is new to the swarm; None when it is not one."""
        try:
            frame = self._decode(payload)
        except msgspec.MsgspecError:
            return None
        if frame.t not in ("snap", "delta", "ev"):
            return None
        own = frame.ch in OWN_CHANNELS
        place = (run.account if own else "", frame.ch)
        original = self._originals.get(place)
        if original is None:
            original = self._originals[place] = Original(frame.ch, self.counts)
        right = original.take(frame, payload)
        known = Known(frame.ch, frame.seq, frame.ts, frame.t == "snap")
        if right and not own:
            self._known[payload] = known
            if len(self._known) > KNOWN_MAX:
                del self._known[next(iter(self._known))]
        return known

    def _judge(self, run: Run, channel: str, seq: int, last: int | None, whole: bool) -> bool:
        """Judge a number that is not the next one; return whether the frame is news."""
        counts = self.counts
        if whole:
            if last is not None and seq <= last:
                counts.fault("order_errors", f"{channel}: snap {seq} after {last}")
                return False
            counts.conflations += last is not None
            run.last[channel] = seq
            return True
        if last is None:
            # A delta before its snapshot, or a channel that was not asked for.
            counts.fault("malformed", f"{channel}: delta {seq} before a snapshot, or not asked for")
            return False
        if seq > last:
            self._missed(run, channel, last + 1, seq)
            run.last[channel] = seq
            return True
        missing = run.missing.get(channel)
        if missing is not None and seq in missing:
            missing.discard(seq)
            counts.gaps -= 1
            counts.fault("order_errors", f"{channel}: {seq} after {last}")
        else:
            counts.fault("duplicates", f"{channel}: {seq} after {last}")
        return False

    def _missed(self, run: Run, channel: str, first: int, end: int) -> None:
        self.counts.fault("gaps", f"{run.account} {channel}: {first} to {end - 1}")
        self.counts.gaps += end - first - 1
        missing = run.missing.setdefault(channel, set())
        missing.update(range(first, min(end, first + MISSING_MAX - len(missing))))


def decoder(codec: str) -> Callable[[bytes], WireFrame]:
    """Return how frames of a codec are decoded: `json` or `msgpack`."""
    made: Any = msgspec.json if codec == "json" else msgspec.msgpack
    decode: Callable[[bytes], WireFrame] = made.Decoder(WireFrame).decode
    return decode
