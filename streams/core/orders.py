"""Paper orders: market orders fill at once at bid or ask, limit orders rest until they cross.

Invariants:
    * A buy fills at the ask, a sell at the bid; a resting order that crosses fills at the quote
      that crossed it (so a gap through the limit gives the better price).
    * Orders fill in full where the venue has no depth, else up to its depth at each new quote;
      what a market order does not get at once is cancelled (`IOC_UNFILLED`).
    * Orders of one instrument are served in the order in which they were placed.
    * What only reduces a position is never refused for funds.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.core.commands import CancelOrder, PlaceOrder
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import OrderCancelled, OrderEdited, OrderPlaced
from streams.core.execution import order_records
from streams.core.execution.exits import check_levels, closing_ticks
from streams.core.fills import book_fill
from streams.core.limits import (
    EXITS_PER_COMMAND_MAX,
    LEVERAGE_MAX,
    OPEN_ORDERS_MAX,
    OPEN_POSITIONS_MAX,
    ORDER_AGE_US_MAX,
    ORDERS_PER_INSTRUMENT_MAX,
)
from streams.core.market_clock import DAY_US
from streams.core.money import PPM, divide_up, format_money
from streams.core.performance.equity import ledger_equity
from streams.core.positions import check_size
from streams.core.reasons import Reason
from streams.core.state import Instrument, Order, State, Trader


SIDES = {"buy": 1, "cover": 1, "sell": -1, "short": -1}


def decide_place_order(ctx: Context, command: PlaceOrder) -> Decision:
    """Fill or rest a paper order.

    Checks in order: trader, instrument, settled, quantity and side, price, what a cover asks,
    client order id, idea, expiry, quote, size, funds, stop and take, a limit of open orders.
    """
    state = ctx.state
    trader = state.traders.get(ctx.principal)
    if trader is None:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {ctx.principal}")
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        return Refusal(Reason.UNKNOWN_INSTRUMENT, f"no instrument {command.symbol}", "symbol")
    refusal = _form(trader, instrument, command) or _naming(ctx, trader, command)
    if refusal is not None:
        return refusal
    side = SIDES[command.side]
    quote = instrument.ask_ticks if side > 0 else instrument.bid_ticks
    limit = command.limit_ticks
    if limit == 0 and quote == 0:
        return Refusal(Reason.NO_QUOTE, f"{command.symbol} has no quote yet", "symbol")
    crosses = quote > 0 and (limit == 0 or quote * side <= limit * side)
    price = quote if crosses else limit
    lots = command.lots * side
    refusal = (
        check_size(state, trader.ledger, instrument, lots, price)
        or check_funds(state, trader, instrument, lots, price)
        or _levels(trader, instrument, command, price if not crosses else 0)
    )
    if refusal is not None:
        return refusal
    order_id = ctx.new_id("o")
    depth = instrument.depth_lots
    if not crosses or (limit and 0 < depth < command.lots):
        decision = _rest(ctx, trader, command, order_id)
        if crosses and not isinstance(decision, Refusal):
            meet_quote(ctx, state.orders[order_id])
        return decision
    _fill(
        ctx,
        instrument,
        Order(
            order_id,
            trader.trader,
            command.symbol,
            command.side,
            command.lots,
            limit,
            0,
            command.client_order_id,
            command.idea,
            command.stop_ticks,
            command.take_ticks,
        ),
        min(command.lots, depth or command.lots) * side,
        price,
    )
    return order_id


def _naming(ctx: Context, trader: Trader, command: PlaceOrder) -> Refusal | None:
    """Refuse a name that is taken, an idea that does not exist, and an expiry out of bounds."""
    known = trader.client_orders.get(command.client_order_id)
    if known is not None:
        return Refusal(
            Reason.CLIENT_ORDER_ID_TAKEN,
            f"expected a new id, {command.client_order_id} names order {known}",
            "client_order_id",
        )
    idea = ctx.state.ideas.get(command.idea) if command.idea else None
    if command.idea and (idea is None or (idea.status == "draft" and idea.trader != ctx.principal)):
        return Refusal(Reason.UNKNOWN_IDEA, f"no idea {command.idea}", "idea_id")
    if command.expires_at_us:
        now_us = ctx.time(0)
        if command.expires_at_us <= now_us:
            message = f"expected an expiry after {now_us} us, was {command.expires_at_us}"
            return Refusal(Reason.ORDER_ENDED, message, "expires_at")
        if command.expires_at_us - now_us > ORDER_AGE_US_MAX:
            days = ORDER_AGE_US_MAX // DAY_US
            return Refusal(
                Reason.LIMIT_REACHED, f"expected an expiry within {days} days", "expires_at"
            )
    return None


def _levels(
    trader: Trader, instrument: Instrument, command: PlaceOrder, limit_ticks: int
) -> Refusal | None:
    """Refuse a stop or a take that is none: past its price, or of an order that opens nothing."""
    if not command.stop_ticks and not command.take_ticks:
        return None
    side = SIDES[command.side]
    held = trader.ledger.positions.get(command.symbol)
    if held is not None and held.lots * side < 0 and command.lots <= abs(held.lots):
        field = "stop_loss" if command.stop_ticks else "take_profit"
        return Refusal(Reason.EXIT_LEVELS_INVALID, "expected an order that opens", field)
    reference = limit_ticks or closing_ticks(instrument, side)
    return check_levels(side, reference, command.stop_ticks, command.take_ticks)


def _form(trader: Trader, instrument: Instrument, command: PlaceOrder) -> Refusal | None:
    if instrument.settled:
        return Refusal(Reason.INSTRUMENT_SETTLED, f"{command.symbol} is settled", "symbol")
    if command.lots <= 0:
        return Refusal(Reason.INVALID_QUANTITY, "expected a quantity above 0", "quantity")
    if command.side not in SIDES:
        return Refusal(
            Reason.NOT_ALLOWED, f"expected buy, sell, short or cover, was {command.side}", "side"
        )
    if command.limit_ticks < 0:
        return Refusal(Reason.INVALID_PRICE, "expected a price above 0", "limit_price")
    held = trader.ledger.positions.get(command.symbol)
    if command.side == "cover" and (held is None or held.lots >= 0):
        return Refusal(Reason.NOTHING_TO_CLOSE, "expected a short position to cover", "side")
    if command.side == "cover" and held is not None and command.lots > -held.lots:
        return Refusal(Reason.INVALID_QUANTITY, "expected at most the short position", "quantity")
    if held is None and len(trader.ledger.positions) >= OPEN_POSITIONS_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"at most {OPEN_POSITIONS_MAX} open positions")
    return None


def check_funds(
    state: State, trader: Trader, instrument: Instrument, lots: int, price_ticks: int
) -> Refusal | None:
    """Refuse what would lift the account's exposure above `LEVERAGE_MAX` times its equity.

    Args:
        state: read only.
        trader: whose account.
        instrument: what would be traded.
        lots: signed lots to add; what only reduces the position is never refused.
        price_ticks: their price.
    """
    held = trader.ledger.positions.get(instrument.symbol)
    before = held.lots if held else 0
    if abs(before + lots) <= abs(before) and before * lots < 0:
        return None
    exposure = abs(instrument.value_micros(price_ticks, before + lots))
    for symbol, position in trader.ledger.positions.items():
        if symbol != instrument.symbol:
            other = state.instruments[symbol]
            # `value_micros` of `mark_ticks`, whose calls cost more than all else of an order
            product = (other.bid_ticks + other.ask_ticks) // 2 * position.lots
            exposure += abs(product * other.value_numerator) // other.value_denominator
    most = ledger_equity(state, trader.ledger) * LEVERAGE_MAX
    if exposure > most:
        return Refusal(
            Reason.INSUFFICIENT_FUNDS,
            f"expected exposure of at most {format_money(max(most, 0))}, "
            f"was {format_money(exposure)}",
            "quantity",
        )
    return None


def _rest(ctx: Context, trader: Trader, command: PlaceOrder, order_id: str) -> Decision:
    if len(trader.orders) >= OPEN_ORDERS_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"at most {OPEN_ORDERS_MAX} open orders")
    if len(ctx.state.resting.get(command.symbol, ())) >= ORDERS_PER_INSTRUMENT_MAX:
        return Refusal(
            Reason.LIMIT_REACHED, f"at most {ORDERS_PER_INSTRUMENT_MAX} orders of one instrument"
        )
    ctx.emit(
        OrderPlaced(
            order=order_id,
            trader=trader.trader,
            symbol=command.symbol,
            side=command.side,
            lots=command.lots,
            limit_ticks=command.limit_ticks,
            client_order_id=command.client_order_id,
            idea=command.idea,
            at_us=ctx.time(0),
            stop_ticks=command.stop_ticks,
            take_ticks=command.take_ticks,
            expires_at_us=command.expires_at_us,
        )
    )
    return order_id


def _fill(ctx: Context, instrument: Instrument, order: Order, lots: int, price_ticks: int) -> None:
    value = instrument.value_micros(price_ticks, abs(lots))
    book_fill(
        ctx,
        order.trader,
        instrument.symbol,
        lots,
        price_ticks,
        divide_up(value * instrument.fee_ppm, PPM),
        source="paper",
        at_us=ctx.time(0),
        of=order,
        left_lots=order.lots - order.filled_lots - abs(lots),
    )


def match_resting(ctx: Context, symbols: Iterable[str]) -> None:
    """Fill the resting orders that the newest quotes cross.

    An order that its account can no longer afford is cancelled with `INSUFFICIENT_FUNDS`.
    """
    state = ctx.state
    if not state.resting:
        return
    for symbol in symbols:
        resting = state.resting.get(symbol)
        if not resting:
            continue
        for order_id in list(resting):
            meet_quote(ctx, state.orders[order_id])


def meet_quote(ctx: Context, order: Order) -> None:
    """Fill a resting order as far as the quote crosses it and the venue's depth goes."""
    instrument = ctx.state.instruments[order.symbol]
    side = SIDES[order.side]
    quote = instrument.ask_ticks if side > 0 else instrument.bid_ticks
    if quote > 0 and quote * side <= order.limit_ticks * side:
        left = order.lots - order.filled_lots
        lots = min(left, instrument.depth_lots or left)
        _fill_resting(ctx, instrument, order, lots * side, quote)


