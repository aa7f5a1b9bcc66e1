"""Traders: how they come to be. What becomes of them afterwards is in `network`.

Invariants:
    * A trader's id never changes; a handle belongs to one trader, and stays with it.
    * Opening cash is an external flow: it is where the trader's record begins, not a return.
"""

from __future__ import annotations

import re

from streams.core.commands import RegisterTrader
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import TraderRegistered
from streams.core.limits import TRADERS_MAX
from streams.core.reasons import Reason
from streams.core.state import Ledger, State, Track, Trader


HANDLES_RESERVED = frozenset({"admin", "optix", "root", "security", "service", "support", "system"})
"""Handles that no account may take; the edge refuses them, a service may still use them."""

_HANDLE = re.compile(r"[a-z0-9_]{3,30}")


def unknown_trader(trader: str, field: str = "trader") -> Refusal:
    """Return the refusal of a trader who is not registered."""
    return Refusal(Reason.UNKNOWN_TRADER, f"expected a registered trader, was {trader!r}", field)


def check_handle(handle: str) -> Refusal | None:
    """Return the refusal of a handle outside the grammar: 3 to 30 of a-z, 0-9 and _."""
    if _HANDLE.fullmatch(handle):
        return None
    return Refusal(
        Reason.INVALID_SETTINGS, f"expected 3 to 30 of a-z, 0-9 and _, was {handle!r}", "handle"
    )


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
    refusal = check_handle(command.handle)
    if refusal is not None:
        return refusal
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


DECIDERS: Deciders = {RegisterTrader: decide_register_trader}
EVOLVERS: Evolvers = {TraderRegistered: evolve_trader_registered}
