"""The states of a copy and how it moves between them: always an event with actor and cause.

PENDING → SYNCING → ACTIVE ⇄ PAUSED, CLOSE_ONLY → STOPPING → STOPPED, and
ACTIVE → HALTED (a stop was hit, everything is closed) → COOLDOWN → ACTIVE.
Source: domain.md, section 4.6.
"""

from __future__ import annotations

from streams.core.context import Context, Evolvers
from streams.core.copying.copy_orders import drop_openings, note_orders
from streams.core.copying.losses import rebase
from streams.core.events import CopyStatusChanged
from streams.core.network.winding import may_copy
from streams.core.performance.equity import ledger_equity
from streams.core.state import Copy, State


WORKING = ("SYNCING", "HALTED")
"""States in which the copy has steps to do on ticks."""

FOLLOWERS_CHOICE = ("ACTIVE", "SYNCING", "PAUSED", "CLOSE_ONLY")
"""States between which the follower may choose."""


def change_status(ctx: Context, copy: Copy, status: str, actor: str, cause: str) -> None:
    """Move a copy to a state that needs nothing but its name."""
    ctx.emit(CopyStatusChanged(copy.follower, copy.leader, status, cause, ctx.time(0), actor=actor))


def begin_cooldown(ctx: Context, copy: Copy, cause: str) -> None:
    """Rest after a halt, flat, for as long as the settings say."""
    at_us = ctx.time(0)
    until_us = at_us + copy.settings.cooldown_ms * 1000
    ctx.emit(
        CopyStatusChanged(
            copy.follower, copy.leader, "COOLDOWN", cause, at_us, "clock", until_us=until_us
        )
    )


def end_cooldown(ctx: Context, copy: Copy) -> None:
    """Be active again, or follow closings of a leader who is no longer to be copied.

    The stops are measured from the equity that is left.
    """
    equity = ledger_equity(ctx.state, copy.ledger)
    suspended = ctx.state.copy_desk.suspended
    open_to = may_copy(ctx.state, copy.leader, copy.follower)
    ctx.emit(
        CopyStatusChanged(
            copy.follower,
            copy.leader,
            "ACTIVE" if open_to and copy.leader not in suspended else "CLOSE_ONLY",
            "cooldown_over",
            ctx.time(0),
            "clock",
            equity_micros=equity,
        )
    )


def evolve_copy_status_changed(state: State, event: CopyStatusChanged) -> None:
    """Set the state and what belongs to it."""
    copy = state.copies[event.leader][event.follower]
    desk, row, status = state.copy_desk, copy.row, event.status
    if copy.status == "COOLDOWN":
        rebase(state, copy, event.equity_micros)
    for waiting in (desk.work, desk.cooldowns, desk.breaches):
        waiting.pop(row, None)
    copy.status = status
    copy.failures = 0
    copy.stopping = event.on_stop
    copy.sync_left = dict.fromkeys(event.symbols)
    copy.cooldown_until_us = event.until_us
    if copy.orders and status != "ACTIVE":
        drop_openings(state, copy)
    if status in ("ACTIVE", "SYNCING"):
        note_orders(state, copy)
    if status in WORKING or event.on_stop == "close_now":
        desk.work[row] = None
    if status == "COOLDOWN":
        desk.cooldowns[row] = event.until_us


EVOLVERS: Evolvers = {CopyStatusChanged: evolve_copy_status_changed}
