"""Records of real traders as the recorded feed takes them, and what their sources say of them.

Each source becomes a list of records in the replay format and, for every trader, the figures that
the source itself states: from its own columns, never from our arithmetic.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from server.bench.offline import OfflineNode
from streams.core.state import State
from streams.replica.feeds.recorded_feed import RecordedFeed


RECORDS_A_CALL = 2_000
INDIA = timedelta(hours=5, minutes=30)
"""The Hyperliquid table has Indian time only."""

ONE_LOT = Decimal("0.0000011")
"""Holdings of Hyperliquid that differ by no more are equal: the table is rounded."""

OPENING = Decimal(100_000)
"""Cash that the backtest starts with, as its README says."""

MARKETS = 8
"""Prediction markets played: the first of the file, about three thousand trades."""

BOOK_ENDS = "2004-04-01"
"""Day before which the backtest is played: three months, for every day that closes costs time."""

Record = dict[str, Any]


class Stated(NamedTuple):
    """What a source says of one trader; None where it says nothing.

    Attributes:
        realised: profit of what was closed, before fees.
        net: profit of what was closed, as the source nets it.
        fees: fees paid.
        wins: round trips with a profit.
        trades: round trips.
        cash: change of cash from the beginning to the end.
        equity: change of equity from the beginning to the end.
    """

    realised: Decimal | None = None
    net: Decimal | None = None
    fees: Decimal | None = None
    wins: int | None = None
    trades: int | None = None
    cash: Decimal | None = None
    equity: Decimal | None = None


Source = tuple[list[Record], dict[str, Stated]]


async def played(records: list[Record]) -> State:
    """Play records through the recorded feed into a node, and return its state."""
    node = OfflineNode()
    async with node.running():
        feed = RecordedFeed(node.edge)
        for first in range(0, len(records), RECORDS_A_CALL):
            told = await feed.ingest("real", first, records[first : first + RECORDS_A_CALL])
            assert told["refused"] == {}
        return node.replica.state


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def instrument(name: str, venue: str, asset_class: str, time_ns: int) -> Record:
    return {
        "t": time_ns,
        "type": "inst",
        "inst": name,
        "venue": venue,
        "cls": asset_class,
        "symbol": name.partition(":")[2],
    }


def _with_instruments(fills: list[Record], venue: str, asset_class: str) -> list[Record]:
    names = dict.fromkeys(fill["inst"] for fill in fills)
    first = fills[0]["t"]
    return [instrument(name, venue, asset_class, first) for name in names] + fills


def hyperliquid(data: Path) -> Source:
    """Return the perpetual fills of three accounts, each coin as a trader of its own.

    A coin apart shows where the source has holes: see `broken`.
    """
    fills = []
    totals: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in _perpetual_fills(data):
        at = datetime.strptime(row["Timestamp IST"], "%d-%m-%Y %H:%M").replace(tzinfo=UTC) - INDIA
        trader = _series(row)
        fills.append(
            {
                "t": int(at.timestamp()) * 10**9,
                "type": "fill",
                "trader": trader,
                "inst": f"hl:{row['Coin']}",
                "side": row["Side"].lower(),
                "px": row["Execution Price"],
                "qty": row["Size Tokens"],
                "fee": row["Fee"],
                "pos0": row["Start Position"],
            }
        )
        totals[trader][0] += Decimal(row["Closed PnL"])
        totals[trader][1] += Decimal(row["Fee"])
    fills.sort(key=lambda fill: fill["t"])
    stated = {trader: Stated(realised=pnl, fees=fee) for trader, (pnl, fee) in totals.items()}
    return _with_instruments(fills, "hyperliquid", "perp"), stated


def broken(data: Path) -> dict[str, int]:
    """Return by series how often a fill starts from another holding than the one before left.

    Fills are missing there: their prices are nowhere in the source.
    """
    held: dict[str, Decimal] = {}
    breaks: dict[str, int] = defaultdict(int)
    for row in _perpetual_fills(data):
        series, start = _series(row), Decimal(row["Start Position"])
        if abs(held.get(series, start) - start) > ONE_LOT:
            breaks[series] += 1
        size = Decimal(row["Size Tokens"])
        held[series] = start + (size if row["Side"] == "BUY" else -size)
    return dict(breaks)


def _perpetual_fills(data: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of perpetuals: spot pays its fees in coins and starts from transfers."""
    for row in rows_of(data / "hl_fills" / "fills.csv.gz"):
        if not row["Coin"].startswith("@"):
            yield row


def _series(row: dict[str, str]) -> str:
    return f"hl:{row['Account'][:8]}:{row['Coin']}"


