"""A session without sockets, and short ways to speak to it."""

from __future__ import annotations

import json
from typing import Any

from streams.ports import CommandError, Principal
from streams.protocol.codec import JSON, Codec
from streams.protocol.effects import (
    Close,
    Effect,
    Reply,
)
from streams.protocol.limits import StreamLimits
from streams.protocol.session import Session
from tests.counter_replica import CounterReplica
from tests.manual_clock import ManualClock


ALICE = Principal("t_alice")
REFUSED = CommandError("UNAUTHENTICATED", "expected a known token")


class Talk:
    """A session with its clock and source, and short ways to speak to it."""

    def __init__(
        self, *, required: bool = False, codec: Codec = JSON, limits: StreamLimits | None = None
    ) -> None:
        self.clock = ManualClock()
        self.source = CounterReplica()
        self.session = Session(
            self.source,
            codec,
            limits=limits or StreamLimits(),
            node="n1",
            clock=self.clock,
            authentication_required=required,
        )

    def say(self, text: str | bytes, opcode: int = 1) -> list[Effect]:
        raw = text.encode() if isinstance(text, str) else text
        return self.session.receive(raw, opcode=opcode)

    def ask(self, op: str, **fields: Any) -> list[Effect]:
        return self.say(json.dumps({"op": op, "id": 1, **fields}))

    def login(self, principal: Principal = ALICE) -> list[Effect]:
        self.ask("auth", token="x")
        return self.session.authenticated(1, principal)


def codes(effects: list[Effect]) -> list[str | int]:
    """Return the error code of each reply (`ok` and others by kind) and the code of a close."""
    seen: list[str | int] = []
    for effect in effects:
        if isinstance(effect, Reply):
            seen.append(effect.message.get("code", effect.message["t"]))
        elif isinstance(effect, Close):
            seen.append(int(effect.code))
    return seen
