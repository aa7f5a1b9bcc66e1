"""Fills of a trader's own account: booking them, and offering them to followers as signals.

A recorded fill is also a print of its venue: it becomes the newest quote known.
"""

from __future__ import annotations

from streams.core import channels
from streams.core.books.levels import fix_level
from streams.core.commands import ReportEquity, ReportFill, ReportPosition
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.pipeline import follow_fill
from streams.core.copying.signal import Signal, standing_of
from streams.core.events import EquityReported, FillBooked, PositionReported
from streams.core.market_clock import advance_market, market_time
from streams.core.money import MICROS
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import record_fill, record_flow, record_round_trip
from streams.core.positions import (
    check_size,
    evolve_ledger_fill,
    evolve_position,
    evolve_reported_fill,
    fill_result,
)
from streams.core.reasons import Reason
from streams.core.state import Ledger, State


SIGNAL_SOURCES = ("paper", "recorded", "venue")
"""Sources whose fills followers may copy; self-reported and settlement fills are no signals."""


def book_fill(
    ctx: Context,
    trader: str,
    symbol: str,
    lots: int,
    price_ticks: int,
    fee_micros: int,
    *,
    source: str,
    order: str = "",
    execution: str = "",
    at_us: int,
    client_order_id: str = "",
    idea: str = "",
) -> FillBooked:
    """Emit the fill, then one decision for every follower.

    Args:
        ctx: the command's context.
        trader: whose account.
        symbol: a known instrument.
        lots: signed, not zero.
        price_ticks: price of the fill, > 0 (0 only at settlement).
        fee_micros: what the venue charged.
        source: `paper`, `recorded`, `venue`, `self_reported` or `settlement`.
        order: id of the order it belongs to, if one is.
        execution: the venue's id of the fill.
        at_us: market time.
        client_order_id: echoed from the order.
        idea: the idea the order named.
    """
    state = ctx.state
    leader = state.traders[trader]
    instrument = state.instruments[symbol]
    ledger = leader.reported if source == "self_reported" else leader.ledger
    result = fill_result(ledger.positions.get(symbol), instrument, lots, price_ticks, fee_micros)
    signal = source in SIGNAL_SOURCES
    copied = signal and trader in state.copies
    standing = standing_of(state, leader.ledger) if copied else None
    pending = order in state.orders
    event = FillBooked(
        fill=ctx.new_id("f"),
        trader=trader,
        symbol=symbol,
        lots=lots,
        price_ticks=price_ticks,
        fee_micros=fee_micros,
        notional_micros=instrument.value_micros(price_ticks, abs(lots)),
        source=source,
        order=order,
        execution=execution,
        signal_seq=leader.signal_seq + 1 if signal else 0,
        result=result,
        at_us=at_us,
        client_order_id=client_order_id,
        idea=idea,
    )
    ctx.emit(event)
    if standing is not None:
        follow_fill(ctx, Signal(state, event, standing, now_us=ctx.at_us, pending=pending))
    return event


def evolve_fill_booked(state: State, event: FillBooked) -> None:
    """Change the trader's ledger, record, and the network's totals."""
    trader = state.traders[event.trader]
    result = event.result
    if event.source == "self_reported":
        evolve_reported_fill(trader.reported, event.symbol, result, event.fee_micros, event.at_us)
        return
    evolve_ledger_fill(state, trader.ledger, event.symbol, result, event.fee_micros, event.at_us)
    track, totals = trader.track, state.totals
    if event.source != "settlement":
        if track.fills == 0:
            totals.traders_with_trades += 1
        record_fill(track, event.at_us)
        totals.trades += 1
        totals.notional_micros += event.notional_micros
        totals.fees_micros += event.fee_micros
    if result.trip:
        record_round_trip(track, result.trip_micros)
    if event.signal_seq:
        trader.signal_seq = event.signal_seq
    if event.order and event.order in state.orders:
        remove_order(state, event.order)
    recorded = event.source == "recorded"
    state.market_at_us = market_time(state, event.at_us, recorded=recorded)
    if recorded:
        state.recorded_market = True
        _evolve_print(state, event)


def _evolve_print(state: State, event: FillBooked) -> None:
    instrument = state.instruments[event.symbol]
    if event.at_us < instrument.marked_at_us or event.price_ticks == 0:
        return
    fix_level(instrument, event.price_ticks)
    instrument.marked_at_us = event.at_us
    price = event.price_ticks
    if (instrument.bid_ticks, instrument.ask_ticks, instrument.last_ticks) != (price, price, price):
        instrument.bid_ticks = instrument.ask_ticks = instrument.last_ticks = price
        channels.touch(state, "marks", event.symbol)
        channels.touch(state, f"marks:{event.symbol}", event.symbol)


