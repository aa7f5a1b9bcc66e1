"""Flags: what a detector has found about a trader, and what follows from it.

| Level | What follows |
|--|--|
| `red` | left out of every board; followers are told |
| `amber` | left out of the composite board and of seasons; followers are told |
| `notice` | shown on the trader; followers are told |

Source: domain.md, section 5, "Anti-gaming".
"""

from __future__ import annotations

from streams.core.context import Context, Evolvers
from streams.core.events import FlagCleared, TraderFlagged
from streams.core.integrity_state import Flag
from streams.core.state import State


RED, AMBER, NOTICE = "red", "amber", "notice"

LEVELS = {
    "MARTINGALE": RED,
    "FRONT_RUNNING": RED,
    "DORMANT": AMBER,
    "OPEN_LOSSES": NOTICE,
    "STYLE_DRIFT": NOTICE,
    "SERIAL_ACCOUNTS": NOTICE,
}
"""Every flag with its level."""


def is_red(state: State, trader: str) -> bool:
    """Whether a trader is left out of every board."""
    return any(LEVELS[name] == RED for name in state.integrity.flags.get(trader, ()))


def is_excluded(state: State, trader: str) -> bool:
    """Whether a trader is left out of the composite board and of seasons."""
    return any(LEVELS[name] != NOTICE for name in state.integrity.flags.get(trader, ()))


def raise_flag(ctx: Context, trader: str, name: str, evidence: dict[str, int], at_us: int) -> None:
    """Emit that a detector has found something, unless the flag is up already."""
    if name not in ctx.state.integrity.flags.get(trader, ()):
        ctx.emit(TraderFlagged(trader, name, LEVELS[name], evidence, at_us))


def clear_flag(ctx: Context, trader: str, name: str, at_us: int) -> None:
    """Emit that what was found is no longer there, if the flag is up."""
    if name in ctx.state.integrity.flags.get(trader, ()):
        ctx.emit(FlagCleared(trader, name, LEVELS[name], at_us))


def evolve_trader_flagged(state: State, event: TraderFlagged) -> None:
    """Put the flag up."""
    flags = state.integrity.flags.setdefault(event.trader, {})
    flags[event.flag] = Flag(event.at_us, event.evidence)


def evolve_flag_cleared(state: State, event: FlagCleared) -> None:
    """Take the flag down."""
    flags = state.integrity.flags[event.trader]
    del flags[event.flag]
    if not flags:
        del state.integrity.flags[event.trader]


EVOLVERS: Evolvers = {TraderFlagged: evolve_trader_flagged, FlagCleared: evolve_flag_cleared}
