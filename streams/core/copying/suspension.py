"""Leaders whom nobody may copy for now, and the switch that stops all copied openings.

The gates ask both for every signal, so they hold from the next one on; the copies of a suspended
leader are made CLOSE_ONLY one after the other on the ticks that follow (see `upkeep`).
Source: domain.md, sections 4.4 (stage 2) and 4.5 (liquidated, suspended, account deleted).
"""

from __future__ import annotations

from streams.core.commands import ReinstateLeader, SetKillSwitch, SuspendLeader
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.scopes import review
from streams.core.events import KillSwitchSet, LeaderReinstated, LeaderSuspended
from streams.core.reasons import Reason
from streams.core.state import State


CAUSES = ("suspended", "liquidated", "closed")


def suspend_leader(ctx: Context, trader: str, cause: str, at_us: int) -> None:
    """Let nobody open after a leader any more; nothing happens when that is so already."""
    if trader not in ctx.state.copy_desk.suspended:
        ctx.emit(LeaderSuspended(trader, cause, at_us))


def decide_suspend_leader(ctx: Context, command: SuspendLeader) -> Decision:
    """Suspend.

    Checks in order: NOT_ALLOWED, UNKNOWN_TRADER, INVALID_SETTINGS, ALREADY_SUSPENDED.
    """
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services suspend a leader")
    if command.trader not in ctx.state.traders:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {command.trader}", "trader")
    if command.cause not in CAUSES:
        expected = f"expected one of {', '.join(CAUSES)}"
        return Refusal(Reason.INVALID_SETTINGS, f"{expected}, was {command.cause}", "cause")
    if command.trader in ctx.state.copy_desk.suspended:
        return Refusal(Reason.ALREADY_SUSPENDED, f"{command.trader} is suspended", "trader")
    suspend_leader(ctx, command.trader, command.cause, ctx.time(0))
    return command.trader


def decide_reinstate_leader(ctx: Context, command: ReinstateLeader) -> Decision:
    """End a suspension. Checks in order: NOT_ALLOWED, NOT_SUSPENDED."""
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services reinstate a leader")
    if command.trader not in ctx.state.copy_desk.suspended:
        return Refusal(Reason.NOT_SUSPENDED, f"{command.trader} is not suspended", "trader")
    ctx.emit(LeaderReinstated(command.trader, ctx.time(0)))
    return command.trader


def decide_set_kill_switch(ctx: Context, command: SetKillSwitch) -> Decision:
    """Stop all copied openings, or let them go on."""
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services use the kill switch")
    cause = (command.cause or "operator") if command.on else ""
    if cause != ctx.state.copy_desk.kill_switch:
        ctx.emit(KillSwitchSet(cause, ctx.time(0)))
    return ""


def evolve_leader_suspended(state: State, event: LeaderSuspended) -> None:
    """Note the suspension and have the copies looked through."""
    state.copy_desk.suspended[event.trader] = event.cause
    review(state, event.trader)


def evolve_leader_reinstated(state: State, event: LeaderReinstated) -> None:
    """Forget the suspension."""
    del state.copy_desk.suspended[event.trader]


def evolve_kill_switch_set(state: State, event: KillSwitchSet) -> None:
    """Set the switch; copies that could not begin are looked through when it is off again."""
    state.copy_desk.kill_switch = event.cause
    if not event.cause:
        for leader in state.copies:
            review(state, leader)


DECIDERS: Deciders = {
    SuspendLeader: decide_suspend_leader,
    ReinstateLeader: decide_reinstate_leader,
    SetKillSwitch: decide_set_kill_switch,
}
EVOLVERS: Evolvers = {
    LeaderSuspended: evolve_leader_suspended,
    LeaderReinstated: evolve_leader_reinstated,
    KillSwitchSet: evolve_kill_switch_set,
}
