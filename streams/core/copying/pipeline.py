"""From a leader's fill to one decision row for every signal leg and follower.

A fill through zero is two legs: a closing, then an opening, each decided alone. A closing takes
the leader's fraction of what the follower holds now, never a ratio of sizes; what rounds to zero
is carried to the next closing. Followers are served in the order in which their copies began.
Source: domain.md, sections 4.1, 4.2, 4.4, 4.5.
"""

from __future__ import annotations

from streams.core.context import Context, Evolvers
from streams.core.copying.gates import judge_opening
from streams.core.copying.signal import Signal, quote_ticks, slippage_bps
from streams.core.events import CopyDecided
from streams.core.execution.exit_levels import set_levels
from streams.core.money import PPM, divide_up
from streams.core.performance.equity import ledger_equity
from streams.core.positions import evolve_ledger_fill, fill_result
from streams.core.reasons import Reason
from streams.core.state import Copy, Instrument, State


CARRY_ONE = 1_000_000_000
"""One lot in the parts per billion in which a closing's remainder is carried."""


def follow_fill(ctx: Context, signal: Signal) -> None:
    """Decide a leader's fill for every follower.

    Args:
        ctx: the command's context; the fill is already booked.
        signal: the fill as followers meet it.
    """
    for copy in ctx.state.copies[signal.fill.trader].values():
        if copy.status == "STOPPED":
            continue
        if signal.closed:
            _decide_closing(ctx, signal, copy)
        if signal.opened:
            _decide_opening(ctx, signal, copy)


def _instrument_of(state: State, signal: Signal, copy: Copy) -> Instrument | None:
    """Return what the follower would open, None when the leader's symbol leads nowhere.

    A mapped symbol must be known, and no position of the copy may belong to two of the leader's
    symbols: a closing of one would close the other.
    """
    symbol = signal.fill.symbol
    target = copy.settings.symbol_map.get(symbol, symbol)
    if copy.mapped:
        for source, held in copy.mapped.items():
            if (source == symbol) != (held == target):
                return None
    elif target == symbol:
        return signal.instrument
    elif target in copy.ledger.positions:
        return None
    return state.instruments.get(target)


def _decide_opening(ctx: Context, signal: Signal, copy: Copy) -> None:
    settings, fill = copy.settings, signal.fill
    side = -signal.side if settings.reverse else signal.side
    instrument: Instrument | None = signal.instrument
    if settings.symbol_map or copy.mapped:
        instrument = _instrument_of(ctx.state, signal, copy)
    equity = ledger_equity(ctx.state, copy.ledger)
    verdict = judge_opening(ctx.state, signal, copy, instrument, side, equity)
    traded = instrument or signal.instrument
    lots = verdict.lots * side
    fee, result = 0, None
    if lots:
        value = traded.value_micros(verdict.price_ticks, verdict.lots)
        fee = divide_up(value * traded.fee_ppm, PPM)
        held = copy.ledger.positions.get(traded.symbol)
        result = fill_result(held, traded, lots, verdict.price_ticks, fee)
    # By place: names would cost a third more, and this is made once for each follower.
    ctx.emit(
        CopyDecided(
            copy.follower,
            copy.leader,
            fill.signal_seq,
            "open",
            traded.symbol,
            verdict.code.value,
            verdict.clamps,
            copy.version,
            signal.leader.equity,
            equity,
            signal.opened * signal.side,
            fill.price_ticks,
            verdict.wanted_lots * side,
            lots,
            verdict.price_ticks,
            fee,
            verdict.slippage_bps,
            result,
            0,
            fill.at_us,
            verdict.sized_millilots * side,
            traded.bid_ticks,
            traded.ask_ticks,
            ctx.at_us,
            fill.symbol if traded is not signal.instrument else "",
        )
    )


def _decide_closing(ctx: Context, signal: Signal, copy: Copy) -> None:
    fill, closed = signal.fill, signal.closed
    symbol = copy.mapped.get(fill.symbol, fill.symbol) if copy.mapped else fill.symbol
    instrument = signal.instrument
    if symbol != fill.symbol:
        instrument = ctx.state.instruments[symbol]
    position = copy.ledger.positions.get(symbol)
    code = Reason.EXECUTED
    lots = wanted = price = fee = worse = carry = share = side = 0
    result = None
    if position is None:
        code = Reason.NO_FOLLOWER_POSITION
    else:
        held = abs(position.lots)
        share = held * CARRY_ONE * closed // signal.held + position.close_carry_ppb
        count, carry = (held, 0) if closed == signal.held else divmod(share, CARRY_ONE)
        count = min(count, held)
        side = -1 if position.lots > 0 else 1
        lots = wanted = count * side
        price = quote_ticks(instrument, side)
        if instrument is signal.instrument:
            price = price or fill.price_ticks
            worse = slippage_bps(side, price, fill.price_ticks)
        if count == 0:
            code = Reason.ZERO_AFTER_ROUNDING
        else:
            fee = divide_up(instrument.value_micros(price, count) * instrument.fee_ppm, PPM)
            result = fill_result(position, instrument, lots, price, fee)
    ctx.emit(
        CopyDecided(
            copy.follower,
            copy.leader,
            fill.signal_seq,
            "close",
            symbol,
            code.value,
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
            fill.symbol if instrument is not signal.instrument else "",
        )
    )


def close_copy_position(
    ctx: Context, copy: Copy, symbol: str, price_ticks: int, leg: str, at_us: int
) -> None:
    """Close a whole position of a ring fence at a price; no gate can stand in the way.

    Args:
        ctx: the command's context.
        copy: the relationship.
        symbol: an instrument it holds a position in.
        price_ticks: the price to close at (0 only at settlement).
        leg: `settle`, `stop`, `stop_loss` or `take_profit`.
        at_us: market time.
    """
    instrument = ctx.state.instruments[symbol]
    position = copy.ledger.positions[symbol]
    lots = -position.lots
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
        )
    )


def evolve_copy_decided(state: State, event: CopyDecided) -> None:
    """Count the decision; when executed, change the ring fence."""
    copy = state.copies[event.leader][event.follower]
    codes = copy.codes
    codes[event.code] = codes.get(event.code, 0) + 1
    totals = state.totals
    result = event.result
    if result is None:
        copy.skipped += 1
        totals.copies_skipped += 1
    else:
        copy.executed += 1
        totals.copies_executed += 1
        evolve_ledger_fill(state, copy.ledger, event.symbol, result, event.fee_micros, event.at_us)
    if event.stop_ticks or event.take_ticks:
        opened = copy.ledger.positions[event.symbol]
        stop, take = event.stop_ticks or opened.stop_ticks, event.take_ticks or opened.take_ticks
        set_levels(state, event.symbol, opened, (copy.leader, copy.follower), stop, take)
    if event.leg == "open":
        if result is not None:
            copy.ledger.positions[event.symbol].entries += 1
            if event.leader_symbol:
                copy.mapped[event.leader_symbol] = event.symbol
        return
    position = copy.ledger.positions.get(event.symbol)
    if position is not None:
        position.close_carry_ppb = event.carry_ppb
    elif copy.mapped:
        copy.mapped = {name: held for name, held in copy.mapped.items() if held != event.symbol}


EVOLVERS: Evolvers = {CopyDecided: evolve_copy_decided}
