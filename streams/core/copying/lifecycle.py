"""The life of a copy: ACTIVE, PAUSED, CLOSE_ONLY, STOPPED.

The allocation is ring-fenced: it leaves the follower's account at the start and whatever is left
returns at the end. A stopped copy keeps its counts and can be started again.
"""

from __future__ import annotations

from streams.core.books.levels import entry_ticks_of
from streams.core.commands import CloseOnlyCopy, PauseCopy, ResumeCopy, SetCopy, StopCopy
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.pipeline import close_copy_position
from streams.core.copying.settings import merged
from streams.core.copying.signal import quote_ticks
from streams.core.events import CopySet, CopyStatusChanged, CopyStopped
from streams.core.limits import COPIERS_PER_LEADER_MAX, COPIES_PER_FOLLOWER_MAX
from streams.core.money import format_money
from streams.core.network.standing import closed_trader
from streams.core.network.winding import may_copy
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import record_exposure, record_flow
from streams.core.positions import evolve_ledger_fill, fill_result
from streams.core.reasons import Reason
from streams.core.state import Copy, State, Trader


def find_copy(state: State, leader: str, follower: str) -> Copy | None:
    """Return the relationship, stopped ones included."""
    return state.copies.get(leader, {}).get(follower)


def decide_set_copy(ctx: Context, command: SetCopy) -> Decision:
    """Start a copy, start a stopped one again, or patch a running one."""
    state = ctx.state
    follower = state.traders.get(ctx.principal)
    if follower is None:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {ctx.principal}")
    if command.leader not in state.traders:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {command.leader}", "leader")
    if command.leader == ctx.principal:
        return Refusal(Reason.SELF_COPY, "a trader cannot copy itself", "leader")
    copy = find_copy(state, command.leader, ctx.principal)
    running = copy is not None and copy.status != "STOPPED"
    if not running:
        refusal = _open_to(state, command.leader, ctx.principal) or _room(
            state, command.leader, follower
        )
        if refusal is not None:
            return refusal
    settings = merged(copy.settings if copy else None, command)
    if isinstance(settings, Refusal):
        return settings
    held = copy.settings.allocation_micros if copy and running else 0
    moved = settings.allocation_micros - held
    refusal = _affordable(follower, copy, moved)
    if refusal is not None:
        return refusal
    ctx.emit(
        CopySet(
            follower=ctx.principal,
            leader=command.leader,
            settings=settings,
            version=copy.version + 1 if copy else 1,
            moved_micros=moved,
            equity_before_micros=ledger_equity(state, follower.ledger),
            at_us=ctx.time(0),
        )
    )
    return command.leader


def _open_to(state: State, leader: str, follower: str) -> Refusal | None:
    """Refuse whoever may not hear the leader's signals: its decisions would tell them all."""
    if leader in state.closed_traders:
        return closed_trader(leader, "leader")
    if not may_copy(state, leader, follower):
        return Refusal(Reason.NOT_ALLOWED, "the leader's signals are for its followers", "leader")
    return None


def _room(state: State, leader: str, follower: Trader) -> Refusal | None:
    if len(state.copies.get(leader, ())) >= COPIERS_PER_LEADER_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"at most {COPIERS_PER_LEADER_MAX} copy one leader")
    if len(follower.copying) >= COPIES_PER_FOLLOWER_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"at most {COPIES_PER_FOLLOWER_MAX} copies")
    return None


def _affordable(follower: Trader, copy: Copy | None, moved: int) -> Refusal | None:
    if moved > follower.ledger.cash_micros:
        free = format_money(follower.ledger.cash_micros)
        return Refusal(
            Reason.INSUFFICIENT_FUNDS, f"expected at most {free} of free cash", "allocation"
        )
    if moved < 0 and copy is not None and -moved > copy.ledger.cash_micros:
        free = format_money(copy.ledger.cash_micros)
        return Refusal(
            Reason.INSUFFICIENT_FUNDS, f"expected to take back at most {free}", "allocation"
        )
    return None


def evolve_copy_set(state: State, event: CopySet) -> None:
    """Store the settings and move the allocation; a flow for the follower's own curve."""
    copies = state.copies.setdefault(event.leader, {})
    copy = copies.get(event.follower)
    follower = state.traders[event.follower]
    if copy is None:
        copy = copies[event.follower] = Copy(
            event.follower, event.leader, "STOPPED", event.settings, 0, event.at_us
        )
    if copy.status == "STOPPED":
        copy.status = "ACTIVE"
        copy.started_at_us = event.at_us
        state.totals.copies_active += 1
        follower.copying[event.leader] = None
    copy.settings = event.settings
    copy.version = event.version
    copy.ledger.cash_micros += event.moved_micros
    follower.ledger.cash_micros -= event.moved_micros
    before = event.equity_before_micros
    record_flow(follower.track, before, before - event.moved_micros)


