"""Standing of a trader: verified by an administrator, or closed for good.

Invariants:
    * A closed account keeps its handle and its record: it stays in every denominator and on
      every board that counts it. It acts no more: the kernel refuses whatever it asks.
    * What it said is hidden by the views (`view.objects`), not forgotten by the record.
    * Who copied it is left with copies that only close, and is told.
"""

from __future__ import annotations

from streams.core.commands import CloseTrader, VerifyTrader
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import CopyStatusChanged, OrderCancelled, TraderClosed, TraderVerified
from streams.core.network.change import profile_for_change
from streams.core.network.winding import OPENING_NOTHING, wind_down
from streams.core.reasons import Reason
from streams.core.social import unknown_trader
from streams.core.state import State, Trader


def decide_verify_trader(ctx: Context, command: VerifyTrader) -> Decision:
    """Vouch for a trader, or no longer.

    Checks in order: NOT_ALLOWED, UNKNOWN_TRADER, TRADER_CLOSED, INVALID_SETTINGS (no reason).
    """
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only administrators verify traders")
    trader = ctx.state.traders.get(command.trader)
    if trader is None:
        return unknown_trader(command.trader)
    if command.trader in ctx.state.closed_traders:
        return closed_trader(command.trader)
    if not command.reason:
        return Refusal(Reason.INVALID_SETTINGS, "expected a reason, was none", "reason")
    if trader.verified != command.verified:
        ctx.emit(
            TraderVerified(command.trader, command.verified, command.reason, at_us=ctx.time(0))
        )
    return command.trader


def closed_trader(trader: str, field: str = "trader") -> Refusal:
    """Return the refusal of a trader whose account is closed."""
    return Refusal(Reason.TRADER_CLOSED, f"expected an open account, {trader} is closed", field)


def evolve_trader_verified(state: State, event: TraderVerified) -> None:
    """Set the mark, and remember when and why."""
    state.traders[event.trader].verified = event.verified
    profile = profile_for_change(state, event.trader)
    profile.verified_at_us = event.at_us
    profile.verified_reason = event.reason


def decide_close_trader(ctx: Context, command: CloseTrader) -> Decision:
    """Close an account: cancel its orders, let its own copies and those of it only close.

    Checks in order: UNKNOWN_TRADER, TRADER_CLOSED.
    """
    trader_id = ctx.actor(command.trader)
    trader = ctx.state.traders.get(trader_id)
    if trader is None:
        return unknown_trader(trader_id)
    if trader_id in ctx.state.closed_traders:
        return closed_trader(trader_id)
    at_us = ctx.time(0)
    for order_id in list(trader.orders):
        order = ctx.state.orders[order_id]
        ctx.emit(OrderCancelled(order_id, trader_id, order.symbol, "TRADER_CLOSED", at_us))
    _leave_leaders(ctx, trader, at_us)
    ctx.emit(TraderClosed(trader_id, command.reason, at_us))
    wind_down(ctx)
    return trader_id


def _leave_leaders(ctx: Context, follower: Trader, at_us: int) -> None:
    for leader in follower.copying:
        copy = ctx.state.copies[leader][follower.trader]
        if copy.status not in OPENING_NOTHING:
            ctx.emit(
                CopyStatusChanged(
                    follower.trader, leader, "CLOSE_ONLY", "follower_closed", at_us=at_us
                )
            )


def evolve_trader_closed(state: State, event: TraderClosed) -> None:
    """Close the account; its copies are wound down from now on."""
    profile = profile_for_change(state, event.trader)
    profile.closed_at_us = event.at_us
    profile.closed_reason = event.reason
    state.closed_traders[event.trader] = None
    if state.copies.get(event.trader):
        state.winding_down[event.trader] = "leader_closed"


DECIDERS: Deciders = {VerifyTrader: decide_verify_trader, CloseTrader: decide_close_trader}
EVOLVERS: Evolvers = {
    TraderVerified: evolve_trader_verified,
    TraderClosed: evolve_trader_closed,
}
