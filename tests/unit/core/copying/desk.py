"""A leader, a follower and text tables of what the follower's copy decides."""

from __future__ import annotations

from typing import Any

from streams.core.commands import SetCopy, Tick
from streams.core.copying.settings import CHOICES
from streams.core.events import CopyDecided, CopyLimitReached, CopyStatusChanged, CopyStopped
from streams.core.money import MICROS
from tests.unit.core.market import SERVICE, Market


ALLOCATION = 500 * MICROS

TUPLES = ("session_windows", "news_windows")
MAPS = ("symbol_multipliers", "symbol_map")


def copying(**patch: Any) -> Market:
    """`lea` has 1,000 and one follower, `fay`, who copies with 500 of her 1,000."""
    market = Market("lea", "fay")
    market.do("fay", SetCopy("lea", **{"allocation_micros": ALLOCATION, **patch}))
    return market


def patch_of(text: str) -> dict[str, Any]:
    """Read `name=value …`: numbers, names, lists as `A,B`, maps as `A:1`, windows as `1:2:3`."""
    patch: dict[str, Any] = {}
    for pair in text.split():
        name, value = pair.split("=", 1)
        patch[name] = _value(name, value)
    return patch


def _number(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text


def _value(name: str, text: str) -> Any:
    if name in MAPS:
        return {a: _number(b) for a, b in (part.split(":") for part in text.split(","))}
    if name in TUPLES:
        return [tuple(_number(part) for part in text.split(":"))]
    if name.startswith(("symbols_", "asset_")):
        return text.split(",")
    if name in ("reverse", "copy_stop_loss"):
        return text == "1"
    return text if name in CHOICES or name == "expression" else int(text)


def decided(market: Market) -> list[CopyDecided]:
    """Return the decisions of the last entry."""
    return [event for event in market.events if isinstance(event, CopyDecided)]


def told(event: CopyDecided) -> str:
    """Return code, signed lots and clamps of a decision."""
    return " ".join([event.code, str(event.lots), *event.clamps])


def tick(market: Market, ms: int = 1_000) -> None:
    """Let time pass and the scheduler tick; the next second begins."""
    market.ms += ms
    market.do(SERVICE, Tick((market.ms + 1) // 100))


def told_events(market: Market) -> list[str]:
    """Return what happened to copies in the last entry, one line an event."""
    lines = []
    for event in market.events:
        match event:
            case CopyStatusChanged():
                lines.append(f"{event.follower} {event.status} {event.actor} {event.cause}")
            case CopyLimitReached():
                lines.append(f"{event.follower} {event.code} {event.level_bps}")
            case CopyDecided():
                lines.append(f"{event.follower} {event.leg} {event.symbol} {told(event)}")
            case CopyStopped():
                lines.append(f"{event.follower} STOPPED {event.on_stop}")
            case _:
                pass
    return lines