def _running(ctx: Context, leader: str) -> Copy | Refusal:
    copy = find_copy(ctx.state, leader, ctx.principal)
    if copy is None:
        return Refusal(Reason.UNKNOWN_COPY, f"no copy of {leader}", "leader")
    if copy.status == "STOPPED":
        return Refusal(Reason.COPY_STOPPED, f"the copy of {leader} is stopped", "leader")
    return copy


def _change_status(ctx: Context, leader: str, status: str, cause: str) -> Decision:
    copy = _running(ctx, leader)
    if isinstance(copy, Refusal):
        return copy
    if copy.status != status:
        ctx.emit(CopyStatusChanged(ctx.principal, leader, status, cause, ctx.time(0)))
    return leader


def decide_pause_copy(ctx: Context, command: PauseCopy) -> Decision:
    """Skip openings until resumed."""
    return _change_status(ctx, command.leader, "PAUSED", "follower")


def decide_close_only_copy(ctx: Context, command: CloseOnlyCopy) -> Decision:
    """Follow only closings."""
    return _change_status(ctx, command.leader, "CLOSE_ONLY", "follower")


def decide_resume_copy(ctx: Context, command: ResumeCopy) -> Decision:
    """Follow openings again."""
    copy = _running(ctx, command.leader)
    if isinstance(copy, Refusal):
        return copy
    if copy.status == "ACTIVE":
        return Refusal(Reason.COPY_NOT_PAUSED, f"the copy of {command.leader} is active", "leader")
    refusal = _open_to(ctx.state, command.leader, ctx.principal)
    if refusal is not None:
        return refusal
    return _change_status(ctx, command.leader, "ACTIVE", "follower")


def evolve_copy_status_changed(state: State, event: CopyStatusChanged) -> None:
    """Set the status."""
    state.copies[event.leader][event.follower].status = event.status


def decide_stop_copy(ctx: Context, command: StopCopy) -> Decision:
    """End the relationship, closing or keeping its positions."""
    state = ctx.state
    copy = _running(ctx, command.leader)
    if isinstance(copy, Refusal):
        return copy
    if command.on_stop not in ("keep", "close_now"):
        return Refusal(
            Reason.INVALID_SETTINGS, f"expected keep or close_now, was {command.on_stop}", "on_stop"
        )
    at_us = ctx.time(0)
    if command.on_stop == "close_now":
        for symbol in list(copy.ledger.positions):
            position = copy.ledger.positions[symbol]
            instrument = state.instruments[symbol]
            price = quote_ticks(instrument, -position.lots) or entry_ticks_of(
                instrument, position.lots, position.cost_micros
            )
            close_copy_position(ctx, copy, symbol, price, "stop", at_us)
    follower = state.traders[ctx.principal]
    ctx.emit(
        CopyStopped(
            follower=ctx.principal,
            leader=command.leader,
            on_stop=command.on_stop,
            moved_micros=copy.ledger.cash_micros,
            kept=list(copy.ledger.positions),
            equity_before_micros=ledger_equity(state, follower.ledger),
            at_us=at_us,
        )
    )
    return command.leader


def evolve_copy_stopped(state: State, event: CopyStopped) -> None:
    """Return the cash, and hand kept positions over at their average cost."""
    copy = state.copies[event.leader][event.follower]
    follower = state.traders[event.follower]
    copy.status = "STOPPED"
    copy.ledger.cash_micros -= event.moved_micros
    follower.ledger.cash_micros += event.moved_micros
    follower.copying.pop(event.leader, None)
    state.totals.copies_active -= 1
    for symbol in event.kept:
        _hand_over(state, copy, follower, symbol, event.at_us)
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


DECIDERS: Deciders = {
    SetCopy: decide_set_copy,
    PauseCopy: decide_pause_copy,
    CloseOnlyCopy: decide_close_only_copy,
    ResumeCopy: decide_resume_copy,
    StopCopy: decide_stop_copy,
}
EVOLVERS: Evolvers = {
    CopySet: evolve_copy_set,
    CopyStatusChanged: evolve_copy_status_changed,
    CopyStopped: evolve_copy_stopped,
}
