"""Instruments and their quotes: what can be traded, and at which price it is valued.

Invariants:
    * 0 < bid <= ask wherever a quote is known; a settled instrument keeps its last quote.
    * `PublishMarks` always moves the market clock, even when no quote is new.
    * Only quotes that differ from the present ones reach the record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.books.levels import fix_level
from streams.core.channels import touch
from streams.core.commands import Command, MarkRow, PublishMarks, RegisterInstrument
from streams.core.context import Context, Decision, Refusal
from streams.core.copying.mirror import meet_copy_orders
from streams.core.events import Event, InstrumentRegistered, MarksPublished
from streams.core.execution.exits import end_at_levels
from streams.core.ideas.excursions import record_quote
from streams.core.ideas.resolution import expire_due, meet_marks
from streams.core.limits import INSTRUMENTS_MAX, INTEGER_MAX, MARKS_PER_COMMAND_MAX
from streams.core.market_clock import advance_market, market_time
from streams.core.orders import match_resting
from streams.core.reasons import Reason
from streams.core.state import Instrument, State, value_factors


def decide_register_instrument(ctx: Context, command: RegisterInstrument) -> Decision:
    """Make an instrument known.

    Checks in order: NOT_ALLOWED, INSTRUMENT_EXISTS, LIMIT_REACHED.
    """
    instruments = ctx.state.instruments
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "expected a service to register instruments")
    if command.symbol in instruments:
        return Refusal(
            Reason.INSTRUMENT_EXISTS, f"expected a new symbol, {command.symbol} exists", "symbol"
        )
    if len(instruments) >= INSTRUMENTS_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {INSTRUMENTS_MAX} instruments")
    ctx.emit(
        InstrumentRegistered(
            symbol=command.symbol,
            name=command.name,
            venue=command.venue,
            asset_class=command.asset_class,
            tick=command.tick,
            lot=command.lot,
            fee_ppm=command.fee_ppm,
            depth_lots=max(command.depth_lots, 0),
        )
    )
    return command.symbol


def evolve_instrument_registered(state: State, event: InstrumentRegistered) -> None:
    """Add the instrument, without a quote and without a width of its book levels."""
    numerator, denominator = value_factors(event.tick, event.lot)
    state.instruments[event.symbol] = Instrument(
        symbol=event.symbol,
        name=event.name,
        venue=event.venue,
        asset_class=event.asset_class,
        tick=event.tick,
        lot=event.lot,
        fee_ppm=event.fee_ppm,
        level_ticks=0,
        depth_lots=event.depth_lots,
        value_numerator=numerator,
        value_denominator=denominator,
    )


def decide_publish_marks(ctx: Context, command: PublishMarks) -> Decision:
    """Take new quotes, then let resting orders, stops and takes meet them.

    Rows equal to the present quote (unless they are candles that open ideas watch) and rows of
    settled instruments carry no news and are left out; of several rows of one symbol the last
    one counts. `last_ticks` 0 keeps the last price.

    Checks in order: NOT_ALLOWED, LIMIT_REACHED, then row by row UNKNOWN_INSTRUMENT,
    INVALID_PRICE. One bad row refuses the whole command; its index is in the field.
    """
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "expected a service to publish marks")
    count = len(command.rows)
    if count > MARKS_PER_COMMAND_MAX:
        return Refusal(
            Reason.LIMIT_REACHED, f"expected at most {MARKS_PER_COMMAND_MAX} rows, was {count}"
        )
    changed = _changed_rows(ctx.state, command.rows)
    if isinstance(changed, Refusal):
        return changed
    at_us = market_time(ctx.state, command.at_us or ctx.at_us, recorded=command.recorded)
    advance_market(ctx, at_us)
    expire_due(ctx, at_us)
    candle_us = command.candle_us
    ctx.emit(MarksPublished(list(changed.values()), at_us, command.recorded, candle_us))
    if changed:
        match_resting(ctx, changed)
        meet_copy_orders(ctx, changed)
        end_at_levels(ctx, changed)
        meet_marks(ctx, changed, at_us, candle_us)
    return ""


def _changed_rows(state: State, rows: list[MarkRow]) -> dict[str, MarkRow] | Refusal:
    instruments = state.instruments
    changed: dict[str, MarkRow] = {}
    for index, row in enumerate(rows):
        symbol = row.symbol
        instrument = instruments.get(symbol)
        if instrument is None:
            return Refusal(
                Reason.UNKNOWN_INSTRUMENT,
                f"expected a registered instrument, was {symbol}",
                f"rows[{index}].symbol",
            )
        bid, ask, last = row.bid_ticks, row.ask_ticks, row.last_ticks
        if not (0 < bid <= ask <= INTEGER_MAX and 0 <= last <= INTEGER_MAX) or (
            row.high_ticks and not 0 < row.low_ticks <= row.high_ticks <= INTEGER_MAX
        ):
            return Refusal(
                Reason.INVALID_PRICE,
                f"expected 0 < bid <= ask, last >= 0 and, of a bar, 0 < low <= high for {symbol}, "
                f"was {bid}, {ask}, {last}, {row.low_ticks}, {row.high_ticks}",
                f"rows[{index}]",
            )
        if (
            bid != instrument.bid_ticks
            or ask != instrument.ask_ticks
            or (last and last != instrument.last_ticks)
            or (row.high_ticks and symbol in state.idea_watches)
        ) and not instrument.settled:
            changed[symbol] = row
        elif symbol in changed:
            del changed[symbol]
    return changed


def evolve_marks_published(state: State, event: MarksPublished) -> None:
    """Set quotes and the market clock; the first quote fixes the width of book levels."""
    state.market_at_us = event.at_us
    if event.recorded:
        state.recorded_market = True
    instruments, watches = state.instruments, state.idea_watches
    for row in event.rows:
        symbol = row.symbol
        instrument = instruments[symbol]
        instrument.bid_ticks = row.bid_ticks
        instrument.ask_ticks = row.ask_ticks
        if row.last_ticks:
            instrument.last_ticks = row.last_ticks
        instrument.marked_at_us = event.at_us
        if instrument.level_ticks == 0:
            fix_level(instrument, instrument.mark_ticks)
        watched = watches.get(symbol)
        if watched is not None:
            record_quote(watched, row, event.at_us - event.candle_us)
        touch(state, "marks", symbol)
        touch(state, f"marks:{symbol}", symbol)


DECIDERS: dict[type[Command], Callable[..., Decision]] = {
    RegisterInstrument: decide_register_instrument,
    PublishMarks: decide_publish_marks,
}

EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    InstrumentRegistered: evolve_instrument_registered,
    MarksPublished: evolve_marks_published,
}
