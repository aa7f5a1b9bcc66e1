"""Makes the recorded day that ships with OPTIX, from a replay file of public records.

Only public on-chain records are kept: marks and fills of Hyperliquid perpetuals, and fills of
Polymarket outcomes with the settlements of their markets. The two were recorded at different
times; the first is moved forward by whole days, so that both markets play side by side. Lines
stay as they are otherwise; instrument lines gain the tick and lot that prices and sizes need.

    python -m server.data.make_recorded_day REPLAY.jsonl.gz OUT.jsonl.gz
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from streams.replica.feeds.steps import with_steps


SEGMENTS = ("perps-2025-04", "prediction-2026-02")
VENUES = ("hyperliquid", "polymarket")
TYPES = ("segment", "inst", "mark", "fill", "settle")
DAY_NS = 86_400_000_000_000
ABOUT = (
    "Hyperliquid perpetuals (marks, every fill of three accounts) and Polymarket outcomes (fills, "
    "settlements); the perpetuals were recorded {days} days earlier"
)


def chosen(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records of the chosen segments, venues and types, in order."""
    kept: list[dict[str, Any]] = []
    venue_of: dict[str, str] = {}
    inside = False
    for record in records:
        if record["type"] == "segment":
            inside = record["name"] in SEGMENTS
        if record["type"] == "inst":
            venue_of[record["inst"]] = record["venue"]
        known = "inst" not in record or venue_of[record["inst"]] in VENUES
        if inside and known and record["type"] in TYPES:
            kept.append(record)
    traded = {record["inst"] for record in kept if record["type"] in ("fill", "mark")}
    return [record for record in kept if "inst" not in record or record["inst"] in traded]


def side_by_side(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Move the first segment forward by whole days onto the second, and merge them by time."""
    first, second = (record for record in records if record["type"] == "segment")
    days = (second["t"] - first["t"]) // DAY_NS
    moved: list[dict[str, Any]] = []
    known: dict[str, None] = {}
    for record in records:
        if record["type"] == "segment" or (
            record.get("inst") in known and record["type"] == "inst"
        ):
            continue
        if record["type"] == "inst":
            known[record["inst"]] = None
        early = record["t"] < second["t"]
        moved.append({**record, "t": record["t"] + days * DAY_NS} if early else record)
    instruments = [{**r, "t": second["t"]} for r in moved if r["type"] == "inst"]
    rest = sorted((r for r in moved if r["type"] != "inst"), key=lambda record: record["t"])
    segment = {
        "t": second["t"],
        "type": "segment",
        "name": "recorded-day",
        "until": second["until"],
        "about": ABOUT.format(days=days),
    }
    return [segment, *instruments, *rest]


def main() -> None:
    """Read the replay named first, write the recorded day named second."""
    source, target = map(Path, sys.argv[1:3])
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        records = side_by_side(with_steps(chosen([json.loads(line) for line in lines])))
    text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.encode())


if __name__ == "__main__":
    main()
