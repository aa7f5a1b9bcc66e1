"""Who follows whom.

Invariants:
    * `following` of one and `followers` of the other say the same, in order of following.
    * Who stops following a leader whose signals are for followers copies only closings from
      then on: a copy would tell everything that the signals do.
    * The number of a trader's feed does not move when links change (`network.feed`).
"""

from __future__ import annotations

from streams.core.commands import FollowTrader, UnfollowTrader
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import CopyStatusChanged, TraderFollowed, TraderUnfollowed
from streams.core.limits import FOLLOWING_MAX
from streams.core.network.change import profile_for_change
from streams.core.network.feed import feed_seq, posts_seq
from streams.core.network.standing import closed_trader
from streams.core.network.winding import OPENING_NOTHING, may_copy
from streams.core.reasons import Reason
from streams.core.social import unknown_trader
from streams.core.state import State


def decide_follow_trader(ctx: Context, command: FollowTrader) -> Decision:
    """Follow another trader.

    Checks in order: UNKNOWN_TRADER (principal, then target), TRADER_CLOSED, SELF_FOLLOW,
    ALREADY_FOLLOWING, LIMIT_REACHED.
    """
    traders = ctx.state.traders
    follower, target = traders.get(ctx.principal), command.trader
    if follower is None:
        return unknown_trader(ctx.principal)
    if target not in traders:
        return unknown_trader(target)
    if target in ctx.state.closed_traders:
        return closed_trader(target)
    if target == ctx.principal:
        return Refusal(Reason.SELF_FOLLOW, "expected another trader, was yourself", "trader")
    if target in follower.following:
        return Refusal(Reason.ALREADY_FOLLOWING, f"{target} is already followed", "trader")
    if len(follower.following) >= FOLLOWING_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {FOLLOWING_MAX} followed traders")
    number = feed_seq(ctx.state, ctx.principal)
    ctx.emit(TraderFollowed(ctx.principal, target, ctx.time(0), number))
    return target


def evolve_trader_followed(state: State, event: TraderFollowed) -> None:
    """Link both traders; what the target posted before is not in the feed."""
    _note_feed(state, event, -posts_seq(state, event.target))
    state.traders[event.trader].following[event.target] = None
    state.traders[event.target].followers[event.trader] = None


def decide_unfollow_trader(ctx: Context, command: UnfollowTrader) -> Decision:
    """Stop following a trader; a copy that only followers may have follows only closings now.

    Checks in order: UNKNOWN_TRADER (principal, then target), NOT_FOLLOWING.
    """
    state = ctx.state
    follower, target = state.traders.get(ctx.principal), command.trader
    if follower is None:
        return unknown_trader(ctx.principal)
    if target not in state.traders:
        return unknown_trader(target)
    if target not in follower.following:
        return Refusal(Reason.NOT_FOLLOWING, f"{target} is not followed", "trader")
    at_us = ctx.time(0)
    ctx.emit(TraderUnfollowed(ctx.principal, target, at_us, feed_seq(state, ctx.principal)))
    copy = state.copies.get(target, {}).get(ctx.principal)
    shut = copy is not None and not may_copy(state, target, ctx.principal)
    if copy is not None and shut and copy.status not in OPENING_NOTHING:
        ctx.emit(CopyStatusChanged(ctx.principal, target, "CLOSE_ONLY", "unfollowed", at_us))
    return target


def evolve_trader_unfollowed(state: State, event: TraderUnfollowed) -> None:
    """Unlink both traders; what the target posted while it was followed stays counted."""
    _note_feed(state, event, posts_seq(state, event.target))
    state.traders[event.trader].following.pop(event.target, None)
    state.traders[event.target].followers.pop(event.trader, None)


def _note_feed(state: State, event: TraderFollowed | TraderUnfollowed, posts: int) -> None:
    profile = profile_for_change(state, event.trader)
    profile.feed_floor = event.feed_seq
    profile.feed_base += posts


DECIDERS: Deciders = {
    FollowTrader: decide_follow_trader,
    UnfollowTrader: decide_unfollow_trader,
}
EVOLVERS: Evolvers = {
    TraderFollowed: evolve_trader_followed,
    TraderUnfollowed: evolve_trader_unfollowed,
}
