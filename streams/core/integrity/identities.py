"""Accounts of one person: known to the edge, told to the core as an opaque identity.

Serial accounts are no crime and no trick that works: every account ever opened counts as a trial
(`leaderboard.trials`), and three of one identity are shown. An account that trades ahead of the
followers of another one of the same identity is front running.

Source: domain.md, section 5.
"""

from __future__ import annotations

from streams.core.commands import LinkIdentity
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import FillBooked, IdentityLinked
from streams.core.integrity.flags import raise_flag
from streams.core.limits import ACCOUNTS_PER_IDENTITY_MAX
from streams.core.reasons import Reason
from streams.core.sentiment.voices import mark_changed
from streams.core.state import State


SERIAL_ACCOUNTS_MIN = 3
"""Accounts of one identity that are shown as serial."""

AHEAD_US_MAX = 60_000_000
"""Time before a leader's opening in which a linked account may not open the same."""


def decide_link_identity(ctx: Context, command: LinkIdentity) -> Decision:
    """Say whose account it is.

    Checks in order: NOT_ALLOWED, UNKNOWN_TRADER, LIMIT_REACHED (accounts of one identity).
    """
    state = ctx.state
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services link identities")
    if command.trader not in state.traders:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {command.trader}", "trader")
    memory = state.integrity
    if memory.identity.get(command.trader) == command.identity:
        return command.trader
    accounts = memory.accounts.get(command.identity, [])
    if len(accounts) >= ACCOUNTS_PER_IDENTITY_MAX:
        return Refusal(
            Reason.LIMIT_REACHED,
            f"expected at most {ACCOUNTS_PER_IDENTITY_MAX} accounts of one identity, "
            f"were {len(accounts)}",
            "identity",
        )
    at_us = ctx.time(0)
    ctx.emit(IdentityLinked(command.trader, command.identity, at_us))
    linked = memory.accounts[command.identity]
    if len(linked) >= SERIAL_ACCOUNTS_MIN:
        for trader in linked:
            raise_flag(ctx, trader, "SERIAL_ACCOUNTS", {"accounts": len(linked)}, at_us)
    return command.trader


def evolve_identity_linked(state: State, event: IdentityLinked) -> None:
    """Move the account to its identity."""
    memory = state.integrity
    before = memory.identity.get(event.trader)
    if before is not None:
        memory.accounts[before].remove(event.trader)
    memory.identity[event.trader] = event.identity
    memory.accounts.setdefault(event.identity, []).append(event.trader)
    for symbol in state.spoken.get(event.trader, ()):
        # The voices of one person count as one, see `sentiment.tally`.
        mark_changed(state, symbol, state.sentiment[symbol])


def judge_front_running(ctx: Context, fill: FillBooked) -> None:
    """Raise `FRONT_RUNNING` when a linked account opened just before a copied leader did.

    Args:
        ctx: the command's context.
        fill: of a leader with followers, already booked.
    """
    memory = ctx.state.integrity
    identity = memory.identity.get(fill.trader)
    if identity is None or abs(fill.result.lots) <= abs(fill.result.lots_before):
        return
    for linked in memory.accounts[identity]:
        held = ctx.state.traders[linked].ledger.positions.get(fill.symbol)
        if linked == fill.trader or held is None or held.lots * fill.lots <= 0:
            continue
        ahead_us = fill.at_us - held.opened_at_us
        if 0 < ahead_us <= AHEAD_US_MAX:
            raise_flag(ctx, fill.trader, "FRONT_RUNNING", {"ahead_us": ahead_us}, fill.at_us)
            raise_flag(ctx, linked, "FRONT_RUNNING", {"ahead_us": ahead_us}, fill.at_us)


DECIDERS: Deciders = {LinkIdentity: decide_link_identity}
EVOLVERS: Evolvers = {IdentityLinked: evolve_identity_linked}
