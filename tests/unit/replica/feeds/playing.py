"""Records of a small market, and what a node shows after it took them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from server.bench.offline import OfflineNode
from streams.core.snapshots import restore, snapshot
from streams.core.state import State
from streams.replica.feeds.recorded_feed import RecordedFeed
from tests.simulation.virtual_loop import run_virtual


T = TypeVar("T")
Record = dict[str, Any]

T0 = 1_772_366_400_000_000_000
SECOND_NS = 1_000_000_000
OF_THE_LOG = ("entry_ms", "entry_seq", "chain", "chain_entry", "batch_ids", "keys")
"""Fields of the state that every entry changes, whatever it says."""


def at(second: float, kind: str, **fields: Any) -> Record:
    return {"t": T0 + round(second * SECOND_NS), "type": kind, **fields}


def instrument(symbol: str = "x:A", second: float = 0, **fields: Any) -> Record:
    basic = {"inst": symbol, "venue": "hyperliquid", "cls": "perp", "symbol": symbol}
    return at(second, "inst", **{**basic, "tick": "0.1", "lot": "0.01", **fields})


def mark(second: float, price: str, symbol: str = "x:A") -> Record:
    return at(second, "mark", inst=symbol, px=price)


def fill(second: float, quantity: str = "1", price: str = "10", **fields: Any) -> Record:
    basic = {"trader": "hl:a", "inst": "x:A", "side": "buy"}
    return at(second, "fill", **{**basic, "px": price, "qty": quantity, **fields})


def idea(second: float, signal: str = "hold", **fields: Any) -> Record:
    basic = {
        "id": f"i{second}",
        "trader": "nof1:m",
        "inst": "x:A",
        "target": "12",
        "stop": "9",
        "conf": "0.5",
        "invalid": "it falls below nine",
        "text": "it goes up from here",
    }
    return at(second, "idea", signal=signal, **{**basic, **fields})


def comparable(state: State) -> dict[str, Any]:
    """Return what the state says, without its places in the log."""
    return {
        name: value
        for name, value in msgspec.to_builtins(restore(snapshot(state))).items()
        if name not in OF_THE_LOG
    }


def with_feed(work: Callable[[OfflineNode, RecordedFeed], Awaitable[T]]) -> T:
    """Do something with a running node and its feed, in virtual time."""

    async def run() -> T:
        node = OfflineNode()
        async with node.running():
            return await work(node, RecordedFeed(node.edge))

    return run_virtual(run())


def played(*portions: list[Record]) -> tuple[State, dict[str, int]]:
    """Take portions one after the other; return the state and what was refused."""

    async def work(node: OfflineNode, feed: RecordedFeed) -> tuple[State, dict[str, int]]:
        first = 0
        for portion in portions:
            await feed.ingest("run", first, portion)
            first += len(portion)
        return node.replica.state, dict(feed.refused)

    return with_feed(work)
