"""Openings that wait because the follower asked for it (`delay_ms`), and what becomes of them.

An opening that passes all gates when the leader trades waits `delay_ms` of market time and then
passes them again: sized by the equity of then, at the quote of then, with the slippage cap against
the leader's price of before. Its one decision is written then, with the leg `delayed`. A closing of
the leader in the symbol cancels what waits there (`LEADER_CLOSED`), the end of the copy all of it
(`COPY_STOPPED`). Closings never wait.

Invariants:
    * `CopyDesk.delays` lists exactly the openings that wait in the copies, in the order in which
      they are due; there are at most `WAITING_OPENINGS_MAX`.
Source: domain.md, section 4.3 (`delay`).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice

from streams.core.context import Context, Evolvers
from streams.core.copying.signal import Signal, Standing
from streams.core.events import CopyDecided, CopyDelayed, FillBooked, PositionResult
from streams.core.limits import WAITING_OPENINGS_MAX
from streams.core.performance.equity import ledger_equity
from streams.core.reasons import Reason
from streams.core.state import Copy, State, WaitingOpening


DELAYED = "delayed"
"""Leg of the decision of an opening that has waited."""


def has_room(state: State) -> bool:
    """Return whether one more opening may wait."""
    return len(state.copy_desk.delays) < WAITING_OPENINGS_MAX


def let_wait(ctx: Context, signal: Signal, copy: Copy) -> None:
    """Put an opening aside until its time has come."""
    fill, leader = signal.fill, signal.leader
    due_us = fill.at_us + copy.settings.delay_ms * 1000
    waiting = WaitingOpening(
        fill.signal_seq,
        due_us,
        fill.symbol,
        fill.lots,
        fill.price_ticks,
        fill.result.lots,
        fill.result.lots_before,
        signal.order_opened,
        leader.equity,
        leader.balance,
        leader.free_margin,
    )
    ctx.emit(CopyDelayed(copy.follower, copy.leader, waiting, fill.at_us))


def due_openings(state: State, at_us: int, budget: int) -> list[tuple[Copy, WaitingOpening]]:
    """Return what is due, the longest due first, at most so many."""
    desk, found = state.copy_desk, []
    for due_us, row, number in islice(desk.delays, budget):
        if due_us > at_us:
            break
        leader, follower = desk.rows[row]
        copy = state.copies[leader][follower]
        found.append((copy, copy.waiting[number]))
    return found


def delayed_signal(ctx: Context, copy: Copy, waiting: WaitingOpening) -> Signal:
    """Return the leader's fill as if it happened now, at the leader's price of before."""
    state, at_us, lots = ctx.state, ctx.time(0), waiting.lots
    result = PositionResult(waiting.leader_lots, 0, 0, waiting.leader_lots_before, 0, 0)
    fill = FillBooked(
        "",
        copy.leader,
        waiting.symbol,
        lots,
        waiting.price_ticks,
        0,
        0,
        DELAYED,
        "",
        "",
        waiting.signal_seq,
        result,
        at_us,
    )
    standing = Standing(waiting.equity_micros, waiting.balance_micros, waiting.free_margin_micros)
    return Signal(state, fill, standing, ctx.at_us, waiting.order_lots)


def leader_holds(state: State, copy: Copy, waiting: WaitingOpening) -> bool:
    """Return whether the leader still holds a position in the direction of what waits."""
    leads = state.traders[copy.leader].ledger.positions.get(waiting.symbol)
    return leads is not None and leads.lots * waiting.lots > 0


def cancel_waiting(ctx: Context, copy: Copy, code: Reason, symbol: str = "") -> None:
    """Give up what waits in a symbol, or all of it, each with a decision of its own."""
    for waiting in list(copy.waiting.values()):
        if symbol in ("", waiting.symbol):
            skip_waiting(ctx, copy, waiting, code)


def skip_waiting(ctx: Context, copy: Copy, waiting: WaitingOpening, code: Reason) -> None:
    """Give up one opening that waits."""
    state, instrument = ctx.state, ctx.state.instruments[waiting.symbol]
    ctx.emit(
        CopyDecided(
            follower=copy.follower,
            leader=copy.leader,
            signal_seq=waiting.signal_seq,
            leg=DELAYED,
            symbol=waiting.symbol,
            code=code.value,
            clamps=(),
            version=copy.version,
            leader_equity_micros=waiting.equity_micros,
            follower_equity_micros=ledger_equity(state, copy.ledger),
            leader_lots=waiting.opened_lots,
            leader_price_ticks=waiting.price_ticks,
            wanted_lots=0,
            lots=0,
            price_ticks=0,
            fee_micros=0,
            slippage_bps=0,
            result=None,
            carry_ppb=0,
            at_us=ctx.time(0),
            bid_ticks=instrument.bid_ticks,
            ask_ticks=instrument.ask_ticks,
            decided_at_us=ctx.at_us,
            leader_symbol=waiting.symbol,
        )
    )


def evolve_copy_delayed(state: State, event: CopyDelayed) -> None:
    """Keep the opening until it is due."""
    copy = state.copies[event.leader][event.follower]
    waiting = event.waiting
    copy.waiting[waiting.signal_seq] = waiting
    insort(state.copy_desk.delays, (waiting.due_us, copy.row, waiting.signal_seq))


def forget_waiting(state: State, copy: Copy, number: int) -> None:
    """Drop an opening that was decided. Called by `evolve_*` only."""
    waiting = copy.waiting.pop(number, None)
    if waiting is not None:
        delays = state.copy_desk.delays
        del delays[bisect_left(delays, (waiting.due_us, copy.row, number))]


def delay_breaches(state: State) -> Iterator[str]:
    """Yield a sentence when the list is not exactly what waits."""
    waiting = sorted(
        (each.due_us, copy.row, each.signal_seq)
        for copies in state.copies.values()
        for copy in copies.values()
        for each in copy.waiting.values()
    )
    if waiting != state.copy_desk.delays:
        yield f"delays: {len(waiting)} wait, {len(state.copy_desk.delays)} are listed"


EVOLVERS: Evolvers = {CopyDelayed: evolve_copy_delayed}