def arena(data: Path) -> Source:
    """Return the round trips of four language models as two fills each, with the analytics."""
    folder = data / "nof1_alpha_arena"
    fills = []
    with gzip.open(folder / "trades.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            trip = json.loads(line)
            opens, closes = ("buy", "sell") if trip["side"] == "long" else ("sell", "buy")
            for part, side in (("entry", opens), ("exit", closes)):
                fills.append(
                    {
                        "t": round(trip[f"{part}_time"] * 1_000_000) * 1_000,
                        "type": "fill",
                        "trader": f"nof1:{trip['model_id']}",
                        "inst": f"nof1:{trip['symbol']}",
                        "side": side,
                        "px": str(trip[f"{part}_price"]),
                        "qty": str(abs(trip["quantity"])),
                        "fee": str(trip[f"{part}_commission_dollars"]),
                    }
                )
    fills.sort(key=lambda fill: fill["t"])
    with gzip.open(folder / "analytics.json.gz", "rt", encoding="utf-8") as lines:
        models = json.load(lines)["analytics"]
    stated = {}
    for model in models:
        money = model["fee_pnl_moves_breakdown_table"]
        trades = next(v for k, v in _leaves(model) if k == "total_trades")
        rate = model["winners_losers_breakdown_table"]["win_rate"]
        stated[f"nof1:{model['model_id']}"] = Stated(
            realised=Decimal(str(money["overall_pnl_without_fees"])),
            net=Decimal(str(money["overall_pnl_with_fees"])),
            fees=Decimal(str(money["total_fees_paid"])),
            wins=round(rate * trades / 100),
            trades=trades,
        )
    return _with_instruments(fills, "hyperliquid", "perp"), stated


def _leaves(node: Any) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value)
        else:
            yield key, value


def predictions(data: Path) -> Source:
    """Return trades of prediction markets with their settlement, and what every wallet got.

    The source states each trade's price and which outcome paid 1; a wallet's cash follows.
    """
    folder = data / "polymarket_politics"
    markets = {
        row["market_id"]: row
        for row, _ in zip(rows_of(folder / "markets.csv.gz"), range(MARKETS), strict=False)
    }
    fills: list[Record] = []
    cash: dict[str, Decimal] = defaultdict(Decimal)
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    ends = {market: int(row["resolved_at"]) for market, row in markets.items()}
    for row in rows_of(folder / "trades.csv.gz"):
        market = row["market_id"]
        if market not in markets:
            continue
        wallet, name = f"pm:{row['wallet']}", f"pm:{market[:14]}:{row['outcome']}"
        ends[market] = max(ends[market], int(row["timestamp"]))
        fills.append(
            {
                "t": int(row["timestamp"]) * 10**9,
                "type": "fill",
                "trader": wallet,
                "inst": name,
                "side": row["side"].lower(),
                "px": row["price"],
                "qty": row["size"],
            }
        )
        signed = Decimal(row["size"]) * (1 if row["side"] == "BUY" else -1)
        cash[wallet] -= signed * Decimal(row["price"])
        held[wallet, name] += signed
    settles = []
    for market, row in markets.items():
        for outcome in ("Yes", "No"):
            name, paid = f"pm:{market[:14]}:{outcome}", outcome.upper() == row["resolved_outcome"]
            end_ns = (ends[market] + 1) * 10**9
            settles.append({"t": end_ns, "type": "settle", "inst": name, "px": str(int(paid))})
            for (wallet, instrument_name), shares in held.items():
                if instrument_name == name and paid:
                    cash[wallet] += shares
    fills.sort(key=lambda record: record["t"])
    played_names = dict.fromkeys(fill["inst"] for fill in fills)
    records = fills + [each for each in settles if each["inst"] in played_names]
    records.sort(key=lambda record: record["t"])
    stated = {wallet: Stated(cash=amount) for wallet, amount in cash.items()}
    instruments = [instrument(n, "polymarket", "prediction", fills[0]["t"]) for n in played_names]
    return instruments + records, stated


def backtest(data: Path) -> Source:
    """Return the transactions of a backtested book, with its own cash and equity at the end."""
    folder = data / "oracle_backtest_book"
    fills = []
    for number, row in enumerate(rows_of(folder / "txn.csv.gz")):
        if row[""] >= BOOK_ENDS:
            break
        at = datetime.fromisoformat(row[""])
        amount = int(row["amount"])
        fills.append(
            {
                "t": int(at.timestamp()) * 10**9 + number * 1_000,
                "type": "fill",
                "trader": "book:backtest",
                "inst": f"book:{row['symbol']}",
                "side": "buy" if amount > 0 else "sell",
                "px": row["price"],
                "qty": str(abs(amount)),
            }
        )
    last = [row for row in rows_of(folder / "pos.csv.gz") if row["index"] < BOOK_ENDS][-1]
    values = {name: Decimal(value) for name, value in last.items() if name != "index"}
    ended = Stated(cash=values["cash"] - OPENING, equity=sum(values.values()) - OPENING)
    return _with_instruments(fills, "backtest", "spot"), {"book:backtest": ended}
