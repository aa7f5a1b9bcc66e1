"""Settings that hold for many copies: platform, leader, portfolio, relationship.

Filters add up: an opening must pass those of every scope, from the moment they are set. Values
override: the relationship's own, else its portfolio's, the leader's, the platform's, the default.
A value set above reaches running copies as a new version of their settings, a bounded number in
each tick (see `upkeep`).
Source: domain.md, section 4.3 (scope inheritance).
"""

from __future__ import annotations

import msgspec

from streams.core.commands import SetCopyScope
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.filters import FILTERS, PASSED, failing_rank
from streams.core.copying.settings import checked, named_changes
from streams.core.copying.signal import Signal
from streams.core.events import CopyScopeSet
from streams.core.reasons import Reason
from streams.core.state import Copy, CopyScope, CopySettings, Instrument, State


PLATFORM = "platform"

PLAIN = CopySettings(allocation_micros=1)
"""Every setting at its default; a scope has no allocation of its own."""


def scope_names(leader: str, follower: str) -> tuple[str, str, str]:
    """Return the scopes above a relationship, widest first."""
    return PLATFORM, f"leader:{leader}", f"portfolio:{follower}"


def inherited(state: State, leader: str, follower: str, own: CopySettings) -> CopySettings:
    """Return settings that are the defaults with the values of the scopes above over them.

    Args:
        state: read only.
        leader: who is copied.
        follower: who copies.
        own: settings whose allocation and filters are kept.
    """
    values = {name: getattr(own, name) for name in ("allocation_micros", *FILTERS)}
    for name in scope_names(leader, follower):
        scope = state.copy_desk.scopes.get(name)
        if scope is not None:
            for field in scope.fields:
                if field not in FILTERS:
                    values[field] = getattr(scope.settings, field)
    return CopySettings(**values)


def resolved(state: State, copy: Copy) -> CopySettings:
    """Return the settings that a copy should have now: its own fields over the inherited ones."""
    settings = inherited(state, copy.leader, copy.follower, copy.settings)
    own = {name: getattr(copy.settings, name) for name in copy.own_fields}
    return msgspec.structs.replace(settings, **own)


def scopes_rank(state: State, signal: Signal, copy: Copy, instrument: Instrument, side: int) -> int:
    """Return the rank of the first filter of the scopes above that fails, or `PASSED`."""
    scopes = state.copy_desk.scopes
    shared = signal.ranks.get(side) if instrument is signal.instrument else None
    if shared is None:
        shared = PASSED
        for name in (PLATFORM, f"leader:{copy.leader}"):
            scope = scopes.get(name)
            if scope is not None:
                shared = min(shared, failing_rank(scope.settings, instrument, side, signal))
        if instrument is signal.instrument:
            signal.ranks[side] = shared
    portfolio = scopes.get(f"portfolio:{copy.follower}")
    if portfolio is None:
        return shared
    return min(shared, failing_rank(portfolio.settings, instrument, side, signal))


def decide_set_copy_scope(ctx: Context, command: SetCopyScope) -> Decision:
    """Patch the settings of a scope; each result is a version.

    Checks in order: NOT_ALLOWED, UNKNOWN_TRADER, INVALID_SETTINGS.
    """
    if command.scope == PLATFORM:
        if not ctx.privileged:
            return Refusal(Reason.NOT_ALLOWED, "only services set the platform's scope", "scope")
        name = PLATFORM
    elif command.scope in ("leader", "portfolio"):
        if ctx.principal not in ctx.state.traders:
            return Refusal(Reason.UNKNOWN_TRADER, f"no trader {ctx.principal}")
        name = f"{command.scope}:{ctx.principal}"
    else:
        expected = "expected platform, leader or portfolio"
        return Refusal(Reason.INVALID_SETTINGS, f"{expected}, was {command.scope}", "scope")
    if command.patch.allocation_micros is not None:
        return Refusal(
            Reason.INVALID_SETTINGS, "expected no allocation: each copy has its own", "allocation"
        )
    before = ctx.state.copy_desk.scopes.get(name)
    changes = named_changes(command.patch)
    settings = checked(msgspec.structs.replace(before.settings if before else PLAIN, **changes))
    if isinstance(settings, Refusal):
        return settings
    fields = list(dict.fromkeys([*(before.fields if before else ()), *changes]))
    version = before.version + 1 if before else 1
    ctx.emit(CopyScopeSet(name, settings, fields, version, ctx.time(0)))
    return name


def evolve_copy_scope_set(state: State, event: CopyScopeSet) -> None:
    """Store the scope and have the copies below it looked through."""
    desk = state.copy_desk
    desk.scopes[event.scope] = CopyScope(event.version, event.settings, dict.fromkeys(event.fields))
    kind, _, trader = event.scope.partition(":")
    if kind == "leader":
        review(state, trader)
    elif kind == "portfolio":
        for leader in state.traders[trader].copying:
            review(state, leader)
    else:
        for leader in state.copies:
            review(state, leader)


def review(state: State, leader: str) -> None:
    """Have the copies of a leader looked through from the first. Called by `evolve_*` only."""
    if leader in state.copies:
        state.copy_desk.reviews[leader] = 0


DECIDERS: Deciders = {SetCopyScope: decide_set_copy_scope}
EVOLVERS: Evolvers = {CopyScopeSet: evolve_copy_scope_set}
