"""What copies need as time passes: stops, cooldowns, unfinished work, reviews, drift.

Runs after each tick, does a bounded number of steps, and does nothing while there is no copy. What
does not fit waits for the next tick in its queue, which is state.
"""

from __future__ import annotations

from itertools import islice

from streams.core.context import Context, Evolvers
from streams.core.copying.drift import measure_drifts
from streams.core.copying.levels import follow_edits
from streams.core.copying.losses import day_code, loss_level_bps, stop_code
from streams.core.copying.mirror import follow_orders, meet_copy_orders
from streams.core.copying.pipeline import close_at_quote, open_due
from streams.core.copying.scopes import resolved
from streams.core.copying.status import begin_cooldown, change_status, end_cooldown
from streams.core.copying.sync import begin, sync_some
from streams.core.copying.top_ups import tell_top_ups
from streams.core.events import CopiesReviewed, CopyLimitReached, CopySet
from streams.core.limits import COPY_STEPS_PER_TICK_MAX
from streams.core.market_clock import day_of
from streams.core.performance.equity import ledger_equity
from streams.core.reasons import Reason
from streams.core.state import Copy, State


def look_after_copies(ctx: Context, *, second: bool) -> None:
    """Do what is due, at most `COPY_STEPS_PER_TICK_MAX` steps of it.

    Args:
        ctx: the tick's context.
        second: the tick is the first of its second.
    """
    desk = ctx.state.copy_desk
    if not desk.rows:
        return
    budget = COPY_STEPS_PER_TICK_MAX
    if second:
        _end_cooldowns(ctx)
        meet_copy_orders(ctx, list(desk.order_books), again=True)
    measure_drifts(ctx)
    budget -= _follow(ctx, budget)
    for row in list(islice(desk.breaches, budget)):
        _act(ctx, _copy(ctx.state, row))
        budget -= 1
    for row in list(islice(desk.work, budget)):
        budget -= _work(ctx, _copy(ctx.state, row), max(budget, 1))
        if budget <= 0:
            return
    if desk.reviews and budget > 0:
        _review(ctx, budget)


def _follow(ctx: Context, budget: int) -> int:
    """Do what leaders gave cause for; return how much of the budget that took."""
    desk = ctx.state.copy_desk
    if desk.untold:
        tell_top_ups(ctx)
    if desk.level_edits:
        follow_edits(ctx, budget)
    if desk.order_edits:
        follow_orders(ctx, budget)
    return open_due(ctx, budget) if desk.delays else 0


def _copy(state: State, row: int) -> Copy:
    leader, follower = state.copy_desk.rows[row]
    return state.copies[leader][follower]


def _end_cooldowns(ctx: Context) -> None:
    cooldowns, now_us = ctx.state.copy_desk.cooldowns, ctx.time(0)
    over = [row for row, until_us in cooldowns.items() if until_us <= now_us]
    for row in over[:COPY_STEPS_PER_TICK_MAX]:
        end_cooldown(ctx, _copy(ctx.state, row))


def _act(ctx: Context, copy: Copy) -> None:
    """Hold a copy exactly against the limits that the arrays say it has passed."""
    state, at_us = ctx.state, ctx.time(0)
    equity = ledger_equity(state, copy.ledger)
    code = stop_code(state, copy, equity)
    if code is not None:
        change_status(ctx, copy, "HALTED", "risk", code.value)
        return
    level = loss_level_bps(copy, equity)
    if level:
        _tell(ctx, copy, Reason.LOSS_LEVEL, equity, level)
    if copy.blocked_code and copy.blocked_day == day_of(at_us):
        return
    code = day_code(state, copy, equity)
    if code is not None:
        _tell(ctx, copy, code, equity, 0)


def _tell(ctx: Context, copy: Copy, code: Reason, value: int, level_bps: int) -> None:
    ctx.emit(
        CopyLimitReached(copy.follower, copy.leader, code.value, value, level_bps, ctx.time(0))
    )


def _work(ctx: Context, copy: Copy, budget: int) -> int:
    """Do steps of a copy that is syncing, halted or stopping; return how many."""
    if copy.status == "SYNCING":
        return sync_some(ctx, copy, budget)
    leg = "halt" if copy.status == "HALTED" else "stop"
    closing = list(copy.ledger.positions)[:budget]
    for symbol in closing:
        close_at_quote(ctx, copy, symbol, leg)
    if copy.status == "HALTED" and not copy.ledger.positions:
        begin_cooldown(ctx, copy, "halted")
    return len(closing) + 1


def _review(ctx: Context, budget: int) -> None:
    """Look through some copies of the first leader that is waiting."""
    desk = ctx.state.copy_desk
    leader, first = next(iter(desk.reviews.items()))
    copies = list(islice(ctx.state.copies[leader].values(), first, first + budget))
    for copy in copies:
        _bring_up_to_date(ctx, copy)
    reached = first + budget if len(copies) == budget else -1
    ctx.emit(CopiesReviewed(leader, reached, ctx.time(0)))


def _bring_up_to_date(ctx: Context, copy: Copy) -> None:
    if copy.status == "STOPPED":
        return
    state = ctx.state
    cause = state.copy_desk.suspended.get(copy.leader)
    if cause is not None and copy.status in ("PENDING", "SYNCING", "ACTIVE", "PAUSED"):
        change_status(ctx, copy, "CLOSE_ONLY", "leader", f"leader_{cause}")
    elif copy.status == "PENDING":
        begin(ctx, copy)
    settings = resolved(state, copy)
    if settings != copy.settings:
        ctx.emit(
            CopySet(
                follower=copy.follower,
                leader=copy.leader,
                settings=settings,
                version=copy.version + 1,
                moved_micros=0,
                equity_before_micros=0,
                at_us=ctx.time(0),
                fields=list(copy.own_fields),
                cause="scope",
            )
        )


def evolve_copies_reviewed(state: State, event: CopiesReviewed) -> None:
    """Go on from here, or be done."""
    if event.reached < 0:
        del state.copy_desk.reviews[event.leader]
    else:
        state.copy_desk.reviews[event.leader] = event.reached


def evolve_copy_limit_reached(state: State, event: CopyLimitReached) -> None:
    """Remember what the follower was told; a daily limit blocks openings for its day."""
    copy = state.copies[event.leader][event.follower]
    if event.code == Reason.LOSS_LEVEL.value:
        copy.told_loss_bps = event.level_bps
    elif event.code != Reason.DRIFT.value:
        copy.blocked_code, copy.blocked_day = event.code, day_of(event.at_us)
    state.copy_desk.breaches.pop(copy.row, None)


EVOLVERS: Evolvers = {
    CopiesReviewed: evolve_copies_reviewed,
    CopyLimitReached: evolve_copy_limit_reached,
}
