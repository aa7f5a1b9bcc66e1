"""What `optix up` shows: the recorded day in a loop, and followers that copy its leaders.

Everything here is labelled as recorded: the traders' origin, the fills' source. The followers are
paper accounts of this node; their copies are decided and filled by the same core as anybody's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import structlog

from server.demo_ideas import DemoIdeas
from streams.core.commands import FollowTrader, RegisterTrader, SetCopy, StopCopy
from streams.core.money import MICROS
from streams.ports import Clock, CommandError
from streams.replica.edge import Edge
from streams.replica.feeds.player import play, read_recording
from streams.replica.feeds.recorded_feed import RecordedFeed
from streams.replica.feeds.records import OPENING_CASH, SERVICE, handle_of


RECORDED_DAY = Path(__file__).parent / "data" / "recorded_day.jsonl.gz"
SPEED = 600.0
"""Recorded seconds a real second: a day takes 2.4 minutes."""

RETRY_SECONDS = 0.5
PASSING_CODES = ("NOT_READY", "LOG_FULL", "OUTCOME_UNKNOWN")
"""Codes of a log that is away or full for a while."""

LEADERS = 4
FOLLOWERS = ("ada", "bob", "cleo", "dan", "eve")
FOLLOWER_CASH = 50_000
ALLOCATION = 10_000
MODES: tuple[dict[str, Any], ...] = (
    {"mode": "equity_ratio", "position_max_bps": 30_000},
    {"mode": "equity_ratio", "multiplier_ppm": 500_000, "position_max_bps": 30_000},
    {"mode": "quantity_ratio", "copy_ratio_ppm": 20_000},
    {"mode": "equity_ratio", "reverse": True, "position_max_bps": 30_000},
    {"mode": "equity_ratio", "notional_min_micros": 10 * MICROS},
)
"""How the followers copy: one way each, so that decisions of every kind are seen."""


class Demo:
    """Plays the recorded day into this node."""

    def __init__(self, edge: Edge, feed: RecordedFeed, clock: Clock) -> None:
        self._edge = edge
        self._feed = feed
        self._run = f"demo-{clock.now_us():x}"
        self._round = -1
        self._journal = structlog.get_logger("optix.demo")

    async def run(self) -> None:
        """Play until cancelled."""
        records = read_recording(RECORDED_DAY)
        self._leaders = leaders_of(records)
        names = [f"follower_{name}" for name in FOLLOWERS]
        self._ideas = DemoIdeas(self._edge, names, self._leaders)
        base = max(self._edge.state.market_at_us * 1000 + 1 - int(records[0]["t"]), 0)
        if base:
            # This node has played before: go on after what it has seen.
            records = [{**record, "t": record["t"] + base} for record in records]
        self._journal.info("playing", records=len(records), leaders=self._leaders)
        async for _ in play(records, self._take, speed=SPEED, loop=True):
            pass

    async def _take(self, first: int, records: list[dict[str, Any]]) -> None:
        """Hand records on; while the log is away, wait and try again under their numbers."""
        while True:
            try:
                if records[0]["type"] == "segment" and records[0].get("loop", 0) > self._round:
                    await self._prepare(records[0]["t"] // 1000)
                    self._round = records[0].get("loop", 0)
                await self._feed.ingest(self._run, first, records)
                await self._ideas.look_at(records)
            except CommandError as error:
                if error.code not in PASSING_CODES:
                    raise
                self._journal.warning("waiting", code=error.code, first=first)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _prepare(self, at_us: int) -> None:
        """Register leaders and followers, and begin the followers' copies afresh."""
        for leader in self._leaders:
            if leader not in self._edge.state.traders:
                cash = OPENING_CASH.get(leader.partition(":")[0], 0) * MICROS
                await self._edge.submit(
                    RegisterTrader(leader, handle_of(leader), leader, "recorded", cash, at_us),
                    SERVICE,
                    privileged=True,
                )
        for index, name in enumerate(FOLLOWERS):
            await self._prepare_follower(f"follower_{name}", index, at_us)

    async def _prepare_follower(self, follower: str, index: int, at_us: int) -> None:
        if follower not in self._edge.state.traders:
            await self._edge.submit(
                RegisterTrader(
                    follower,
                    follower,
                    f"{follower[9:].title()} (demo follower)",
                    "follower",
                    FOLLOWER_CASH * MICROS,
                    at_us,
                ),
                SERVICE,
                privileged=True,
            )
        for leader in self._leaders:
            await self._edge.submit(FollowTrader(leader), follower)
            await self._edge.submit(StopCopy(leader, "close_now"), follower)
            settings = {"allocation_micros": ALLOCATION * MICROS, **MODES[index]}
            await self._edge.submit(SetCopy(leader, **settings), follower)


def leaders_of(records: list[dict[str, Any]]) -> list[str]:
    """Return the most active traders of a recording: half by each of its first two venues."""
    fills: dict[str, Counter[str]] = {}
    for record in records:
        if record["type"] == "fill":
            trader = record["trader"]
            fills.setdefault(trader.partition(":")[0], Counter())[trader] += 1
    each = LEADERS // 2
    return [
        trader for counter in list(fills.values())[:2] for trader, _ in counter.most_common(each)
    ]
