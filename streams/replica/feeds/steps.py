"""Ticks and lots that a recording's prices and sizes need, found by reading all of them.

The replay format names no tick or lot. Whoever plays a file reads it first and adds both to its
instrument lines, so that every price is exact; what is finer than the bounds is rounded by the
feed.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any


TICK_PLACES_MAX = 10
LOT_PLACES_MAX = 8

PRICES = {"mark": ("px",), "fill": ("px",), "position": ("entry_px",), "idea": ("target", "stop")}
SIZES = {"fill": ("qty", "pos0"), "position": ("qty",)}


def with_steps(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records, instrument lines with `tick` and `lot` where they have none."""
    places = places_of(records)
    return [
        _with_step(record, *places.get(record["inst"], (0, 0)))
        if record["type"] == "inst"
        else record
        for record in records
    ]


def places_of(records: Iterable[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Return the decimal places of prices and of sizes that each instrument needs."""
    found: dict[str, tuple[int, int]] = {}
    for record in records:
        kind = record["type"]
        if kind not in PRICES:
            continue
        ticks, lots = found.get(record["inst"], (0, 0))
        ticks = max([ticks, *(_places(record.get(name)) for name in PRICES[kind])])
        lots = max([lots, *(_places(record.get(name)) for name in SIZES.get(kind, ()))])
        found[record["inst"]] = (min(ticks, TICK_PLACES_MAX), min(lots, LOT_PLACES_MAX))
    return found


def _places(text: str | None) -> int:
    if not text:
        return 0
    exponent = Decimal(text).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def _with_step(record: dict[str, Any], tick_places: int, lot_places: int) -> dict[str, Any]:
    return {"tick": _step(tick_places), "lot": _step(lot_places)} | record


def _step(places: int) -> str:
    return str(Decimal(1).scaleb(-places)) if places < 7 else f"0.{'0' * (places - 1)}1"
