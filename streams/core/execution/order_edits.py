"""Edits of a resting order: quantity, limit, stop and take, in one step and without a gap.

An edit keeps the order's place among those of its instrument. A limit that the quote has already
reached fills at once.
"""

from __future__ import annotations

from streams.core.commands import EditOrder
from streams.core.context import Context, Deciders, Decision, Refusal
from streams.core.events import OrderEdited
from streams.core.execution.exits import check_levels
from streams.core.orders import SIDES, check_funds, meet_quote, own_order
from streams.core.positions import check_size
from streams.core.reasons import Reason
from streams.core.state import Order, State


def decide_edit_order(ctx: Context, command: EditOrder) -> Decision:
    """Change one's own resting order.

    Checks in order: UNKNOWN_ORDER, NOT_OWNER, ORDER_ENDED, INVALID_QUANTITY, INVALID_PRICE,
    LIMIT_REACHED, INSUFFICIENT_FUNDS, EXIT_LEVELS_INVALID.
    """
    order = own_order(ctx, command.order)
    if isinstance(order, Refusal):
        return order
    edited = OrderEdited(
        order=order.order,
        trader=order.trader,
        symbol=order.symbol,
        lots=order.lots if command.lots is None else command.lots,
        limit_ticks=order.limit_ticks if command.limit_ticks is None else command.limit_ticks,
        stop_ticks=order.stop_ticks if command.stop_ticks is None else command.stop_ticks,
        take_ticks=order.take_ticks if command.take_ticks is None else command.take_ticks,
        at_us=ctx.time(0),
    )
    refusal = _checked(ctx.state, order, edited)
    if refusal is not None:
        return refusal
    ctx.emit(edited)
    meet_quote(ctx, order)
    return order.order


def _checked(state: State, order: Order, edited: OrderEdited) -> Refusal | None:
    if edited.lots <= order.filled_lots:
        message = f"expected more than the {order.filled_lots} lots that are filled"
        return Refusal(Reason.INVALID_QUANTITY, message, "quantity")
    if edited.limit_ticks <= 0:
        return Refusal(Reason.INVALID_PRICE, "expected a price above 0", "limit_price")
    side = SIDES[order.side]
    trader, instrument = state.traders[order.trader], state.instruments[order.symbol]
    lots, limit = (edited.lots - order.filled_lots) * side, edited.limit_ticks
    return (
        check_size(state, trader.ledger, instrument, lots, limit)
        or check_funds(state, trader, instrument, lots, limit)
        or check_levels(side, limit, edited.stop_ticks, edited.take_ticks)
    )


DECIDERS: Deciders = {EditOrder: decide_edit_order}
