"""What a `decide_*` function is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from streams.core.commands import Command
from streams.core.events import Event
from streams.core.reasons import Reason
from streams.core.state import State
from streams.core.valuation import Valuation


class Refusal(NamedTuple):
    """A command was refused: nothing changed.

    Attributes:
        reason: the first failing check.
        message: what was expected, for a person.
        field: the argument at fault, or empty.
    """

    reason: Reason
    message: str
    field: str = ""


Decision = Refusal | str
"""A refusal, or the id of what was made or touched (empty when there is none)."""


class Context:
    """The command's surroundings. One object serves all commands of a kernel in turn.

    Attributes:
        state: the state as every earlier event left it; read-only for `decide_*`.
        principal: id of the trader who asks (or the name of a service).
        privileged: the principal is a service of the node (feed, scheduler, executor).
        at_us: log time.
        offset: the command's offset as text, from which ids are made.
    """

    __slots__ = ("at_us", "made", "offset", "principal", "privileged", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.principal = ""
        self.privileged = False
        self.at_us = 0
        self.offset = ""
        self.made = 0

    def emit(self, event: Event) -> None:
        """Apply the event to the state at once and put it on record."""
        raise AssertionError(f"a kernel provides emit, {event!r} was given to a bare context")

    @property
    def valuation(self) -> Valuation:
        """Everybody's equity in arrays, see `valuation`; read-only."""
        raise AssertionError("a kernel provides the valuation, a bare context has none")

    def new_id(self, prefix: str) -> str:
        """Make an id from the offset: unique, equal on every node."""
        self.made += 1
        suffix = "" if self.made == 1 else f".{self.made}"
        return f"{prefix}_{self.offset}{suffix}"

    def actor(self, trader: str) -> str:
        """Return who acts: the principal, or the trader a service names."""
        return trader if trader and self.privileged else self.principal

    def time(self, at_us: int) -> int:
        """Return market time: what a service reported, else the market clock now."""
        if at_us and self.privileged:
            return at_us
        return self.state.market_at_us if self.state.recorded_market else self.at_us


Deciders = dict[type[Command], Callable[[Context, Any], Decision]]
"""Table of a module: command to its `decide_*`."""

Evolvers = dict[type[Event], Callable[[State, Any], None]]
"""Table of a module: event to its `evolve_*`."""