def _fill_resting(
    ctx: Context, instrument: Instrument, order: Order, lots: int, price_ticks: int
) -> None:
    trader = ctx.state.traders[order.trader]
    held = trader.ledger.positions.get(order.symbol)
    code = ""
    if order.expires_at_us and order.expires_at_us <= ctx.time(0):
        code = "EXPIRED"
    elif order.side == "cover" and (held is None or lots > -held.lots):
        code = Reason.NOTHING_TO_CLOSE.value
    elif check_size(ctx.state, trader.ledger, instrument, lots, price_ticks) is not None:
        code = Reason.LIMIT_REACHED.value
    elif check_funds(ctx.state, trader, instrument, lots, price_ticks) is not None:
        code = Reason.INSUFFICIENT_FUNDS.value
    if code:
        ctx.emit(OrderCancelled(order.order, order.trader, order.symbol, code, ctx.time(0)))
        return
    _fill(ctx, instrument, order, lots, price_ticks)


def expire_orders(ctx: Context, at_us: int) -> None:
    """Cancel the resting orders whose time is over, at most `EXITS_PER_COMMAND_MAX` at once.

    Args:
        ctx: the command's context.
        at_us: market time.
    """
    state = ctx.state
    expiring = state.expiring
    left = EXITS_PER_COMMAND_MAX
    while expiring and expiring[0][0] <= at_us and left:
        order = state.orders[expiring[0][1]]
        ctx.emit(OrderCancelled(order.order, order.trader, order.symbol, "EXPIRED", at_us))
        left -= 1


