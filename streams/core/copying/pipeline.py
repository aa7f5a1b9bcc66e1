"""From a leader's fill to one decision row for every signal leg and follower.

A fill through zero is two legs: a closing, then an opening, each decided alone. A closing takes
the leader's fraction of what the follower holds now, never a ratio of sizes; what rounds to zero
is carried to the next closing. Followers are served in the order in which their copies began.
Source: domain.md, sections 4.1, 4.2, 4.4, 4.5.
"""

from __future__ import annotations

from streams.core.context import Context, Evolvers
from streams.core.copying.gates import Opening, judge_opening, quote_ticks, slippage_bps
from streams.core.events import CopyDecided, FillBooked
from streams.core.money import PPM, divide_up
from streams.core.performance.equity import ledger_equity
from streams.core.positions import evolve_ledger_fill, fill_result
from streams.core.reasons import Reason
from streams.core.state import Copy, Instrument, State


CARRY_ONE = 1_000_000_000
"""One lot in the parts per billion in which a closing's remainder is carried."""


def follow_fill(ctx: Context, fill: FillBooked, leader_equity_micros: int) -> None:
    """Decide a leader's fill for every follower.

    Args:
        ctx: the command's context; the fill is already booked.
        fill: the leader's fill.
        leader_equity_micros: the leader's equity just before it.
    """
    before, lots = fill.result.lots_before, fill.lots
    closed = min(abs(lots), abs(before)) if (before > 0) != (lots > 0) else 0
    opened = abs(lots) - closed
    opening = None
    if opened:
        # Only a venue's report can come late; a recorded fill happens at its own time.
        age_ms = max(ctx.at_us - fill.at_us, 0) // 1000 if fill.source == "venue" else 0
        side = 1 if lots > 0 else -1
        opening = Opening(side, opened, fill.price_ticks, leader_equity_micros, age_ms)
    instrument = ctx.state.instruments[fill.symbol]
    for copy in ctx.state.copies[fill.trader].values():
        if copy.status == "STOPPED":
            continue
        if closed:
            _decide_closing(ctx, copy, instrument, fill, leader_equity_micros, closed, abs(before))
        if opening is not None:
            _decide_opening(ctx, copy, instrument, fill, opening)


def _decide_opening(
    ctx: Context, copy: Copy, instrument: Instrument, fill: FillBooked, opening: Opening
) -> None:
    if copy.settings.reverse:
        opening = opening._replace(side=-opening.side)
    equity = ledger_equity(ctx.state, copy.ledger)
    verdict = judge_opening(ctx.state, copy, instrument, opening, equity)
    lots = verdict.lots * opening.side
    fee, result = 0, None
    if lots:
        value = instrument.value_micros(verdict.price_ticks, verdict.lots)
        fee = divide_up(value * instrument.fee_ppm, PPM)
        held = copy.ledger.positions.get(fill.symbol)
        result = fill_result(held, instrument, lots, verdict.price_ticks, fee)
    ctx.emit(
        CopyDecided(
            follower=copy.follower,
            leader=copy.leader,
            signal_seq=fill.signal_seq,
            leg="open",
            symbol=fill.symbol,
            code=verdict.code.value,
            clamps=verdict.clamps,
            version=copy.version,
            leader_equity_micros=opening.leader_equity_micros,
            follower_equity_micros=equity,
            leader_lots=opening.leader_lots if fill.lots > 0 else -opening.leader_lots,
            leader_price_ticks=fill.price_ticks,
            wanted_lots=verdict.wanted_lots * opening.side,
            lots=lots,
            price_ticks=verdict.price_ticks,
            fee_micros=fee,
            slippage_bps=verdict.slippage_bps,
            result=result,
            carry_ppb=0,
            at_us=fill.at_us,
        )
    )


def _decide_closing(
    ctx: Context,
    copy: Copy,
    instrument: Instrument,
    fill: FillBooked,
    leader_equity: int,
    closed: int,
    held_by_leader: int,
) -> None:
    position = copy.ledger.positions.get(fill.symbol)
    code = Reason.EXECUTED
    lots = wanted = price = fee = worse = carry = 0
    result = None
    if position is None:
        code = Reason.NO_FOLLOWER_POSITION
    else:
        held = abs(position.lots)
        share = held * CARRY_ONE * closed // held_by_leader + position.close_carry_ppb
        count, carry = (held, 0) if closed == held_by_leader else divmod(share, CARRY_ONE)
        count = min(count, held)
        side = -1 if position.lots > 0 else 1
        lots = wanted = count * side
        price = quote_ticks(instrument, side) or fill.price_ticks
        worse = slippage_bps(side, price, fill.price_ticks)
        if count == 0:
            code = Reason.ZERO_AFTER_ROUNDING
        else:
            fee = divide_up(instrument.value_micros(price, count) * instrument.fee_ppm, PPM)
            result = fill_result(position, instrument, lots, price, fee)
    ctx.emit(
        CopyDecided(
            follower=copy.follower,
            leader=copy.leader,
            signal_seq=fill.signal_seq,
            leg="close",
            symbol=fill.symbol,
            code=code.value,
            clamps=(),
            version=copy.version,
            leader_equity_micros=leader_equity,
            follower_equity_micros=ledger_equity(ctx.state, copy.ledger),
            leader_lots=closed if fill.lots > 0 else -closed,
            leader_price_ticks=fill.price_ticks,
            wanted_lots=wanted,
            lots=lots,
            price_ticks=price,
            fee_micros=fee,
            slippage_bps=worse,
            result=result,
            carry_ppb=carry,
            at_us=fill.at_us,
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
        leg: `settle` or `stop`.
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
    if event.leg == "close":
        position = copy.ledger.positions.get(event.symbol)
        if position is not None:
            position.close_carry_ppb = event.carry_ppb


EVOLVERS: Evolvers = {CopyDecided: evolve_copy_decided}