def remove_order(state: State, order_id: str) -> None:
    """Forget a resting order in every index."""
    order = state.orders.pop(order_id)
    resting = state.resting[order.symbol]
    del resting[order_id]
    if not resting:
        del state.resting[order.symbol]
    del state.traders[order.trader].orders[order_id]


def decide_report_fill(ctx: Context, command: ReportFill) -> Decision:
    """Book a fill that happened elsewhere. It is a fact: only its form can be refused."""
    state = ctx.state
    trader = ctx.actor(command.trader)
    if command.source != "self_reported" and not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services report fills of a venue", "source")
    if trader not in state.traders:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {trader}", "trader")
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        return Refusal(Reason.UNKNOWN_INSTRUMENT, f"no instrument {command.symbol}", "symbol")
    if instrument.settled:
        return Refusal(Reason.INSTRUMENT_SETTLED, f"{command.symbol} is settled", "symbol")
    if command.lots == 0:
        return Refusal(Reason.INVALID_QUANTITY, "expected a quantity, was 0", "quantity")
    if command.price_ticks <= 0:
        return Refusal(Reason.INVALID_PRICE, "expected a price above 0", "price")
    account = state.traders[trader]
    ledger = account.reported if command.source == "self_reported" else account.ledger
    refusal = check_size(state, ledger, instrument, command.lots, command.price_ticks)
    if refusal is not None:
        return refusal
    value = abs(instrument.value_micros(command.price_ticks, command.lots))
    if abs(command.fee_micros) > max(value, MICROS):
        return Refusal(Reason.LIMIT_REACHED, "expected a fee of at most the fill's value", "fee")
    at_us = ctx.time(command.at_us)
    advance_market(ctx, at_us)
    return book_fill(
        ctx,
        trader,
        command.symbol,
        command.lots,
        command.price_ticks,
        command.fee_micros,
        source=command.source,
        execution=command.execution,
        at_us=at_us,
    ).fill


def decide_report_position(ctx: Context, command: ReportPosition) -> Decision:
    """Take the venue's word for a position."""
    state = ctx.state
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services report positions")
    if command.trader not in state.traders:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {command.trader}", "trader")
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        return Refusal(Reason.UNKNOWN_INSTRUMENT, f"no instrument {command.symbol}", "symbol")
    if instrument.settled:
        return Refusal(Reason.INSTRUMENT_SETTLED, f"{command.symbol} is settled", "symbol")
    if command.lots != 0 and command.entry_ticks <= 0:
        return Refusal(Reason.INVALID_PRICE, "expected an entry price above 0", "entry_price")
    refusal = check_size(state, Ledger(), instrument, command.lots, command.entry_ticks)
    if refusal is not None:
        return refusal
    at_us = ctx.time(command.at_us)
    advance_market(ctx, at_us)
    cost = instrument.value_micros(command.entry_ticks, command.lots)
    ctx.emit(PositionReported(command.trader, command.symbol, command.lots, cost, at_us))
    return ""


def evolve_position_reported(state: State, event: PositionReported) -> None:
    """Replace the position; equity may jump, so the curve is chained over it as over a flow."""
    trader = state.traders[event.trader]
    before = ledger_equity(state, trader.ledger)
    evolve_position(
        state, trader.ledger, event.symbol, event.lots, event.cost_micros, 0, event.at_us
    )
    record_flow(trader.track, before, ledger_equity(state, trader.ledger))


def decide_report_equity(ctx: Context, command: ReportEquity) -> Decision:
    """Take the venue's word for an account's equity."""
    state = ctx.state
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services report equity")
    trader = state.traders.get(command.trader)
    if trader is None:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {command.trader}", "trader")
    at_us = ctx.time(command.at_us)
    advance_market(ctx, at_us)
    before = ledger_equity(state, trader.ledger)
    cash = trader.ledger.cash_micros + command.equity_micros - before
    ctx.emit(EquityReported(command.trader, cash, before, command.equity_micros, at_us))
    return ""


def evolve_equity_reported(state: State, event: EquityReported) -> None:
    """Set cash and chain the curve over the difference."""
    trader = state.traders[event.trader]
    trader.ledger.cash_micros = event.cash_micros
    record_flow(trader.track, event.equity_before_micros, event.equity_micros)


DECIDERS: Deciders = {
    ReportFill: decide_report_fill,
    ReportPosition: decide_report_position,
    ReportEquity: decide_report_equity,
}
EVOLVERS: Evolvers = {
    FillBooked: evolve_fill_booked,
    PositionReported: evolve_position_reported,
    EquityReported: evolve_equity_reported,
}
