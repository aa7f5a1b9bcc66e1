"""Fills of a trader's own account: booking them, and offering them to followers as signals.

A recorded fill is also a print of its venue: it becomes the newest quote known.
"""

from __future__ import annotations

from streams.core import channels
from streams.core.books.levels import fix_level
from streams.core.commands import ReportEquity, ReportFill, ReportPosition
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.intake import evolve_sequence, next_held, out_of_order
from streams.core.copying.pipeline import follow_fill
from streams.core.copying.signal import Signal, Standing, standing_of
from streams.core.events import EquityReported, FillBooked, PositionReported
from streams.core.execution.exit_levels import set_levels
from streams.core.execution.order_records import evolve_order_filled
from streams.core.integrity.conduct import judge_conduct, observe_fill
from streams.core.integrity.identities import judge_front_running
from streams.core.market_clock import advance_market, market_time
from streams.core.money import MICROS
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import (
    record_exposure,
    record_fill,
    record_flow,
    record_round_trip,
)
from streams.core.positions import (
    check_size,
    evolve_ledger_fill,
    evolve_position,
    evolve_reported_fill,
    fill_result,
)
from streams.core.reasons import Reason
from streams.core.state import Ledger, Order, State, Trader


SIGNAL_SOURCES = ("paper", "recorded", "venue")
"""Sources whose fills followers may copy; self-reported and settlement fills are no signals."""

NO_ORDER = Order("", "", "", "", 0, 0, 0)
"""Stands for the order of a fill that belongs to none."""


def book_fill(
    ctx: Context,
    trader: str,
    symbol: str,
    lots: int,
    price_ticks: int,
    fee_micros: int,
    *,
    source: str,
    execution: str = "",
    at_us: int,
    reason: str = "",
    of: Order = NO_ORDER,
    left_lots: int = 0,
    sequence: int = 0,
    test: bool = False,
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
        execution: the venue's id of the fill.
        at_us: market time.
        reason: what made the venue fill, if no order did.
        of: the order it belongs to; its levels go to a position that it opens or adds to.
        left_lots: what of that order is still to be filled.
        sequence: the venue's number of the fill, 0 = none.
        test: nobody should copy it.
    """
    state = ctx.state
    leader, instrument = state.traders[trader], state.instruments[symbol]
    ledger = leader.reported if source == "self_reported" else leader.ledger
    result = fill_result(ledger.positions.get(symbol), instrument, lots, price_ticks, fee_micros)
    opens, signal = result.lots * lots > 0, source in SIGNAL_SOURCES
    standing = standing_of(state, leader.ledger) if signal and trader in state.copies else None
    pending = of.order in state.orders
    # By place: names would cost half as much again, and most of a recorded market is fills.
    event = FillBooked(
        ctx.new_id("f"),
        trader,
        symbol,
        lots,
        price_ticks,
        fee_micros,
        instrument.value_micros(price_ticks, abs(lots)),
        source,
        of.order,
        execution,
        leader.signal_seq + 1 if signal else 0,
        result,
        at_us,
        of.client_order_id,
        of.idea,
        reason,
        of.stop_ticks if opens else 0,
        of.take_ticks if opens else 0,
        left_lots,
        of.limit_ticks,
        sequence,
        test,
    )
    ctx.emit(event)
    _follow(ctx, event, standing, of.lots if pending else 0)
    return event


def _follow(ctx: Context, fill: FillBooked, standing: Standing | None, ordered: int) -> None:
    """Offer the fill to followers, if there are any; detectors look at what has ended."""
    if standing is not None:
        judge_front_running(ctx, fill)
        follow_fill(ctx, Signal(ctx.state, fill, standing, ctx.at_us, ordered))
    if fill.result.trip and fill.source != "self_reported":
        judge_conduct(ctx, fill.trader, fill.at_us)


def evolve_fill_booked(state: State, event: FillBooked) -> None:
    """Change the trader's ledger, record, and the network's totals."""
    trader = state.traders[event.trader]
    result = event.result
    if event.source == "self_reported":
        evolve_reported_fill(trader.reported, event.symbol, result, event.fee_micros, event.at_us)
        return
    observe_fill(state, event)
    track, totals, ledger = trader.track, state.totals, trader.ledger
    if result.trip:
        held = ledger.positions[event.symbol]
        lasted_us = event.at_us - held.opened_at_us
        record_round_trip(
            track, result.trip_micros, held.entered_micros, lasted_us, held.risk_micros
        )
    evolve_ledger_fill(state, ledger, event.symbol, result, event.fee_micros, event.at_us)
    record_exposure(track, event.at_us, is_open=bool(ledger.positions))
    track.today_traded_micros += event.notional_micros
    if event.sequence:
        evolve_sequence(state, event.trader, event.sequence)
    if event.source != "settlement":
        if track.fills == 0:
            totals.traders_with_trades += 1
        record_fill(track, event.at_us)
        totals.trades += 1
        totals.notional_micros += event.notional_micros
        totals.fees_micros += event.fee_micros
    if event.signal_seq:
        trader.signal_seq = event.signal_seq
    if event.order:
        evolve_order_filled(state, event)
    if event.stop_ticks or event.take_ticks:
        _evolve_levels(state, trader, event)
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


def _evolve_levels(state: State, trader: Trader, event: FillBooked) -> None:
    position = trader.ledger.positions[event.symbol]
    stop = event.stop_ticks or position.stop_ticks
    take = event.take_ticks or position.take_ticks
    set_levels(state, event.symbol, position, ("", trader.trader), stop, take)
    if event.stop_ticks and (event.result.lots_before == 0 or event.result.trip):
        instrument = state.instruments[event.symbol]
        at_stop = instrument.value_micros(event.stop_ticks, position.lots)
        position.risk_micros = max(position.cost_micros - at_stop, 0)


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
    early = out_of_order(ctx, trader, command, at_us)
    if early:
        return early if isinstance(early, Refusal) else ""
    advance_market(ctx, at_us)
    fill = book_fill(
        ctx,
        trader,
        command.symbol,
        command.lots,
        command.price_ticks,
        command.fee_micros,
        source=command.source,
        execution=command.execution,
        at_us=at_us,
        sequence=command.sequence,
        test=command.test,
    ).fill
    book_held_fills(ctx, trader)
    return fill


def book_held_fills(ctx: Context, trader: str) -> None:
    """Book the fills that waited for one before them, as far as their numbers go on.

    A venue's fill is a fact: what a bound would refuse today was within it when it was held.
    """
    while number := next_held(ctx.state, trader, ctx.at_us):
        held = ctx.state.copy_desk.held[trader][number]
        book_fill(
            ctx,
            trader,
            held.symbol,
            held.lots,
            held.price_ticks,
            held.fee_micros,
            source="venue",
            execution=held.execution,
            at_us=held.at_us,
            sequence=number,
            test=held.test,
        )


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
    record_exposure(trader.track, event.at_us, is_open=bool(trader.ledger.positions))


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
