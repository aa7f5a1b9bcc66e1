"""What was held before a recording is said once a segment, wherever a node takes it up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streams.replica.feeds.player import read_recording


def fill(trader: str, pos0: str | None) -> dict[str, Any]:
    record = {"t": 2, "type": "fill", "trader": trader, "inst": "X", "px": "1", "qty": "1"}
    return record if pos0 is None else {**record, "pos0": pos0}


def test_only_the_first_fill_of_a_holding_keeps_what_was_held_before(tmp_path: Path) -> None:
    segment = {"t": 1, "type": "segment", "name": "s"}
    lines = [
        segment,
        *(fill("a", "0"), fill("a", "1"), fill("b", "7"), fill("b", "8")),
        *(fill("c", None), fill("c", "9")),
        segment,
        fill("a", "2"),
    ]
    path = tmp_path / "recording.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    fills = [record for record in read_recording(path) if record["type"] == "fill"]
    expected = ["0", None, "7", None, None, None, "2"]
    assert expected == [record.get("pos0") for record in fills]
