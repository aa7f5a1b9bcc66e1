"""How a copy ends: its cash returns, and what it still holds is closed or handed over.

A copy that has positions left to close is STOPPING; it becomes STOPPED with its last position.
Source: domain.md, sections 4.3 (`on_stop`) and 4.6.
"""

from __future__ import annotations

from streams.core.books.levels import entry_ticks_of
from streams.core.context import Context, Evolvers
from streams.core.copying.charging import charge_copy
from streams.core.copying.copy_orders import drop_orders
from streams.core.copying.delays import cancel_waiting
from streams.core.copying.statistics import end_statistics
from streams.core.events import CopyStopped
from streams.core.market_clock import day_of
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import record_exposure, record_flow
from streams.core.positions import evolve_ledger_fill, fill_result
from streams.core.reasons import Reason
from streams.core.state import Copy, State, Trader


def finish_stop(ctx: Context, copy: Copy, on_stop: str, at_us: int) -> None:
    """Charge what is due and end a copy; what it still holds moves to the follower's account."""
    state = ctx.state
    if copy.waiting:
        cancel_waiting(ctx, copy, Reason.COPY_STOPPED)
    charge_copy(ctx, copy, "stop", day_of(at_us))
    follower = state.traders[copy.follower]
    ctx.emit(
        CopyStopped(
            follower=copy.follower,
            leader=copy.leader,
            on_stop=on_stop,
            moved_micros=copy.ledger.cash_micros,
            kept=list(copy.ledger.positions),
            equity_before_micros=ledger_equity(state, follower.ledger),
            at_us=at_us,
        )
    )


def finish_if_flat(ctx: Context, copy: Copy, at_us: int) -> None:
    """End a stopping copy that holds nothing any more."""
    if copy.status == "STOPPING" and not copy.ledger.positions:
        finish_stop(ctx, copy, copy.stopping, at_us)


def evolve_copy_stopped(state: State, event: CopyStopped) -> None:
    """Return the cash, and hand kept positions over at their average cost."""
    copy = state.copies[event.leader][event.follower]
    follower = state.traders[event.follower]
    end_statistics(state, copy)
    desk = state.copy_desk
    for waiting in (desk.work, desk.cooldowns, desk.breaches):
        waiting.pop(copy.row, None)
    copy.status, copy.stopping, copy.sync_left = "STOPPED", "", {}
    copy.ledger.cash_micros -= event.moved_micros
    follower.ledger.cash_micros += event.moved_micros
    follower.copying.pop(event.leader, None)
    state.totals.copies_active -= 1
    state.traders[event.leader].copiers -= 1
    for symbol in event.kept:
        _hand_over(state, copy, follower, symbol, event.at_us)
    copy.mapped, copy.detached = {}, {}
    drop_orders(state, copy)
    after = ledger_equity(state, follower.ledger)
    record_flow(follower.track, event.equity_before_micros, after)
    record_exposure(follower.track, event.at_us, is_open=bool(follower.ledger.positions))


def _hand_over(state: State, copy: Copy, follower: Trader, symbol: str, at_us: int) -> None:
    instrument = state.instruments[symbol]
    position = copy.ledger.positions[symbol]
    price = entry_ticks_of(instrument, position.lots, position.cost_micros)
    leaving = fill_result(position, instrument, -position.lots, price, 0)
    held = follower.ledger.positions.get(symbol)
    entering = fill_result(held, instrument, position.lots, price, 0)
    evolve_ledger_fill(state, copy.ledger, symbol, leaving, 0, at_us)
    follower.ledger.cash_micros += leaving.realised_micros
    copy.ledger.cash_micros -= leaving.realised_micros
    evolve_ledger_fill(state, follower.ledger, symbol, entering, 0, at_us)


EVOLVERS: Evolvers = {CopyStopped: evolve_copy_stopped}
