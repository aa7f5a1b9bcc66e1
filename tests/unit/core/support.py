"""A desk at which rules are tried without a kernel: it decides, applies events and keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streams.core import ideas, instruments, messages, network, sentiment, social
from streams.core.commands import Command, MarkRow, PublishMarks, RegisterInstrument, RegisterTrader
from streams.core.context import Context, Refusal
from streams.core.events import DayClosed, Event
from streams.core.money import Step
from streams.core.state import State


DECIDERS: dict[type[Command], Callable[..., Any]] = {
    **instruments.DECIDERS,
    **social.DECIDERS,
    **network.DECIDERS,
    **ideas.DECIDERS,
    **messages.DECIDERS,
}
EVOLVERS: dict[type[Event], Callable[..., None]] = {
    **instruments.EVOLVERS,
    **social.EVOLVERS,
    **network.EVOLVERS,
    **ideas.EVOLVERS,
    **messages.EVOLVERS,
    **sentiment.EVOLVERS,
    DayClosed: lambda state, event: None,
}

SERVICE = "feed"
"""The principal that acts with privileges."""

START_US = 1_769_947_200_000_000
"""2026-02-01T12:00:00Z."""


class Desk(Context):
    """A context that applies events at once and counts commands as offsets."""

    __slots__ = ("commands", "events", "result")

    def __init__(self, state: State | None = None) -> None:
        super().__init__(state or State())
        self.events: list[Event] = []
        self.commands = 0
        self.result = ""
        self.at_us = START_US

    def emit(self, event: Event) -> None:
        EVOLVERS[type(event)](self.state, event)
        self.events.append(event)

    def refusal(self, principal: str, command: Command) -> Refusal | None:
        """Execute a command; a refused one must have changed nothing."""
        self.commands += 1
        self.made = 0
        self.principal, self.privileged = principal, principal == SERVICE
        self.offset = str(self.commands)
        before, emitted = msgspec.msgpack.encode(self.state), len(self.events)
        decision = DECIDERS[type(command)](self, command)
        if isinstance(decision, Refusal):
            assert before == msgspec.msgpack.encode(self.state)
            assert emitted == len(self.events)
            assert decision.message
            return decision
        self.result = decision
        return None

    def code(self, principal: str, command: Command) -> str:
        """Execute a command and return its reason code."""
        refusal = self.refusal(principal, command)
        return "OK" if refusal is None else refusal.reason.value

    def do(self, principal: str, command: Command) -> str:
        """Execute a command that must succeed and return what it made."""
        assert self.refusal(principal, command) is None
        return self.result


def desk(*traders: str, quoted: bool = True) -> Desk:
    """Return a desk with BTC (tick 0.5, lot 0.001), ETH (tick 0.01) and the traders."""
    made = Desk()
    made.do(SERVICE, RegisterInstrument("BTC", "Bitcoin", "hl", "perp", Step(5, 1), Step(1, 3)))
    made.do(SERVICE, RegisterInstrument("ETH", "Ether", "hl", "perp", Step(1, 2), Step(1, 2)))
    if quoted:
        made.do(SERVICE, PublishMarks([MarkRow("BTC", 120_000, 120_002, 120_001)]))
    for trader in traders:
        made.do(trader, RegisterTrader(trader, trader, trader.title(), "account", 10_000_000_000))
    return made


def check_table(at: Desk, table: str, command_of: Callable[[str, list[str]], Command]) -> None:
    """Try each row `principal verb arguments… expected` in order on one desk.

    Args:
        at: where the commands are executed.
        table: rows; empty ones and those that start with `#` are for the reader.
        command_of: turns (verb, arguments) into a command.
    """
    for line in table.strip().splitlines():
        row = line.split()
        if not row or row[0].startswith("#"):
            continue
        principal, verb, *arguments, expected = row
        actual = at.code(principal, command_of(verb, arguments))
        assert f"{line} -> {expected}" == f"{line} -> {actual}"
