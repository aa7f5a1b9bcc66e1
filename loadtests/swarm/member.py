"""One socket of the swarm: opens, subscribes, answers pings, hands frames to the verifier.

Bytes in, bytes out: the driver owns the connection. A member outlives its connections: what it
received last stays in its run, and the next connection resumes from there.

States: CLOSED -> UPGRADING -> GREETING -> JOINING -> CATCHING_UP -> WHOLE, and CLOSED again from
each of them. WHOLE: subscribed, and nothing that was missed is still to come.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final

import msgspec

from loadtests.swarm import wire
from loadtests.swarm.verifier import Run, Verifier
from server.gateway.settings import STREAM_PATH
from streams.client.items import WireEntry
from streams.protocol.codec import JSON, MSGPACK


_SUBSCRIBE: Final = 1
"""Id of the one request that a member makes on a connection."""


class MemberState(IntEnum):
    """How far a member has come."""

    CLOSED = 0
    UPGRADING = 1
    GREETING = 2
    JOINING = 3
    CATCHING_UP = 4
    WHOLE = 5


class MemberClosed(Exception):
    """The connection is of no use any more.

    Attributes:
        reason: close code as text, or what the upgrade was answered.
        opened: whether it had been upgraded.
        retry_s: when the server says it may be tried again; None when it does not say.
    """

    def __init__(self, reason: str, *, opened: bool, retry_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.opened = opened
        self.retry_s = retry_s


class Member:
    """One socket.

    Args:
        account: whose socket it is.
        authorization: value of the header, None for a socket without a credential.
        channels: names to subscribe to.
        codec: `json` or `msgpack`.
        verifier: judges the frames.
        answered: takes every other message; returns whether it was waited for.

    Attributes:
        state: see the module docstring.
        run: numbers received, over all connections.
    """

    __slots__ = (
        "_answered",
        "_authorization",
        "_channels",
        "_codec",
        "_epoch",
        "_opcode",
        "_rest",
        "_send",
        "_verifier",
        "run",
        "state",
    )

    def __init__(
        self,
        account: str,
        authorization: str | None,
        channels: tuple[str, ...],
        codec: str,
        verifier: Verifier,
        answered: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        self.state = MemberState.CLOSED
        self.run = Run(account)
        self._authorization = authorization
        self._channels = channels
        self._codec = JSON if codec == "json" else MSGPACK
        self._opcode = self._codec.opcode
        self._verifier = verifier
        self._answered = answered
        self._rest = b""
        self._epoch = ""
        self._send: Callable[[bytes], None] = _no_connection

    def connected(self, host: str, send: Callable[[bytes], None]) -> None:
        """Begin on a new connection."""
        self._send, self._rest = send, b""
        self.state = MemberState.UPGRADING
        send(wire.upgrade(host, STREAM_PATH, self._codec.name, self._authorization))

    def closed(self) -> None:
        """Note that the connection is gone."""
        self._send, self._rest = _no_connection, b""
        self.state = MemberState.CLOSED

    def receive(self, data: bytes, now_us: int) -> None:
        """Take bytes from the connection.

        Raises:
            MemberClosed: the server refused or closed it.
        """
        self._verifier.counts.received_bytes += len(data)
        if self._rest:
            data = self._rest + data
        if self.state is MemberState.UPGRADING:
            data = self._upgraded(data)
        try:
            frames, self._rest = wire.split(data) if self.state > 1 else ([], data)
        except wire.WireBroken as error:
            self._verifier.counts.fault("malformed", str(error))
            raise MemberClosed(str(error), opened=True) from error
        take, run, opcode = self._verifier.take, self.run, self._opcode
        for code, payload in frames:
            if code != opcode:
                self._control(code, payload)
            elif self.state < MemberState.CATCHING_UP or not take(run, payload, now_us):
                self._answer(payload)
        if self.state is MemberState.CATCHING_UP and not run.catching_up:
            self.state = MemberState.WHOLE

    def _upgraded(self, data: bytes) -> bytes:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            return data
        lines = head.decode("latin-1").split("\r\n")
        if " 101 " not in f"{lines[0]} ":
            raise MemberClosed(
                lines[0].partition(" ")[2], opened=False, retry_s=_retry_after(lines[1:])
            )
        self.state = MemberState.GREETING
        return rest

    def _control(self, code: int, payload: bytes) -> None:
        if code == wire.OPCODE_PING:
            self._send(wire.client_frame(wire.OPCODE_PONG, payload))
        elif code == wire.OPCODE_CLOSE:
            number = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            raise MemberClosed(str(number), opened=True)
        else:
            self._verifier.counts.fault("malformed", f"opcode {code}")

    def _answer(self, payload: bytes) -> None:
        """Take a message that is no frame of a channel."""
        try:
            message = self._codec.decode(payload)
        except ValueError:
            message = {}
        if self._answered is not None and self._answered(message):
            return
        match message.get("t"), self.state:
            case "hello", MemberState.GREETING:
                self._epoch = str(message["epoch"])
                self._subscribe()
            case "ok", MemberState.JOINING:
                if message.get("re") == _SUBSCRIBE:  # the other one confirms the credential
                    self._joined(message)
            case "err", _:
                self._verifier.counts.refused[str(message.get("code"))] += 1
            case "gone", MemberState.CATCHING_UP | MemberState.WHOLE:
                self.run.last.pop(str(message["ch"]), None)
                self._verifier.counts.refused[f"gone: {message.get('code')}"] += 1
            case "drain", _:
                pass  # the close that follows is counted
            case _:
                self._verifier.counts.fault("malformed", repr(payload[:100]))

    def _subscribe(self) -> None:
        self.state = MemberState.JOINING
        last, epoch = self.run.last, self.run.epoch
        asked: list[dict[str, Any]] = [
            {"ch": name, "from": {"epoch": epoch, "seq": last[name]}}
            if name in last
            else {"ch": name}
            for name in self._channels
        ]
        request = {"op": "subscribe", "id": _SUBSCRIBE, "ch": asked}
        self._send(wire.client_frame(self._opcode, self._codec.encode(request)))

    def _joined(self, message: dict[str, Any]) -> None:
        entries = msgspec.convert(message["ch"], list[WireEntry])
        last = self.run.last
        asked = {name: last[name] for name in self._channels if name in last}
        self._verifier.joined(self.run, self._epoch, entries, asked)
        if not asked:
            # From now on by the names under which the server sends.
            self._channels = tuple(each.ch for each in entries if each.mode != "refused")
        self.state = MemberState.CATCHING_UP


def _no_connection(data: bytes) -> None:
    raise AssertionError(f"expected a connection to send {len(data)} bytes on, was none")


def _retry_after(headers: list[str]) -> float | None:
    for line in headers:
        name, _, value = line.partition(":")
        if name.strip().lower() == "retry-after" and value.strip().isdigit():
            return float(value)
    return None
