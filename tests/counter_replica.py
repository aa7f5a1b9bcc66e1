"""A real little replica of counters: a `ChannelSource` whose channels hold a number each.

Conflatable channels keep the newest number and a ring of deltas; lossless ones their last events.
Nothing is mocked: what the gateway's tests see is what a replica does, without the core.
"""

from __future__ import annotations

import asyncio
from typing import Any

from streams.ports import (
    ChannelInfo,
    CommandError,
    CommandOutcome,
    Frame,
    Principal,
)
from streams.protocol.channels import ChannelNameError, parse_channel


TS_US = 1_767_225_600_000_000


class CounterReplica:
    """Counters as channels.

    Args:
        history_max: frames each channel remembers.
        padding: bytes of text added to each frame's data.
    """

    def __init__(self, *, history_max: int = 100, padding: int = 0) -> None:
        self.epoch = "e1"
        self.ready = True
        self.snapshots_made = 0
        self.forbidden: set[tuple[str, str]] = set()
        self.missing = {"book:NOPE"}
        self._history_max = history_max
        self._padding = "x" * padding
        self._frames: dict[str, list[Frame]] = {}
        self._seq: dict[str, int] = {}
        self._names: dict[str, str] = {}

    @property
    def offset(self) -> str:
        return f"1767225600000-{sum(self._seq.values())}.0"

    def resolve(self, channel: str, principal: Principal | None) -> ChannelInfo | str:
        try:
            name = parse_channel(channel)
        except ChannelNameError:
            return "UNKNOWN_CHANNEL"
        if channel in self.missing:
            return "UNKNOWN_CHANNEL"
        if name.rules.own:
            if principal is None:
                return "UNAUTHENTICATED"
            return ChannelInfo(f"{channel}:{principal.trader}", channel, conflatable=False)
        text = str(name).replace(":@", ":t_")
        trader = principal.trader if principal is not None else ""
        if (text, trader) in self.forbidden:
            return "FORBIDDEN"
        return ChannelInfo(text, text, conflatable=name.rules.conflatable)

    def seq(self, key: str) -> int:
        return self._seq.get(key, 0)

    def snapshot(self, key: str) -> Frame:
        self.snapshots_made += 1
        return Frame(key, self._names.get(key, key), "snap", self.seq(key), TS_US, self._data(key))

    def history(self, key: str, after_seq: int) -> list[Frame] | None:
        frames = self._frames.get(key, [])
        if after_seq < self.seq(key) - len(frames):
            return None
        return [frame for frame in frames if frame.seq > after_seq]

    def bump(self, name: str, trader: str | None = None) -> Frame:
        """Count the channel up by one and return the frame of it."""
        key = f"{name}:{trader}" if trader else name
        self._names[key] = name
        self._seq[key] = self.seq(key) + 1
        kind = "delta" if parse_channel(name).rules.conflatable else "ev"
        frame = Frame(key, name, kind, self._seq[key], TS_US, self._data(key))
        frames = self._frames.setdefault(key, [])
        frames.append(frame)
        del frames[: -self._history_max]
        return frame

    def _data(self, key: str) -> dict[str, Any]:
        return {"n": self.seq(key), "pad": self._padding}


class CounterCommands:
    """A `CommandPort` that counts, echoes, refuses and waits on demand."""

    def __init__(self) -> None:
        self.executed: list[tuple[str, str, dict[str, Any], str | None]] = []
        self.waiting: list[Any] = []

    def execute(
        self, principal: Principal, name: str, args: dict[str, Any], key: str | None
    ) -> asyncio.Future[CommandOutcome]:
        self.executed.append((principal.trader, name, args, key))
        outcome: asyncio.Future[CommandOutcome] = asyncio.get_running_loop().create_future()
        match name:
            case "echo" | "cancel_after":
                result = {"echo": args}
                outcome.set_result(CommandOutcome("OK", "7-0.0", result, replayed=key == "again"))
            case "refuse":
                refused = CommandOutcome("NO_FUNDS", "7-1.0", {}, message="expected 5", field="q")
                outcome.set_result(refused)
            case "wait":
                gate = self.waiting.pop(0)
                return asyncio.ensure_future(self._wait(gate))
            case "break":
                raise RuntimeError("a rule is broken")
            case "unknown_outcome":
                error = CommandError("OUTCOME_UNKNOWN", "retry with the same key", retry_ms=50)
                outcome.set_exception(error)
            case _:
                raise CommandError("UNKNOWN_COMMAND", f"expected a command, was {name}")
        return outcome

    async def _wait(self, gate: asyncio.Event) -> CommandOutcome:
        await gate.wait()
        return CommandOutcome("OK", "7-2.0", {})


class HandleAuthenticator:
    """An `Authenticator` that believes `Dev <handle>` and keys `key-<handle>`."""

    def __init__(self, expires_at_us: int = 0) -> None:
        self.expires_at_us = expires_at_us
        self.addresses: list[str] = []

    async def authenticate(self, *, token: str | None, key: str | None, address: str) -> Principal:
        self.addresses.append(address)
        handle = ""
        if token is not None and token.startswith("Dev "):
            handle = token.removeprefix("Dev ")
        elif key is not None and key.startswith("key-"):
            handle = key.removeprefix("key-")
        if handle == "outage":
            raise CommandError("NOT_READY", "accounts cannot be reached", retry_ms=500)
        if not handle:
            raise CommandError("UNAUTHENTICATED", "expected a known token")
        login = f"l_{handle}"
        handle = handle.partition("/")[0]
        return Principal(f"t_{handle}", login=login, expires_at_us=self.expires_at_us)

    async def authenticate_signed(
        self, *, key: str, ts_ms: int, signature: str, address: str
    ) -> Principal:
        if signature != f"signed-{ts_ms}":
            raise CommandError("UNAUTHENTICATED", "expected a valid signature")
        return await self.authenticate(token=None, key=key, address=address)
