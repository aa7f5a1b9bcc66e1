"""Traders and who follows whom.

Invariants:
    * A handle belongs to one trader; a trader's id and handle never change.
    * `following` of one and `followers` of the other say the same, in order of following.
    * Opening cash is an external flow: it is where the trader's record begins, not a return.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from streams.core.commands import (
    Command,
    FollowTrader,
    RegisterTrader,
    UnfollowTrader,
    UpdateTrader,
)
from streams.core.context import Context, Decision, Refusal
from streams.core.events import (
    Event,
    TraderFollowed,
    TraderRegistered,
    TraderUnfollowed,
    TraderUpdated,
)
from streams.core.limits import FOLLOWING_MAX, TRADERS_MAX
from streams.core.reasons import Reason
from streams.core.state import Ledger, State, Track, Trader


SIGNALS_ACCESS = ("public", "followers")
"""Who may read a trader's signals."""

_HANDLE = re.compile(r"[a-z0-9_]{3,30}")


def unknown_trader(trader: str, field: str = "trader") -> Refusal:
    """Return the refusal of a trader who is not registered."""
    return Refusal(Reason.UNKNOWN_TRADER, f"expected a registered trader, was {trader!r}", field)


def decide_register_trader(ctx: Context, command: RegisterTrader) -> Decision:
    """Create a trader: the principal, or whoever a service names.

    Checks in order: NOT_ALLOWED, INVALID_SETTINGS (a handle outside the grammar), TRADER_EXISTS,
    HANDLE_TAKEN, LIMIT_REACHED.
    """
    state = ctx.state
    if command.trader != ctx.principal and not ctx.privileged:
        return Refusal(
            Reason.NOT_ALLOWED, f"expected {ctx.principal}, was {command.trader}", "trader"
        )
    if not _HANDLE.fullmatch(command.handle):
        return Refusal(
            Reason.INVALID_SETTINGS,
            f"expected 3 to 30 of a-z, 0-9 and _, was {command.handle!r}",
            "handle",
        )
    if command.trader in state.traders:
        return Refusal(
            Reason.TRADER_EXISTS, f"expected a new trader, {command.trader} exists", "trader"
        )
    if command.handle in state.handles:
        return Refusal(
            Reason.HANDLE_TAKEN, f"expected a free handle, {command.handle} is taken", "handle"
        )
    if len(state.traders) >= TRADERS_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {TRADERS_MAX} traders")
    ctx.emit(
        TraderRegistered(
            trader=command.trader,
            handle=command.handle,
            name=command.name,
            origin=command.origin,
            cash_micros=command.cash_micros,
            at_us=ctx.time(command.at_us),
        )
    )
    return command.trader


def evolve_trader_registered(state: State, event: TraderRegistered) -> None:
    """Add the trader with the opening cash as first flow."""
    state.handles[event.handle] = event.trader
    state.traders[event.trader] = Trader(
        trader=event.trader,
        handle=event.handle,
        name=event.name,
        origin=event.origin,
        joined_at_us=event.at_us,
        ledger=Ledger(cash_micros=event.cash_micros),
        track=Track(base_micros=event.cash_micros),
    )


def decide_update_trader(ctx: Context, command: UpdateTrader) -> Decision:
    """Patch the principal's public profile.

    Checks in order: UNKNOWN_TRADER, INVALID_SETTINGS.
    """
    if ctx.principal not in ctx.state.traders:
        return unknown_trader(ctx.principal)
    access = command.signals_access
    if access is not None and access not in SIGNALS_ACCESS:
        return Refusal(
            Reason.INVALID_SETTINGS,
            f"expected one of {', '.join(SIGNALS_ACCESS)}, was {access!r}",
            "signals_access",
        )
    ctx.emit(TraderUpdated(ctx.principal, command.name, command.bio, access, at_us=ctx.time(0)))
    return ctx.principal


def evolve_trader_updated(state: State, event: TraderUpdated) -> None:
    """Set the fields that are given."""
    trader = state.traders[event.trader]
    if event.name is not None:
        trader.name = event.name
    if event.bio is not None:
        trader.bio = event.bio
    if event.signals_access is not None:
        trader.signals_access = event.signals_access


def decide_follow_trader(ctx: Context, command: FollowTrader) -> Decision:
    """Follow another trader.

    Checks in order: UNKNOWN_TRADER (principal, then target), SELF_FOLLOW, ALREADY_FOLLOWING,
    LIMIT_REACHED.
    """
    traders = ctx.state.traders
    follower, target = traders.get(ctx.principal), command.trader
    if follower is None:
        return unknown_trader(ctx.principal)
    if target not in traders:
        return unknown_trader(target)
    if target == ctx.principal:
        return Refusal(Reason.SELF_FOLLOW, "expected another trader, was yourself", "trader")
    if target in follower.following:
        return Refusal(Reason.ALREADY_FOLLOWING, f"{target} is already followed", "trader")
    if len(follower.following) >= FOLLOWING_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {FOLLOWING_MAX} followed traders")
    ctx.emit(TraderFollowed(ctx.principal, target, ctx.time(0)))
    return target


def evolve_trader_followed(state: State, event: TraderFollowed) -> None:
    """Link both traders."""
    state.traders[event.trader].following[event.target] = None
    state.traders[event.target].followers[event.trader] = None


def decide_unfollow_trader(ctx: Context, command: UnfollowTrader) -> Decision:
    """Stop following a trader.

    Checks in order: UNKNOWN_TRADER (principal, then target), NOT_FOLLOWING.
    """
    traders = ctx.state.traders
    follower, target = traders.get(ctx.principal), command.trader
    if follower is None:
        return unknown_trader(ctx.principal)
    if target not in traders:
        return unknown_trader(target)
    if target not in follower.following:
        return Refusal(Reason.NOT_FOLLOWING, f"{target} is not followed", "trader")
    ctx.emit(TraderUnfollowed(ctx.principal, target, ctx.time(0)))
    return target


def evolve_trader_unfollowed(state: State, event: TraderUnfollowed) -> None:
    """Unlink both traders."""
    state.traders[event.trader].following.pop(event.target, None)
    state.traders[event.target].followers.pop(event.trader, None)


DECIDERS: dict[type[Command], Callable[..., Decision]] = {
    RegisterTrader: decide_register_trader,
    UpdateTrader: decide_update_trader,
    FollowTrader: decide_follow_trader,
    UnfollowTrader: decide_unfollow_trader,
}

EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    TraderRegistered: evolve_trader_registered,
    TraderUpdated: evolve_trader_updated,
    TraderFollowed: evolve_trader_followed,
    TraderUnfollowed: evolve_trader_unfollowed,
}
