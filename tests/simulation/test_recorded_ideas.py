"""Ideas of recorded traders, resolved by recorded candles, against a plain scan of them.

Needs the data of the project's authors (`OPTIX_SHARED_DATA`, or `shared/data` beside the
checkout): decisions of four language models on 2025-10-28 with target, stop and confidence, and
five-minute candles of that day, which go on for 17 hours after the last decision.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from server.bench.offline import OfflineNode
from streams.core.commands import Tick
from streams.core.idea_state import Idea
from streams.core.ideas.terms import direction_of
from streams.core.invariants import check_invariants
from streams.core.state import State
from streams.core.view import idea_view
from streams.replica.feeds.recorded_feed import RecordedFeed
from tests.simulation.test_recorded_day import shared_day


CANDLE_NS = 300_000_000_000
BEGIN = datetime(2025, 10, 28, 5, tzinfo=UTC)
COINS = ("BTC", "ETH", "SOL", "BNB", "DOGE", "XRP")


class Candle(NamedTuple):
    """One candle in ticks; `began_us` and `ended_us` in microseconds."""

    began_us: int
    ended_us: int
    high: int
    low: int
    close: int


def candle_records() -> Iterator[dict[str, Any]]:
    """Yield the candles as marks of the replay format."""
    path = shared_day().parents[1] / "binance_5m_2025_10" / "candles_5m.csv.gz"
    begin_ms = round(BEGIN.timestamp() * 1_000)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            coin = row["symbol"].removesuffix("USDT").removesuffix("/")
            if coin in COINS and int(row["timestamp"]) >= begin_ms:
                yield {
                    "t": int(row["timestamp"]) * 1_000_000 + CANDLE_NS,
                    "type": "mark",
                    "inst": f"hl:{coin}",
                    "px": row["close"],
                    "hi": row["high"],
                    "lo": row["low"],
                    "src": "candle_5m",
                }


def idea_records() -> Iterator[dict[str, Any]]:
    """Yield the instruments and the decisions of the recorded day."""
    named: dict[str, None] = {}
    with gzip.open(shared_day(), "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            wanted = record.get("inst", "").removeprefix("hl:") in COINS
            if record["type"] == "inst" and wanted and record["inst"] not in named:
                named[record["inst"]] = None
                yield record | {"t": round(BEGIN.timestamp()) * 1_000_000_000}
            elif record["type"] == "idea":
                yield record


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, Any]]:
    if not shared_day().is_file():
        pytest.skip("no recorded ideas: the shared data is not here")
    found = [*idea_records(), *candle_records()]
    # At equal times an instrument comes first, a mark before an idea.
    order = {"inst": 0, "mark": 1, "idea": 2}
    return sorted(found, key=lambda record: (record["t"], order[record["type"]]))


async def played(records: list[dict[str, Any]]) -> State:
    node = OfflineNode()
    async with node.running():
        feed = RecordedFeed(node.edge)
        answer = await feed.ingest("ideas", 0, records)
        assert answer["refused"] == {}
        await node.edge.submit(Tick(node.replica.state.tick_number + 10), "test", privileged=True)
        return node.replica.state


def candles_of(state: State, records: list[dict[str, Any]], symbol: str) -> list[Candle]:
    tick = state.instruments[symbol].tick

    def ticks(text: str) -> int:
        return round(float(text) * 10**tick.exponent / tick.mantissa)

    return [
        Candle(
            (record["t"] - CANDLE_NS) // 1_000,
            record["t"] // 1_000,
            ticks(record["hi"]),
            ticks(record["lo"]),
            ticks(record["px"]),
        )
        for record in records
        if record["type"] == "mark" and record["inst"] == symbol
    ]


def scanned(idea: Idea, candles: list[Candle]) -> tuple[str, int]:
    """Return (stage, time) of an idea at the market by looking at every candle after its entry."""
    direction = direction_of(idea.trade_type)
    assert idea.entry is not None
    entered_us = idea.entry.at_us
    for candle in candles:
        if candle.ended_us <= entered_us:
            continue
        if idea.stage == "CLOSED_BY_AUTHOR" and candle.ended_us > idea.closed_at_us:
            return "CLOSED_BY_AUTHOR", idea.closed_at_us
        low, high = candle.low, candle.high
        if candle.began_us < entered_us:
            low = high = candle.close
        worst, best = (low, high) if direction > 0 else (-high, -low)
        if worst <= idea.stop_ticks * direction:
            return "STOPPED", candle.ended_us
        if best >= idea.target_ticks * direction:
            return "TARGET_HIT", candle.ended_us
    return idea.stage, idea.closed_at_us


async def test_recorded_ideas_resolve_as_a_plain_scan_says(recorded: list[dict[str, Any]]) -> None:
    state = await played(recorded)
    assert check_invariants(state) == []
    for idea in state.ideas.values():
        candles = candles_of(state, recorded, idea.symbol)
        assert (idea.stage, idea.closed_at_us) == scanned(idea, candles), idea
    ends = Counter(idea.stage for idea in state.ideas.values())
    assert ends == {"STOPPED": 11, "LIVE": 7, "CLOSED_BY_AUTHOR": 2, "TARGET_HIT": 1}


async def test_three_ideas_checked_by_hand(recorded: list[dict[str, Any]]) -> None:
    """Read off the candles: SOL 07:15 has the first high at 202.71, the day's low is above.

    DOGE 14:45 falls from 0.1988 to 0.196, the first low below 0.1977; ETH 19:20 falls to 4053.3,
    the first low below 4065.43.
    """
    state = await played(recorded)
    found = {}
    for idea in state.ideas.values():
        view = idea_view(state, idea)
        if idea.resolution is not None and view["resolution"]["stage"] != "CLOSED_BY_AUTHOR":
            tick = view["resolution"]["tick"]
            key = idea.trader.removeprefix("nof1:"), idea.symbol, view["stop"]
            found[key] = view["stage"], tick["price"], tick["at"][:16], tick["source"]
    assert found["gpt-5", "hl:SOL", "196.748"] == (
        "TARGET_HIT", "202.71", "2025-10-28T07:20", "candle",
    )  # fmt: skip
    assert found["gpt-5", "hl:DOGE", "0.1977"] == (
        "STOPPED", "0.1977", "2025-10-28T14:50", "candle",
    )  # fmt: skip
    assert found["deepseek-chat-v3.1", "hl:ETH", "4065.43"] == (
        "STOPPED", "4065.43", "2025-10-28T19:25", "candle",
    )  # fmt: skip
