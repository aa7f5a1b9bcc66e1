"""The public profile, patched field by field, and the handles of a trader.

Invariants:
    * A patch replaces the fields it names and no other.
    * A handle once taken leads to its trader for ever: nobody can pick up a former one and pose
      as its owner, and links in old texts stay good.
"""

from __future__ import annotations

from streams.core.commands import UpdateTrader
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import HandleChanged, TraderUpdated
from streams.core.limits import HANDLE_AGE_US_MIN, HANDLES_PER_TRADER_MAX
from streams.core.network.change import profile_for_change
from streams.core.network.winding import wind_down
from streams.core.profile_state import FormerHandle
from streams.core.reasons import Reason
from streams.core.social import check_handle, unknown_trader
from streams.core.state import State, Trader


SIGNALS_ACCESS = ("public", "followers")
"""Who may read a trader's signals."""

DAY_US = 24 * 3600 * 1_000_000


def decide_update_trader(ctx: Context, command: UpdateTrader) -> Decision:
    """Patch the principal's public profile; a patch that changes nothing is taken quietly.

    Checks in order: UNKNOWN_TRADER, INVALID_SETTINGS (access, then the handle's grammar),
    HANDLE_TAKEN, HANDLE_TOO_SOON, LIMIT_REACHED (handles of one trader).
    """
    trader = ctx.state.traders.get(ctx.principal)
    if trader is None:
        return unknown_trader(ctx.principal)
    access = command.signals_access
    if access is not None and access not in SIGNALS_ACCESS:
        return Refusal(
            Reason.INVALID_SETTINGS,
            f"expected one of {', '.join(SIGNALS_ACCESS)}, was {access!r}",
            "signals_access",
        )
    handle = command.handle
    renamed = handle is not None and handle != trader.handle
    if handle is not None and renamed:
        refusal = _check_change(ctx, trader, handle)
        if refusal is not None:
            return refusal
    given = (command.name, command.bio, access, command.links, command.tags)
    if any(field is not None for field in given):
        ctx.emit(
            TraderUpdated(
                trader=ctx.principal,
                name=command.name,
                bio=command.bio,
                signals_access=access,
                at_us=ctx.time(0),
                links=command.links,
                tags=command.tags,
            )
        )
    if handle is not None and renamed:
        ctx.emit(HandleChanged(ctx.principal, handle, trader.handle, ctx.at_us))
    wind_down(ctx)
    return ctx.principal


def _check_change(ctx: Context, trader: Trader, handle: str) -> Refusal | None:
    refusal = check_handle(handle)
    if refusal is not None:
        return refusal
    owner = ctx.state.handles.get(handle, trader.trader)
    if owner != trader.trader:
        return Refusal(Reason.HANDLE_TAKEN, f"expected a free handle, {handle} is taken", "handle")
    since = trader.about.handle_since_us
    if since and ctx.at_us - since < HANDLE_AGE_US_MIN:
        days = (since + HANDLE_AGE_US_MIN - ctx.at_us) // DAY_US + 1
        return Refusal(
            Reason.HANDLE_TOO_SOON,
            f"expected a handle kept {HANDLE_AGE_US_MIN // DAY_US} days, {days} are missing",
            "handle",
        )
    known = handle in ctx.state.handles
    if not known and len(trader.about.former_handles) + 2 > HANDLES_PER_TRADER_MAX:
        return Refusal(
            Reason.LIMIT_REACHED, f"expected at most {HANDLES_PER_TRADER_MAX} handles", "handle"
        )
    return None


def evolve_trader_updated(state: State, event: TraderUpdated) -> None:
    """Set the fields that are given; signals that are shut leave copies to be wound down."""
    trader = state.traders[event.trader]
    if event.name is not None:
        trader.name = event.name
    if event.bio is not None:
        trader.bio = event.bio
    if event.signals_access is not None:
        trader.signals_access = event.signals_access
        if event.signals_access == "followers" and state.copies.get(event.trader):
            state.winding_down.setdefault(event.trader, "followers_only")
    if event.links is not None:
        profile_for_change(state, event.trader).links = event.links
    if event.tags is not None:
        profile_for_change(state, event.trader).tags = event.tags


def evolve_handle_changed(state: State, event: HandleChanged) -> None:
    """Take the new handle and keep the former one as a way to the trader. Times are log time."""
    profile = profile_for_change(state, event.trader)
    kept = [each for each in profile.former_handles if each.handle != event.handle]
    kept.append(FormerHandle(event.former, event.at_us))
    profile.former_handles = kept
    profile.handle_since_us = event.at_us
    state.traders[event.trader].handle = event.handle
    state.handles[event.handle] = event.trader


DECIDERS: Deciders = {UpdateTrader: decide_update_trader}
EVOLVERS: Evolvers = {
    TraderUpdated: evolve_trader_updated,
    HandleChanged: evolve_handle_changed,
}
