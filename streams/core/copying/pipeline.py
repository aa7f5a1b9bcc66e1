"""From a leader's fill to one decision row for every signal leg and follower.

A fill through zero is two legs: a closing, then an opening, each decided alone. A closing takes
the leader's fraction of what the follower holds now, never a ratio of sizes; what rounds to zero
is carried to the next closing. Followers are served in the order of the day's seed, see `seeds`.
Where the paper venue has a depth, the openings of a signal are one block at one price; a partial
fill is shared by largest remainder (`allocation`).
Source: domain.md, sections 4.1, 4.2, 4.4, 4.5.
"""

from __future__ import annotations

from streams.core.books.levels import entry_ticks_of
from streams.core.context import Context
from streams.core.copying.block import Judged, shared
from streams.core.copying.copy_orders import CLOSING, end_closings, end_openings
from streams.core.copying.delays import (
    DELAYED,
    cancel_waiting,
    delayed_signal,
    due_openings,
    has_room,
    leader_holds,
    let_wait,
    skip_waiting,
)
from streams.core.copying.fairness import report_signal
from streams.core.copying.gates import judge_opening
from streams.core.copying.holdings import instrument_of, position_of
from streams.core.copying.levels import copied_levels
from streams.core.copying.seeds import in_order
from streams.core.copying.signal import Signal, quote_ticks
from streams.core.copying.sizing import Wish
from streams.core.copying.status import change_status
from streams.core.copying.stopping import finish_if_flat
from streams.core.events import CopyDecided
from streams.core.money import PPM, divide_up
from streams.core.performance.equity import ledger_equity
from streams.core.positions import fill_result
from streams.core.reasons import Reason
from streams.core.state import Copy, Instrument, Position, State


EXECUTED = Reason.EXECUTED.value
"""Looked up once: it is written for nearly every follower."""

CARRY_ONE = 1_000_000_000
"""One lot in the parts per billion in which a closing's remainder is carried."""


def follow_fill(ctx: Context, signal: Signal) -> None:
    """Decide a leader's fill for every follower.

    Args:
        ctx: the command's context; the fill is already booked.
        signal: the fill as followers meet it.
    """
    state, fill = ctx.state, signal.fill
    running = [copy for copy in state.copies[fill.trader].values() if copy.status != "STOPPED"]
    wish: Wish | None = None
    asked = 0
    slippages: list[int] = []
    block: list[Judged] = []
    for copy in in_order(state, fill.trader, fill.signal_seq, running):
        if signal.closed:
            _decide_closing(ctx, signal, copy)
        if signal.opened and copy.status != "STOPPED":
            if copy.settings.delay_ms and _wait(ctx, signal, copy):
                continue
            asked += 1
            if signal.instrument.depth_lots:
                alone = Wish(state, signal, copy)
                block.append(Judged(alone, _judge(ctx, signal, copy, alone)))
                continue
            wish = wish or Wish(state, signal, copy)
            book_opening(ctx, signal, wish, _judge(ctx, signal, copy, wish), "open")
            if wish.lots:
                slippages.append(wish.slippage_bps)
    for judged in shared(signal, block):
        book_opening(ctx, signal, judged.wish, judged.code, "open")
        if judged.wish.lots:
            slippages.append(judged.wish.slippage_bps)
    if asked:
        report_signal(ctx, signal, asked, slippages)


def _wait(ctx: Context, signal: Signal, copy: Copy) -> bool:
    """Put an opening aside if all gates let it through; else it is decided at once."""
    wish = Wish(ctx.state, signal, copy)
    if _judge(ctx, signal, copy, wish) is not Reason.EXECUTED:
        return False
    if has_room(ctx.state):
        let_wait(ctx, signal, copy)
    else:
        wish.lots = 0
        book_opening(ctx, signal, wish, Reason.LIMIT_REACHED, DELAYED)
    return True


def open_due(ctx: Context, budget: int) -> int:
    """Decide the openings whose delay is over; return how many, at most `budget`."""
    due = due_openings(ctx.state, ctx.time(0), budget)
    for copy, waiting in due:
        if not leader_holds(ctx.state, copy, waiting):
            skip_waiting(ctx, copy, waiting, Reason.LEADER_CLOSED)
            continue
        signal = delayed_signal(ctx, copy, waiting)
        wish = Wish(ctx.state, signal, copy)
        judged = Judged(wish, _judge(ctx, signal, copy, wish))
        if signal.instrument.depth_lots:
            (judged,) = shared(signal, [judged])
        book_opening(ctx, signal, wish, judged.code, DELAYED)
    return len(due)


