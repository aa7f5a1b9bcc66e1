"""Ideas of the demo's followers, so that the idea book and sentiment move beside the fills.

When a leader trades a perpetual, one of the followers says in public what it takes from that: the
leader's side, entered at the leader's price, with a target and a stop two percent away. The next
trade of the same instrument ends that idea and begins another. Everything is tagged `demo`.
"""

from __future__ import annotations

from typing import Any

from streams.core.commands import CloseIdea, PublishIdea
from streams.replica.edge import Edge
from streams.replica.feeds.records import handle_of, rounded_steps


DISTANCE_PERCENT = 2
CONFIDENCE_BPS = (5_500, 6_000, 6_500, 7_000, 7_500)
VENUE = "hl:"


class DemoIdeas:
    """The standing idea of each instrument."""

    def __init__(self, edge: Edge, followers: list[str], leaders: list[str]) -> None:
        self._edge = edge
        self._followers = followers
        self._leaders = leaders
        self._standing: dict[str, tuple[str, str]] = {}
        self._count = 0

    async def look_at(self, records: list[dict[str, Any]]) -> None:
        """Publish one idea for each instrument that a leader traded in these records.

        Raises:
            CommandError: the log cannot take it now.
        """
        newest: dict[str, dict[str, Any]] = {}
        for record in records:
            if record["type"] == "fill" and record["trader"] in self._leaders:
                newest[record["inst"]] = record
        for symbol, record in newest.items():
            if symbol.startswith(VENUE) and symbol in self._edge.state.instruments:
                await self._publish(symbol, record)

    async def _publish(self, symbol: str, record: dict[str, Any]) -> None:
        standing = self._standing.pop(symbol, None)
        if standing is not None:
            await self._edge.submit(CloseIdea(standing[0], "the leader traded again"), standing[1])
        self._count += 1
        follower = self._followers[self._count % len(self._followers)]
        outcome = await self._edge.submit(self._idea(symbol, record), follower)
        if outcome.code == "OK":
            self._standing[symbol] = outcome.result["idea"]["idea"], follower

    def _idea(self, symbol: str, record: dict[str, Any]) -> PublishIdea:
        is_long = record["side"] == "buy"
        entry = rounded_steps(record["px"], self._edge.state.instruments[symbol].tick)
        above = entry * (100 + DISTANCE_PERCENT) // 100
        below = entry * (100 - DISTANCE_PERCENT) // 100
        side = "long" if is_long else "short"
        leader = handle_of(record["trader"])
        return PublishIdea(
            title=f"{symbol.removeprefix(VENUE)} {side}, after @{leader}",
            thesis=f"@{leader} traded {record['qty']} at {record['px']}; the demo follows.",
            symbol=symbol,
            trade_type="buy" if is_long else "short",
            entry_ticks=entry,
            target_ticks=above if is_long else below,
            stop_ticks=below if is_long else above,
            timeframe="swing",
            confidence_bps=CONFIDENCE_BPS[self._count % len(CONFIDENCE_BPS)],
            stance=0,
            tags=["demo"],
            publish=True,
        )
