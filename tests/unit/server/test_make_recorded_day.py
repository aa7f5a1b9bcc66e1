"""The recorded day that ships is made from the authors' replay, and only of what may be shown."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from server.data import make_recorded_day
from server.data.make_recorded_day import DAY_NS, SEGMENTS, chosen, main, side_by_side


ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "server" / "data" / "recorded_day.jsonl.gz"
Record = dict[str, Any]
EARLY, LATE = 1_000, 1_000 + 3 * DAY_NS + 500


def at(t: int, kind: str, **fields: Any) -> Record:
    return {"t": t, "type": kind, **fields}


def instrument(t: int, name: str, venue: str) -> Record:
    return at(t, "inst", inst=name, venue=venue)


REPLAY = [
    at(EARLY, "segment", name=SEGMENTS[0], until=9),
    instrument(EARLY, "hl:A", "hyperliquid"),
    instrument(EARLY, "hl:quiet", "hyperliquid"),
    instrument(EARLY, "st:X", "stocktwits"),
    at(EARLY + 1, "mark", inst="hl:A", px="1.5"),
    at(EARLY + 2, "mark", inst="st:X", px="9"),
    at(EARLY + 700, "fill", inst="hl:A", trader="hl:1", px="1.5", qty="0.25", pos0="0"),
    at(EARLY + 3, "account", trader="hl:1", equity="5"),
    at(EARLY + 4, "message", author="st:u", text="personal", insts=["st:X"]),
    at(2_000, "segment", name="social", until=9),
    instrument(2_000, "pm:S", "polymarket"),
    at(2_001, "fill", inst="pm:S", trader="pm:2", px="0.5", qty="1"),
    at(LATE, "segment", name=SEGMENTS[1], until=LATE + 99),
    instrument(LATE, "pm:B", "polymarket"),
    instrument(LATE, "hl:A", "hyperliquid"),
    at(LATE + 1, "fill", inst="pm:B", trader="pm:1", px="0.35", qty="4"),
    at(LATE + 9, "settle", inst="pm:B", px="1"),
]


def test_only_public_records_of_traded_instruments_are_chosen() -> None:
    kept = chosen(REPLAY)

    assert Counter(record["type"] for record in kept) == {
        "segment": 2,
        "inst": 3,
        "mark": 1,
        "fill": 2,
        "settle": 1,
    }
    assert {record["inst"] for record in kept if "inst" in record} == {"hl:A", "pm:B"}


def test_both_markets_play_side_by_side_in_order_of_time() -> None:
    first, *day = side_by_side(chosen(REPLAY))

    assert (first["type"], first["t"], first["until"]) == ("segment", LATE, LATE + 99)
    assert "3 days earlier" in first["about"]
    assert [(r["type"], r["inst"], r["t"] - LATE) for r in day] == [
        ("inst", "hl:A", 0),
        ("inst", "pm:B", 0),
        ("mark", "hl:A", -499),
        ("fill", "pm:B", 1),
        ("settle", "pm:B", 9),
        ("fill", "hl:A", 200),
    ]


def test_the_same_replay_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "replay.jsonl.gz"
    source.write_bytes(gzip.compress("".join(f"{json.dumps(r)}\n" for r in REPLAY).encode()))
    made = []
    for name in ("a.gz", "b.gz"):
        monkeypatch.setattr(sys, "argv", ["make", str(source), str(tmp_path / name)])
        main()
        made.append((tmp_path / name).read_bytes())

    records = [json.loads(line) for line in gzip.decompress(made[0]).splitlines()]
    assert made[0] == made[1]
    assert {r["inst"]: (r["tick"], r["lot"]) for r in records if r["type"] == "inst"} == {
        "hl:A": ("0.1", "0.01"),
        "pm:B": ("0.01", "1"),
    }


def test_the_shipped_day_is_what_the_replay_gives(tmp_path: Path) -> None:
    named = os.environ.get("OPTIX_SHARED_DATA")
    base = Path(named) if named else ROOT.parent / "shared" / "data"
    replay = base / "replay" / "market_day.jsonl.gz"
    if not replay.is_file():
        pytest.skip(f"no replay to compare with: {replay.name} is not here")
    target = tmp_path / "day.jsonl.gz"

    command = [sys.executable, "-m", make_recorded_day.__name__, str(replay), str(target)]
    subprocess.run(command, check=True, cwd=ROOT)

    # zlib versions pack differently; what they hold must not differ
    assert gzip.decompress(SHIPPED.read_bytes()) == gzip.decompress(target.read_bytes())


def test_the_shipped_day_holds_only_what_its_provenance_says() -> None:
    with gzip.open(SHIPPED, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    counts = Counter(record["type"] for record in records)
    text = (SHIPPED.parent / "PROVENANCE.md").read_text(encoding="utf-8")

    assert set(counts) == {"segment", "inst", "mark", "fill", "settle"}
    assert {r["venue"] for r in records if r["type"] == "inst"} == {"hyperliquid", "polymarket"}
    assert {r["trader"].partition(":")[0] for r in records if r["type"] == "fill"} == {"hl", "pm"}
    assert f"{counts['mark']:,} candle closes" in text
    assert f"{counts['settle']:,} settlements" in text
    times = [record["t"] for record in records]
    assert times == sorted(times)