def decide_opening(ctx: Context, signal: Signal, copy: Copy, leg: str, wish: Wish) -> None:
    """Pass one opening through the gates and put the decision on record.

    Args:
        ctx: the command's context.
        signal: what opens.
        copy: the relationship.
        leg: `open` or `sync`.
        wish: of the signal; begun anew here.
    """
    book_opening(ctx, signal, wish, _judge(ctx, signal, copy, wish), leg)


def _judge(ctx: Context, signal: Signal, copy: Copy, wish: Wish) -> Reason:
    instrument = signal.instrument
    target: Instrument | None = instrument
    if copy.settings.symbol_map or copy.mapped:
        target = instrument_of(ctx.state, signal, copy)
        instrument = target or instrument
    wish.begin(copy, instrument)
    return judge_opening(wish, target)


def book_opening(ctx: Context, signal: Signal, wish: Wish, code: Reason, leg: str) -> None:
    """Put the decision of an opening on record; what is executed changes the ring fence.

    Args:
        ctx: the command's context.
        signal: what opens.
        wish: as the gates left it; `lots` at `quote_ticks` are executed.
        code: the answer of the gates.
        leg: see `CopyDecided`.
    """
    fill, instrument, copy = signal.fill, wish.instrument, wish.copy
    side, price = wish.side, wish.quote_ticks
    lots = wish.lots * side
    fee, result = 0, None
    if lots:
        if instrument.fee_ppm:
            value = instrument.value_micros(price, wish.lots)
            fee = divide_up(value * instrument.fee_ppm, PPM)
        held = copy.ledger.positions.get(instrument.symbol)
        result = fill_result(held, instrument, lots, price, fee)
    stop = take = 0
    if lots and signal.position is not None and (signal.leveled or wish.settings.own_levels):
        stop, take = copied_levels(
            copy, fill.symbol, instrument, side, price, signal.position, fill.price_ticks
        )
    # By place: names would cost a third more, and this is made once for each follower.
    ctx.emit(
        CopyDecided(
            copy.follower,
            copy.leader,
            fill.signal_seq,
            leg,
            instrument.symbol,
            EXECUTED if code is Reason.EXECUTED else code.value,
            wish.clamps,
            copy.version,
            signal.leader.equity,
            wish.equity_micros,
            wish.opened * signal.side,
            fill.price_ticks,
            wish.wanted_lots * side,
            lots,
            price,
            fee,
            wish.slippage_bps,
            result,
            0,
            fill.at_us,
            wish.sized_millilots * side,
            instrument.bid_ticks,
            instrument.ask_ticks,
            ctx.at_us,
            fill.symbol,
            stop,
            take,
            False,
            0,
            wish.block_lots,
        )
    )
    if leg == "open" or leg == DELAYED:
        most = copy.settings.failures_max
        if copy.failures and most and copy.failures >= most and copy.status == "ACTIVE":
            change_status(ctx, copy, "PAUSED", "risk", "consecutive_failures")


def _decide_closing(ctx: Context, signal: Signal, copy: Copy) -> None:
    fill, closed = signal.fill, signal.closed
    symbol, instrument = fill.symbol, signal.instrument
    position = copy.ledger.positions.get(symbol)
    if copy.mapped:
        position = position_of(copy, symbol)
        symbol = copy.mapped.get(symbol, symbol)
        instrument = ctx.state.instruments[symbol]
    ended = closed == signal.held
    if copy.waiting:
        cancel_waiting(ctx, copy, Reason.LEADER_CLOSED, fill.symbol)
    code = _closing_code(signal, copy, position)
    lots = wanted = price = fee = worse = carry = share = side = 0
    result = None
    if position is not None and code is Reason.EXECUTED:
        held = abs(position.lots)
        share = held * CARRY_ONE * closed // signal.held + position.close_carry_ppb
        whole = ended or copy.stopping == "close_by_symbol"
        count, carry = (held, 0) if whole else divmod(share, CARRY_ONE)
        count = min(count, held)
        side = -1 if position.lots > 0 else 1
        lots = wanted = count * side
        price = quote_ticks(instrument, side)
        if instrument is signal.instrument:
            price = price or fill.price_ticks
            worse = signal.slippage(side, price)
        if count == 0:
            code = Reason.ZERO_AFTER_ROUNDING
        else:
            if instrument.fee_ppm:
                fee = divide_up(instrument.value_micros(price, count) * instrument.fee_ppm, PPM)
            result = fill_result(position, instrument, lots, price, fee)
    ctx.emit(
        CopyDecided(
            copy.follower,
            copy.leader,
            fill.signal_seq,
            "close",
            symbol,
            EXECUTED if code is Reason.EXECUTED else code.value,
            (),
            copy.version,
            signal.leader.equity,
            ledger_equity(ctx.state, copy.ledger),
            closed * signal.side,
            fill.price_ticks,
            wanted,
            lots,
            price,
            fee,
            worse,
            result,
            carry,
            fill.at_us,
            share // (CARRY_ONE // 1000) * side,
            instrument.bid_ticks,
            instrument.ask_ticks,
            ctx.at_us,
            fill.symbol,
            0,
            0,
            ended,
            leader_held_lots=signal.held,
        )
    )
    if copy.orders:
        _end_void_orders(ctx, copy, symbol, fill.order, leader_flat=ended)
    if copy.status == "STOPPING":
        finish_if_flat(ctx, copy, fill.at_us)


