"""Settlement: the outcome of an instrument is decided and every holder is paid."""

from __future__ import annotations

from streams.core.commands import SettleInstrument
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.copy_orders import end_order
from streams.core.copying.pipeline import close_copy_position
from streams.core.events import InstrumentSettled, OrderCancelled
from streams.core.fills import book_fill
from streams.core.ideas.resolution import meet_settlement
from streams.core.market_clock import advance_market
from streams.core.reasons import Reason
from streams.core.state import State


def decide_settle_instrument(ctx: Context, command: SettleInstrument) -> Decision:
    """Cancel resting orders, close every position and open idea at the price, end trading."""
    state = ctx.state
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services settle instruments")
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        return Refusal(Reason.UNKNOWN_INSTRUMENT, f"no instrument {command.symbol}", "symbol")
    if instrument.settled:
        return Refusal(Reason.INSTRUMENT_SETTLED, f"{command.symbol} is settled", "symbol")
    if command.price_ticks < 0:
        return Refusal(Reason.INVALID_PRICE, "expected a price of 0 or more", "price")
    at_us = ctx.time(command.at_us)
    advance_market(ctx, at_us)
    symbol, price = command.symbol, command.price_ticks
    _cancel_resting(ctx, symbol, at_us)
    for copies in state.copies.values():
        for copy in copies.values():
            for order in list(copy.orders.values()):
                if order.symbol == symbol:
                    end_order(ctx, copy, order, Reason.INSTRUMENT_SETTLED.value)
            if symbol in copy.ledger.positions:
                close_copy_position(ctx, copy, symbol, price, "settle", at_us)
    _pay_holders(ctx, symbol, price, at_us)
    ctx.emit(InstrumentSettled(symbol, price, at_us))
    meet_settlement(ctx, symbol, price, at_us)
    return ""


def _cancel_resting(ctx: Context, symbol: str, at_us: int) -> None:
    for order_id in list(ctx.state.resting.get(symbol, ())):
        order = ctx.state.orders[order_id]
        ctx.emit(OrderCancelled(order_id, order.trader, symbol, "INSTRUMENT_SETTLED", at_us))


def _pay_holders(ctx: Context, symbol: str, price: int, at_us: int) -> None:
    for trader in ctx.state.traders.values():
        position = trader.ledger.positions.get(symbol)
        if position is not None:
            book_fill(
                ctx,
                trader.trader,
                symbol,
                -position.lots,
                price,
                0,
                source="settlement",
                at_us=at_us,
            )


def evolve_instrument_settled(state: State, event: InstrumentSettled) -> None:
    """End trading at the settlement price."""
    instrument = state.instruments[event.symbol]
    instrument.settled = True
    instrument.last_ticks = event.price_ticks


DECIDERS: Deciders = {SettleInstrument: decide_settle_instrument}
EVOLVERS: Evolvers = {InstrumentSettled: evolve_instrument_settled}
