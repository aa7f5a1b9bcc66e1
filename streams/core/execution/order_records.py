"""Resting orders and those that ended: where they are kept, and what changes them.

Invariants:
    * A resting order is in `state.orders`, under its instrument and under its trader.
    * An order that ended is in `state.ended_orders` until `ENDED_ORDERS_MAX` later ones pushed it
      out; an order is never in both.
    * A client order id names one order of its trader for as long as it is remembered.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import islice

from streams.core.copying.copy_orders import note_order
from streams.core.events import FillBooked, OrderCancelled, OrderEdited, OrderPlaced
from streams.core.execution.order_states import CANCELED, FILLED, next_status
from streams.core.limits import CLIENT_ORDER_IDS_MAX, ENDED_ORDERS_MAX
from streams.core.reasons import Reason
from streams.core.state import Order, State


LEAVING = 1_000
"""Ended orders that leave at once, so that looking for the oldest costs nothing an order."""


def evolve_order_placed(state: State, event: OrderPlaced) -> None:
    """Let the order rest."""
    state.orders[event.order] = Order(
        event.order,
        event.trader,
        event.symbol,
        event.side,
        event.lots,
        event.limit_ticks,
        event.at_us,
        event.client_order_id,
        event.idea,
        event.stop_ticks,
        event.take_ticks,
        event.expires_at_us,
    )
    state.resting.setdefault(event.symbol, {})[event.order] = None
    state.traders[event.trader].orders[event.order] = None
    if event.expires_at_us:
        insort(state.expiring, (event.expires_at_us, event.order))
    _remember_client_id(state, event.trader, event.client_order_id, event.order)
    note_order(state, event.trader, event.order)


def evolve_order_edited(state: State, event: OrderEdited) -> None:
    """Give the order its new terms; it keeps its place among those of its instrument."""
    order = state.orders[event.order]
    order.lots = event.lots
    order.limit_ticks = event.limit_ticks
    order.stop_ticks = event.stop_ticks
    order.take_ticks = event.take_ticks
    note_order(state, event.trader, event.order)


def evolve_order_cancelled(state: State, event: OrderCancelled) -> None:
    """End the order; what was filled of it stays filled."""
    step = "expire" if event.reason == "EXPIRED" else "cancel"
    order = state.orders[event.order]
    order.status = next_status(order.status, step)
    order.reason = event.reason
    _end(state, order, event.at_us)


def evolve_order_filled(state: State, event: FillBooked) -> None:
    """Follow a fill that belongs to an order: one that rests, or one that never had to."""
    order = state.orders.get(event.order)
    if order is None:
        lots, left = abs(event.lots), event.left_lots
        order = Order(
            event.order,
            event.trader,
            event.symbol,
            "buy" if event.lots > 0 else "sell",
            lots + left,
            event.limit_ticks,
            event.at_us,
            event.client_order_id,
            event.idea,
            event.stop_ticks,
            event.take_ticks,
            status=CANCELED if left else FILLED,
            filled_lots=lots,
            filled_micros=event.notional_micros,
            ended_at_us=event.at_us,
            reason=Reason.IOC_UNFILLED.value if left else "",
        )
        _remember_client_id(state, event.trader, event.client_order_id, event.order)
        _keep(state, order)
        return
    order.filled_lots += abs(event.lots)
    order.filled_micros += event.notional_micros
    order.status = next_status(order.status, "fill_part" if event.left_lots else "fill_rest")
    if event.left_lots:
        note_order(state, order.trader, order.order)
    else:
        _end(state, order, event.at_us)


def _remember_client_id(state: State, trader: str, client_order_id: str, order: str) -> None:
    if not client_order_id:
        return
    known = state.traders[trader].client_orders
    known[client_order_id] = order
    if len(known) > CLIENT_ORDER_IDS_MAX:
        del known[next(iter(known))]


def _end(state: State, order: Order, at_us: int) -> None:
    order.ended_at_us = at_us
    del state.orders[order.order]
    note_order(state, order.trader, order.order)
    resting = state.resting[order.symbol]
    del resting[order.order]
    if not resting:
        del state.resting[order.symbol]
    del state.traders[order.trader].orders[order.order]
    if order.expires_at_us:
        expiring = state.expiring
        del expiring[bisect_left(expiring, (order.expires_at_us, order.order))]
    _keep(state, order)


def _keep(state: State, order: Order) -> None:
    ended = state.ended_orders
    ended[order.order] = order
    if len(ended) > ENDED_ORDERS_MAX:
        for name in list(islice(ended, LEAVING)):
            del ended[name]
