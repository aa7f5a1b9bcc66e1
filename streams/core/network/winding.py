"""Winding down: the copies of a leader who left or shut its signals follow only closings.

A leader may have ten thousand copiers, so the work is spread: a bounded number at once, the rest
on ticks. `State.winding_down` names the leaders that are not through, with the cause.
"""

from __future__ import annotations

from streams.core.context import Context, Evolvers
from streams.core.events import CopiesWoundDown, CopyStatusChanged
from streams.core.limits import COPIES_WOUND_DOWN_PER_TICK_MAX
from streams.core.state import Copy, State


OPENING_NOTHING = ("CLOSE_ONLY", "HALTED", "COOLDOWN", "STOPPING", "STOPPED")
"""Statuses of a copy in which nothing is opened; what ends a cooldown asks `may_copy` again."""


def may_copy(state: State, leader_id: str, follower: str) -> bool:
    """Return whether a follower may open what the leader opens.

    Not once the leader has closed its account, nor when its signals are for its followers and
    this one is none of them.
    """
    leader = state.traders[leader_id]
    if leader_id in state.closed_traders:
        return False
    return leader.signals_access != "followers" or follower in leader.followers


def wind_down(ctx: Context) -> None:
    """Go on with the leaders that are not through; called by commands that begin it and by ticks.

    Changes at most `COPIES_WOUND_DOWN_PER_TICK_MAX` copies.
    """
    state = ctx.state
    if not state.winding_down:
        return
    room = COPIES_WOUND_DOWN_PER_TICK_MAX
    at_us = ctx.time(0)
    for leader, cause in list(state.winding_down.items()):
        found = [
            copy for copy in state.copies.get(leader, {}).values() if _goes_on(state, leader, copy)
        ]
        for copy in found[:room]:
            ctx.emit(CopyStatusChanged(copy.follower, leader, "CLOSE_ONLY", cause, at_us, "leader"))
        room -= len(found)
        if room < 0:
            return
        ctx.emit(CopiesWoundDown(leader, at_us))


def _goes_on(state: State, leader: str, copy: Copy) -> bool:
    return copy.status not in OPENING_NOTHING and not may_copy(state, leader, copy.follower)


def evolve_copies_wound_down(state: State, event: CopiesWoundDown) -> None:
    """The leader is through."""
    state.winding_down.pop(event.leader, None)


EVOLVERS: Evolvers = {CopiesWoundDown: evolve_copies_wound_down}
