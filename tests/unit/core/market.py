"""A small market on a real kernel: every command is an entry of its own."""

from __future__ import annotations

from typing import NamedTuple

from streams.core.commands import (
    Command,
    MarkRow,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
    ReportFill,
)
from streams.core.events import CopyDecided, Event
from streams.core.invariants import check_invariants
from streams.core.kernel import Kernel, Outcome
from streams.core.money import MICROS, Step
from streams.core.snapshots import digest, snapshot
from streams.core.state import Copy, Position, State
from streams.core.view import ROUTES


SERVICE = "feed"
START_MS = 1_769_947_200_000


class Asked(NamedTuple):
    """An envelope as the kernel reads it."""

    id: str
    key: str | None
    principal: str
    roles: int
    command: Command


class Market:
    """BTC at 100.00 (tick 0.01, lot 0.001) and ETH at 10.00, with traders of 1,000 each."""

    def __init__(self, *traders: str, cash: int = 1_000, quoted: bool = True) -> None:
        self.kernel = Kernel(State())
        self.ms = START_MS
        self.events: list[Event] = []
        self.outcome: Outcome | None = None
        for symbol in ("BTC", "ETH"):
            self.do(
                SERVICE, RegisterInstrument(symbol, symbol, "x", "spot", Step(1, 2), Step(1, 3))
            )
        if quoted:
            self.quote("BTC", 10_000, 10_000)
            self.quote("ETH", 1_000, 1_000)
        for trader in traders:
            self.do(SERVICE, RegisterTrader(trader, trader, trader, "account", cash * MICROS))

    @property
    def state(self) -> State:
        return self.kernel.state

    def code(
        self,
        principal: str,
        command: Command,
        *,
        key: str | None = None,
        privileged: bool | None = None,
    ) -> str:
        """Apply one entry with one command; return its code. A refusal changes nothing."""
        self.ms += 1
        before = snapshot(self.state)
        roles = principal == SERVICE if privileged is None else privileged
        asked = Asked(f"e{self.ms}", key, principal, int(roles), command)
        applied = self.kernel.apply(self.ms, 0, f"b{self.ms}", [asked])
        self.outcome = applied.outcomes[0]
        self.events = [event for _, event in applied.events]
        if self.outcome.code != "OK":
            assert self.events == []
            assert self.outcome.message
        assert check_invariants(self.state) == []
        assert before
        return self.outcome.code

    def do(self, principal: str, command: Command, **options: str) -> str:
        """Apply a command that must succeed; return what it made."""
        assert self.code(principal, command, **options) == "OK", self.outcome
        assert self.outcome is not None
        return self.outcome.result

    def quote(self, symbol: str, bid: int, ask: int) -> None:
        self.do(SERVICE, PublishMarks([MarkRow(symbol, bid, ask, bid)]))

    def fill(self, trader: str, lots: int, price: int, symbol: str = "BTC", fee: int = 0) -> None:
        """Report a fill of the venue."""
        self.do(SERVICE, ReportFill(symbol, lots, price, fee, "venue", "", trader))

    def position(self, trader: str, symbol: str = "BTC") -> Position | None:
        return self.state.traders[trader].ledger.positions.get(symbol)

    def lots(self, trader: str, symbol: str = "BTC") -> int:
        held = self.position(trader, symbol)
        return held.lots if held else 0

    def copy(self, follower: str, leader: str = "lea") -> Copy:
        return self.state.copies[leader][follower]

    def copied_lots(self, follower: str, leader: str = "lea", symbol: str = "BTC") -> int:
        held = self.copy(follower, leader).ledger.positions.get(symbol)
        return held.lots if held else 0

    def decisions(self) -> list[tuple[str, str, int]]:
        """Return (leg, code, lots) of the copies that the last entry decided."""
        return [(e.leg, e.code, e.lots) for e in self.events if isinstance(e, CopyDecided)]

    def digest(self) -> str:
        return digest(self.state)


def keys_of(state: State, event: Event) -> tuple[str, ...]:
    """Return the keys of the lossless channels that carry the event."""
    route = ROUTES.get(type(event))
    return () if route is None else route(state, event)
