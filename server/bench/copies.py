"""One leader's fill to 1,000 followers: decided, booked, and their frames encoded.

The boundary: from the entry's arrival until every follower's `copies` frame is encoded in both
codecs and handed to the hub. Floor: the same leader's fills without followers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from server.bench.figures import Figure, Report, at_most, percentile
from server.bench.offline import OfflineNode
from streams.core.commands import (
    MarkRow,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
    ReportFill,
    SetCopy,
)
from streams.core.money import MICROS, Step
from streams.ports import Frame
from streams.protocol.codec import CODECS, encode_frame


FOLLOWERS = 1_000
FILLS = 200
P99_MS_MAX = 50.0


class EncodingSink:
    """A hub whose every follower listens: encodes each frame once a codec."""

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0

    def wanted(self, key: str) -> bool:
        """Everybody listens to copies and signals."""
        return key.startswith(("copies:", "signals:"))

    def feeds(self) -> Mapping[str, object]:
        """Nobody reads a feed."""
        return {}

    def publish(self, frames: Sequence[Frame]) -> None:
        """Encode the frames as for the wire."""
        for frame in frames:
            for codec in CODECS:
                self.bytes += len(encode_frame(frame, codec))
        self.frames += len(frames)


def run(followers: int = FOLLOWERS, fills: int = FILLS) -> Report:
    """Measure the time of each fill, one entry a fill."""
    sink = EncodingSink()
    with_followers = asyncio.run(_measure(followers, fills, sink))
    alone = asyncio.run(_measure(0, fills, EncodingSink()))
    p50, p99 = percentile(with_followers, 0.5), percentile(with_followers, 0.99)
    floor = percentile(alone, 0.5)
    return Report(
        f"leader fill → {followers:,} followers decided, booked, frames encoded",
        [
            at_most("p99", p99 * 1e3, "ms", P99_MS_MAX),
            Figure("p50", p50 * 1e3, "ms"),
            Figure("a follower", (p50 - floor) / max(followers, 1) * 1e6, "µs"),
            Figure("the fill alone (floor)", floor * 1e6, "µs"),
            Figure("frames a fill", sink.frames / fills, "frames"),
        ],
        f"{followers} followers, equity_ratio, {fills} fills (half open, half close), "
        "each frame encoded in JSON and msgpack; wall time of apply, publish and encode",
    )


async def _measure(followers: int, fills: int, sink: EncodingSink) -> list[float]:
    node = OfflineNode(sink)
    async with node.running():
        await _prepare(node, followers)
        sink.frames = 0
        times = []
        for number in range(fills):
            lots = 1_000 if number % 2 == 0 else -1_000
            command = ReportFill("X", lots, 10_000, 0, "recorded", "", "leader")
            started = time.perf_counter()
            await node.edge.submit(command, "feed", privileged=True)
            times.append(time.perf_counter() - started)
        return times


async def _prepare(node: OfflineNode, followers: int) -> None:
    send = node.edge.enqueue
    waiting = [
        send(
            RegisterInstrument("X", "X", "bench", "spot", Step(1, 2), Step(1, 3)),
            "feed",
            privileged=True,
        ),
        send(PublishMarks([MarkRow("X", 10_000, 10_000, 10_000)]), "feed", privileged=True),
        send(
            RegisterTrader("leader", "leader", "leader", "recorded", 100_000 * MICROS),
            "feed",
            privileged=True,
        ),
    ]
    for number in range(followers):
        name = f"follower{number}"
        waiting.append(
            send(
                RegisterTrader(name, name, name, "account", 100_000 * MICROS),
                "feed",
                privileged=True,
            )
        )
        waiting.append(send(SetCopy("leader", allocation_micros=50_000 * MICROS), name))
    for outcome in await asyncio.gather(*waiting):
        if outcome.code != "OK":
            raise AssertionError(f"expected every preparation to be taken, was {outcome}")
