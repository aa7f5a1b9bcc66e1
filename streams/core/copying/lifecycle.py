"""What a follower asks of a copy: start, patch, pause, close only, resume, resync, detach, stop.

The allocation is ring-fenced: it leaves the follower's account at the start and whatever is left
returns at the end. A stopped copy keeps its counts and can be started again. Copies form no
chains: who copies cannot be copied, and who is copied cannot copy.
"""

from __future__ import annotations

import msgspec

from streams.core.commands import (
    CloseCopyPosition,
    CloseOnlyCopy,
    PauseCopy,
    ResumeCopy,
    ResyncCopy,
    SetCopy,
    StopCopy,
)
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.charging import begin_fees, charge_copy
from streams.core.copying.copy_orders import leave_openings, note_orders
from streams.core.copying.gates import STATUS_CODES
from streams.core.copying.losses import add_row, rebase, shift
from streams.core.copying.pipeline import close_at_quote
from streams.core.copying.scopes import inherited
from streams.core.copying.settings import CHOICES, checked, named_changes
from streams.core.copying.statistics import begin_statistics, count_flow
from streams.core.copying.status import FOLLOWERS_CHOICE, change_status
from streams.core.copying.stopping import finish_stop
from streams.core.copying.sync import begin, begin_sync
from streams.core.events import CopySet, CopyStatusChanged
from streams.core.limits import (
    COPIERS_PER_LEADER_MAX,
    COPIES_PER_FOLLOWER_MAX,
    COPY_STEPS_PER_TICK_MAX,
)
from streams.core.money import format_money
from streams.core.network.standing import closed_trader
from streams.core.network.winding import may_copy
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import record_flow
from streams.core.reasons import Reason
from streams.core.state import Copy, CopySettings, State, Trader


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
        refusal = (
            _open_to(state, command.leader, ctx.principal)
            or _chain(state, command.leader, follower)
            or _room(state, command.leader, follower)
        )
        if refusal is not None:
            return refusal
    settings = _merged(state, copy, ctx.principal, command)
    if isinstance(settings, Refusal):
        return settings
    held = copy.settings.allocation_micros if copy and running else 0
    moved = settings.allocation_micros - held
    refusal = _affordable(follower, copy, moved)
    if refusal is not None:
        return refusal
    own = dict.fromkeys([*(copy.own_fields if copy else ()), *named_changes(command)])
    own.pop("allocation_micros", None)
    if copy is not None and running and moved < 0:
        charge_copy(ctx, copy, "withdrawal", copy.fees.charged_day, withdrawn_micros=-moved)
    ctx.emit(
        CopySet(
            follower=ctx.principal,
            leader=command.leader,
            settings=settings,
            version=copy.version + 1 if copy else 1,
            moved_micros=moved,
            equity_before_micros=ledger_equity(state, follower.ledger),
            at_us=ctx.time(0),
            fields=list(own),
        )
    )
    if not running:
        begin(ctx, state.copies[command.leader][ctx.principal])
    return command.leader


def _merged(
    state: State, copy: Copy | None, follower: str, command: SetCopy
) -> CopySettings | Refusal:
    """Return the settings after a patch: fields that it does not name stay as they are."""
    if copy is not None:
        before = copy.settings
    elif command.allocation_micros is None:
        return Refusal(Reason.INVALID_SETTINGS, "expected an allocation at the start", "allocation")
    else:
        plain = CopySettings(command.allocation_micros)
        before = inherited(state, command.leader, follower, plain)
    return checked(msgspec.structs.replace(before, **named_changes(command)))


def _chain(state: State, leader: str, follower: Trader) -> Refusal | None:
    if state.traders[leader].copying:
        return Refusal(
            Reason.LEADER_IS_COPY, "expected a leader who copies nobody, this one does", "leader"
        )
    copies = state.copies.get(follower.trader, {}).values()
    if any(copy.status != "STOPPED" for copy in copies):
        return Refusal(
            Reason.LEADER_IS_COPY, "expected a follower whom nobody copies, the caller is copied"
        )
    cause = state.copy_desk.suspended.get(leader)
    if cause is not None:
        return Refusal(Reason.LEADER_SUSPENDED, f"the leader is {cause}", "leader")
    return None


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
        copy.row = len(state.copy_desk.rows)
        state.copy_desk.rows.append((event.leader, event.follower))
        add_row(state.copy_desk.figures)
    copy.settings = event.settings
    copy.version = event.version
    copy.own_fields = dict.fromkeys(event.fields)
    copy.ledger.cash_micros += event.moved_micros
    follower.ledger.cash_micros -= event.moved_micros
    if copy.status == "STOPPED":
        copy.status = "PENDING"
        copy.started_at_us = event.at_us
        state.totals.copies_active += 1
        state.traders[event.leader].copiers += 1
        follower.copying[event.leader] = None
        rebase(state, copy, copy.ledger.cash_micros)
        begin_fees(state, copy, event.at_us)
        begin_statistics(state, copy, event.moved_micros)
    elif event.moved_micros:
        shift(state, copy, event.moved_micros)
        equity = ledger_equity(state, copy.ledger) - event.moved_micros
        count_flow(copy, equity, event.moved_micros)
    note_orders(state, copy)
    if event.moved_micros:
        before = event.equity_before_micros
        record_flow(follower.track, before, before - event.moved_micros)