def _end_void_orders(
    ctx: Context, copy: Copy, symbol: str, closed_by: str, *, leader_flat: bool
) -> None:
    """Cancel the copy's own limit orders that a closing of the leader has left no purpose."""
    end_openings(ctx, copy, symbol, closed_by)
    if leader_flat or symbol not in copy.ledger.positions:
        end_closings(ctx, copy, symbol)


def _closing_code(signal: Signal, copy: Copy, position: Position | None) -> Reason:
    """Ask the gates that closings pass too: intake and mapping."""
    if signal.code is Reason.LEADER_TEST_TRADE:
        return Reason.LEADER_TEST_TRADE
    if copy.detached and signal.fill.symbol in copy.detached:
        return Reason.DETACHED_BY_FOLLOWER
    if copy.orders and signal.closed != signal.held:
        own = copy.orders.get(signal.fill.order)
        if own is not None and own.leg == CLOSING:
            return Reason.LIMIT_MIRRORED
    return Reason.NO_FOLLOWER_POSITION if position is None else Reason.EXECUTED


def close_at_quote(ctx: Context, copy: Copy, symbol: str, leg: str, lots: int = 0) -> None:
    """Close lots of a position at the present quote, or at cost where there is none.

    Args:
        ctx: the command's context.
        copy: the relationship.
        symbol: an instrument it holds a position in.
        leg: why, see `CopyDecided`.
        lots: unsigned, at most those held; 0 = all.
    """
    price = closing_ticks_of(ctx.state, copy, symbol)
    close_copy_position(ctx, copy, symbol, price, leg, ctx.time(0), lots)


def closing_ticks_of(state: State, copy: Copy, symbol: str) -> int:
    """Return the quote that closes a position of the copy, or its cost where there is none."""
    position, instrument = copy.ledger.positions[symbol], state.instruments[symbol]
    return quote_ticks(instrument, -position.lots) or entry_ticks_of(
        instrument, position.lots, position.cost_micros
    )


def close_copy_position(
    ctx: Context,
    copy: Copy,
    symbol: str,
    price_ticks: int,
    leg: str,
    at_us: int,
    count: int = 0,
) -> None:
    """Close a position of a ring fence at a price; no gate can stand in the way.

    Args:
        ctx: the command's context.
        copy: the relationship.
        symbol: an instrument it holds a position in.
        price_ticks: the price to close at (0 only at settlement).
        leg: why, see `CopyDecided`.
        at_us: market time.
        count: unsigned lots, at most those held; 0 = all.
    """
    instrument = ctx.state.instruments[symbol]
    position = copy.ledger.positions[symbol]
    lots = -position.lots
    if count:
        lots = count if lots > 0 else -count
    fee = 0
    if leg != "settle":
        value = instrument.value_micros(price_ticks, abs(lots))
        fee = divide_up(value * instrument.fee_ppm, PPM)
    ctx.emit(
        CopyDecided(
            follower=copy.follower,
            leader=copy.leader,
            signal_seq=0,
            leg=leg,
            symbol=symbol,
            code=Reason.EXECUTED.value,
            clamps=(),
            version=copy.version,
            leader_equity_micros=0,
            follower_equity_micros=ledger_equity(ctx.state, copy.ledger),
            leader_lots=0,
            leader_price_ticks=price_ticks,
            wanted_lots=lots,
            lots=lots,
            price_ticks=price_ticks,
            fee_micros=fee,
            slippage_bps=0,
            result=fill_result(position, instrument, lots, price_ticks, fee),
            carry_ppb=0,
            at_us=at_us,
            sized_millilots=lots * 1000,
            bid_ticks=instrument.bid_ticks,
            ask_ticks=instrument.ask_ticks,
            decided_at_us=ctx.at_us,
            leader_symbol=_leader_symbol(copy, symbol),
        )
    )
    if copy.orders and symbol not in copy.ledger.positions:
        end_closings(ctx, copy, symbol)
    finish_if_flat(ctx, copy, at_us)


def _leader_symbol(copy: Copy, symbol: str) -> str:
    """Return the leader's symbol of a position of the copy."""
    return next((leaders for leaders, held in copy.mapped.items() if held == symbol), symbol)
