"""Our own views against the recorded frames; README.md says how to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.client.errors import ViewBroken
from streams.client.items import Delta, Snap
from streams.client.views import BoardView, BookView, MarksView, PositionBookView, Rebuilt


FILES = sorted((Path(__file__).parent / "views").glob("*.jsonl"))


def view_of(channel: str) -> Rebuilt:
    kind, _, argument = channel.partition(":")
    match kind:
        case "book":
            return BookView(argument)
        case "positions":
            return PositionBookView(argument)
        case "leaderboard":
            return BoardView(*argument.split(":"))
    return MarksView()


def held(view: Rebuilt) -> dict[str, Any]:
    match view:
        case BookView():
            return {"b": view.buys, "s": view.sells}
        case PositionBookView():
            return {"rows": view.rows}
        case BoardView():
            return {"rows": view.rows, "n": view.ranked}
        case MarksView():
            return {"rows": list(view.marks.values())}
    raise AssertionError(f"expected a known view, was {view}")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_view(file: Path) -> None:
    head, *steps = [msgspec.json.decode(line) for line in file.read_text().splitlines()]
    view = view_of(head["channel"])
    assert view.channel == head["channel"]
    broken = False
    for number, step in enumerate(steps, start=2):
        where = f"{file.name}:{number}"
        if "apply" in step:
            assert not broken, f"before {where}"
            frame = step["apply"]
            kind = Snap if frame["t"] == "snap" else Delta
            item = kind(
                channel=view.channel,
                epoch="e7",
                seq=frame["seq"],
                ts_us=0,
                data=frame["data"],
                crc=frame["crc"],
            )
            try:
                view.apply(item)
            except ViewBroken:
                broken = True
            assert view.ready is not broken
        elif "broken" in step:
            assert broken, f"at {where}"
            broken = False
        else:
            assert view.ready
            assert held(view) == step["holds"], f"at {where}"
    assert not broken