def _running(ctx: Context, leader: str) -> Copy | Refusal:
    copy = find_copy(ctx.state, leader, ctx.principal)
    if copy is None:
        return Refusal(Reason.UNKNOWN_COPY, f"no copy of {leader}", "leader")
    if copy.status == "STOPPED":
        return Refusal(Reason.COPY_STOPPED, f"the copy of {leader} is stopped", "leader")
    return copy


def _choose(ctx: Context, leader: str, status: str) -> Decision:
    """Move between the states that are the follower's to choose."""
    copy = _running(ctx, leader)
    if isinstance(copy, Refusal):
        return copy
    if copy.status not in FOLLOWERS_CHOICE:
        code = STATUS_CODES[copy.status]
        return Refusal(code, f"the copy is {copy.status}, it cannot be made {status}", "leader")
    if copy.status != status:
        change_status(ctx, copy, status, "follower", "follower")
    return leader


def decide_pause_copy(ctx: Context, command: PauseCopy) -> Decision:
    """Skip openings until resumed."""
    return _choose(ctx, command.leader, "PAUSED")


def decide_close_only_copy(ctx: Context, command: CloseOnlyCopy) -> Decision:
    """Follow only closings."""
    return _choose(ctx, command.leader, "CLOSE_ONLY")


def decide_resume_copy(ctx: Context, command: ResumeCopy) -> Decision:
    """Follow openings again."""
    copy = _running(ctx, command.leader)
    if isinstance(copy, Refusal):
        return copy
    if copy.status in ("ACTIVE", "SYNCING"):
        return Refusal(Reason.COPY_NOT_PAUSED, f"the copy of {command.leader} is active", "leader")
    refusal = _open_to(ctx.state, command.leader, ctx.principal)
    if refusal is not None:
        return refusal
    cause = ctx.state.copy_desk.suspended.get(command.leader)
    if cause is not None:
        return Refusal(Reason.LEADER_SUSPENDED, f"the leader is {cause}", "leader")
    return _choose(ctx, command.leader, "ACTIVE")


def decide_resync_copy(ctx: Context, command: ResyncCopy) -> Decision:
    """Bring the positions to the leader's weights, a bounded number at once."""
    copy = _running(ctx, command.leader)
    if isinstance(copy, Refusal):
        return copy
    if copy.status not in ("ACTIVE", "SYNCING"):
        return Refusal(STATUS_CODES[copy.status], f"the copy is {copy.status}", "leader")
    begin_sync(ctx, copy, "follower", "resync")
    return command.leader


def decide_close_copy_position(ctx: Context, command: CloseCopyPosition) -> Decision:
    """Close one copied position by hand; the leader's leg in it is left."""
    copy = _running(ctx, command.leader)
    if isinstance(copy, Refusal):
        return copy
    if command.symbol not in copy.ledger.positions:
        return Refusal(
            Reason.NO_COPIED_POSITION, f"the copy holds nothing in {command.symbol}", "symbol"
        )
    close_at_quote(ctx, copy, command.symbol, "manual")
    if copy.orders and command.symbol in copy.detached:
        leave_openings(ctx, copy, command.symbol)
    return command.leader


def decide_stop_copy(ctx: Context, command: StopCopy) -> Decision:
    """End the relationship: keep its positions, close them, or wait for the leader's closings."""
    copy = _running(ctx, command.leader)
    if isinstance(copy, Refusal):
        return copy
    on_stop = command.on_stop or copy.settings.on_stop
    choices = CHOICES["on_stop"]
    if on_stop not in choices:
        expected = f"expected one of {', '.join(choices)}"
        return Refusal(Reason.INVALID_SETTINGS, f"{expected}, was {on_stop}", "on_stop")
    at_us = ctx.time(0)
    if on_stop == "close_now":
        for symbol in list(copy.ledger.positions)[:COPY_STEPS_PER_TICK_MAX]:
            close_at_quote(ctx, copy, symbol, "stop")
    if on_stop == "keep" or not copy.ledger.positions:
        finish_stop(ctx, copy, on_stop, at_us)
    else:
        ctx.emit(
            CopyStatusChanged(
                copy.follower, copy.leader, "STOPPING", on_stop, at_us, "follower", on_stop=on_stop
            )
        )
    return command.leader


DECIDERS: Deciders = {
    SetCopy: decide_set_copy,
    PauseCopy: decide_pause_copy,
    CloseOnlyCopy: decide_close_only_copy,
    ResumeCopy: decide_resume_copy,
    ResyncCopy: decide_resync_copy,
    CloseCopyPosition: decide_close_copy_position,
    StopCopy: decide_stop_copy,
}
EVOLVERS: Evolvers = {CopySet: evolve_copy_set}
