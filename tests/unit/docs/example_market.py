"""The market from which docs/reference/stream.md takes its examples.

A leader and a follower on an offline kernel at fixed times, so that every frame has the same
bytes on every machine. `messages()` names one message of each kind as it stands on the wire.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from streams.core.commands import (
    Command,
    CommentIdea,
    LikeIdea,
    MarkRow,
    PauseCopy,
    PlaceOrder,
    PostMessage,
    PublishIdea,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
    SetCopy,
    Tick,
)
from streams.core.derived import Derived
from streams.core.kernel import PRIVILEGED, Applied, Kernel
from streams.core.money import MICROS, Step
from streams.core.state import INTERVALS, State
from streams.ports import Frame
from streams.protocol.codec import JSON, encode_frame
from streams.replica.history import Kept, event_frame
from streams.replica.rendering import delta_frame, snapshot_frame


START_MS = 1_769_947_200_000
"""2026-02-01T12:00:00Z."""

SERVICE = "feed"
SYMBOL = "hl:BTC"


class Asked(NamedTuple):
    """An envelope as the kernel reads it."""

    id: str
    key: str | None
    principal: str
    roles: int
    command: Command


class ExampleMarket:
    """Applies commands, one an entry, and keeps the frames of all channels."""

    def __init__(self) -> None:
        self.kernel = Kernel(State(), self._on_cut)
        self.ms = START_MS
        self.frames: list[Frame] = []

    def do(self, principal: str, command: Command) -> str:
        self.ms += 10
        roles = PRIVILEGED if principal == SERVICE else 0
        asked = Asked(f"e{self.ms}", None, principal, roles, command)
        applied = self.kernel.apply(self.ms, 0, f"b{self.ms}", [asked])
        assert applied.outcomes[0].code == "OK", applied.outcomes[0]
        self._keep(applied)
        return applied.outcomes[0].result

    def second(self) -> None:
        """Let the second end: boards are ranked, sentiment is refreshed, channels are cut."""
        self.ms = (self.ms // 1000 + 1) * 1000 - 10
        self.do(SERVICE, Tick((self.ms + 10) // 100))

    def newest(self, channel: str, kind: str, type_: str = "") -> dict[str, Any]:
        found = [
            frame
            for frame in self.frames
            if frame.name == channel
            and frame.kind == kind
            and type_ in ("", frame.data.get("type"))
        ]
        return wire(found[-1])

    def snapshot(self, channel: str) -> dict[str, Any]:
        return wire(snapshot_frame(self.kernel.state, channel))

    def _on_cut(self, state: State, derived: Derived, interval: int) -> None:
        del derived
        for base in state.pending_channels[interval]:
            self.frames.append(delta_frame(state, base, base + INTERVALS[interval], interval))

    def _keep(self, applied: Applied) -> None:
        for key, seq, index in applied.numbered:
            event = applied.events[index][1]
            kept = Kept(seq, applied.ms * 1000, event)
            self.frames.append(event_frame(self.kernel.state, key, kept))


def wire(frame: Frame) -> dict[str, Any]:
    """Return the message as a client decodes it."""
    message: dict[str, Any] = json.loads(encode_frame(frame, JSON))
    return message


def played() -> ExampleMarket:
    """Play the example: an idea, a copy, an order, a limit order, a stance."""
    market = ExampleMarket()
    market.do(
        SERVICE,
        RegisterInstrument(SYMBOL, "Bitcoin", "hl", "perp", Step(5, 1), Step(1, 5), 230),
    )
    market.do(SERVICE, PublishMarks([MarkRow(SYMBOL, 128_500, 128_502, 128_501)]))
    for handle in ("alice", "bob"):
        cash = 100_000 * MICROS
        market.do(SERVICE, RegisterTrader(f"t_{handle}", handle, handle, "account", cash))
    idea = market.do(
        "t_alice",
        PublishIdea(
            title="Range breaks upward",
            thesis="Three closes above the range, funding is flat.",
            symbol=SYMBOL,
            trade_type="buy",
            entry_ticks=128_600,
            target_ticks=134_000,
            stop_ticks=126_000,
            timeframe="3d",
            confidence_bps=7_000,
            stance=1,
            tags=["breakout"],
            publish=True,
        ),
    )
    market.do("t_bob", LikeIdea(idea))
    market.do("t_bob", CommentIdea(idea, "Where does it stop being true?"))
    market.do("t_bob", SetCopy("t_alice", allocation_micros=10_000 * MICROS))
    market.do("t_alice", PlaceOrder(SYMBOL, "buy", 50_000))
    market.do("t_alice", PlaceOrder(SYMBOL, "sell", 20_000, 134_000))
    market.do("t_bob", PostMessage("Looks strong to me", [SYMBOL], 1))
    market.second()
    market.do(SERVICE, PublishMarks([MarkRow(SYMBOL, 128_700, 128_702, 128_701)]))
    market.second()
    market.do("t_bob", PauseCopy("t_alice"))
    return market


def messages() -> dict[str, dict[str, Any]]:
    """Return the documented messages by name."""
    market = played()
    newest, snapshot = market.newest, market.snapshot
    return {
        "marks snap": snapshot(f"marks:{SYMBOL}"),
        "marks delta": newest(f"marks:{SYMBOL}@1s", "delta"),
        "book snap": snapshot(f"book:{SYMBOL}"),
        "positions snap": snapshot(f"positions:{SYMBOL}"),
        "leaderboard snap": snapshot("leaderboard:total_return:all"),
        "leaderboard delta": newest("leaderboard:total_return:all", "delta"),
        "sentiment snap": snapshot(f"sentiment:{SYMBOL}"),
        "idea_published": newest("ideas", "ev", "idea_published"),
        "idea_liked": newest("ideas", "ev", "idea_liked"),
        "idea_commented": newest("ideas", "ev", "idea_commented"),
        "signal fill_booked": newest("signals:t_alice", "ev", "fill_booked"),
        "signal order_placed": newest("signals:t_alice", "ev", "order_placed"),
        "copy_decided": newest("copies", "ev", "copy_decided"),
        "copy_set": newest("account", "ev", "copy_set"),
        "copy_status_changed": newest("account", "ev", "copy_status_changed"),
        "notification": newest("notifications", "ev"),
        "system instrument_registered": newest("system", "ev", "instrument_registered"),
        "system digest_taken": newest("system", "ev", "digest_taken"),
    }