def own_order(ctx: Context, order_id: str) -> Order | Refusal:
    """Return a resting order of the principal.

    Returns:
        The order; or UNKNOWN_ORDER, NOT_OWNER, or ORDER_ENDED for one that ended.
    """
    state = ctx.state
    order = state.orders.get(order_id) or state.ended_orders.get(order_id)
    if order is None:
        return Refusal(Reason.UNKNOWN_ORDER, f"no order {order_id}", "order")
    if order.trader != ctx.principal:
        return Refusal(Reason.NOT_OWNER, "the order belongs to another trader", "order")
    if order.ended_at_us:
        return Refusal(Reason.ORDER_ENDED, f"expected a resting order, was {order.status}", "order")
    return order


def decide_cancel_order(ctx: Context, command: CancelOrder) -> Decision:
    """Cancel one's own resting order."""
    order = own_order(ctx, command.order)
    if isinstance(order, Refusal):
        return order
    ctx.emit(OrderCancelled(order.order, order.trader, order.symbol, "CANCELLED", ctx.time(0)))
    return order.order


DECIDERS: Deciders = {PlaceOrder: decide_place_order, CancelOrder: decide_cancel_order}
EVOLVERS: Evolvers = {
    OrderPlaced: order_records.evolve_order_placed,
    OrderEdited: order_records.evolve_order_edited,
    OrderCancelled: order_records.evolve_order_cancelled,
}
