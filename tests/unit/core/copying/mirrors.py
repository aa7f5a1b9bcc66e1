"""A follower who mirrors limit orders, and what happens to its own."""

from __future__ import annotations

from typing import Any

from streams.core.commands import (
    PlaceOrder,
    RegisterInstrument,
)
from streams.core.events import CopyOrderEnded, CopyOrderFilled, CopyOrderPlaced
from streams.core.money import Step
from tests.unit.core.copying.desk import copying, tick
from tests.unit.core.market import SERVICE, Market


def mirroring(**patch: Any) -> Market:
    """`fay` mirrors with 500 the limit orders of `lea`, who has 1,000."""
    return copying(follow_limit_orders="mirror", **patch)


def limit(market: Market, side: str, lots: int, ticks: int, **more: Any) -> str:
    """`lea` places a limit order in BTC and a tick passes; return the order."""
    order = market.do("lea", PlaceOrder("BTC", side, lots, ticks, **more))
    tick(market, 100)
    return order


def resting(market: Market) -> list[str]:
    """Return what rests of `fay`, one line an order."""
    return [
        f"{order.leg} {order.side * order.left_lots} @ {order.limit_ticks}"
        for order in market.copy("fay").orders.values()
        if order.left_lots
    ]


def happened(market: Market) -> list[str]:
    """Return what the last entry did to copy orders and positions, one line an event."""
    lines = []
    for event in market.events:
        match event:
            case CopyOrderPlaced():
                lines.append(f"placed {event.leg} {event.side * event.lots} @ {event.limit_ticks}")
            case CopyOrderFilled():
                lines.append(f"filled {event.lots} @ {event.price_ticks}")
            case CopyOrderEnded():
                lines.append(f"ended {event.code} {event.lots}")
            case _:
                pass
    return lines


def deep(depth_lots: int, **patch: Any) -> Market:
    """The venue of `SOL`, at 10.00, gives so many lots of an order at each quote."""
    market = mirroring(**patch)
    instrument = RegisterInstrument(
        "SOL", "SOL", "x", "spot", Step(1, 2), Step(1, 3), depth_lots=depth_lots
    )
    market.do(SERVICE, instrument)
    market.quote("SOL", 1_000, 1_000)
    return market


def sol(market: Market, side: str, lots: int, ticks: int = 0) -> str:
    """`lea` places an order in SOL and a tick passes; return the order."""
    order = market.do("lea", PlaceOrder("SOL", side, lots, ticks))
    tick(market, 100)
    return order
