"""Paper orders: market orders fill at once at bid or ask, limit orders rest until they cross.

Invariants:
    * A buy fills at the ask, a sell at the bid, in full; a resting order that crosses fills at
      the quote that crossed it (so a gap through the limit gives the better price).
    * Orders of one instrument are served in the order in which they were placed.
    * What only reduces a position is never refused for funds.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.core.commands import CancelOrder, PlaceOrder
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import OrderCancelled, OrderPlaced
from streams.core.fills import book_fill, remove_order
from streams.core.limits import (
    LEVERAGE_MAX,
    OPEN_ORDERS_MAX,
    OPEN_POSITIONS_MAX,
    ORDERS_PER_INSTRUMENT_MAX,
)
from streams.core.money import PPM, divide_up, format_money
from streams.core.performance.equity import ledger_equity
from streams.core.positions import check_size
from streams.core.reasons import Reason
from streams.core.state import Instrument, Order, State, Trader


SIDES = {"buy": 1, "cover": 1, "sell": -1, "short": -1}


def decide_place_order(ctx: Context, command: PlaceOrder) -> Decision:
    """Fill or rest a paper order.

    Checks in order: trader, instrument, settled, quantity and side, price, client order id,
    what a cover or a limit of open orders asks, quote, funds.
    """
    state = ctx.state
    trader = state.traders.get(ctx.principal)
    if trader is None:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {ctx.principal}")
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        return Refusal(Reason.UNKNOWN_INSTRUMENT, f"no instrument {command.symbol}", "symbol")
    refusal = _form(state, trader, instrument, command)
    if refusal is not None:
        return refusal
    side = SIDES[command.side]
    quote = instrument.ask_ticks if side > 0 else instrument.bid_ticks
    limit = command.limit_ticks
    if limit == 0 and quote == 0:
        return Refusal(Reason.NO_QUOTE, f"{command.symbol} has no quote yet", "symbol")
    crosses = quote > 0 and (limit == 0 or quote * side <= limit * side)
    price = quote if crosses else limit
    refusal = check_size(state, trader.ledger, instrument, command.lots * side, price) or _funds(
        state, trader, instrument, command.lots * side, price
    )
    if refusal is not None:
        return refusal
    order_id = ctx.new_id("o")
    if not crosses:
        return _rest(ctx, trader, command, order_id)
    _fill(
        ctx,
        instrument,
        trader.trader,
        command.lots * side,
        price,
        order_id,
        command.client_order_id,
        command.idea,
    )
    return order_id


def _form(
    state: State, trader: Trader, instrument: Instrument, command: PlaceOrder
) -> Refusal | None:
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
    client_id = command.client_order_id
    if client_id and any(state.orders[o].client_order_id == client_id for o in trader.orders):
        return Refusal(
            Reason.CLIENT_ORDER_ID_TAKEN, f"{client_id} names an open order", "client_order_id"
        )
    held = trader.ledger.positions.get(command.symbol)
    if command.side == "cover" and (held is None or held.lots >= 0):
        return Refusal(Reason.NOTHING_TO_CLOSE, "expected a short position to cover", "side")
    if command.side == "cover" and held is not None and command.lots > -held.lots:
        return Refusal(Reason.INVALID_QUANTITY, "expected at most the short position", "quantity")
    if held is None and len(trader.ledger.positions) >= OPEN_POSITIONS_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"at most {OPEN_POSITIONS_MAX} open positions")
    return None


def _funds(
    state: State, trader: Trader, instrument: Instrument, lots: int, price_ticks: int
) -> Refusal | None:
    """Refuse what would lift the account's exposure above `LEVERAGE_MAX` times its equity."""
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
        )
    )
    return order_id


def _fill(
    ctx: Context,
    instrument: Instrument,
    trader: str,
    lots: int,
    price_ticks: int,
    order_id: str,
    client_order_id: str,
    idea: str,
) -> None:
    value = instrument.value_micros(price_ticks, abs(lots))
    book_fill(
        ctx,
        trader,
        instrument.symbol,
        lots,
        price_ticks,
        divide_up(value * instrument.fee_ppm, PPM),
        source="paper",
        order=order_id,
        at_us=ctx.time(0),
        client_order_id=client_order_id,
        idea=idea,
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
        instrument = state.instruments[symbol]
        for order_id in list(resting):
            order = state.orders[order_id]
            side = SIDES[order.side]
            quote = instrument.ask_ticks if side > 0 else instrument.bid_ticks
            if quote * side <= order.limit_ticks * side:
                _fill_resting(ctx, instrument, order, order.lots * side, quote)


def _fill_resting(
    ctx: Context, instrument: Instrument, order: Order, lots: int, price_ticks: int
) -> None:
    trader = ctx.state.traders[order.trader]
    held = trader.ledger.positions.get(order.symbol)
    code = ""
    if order.side == "cover" and (held is None or lots > -held.lots):
        code = Reason.NOTHING_TO_CLOSE.value
    elif check_size(ctx.state, trader.ledger, instrument, lots, price_ticks) is not None:
        code = Reason.LIMIT_REACHED.value
    elif _funds(ctx.state, trader, instrument, lots, price_ticks) is not None:
        code = Reason.INSUFFICIENT_FUNDS.value
    if code:
        ctx.emit(OrderCancelled(order.order, order.trader, order.symbol, code, ctx.time(0)))
        return
    _fill(
        ctx,
        instrument,
        order.trader,
        lots,
        price_ticks,
        order.order,
        order.client_order_id,
        order.idea,
    )


def decide_cancel_order(ctx: Context, command: CancelOrder) -> Decision:
    """Cancel one's own resting order."""
    order = ctx.state.orders.get(command.order)
    if order is None:
        return Refusal(Reason.UNKNOWN_ORDER, f"no open order {command.order}", "order")
    if order.trader != ctx.principal:
        return Refusal(Reason.NOT_OWNER, "the order belongs to another trader", "order")
    ctx.emit(OrderCancelled(order.order, order.trader, order.symbol, "CANCELLED", ctx.time(0)))
    return order.order


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
    )
    state.resting.setdefault(event.symbol, {})[event.order] = None
    state.traders[event.trader].orders[event.order] = None


def evolve_order_cancelled(state: State, event: OrderCancelled) -> None:
    """Forget the order."""
    remove_order(state, event.order)


DECIDERS: Deciders = {PlaceOrder: decide_place_order, CancelOrder: decide_cancel_order}
EVOLVERS: Evolvers = {OrderPlaced: evolve_order_placed, OrderCancelled: evolve_order_cancelled}
