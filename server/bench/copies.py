"""One leader's fill to 1,000 followers: decided, booked, and their frames encoded.

Two boundaries. Core time: processor time of applying the fill's entry in the core, every gate of
every follower switched on, less the same fill without followers. Wall time: from the entry's
arrival until every follower's `copies` frame is encoded in both codecs and handed to the hub.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from server.bench.figures import Figure, Report, at_most, percentile
from server.bench.offline import OfflineNode
from server.garbage import settle_garbage_collection
from streams.core.commands import (
    Command,
    MarkRow,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
    ReportFill,
    SetCopy,
)
from streams.core.kernel import PRIVILEGED, Kernel
from streams.core.money import MICROS, Step
from streams.core.state import State
from streams.ports import Frame
from streams.protocol.codec import PLAIN_CODECS, encode_frame


FOLLOWERS = 1_000
FILLS = 200
P99_MS_MAX = 25.0
CORE_US_MAX = 15.0

GATES_ON = SetCopy(
    "leader",
    allocation_micros=50_000 * MICROS,
    symbols_allow=["X", "Y"],
    symbols_deny=["Z"],
    symbols_short_deny=["Z"],
    asset_classes_allow=["spot"],
    session_windows=[(127, 0, 1_440)],
    news_windows=[("Z", 0, 1)],
    symbol_multipliers={"X": 1_000_000},
    quantity_min_nanos=1,
    notional_min_micros=1,
    notional_max_micros=1_000_000 * MICROS,
    symbol_entries_max=1_000,
    trailing_stop_bps=5_000,
    daily_loss_bps=5_000,
    daily_drawdown_bps=5_000,
    daily_target_bps=9_000,
    trades_day_max=100_000,
    notify_loss_bps=[1_000],
)
"""A copy with every filter, minimum, cap and limit set, none of which stands in the way."""


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
            for codec in PLAIN_CODECS:
                self.bytes += len(encode_frame(frame, codec))
        self.frames += len(frames)


def run(followers: int = FOLLOWERS, fills: int = FILLS) -> Report:
    """Measure the time of each fill, one entry a fill."""
    sink = EncodingSink()
    with_followers = asyncio.run(_measure(followers, fills, sink))
    alone = asyncio.run(_measure(0, fills, EncodingSink()))
    p50, p99 = percentile(with_followers, 0.5), percentile(with_followers, 0.99)
    floor = percentile(alone, 0.5)
    opening, closing = (
        (with_them - without) / max(followers, 1) * 1e6
        for with_them, without in zip(
            core_seconds(followers, fills), core_seconds(0, fills), strict=True
        )
    )
    return Report(
        f"leader fill → {followers:,} followers decided, booked, frames encoded",
        [
            at_most("p99", p99 * 1e3, "ms", P99_MS_MAX),
            at_most("core time a follower", (opening + closing) / 2, "µs", CORE_US_MAX),
            Figure("of an opening", opening, "µs"),
            Figure("of a closing", closing, "µs"),
            Figure("p50", p50 * 1e3, "ms"),
            Figure("a follower, frames too", (p50 - floor) / max(followers, 1) * 1e6, "µs"),
            Figure("the fill alone (floor)", floor * 1e6, "µs"),
            Figure("frames a fill", sink.frames / fills, "frames"),
        ],
        f"{followers} followers, equity_ratio, all gates on, {fills} fills (half open, half "
        "close), each frame encoded in JSON and msgpack; p99 is wall time of apply, publish and "
        "encode, core time is the mean of the medians of openings and closings, processor time",
    )


class Asked(NamedTuple):
    """An envelope as the kernel reads it."""

    id: str
    key: str | None
    principal: str
    roles: int
    command: Command


def core_seconds(followers: int, fills: int) -> tuple[float, float]:
    """Return the median of the core's processor time of an opening and of a closing, in seconds."""
    kernel = Kernel(State())
    offset = count(time.time_ns() // 1_000_000)

    def apply(principal: str, command: Command, roles: int = PRIVILEGED) -> None:
        ms = next(offset)
        applied = kernel.apply(ms, 0, f"b{ms}", [Asked("", None, principal, roles, command)])
        if applied.outcomes[0].code != "OK":
            raise AssertionError(f"expected every command to be taken, was {applied.outcomes[0]}")

    for principal, command in preparations(followers):
        apply(principal, command, PRIVILEGED if principal == "feed" else 0)
    settle_garbage_collection()
    times = []
    for number in range(fills):
        command = fill_of(number)
        started = time.process_time()
        apply("feed", command)
        times.append(time.process_time() - started)
    return percentile(times[::2], 0.5), percentile(times[1::2], 0.5)


def fill_of(number: int) -> ReportFill:
    """Return an opening, or the closing of the one before."""
    lots = 1_000 if number % 2 == 0 else -1_000
    return ReportFill("X", lots, 10_000, 0, "recorded", "", "leader", time.time_ns() // 1_000)


async def _measure(followers: int, fills: int, sink: EncodingSink) -> list[float]:
    node = OfflineNode(sink)
    async with node.running():
        await _prepare(node, followers)
        sink.frames = 0
        times = []
        for number in range(fills):
            command = fill_of(number)
            started = time.perf_counter()
            await node.edge.submit(command, "feed", privileged=True)
            times.append(time.perf_counter() - started)
        return times


async def _prepare(node: OfflineNode, followers: int) -> None:
    waiting = [
        node.edge.enqueue(command, principal, privileged=principal == "feed")
        for principal, command in preparations(followers)
    ]
    for outcome in await asyncio.gather(*waiting):
        if outcome.code != "OK":
            raise AssertionError(f"expected every preparation to be taken, was {outcome}")


def preparations(followers: int) -> Iterator[tuple[str, Command]]:
    """Yield (principal, command) of a market with one leader and its followers."""
    yield "feed", RegisterInstrument("X", "X", "bench", "spot", Step(1, 2), Step(1, 3))
    yield "feed", PublishMarks([MarkRow("X", 10_000, 10_000, 10_000)])
    yield "feed", RegisterTrader("leader", "leader", "leader", "recorded", 100_000 * MICROS)
    for number in range(followers):
        name = f"follower{number}"
        yield "feed", RegisterTrader(name, name, name, "account", 100_000 * MICROS)
        yield name, GATES_ON
