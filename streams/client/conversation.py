"""The client's side of the wire protocol as a state machine without I/O.

Messages and the ends of sockets go in with the time; effects come out, in the order in which the
driver carries them out. One conversation outlives its sockets: it resumes each channel on the
next one and sends again what was not answered.

Invariants:
    * A number of a channel is handed on once and in order; where the run is broken a `Reset`
      stands first (see `track`).
    * A frame that leaves a gap is not handed on: the channel is unsubscribed and subscribed again
      from the last number that was.
    * Requests are paced below the rate that `hello` names, so that the server has nothing to
      refuse.
    * Ids of requests are never used twice, so a late answer is never taken for another's.

Source: wire-protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final

import msgspec

from streams.client.asks import Asks
from streams.client.channel_set import ChannelSet
from streams.client.credentials import auth_fields
from streams.client.effects import Counters, Effect, End, GiveUp, Ready, Send
from streams.client.errors import (
    AuthenticationFailed,
    CommandRefused,
    ProtocolMismatch,
)
from streams.client.items import Hello, ResumePoint
from streams.client.settings import ClientSettings
from streams.protocol.bucket import TokenBucket
from streams.protocol.codes import ErrorCode
from streams.protocol.limits import PROTOCOL_VERSION, StreamLimits


# Share of the server's rate that is used: its clock and ours differ.
_RATE_SHARE: Final = 0.8
_AUTH_RETRY_MS: Final = 1_000


class Phase(Enum):
    """Where the present socket stands."""

    CLOSED = auto()
    GREETING = auto()
    AUTHENTICATING = auto()
    OPEN = auto()


class Conversation:
    """State of one client.

    Args:
        settings: bounds and times.
        token: credential as `credentials.auth_fields` takes it, None for an anonymous client.

    Attributes:
        phase: where the present socket stands.
        hello: greeting of the present or last socket.
        trader: id of the account, None before authentication.
        drain_in_ms: `in_ms` of the `drain` on this socket, None without one.
        counters: what went on.
    """

    def __init__(self, settings: ClientSettings, token: str | None = None) -> None:
        self.phase = Phase.CLOSED
        self.hello: Hello | None = None
        self.trader: str | None = None
        self.drain_in_ms: int | None = None
        self.counters = Counters()
        self._settings = settings
        self._credential = None if token is None else auth_fields(token)
        self._ids = 0
        self._auth_id = 0
        self._auth_at_s: float | None = None
        self._answer_by_s: float | None = None
        self._paced_until_s: float | None = None
        self._bucket = TokenBucket(1.0, 1.0, 0.0)
        self._limits = StreamLimits().as_hello()
        self._asks = Asks(settings)
        self._channels = ChannelSet(self.counters)

    # What the driver reports

    def opened(self, now_s: float) -> None:
        """Note a new socket: `hello` must come first."""
        self.phase = Phase.GREETING
        self.counters.sockets += 1
        self.drain_in_ms = None
        self._answer_by_s = now_s + self._settings.answer_timeout_s

    def received(self, message: Mapping[str, Any], now_s: float) -> list[Effect]:
        """Take one message of the server."""
        kind = message.get("t")
        try:
            if self.phase is Phase.GREETING:
                effects = self._on_hello(message, now_s)
            elif kind in ("snap", "delta", "ev"):
                effects = self._channels.on_frame(message)
            elif kind in ("ok", "pong", "err"):
                effects = self._on_answer(message, now_s)
            elif kind == "gone":
                effects = self._channels.on_gone(message)
            elif kind == "drain":
                self.drain_in_ms = int(message["in_ms"])
                effects = []
            else:
                # A kind of message that a later version may add says nothing to this one.
                effects = []
        except (msgspec.ValidationError, KeyError, TypeError, ValueError) as error:
            text = f"expected a message of version {PROTOCOL_VERSION}: {error!r}"
            return [End(ProtocolMismatch(text)) if self.hello is None else GiveUp(text)]
        return effects + self._flush(now_s)

    def closed(self) -> list[Effect]:
        """Note that the socket is gone; everything is asked for again on the next one."""
        self.phase = Phase.CLOSED
        self._answer_by_s = self._auth_at_s = self._paced_until_s = None
        self._channels.disconnected()
        return list(self._asks.disconnected())

    def due_at_s(self) -> float | None:
        """Return the monotonic second at which `tick` has something to do, None when never."""
        times = [self._asks.deadline_s(), self._answer_by_s, self._auth_at_s, self._paced_until_s]
        if self.phase is Phase.OPEN and self._paced_until_s is None:
            # Whatever is due already went out in the last flush, or waits for an answer.
            times += (self._channels.repeat_at_s(), self._asks.repeat_at_s())
        return min((time for time in times if time is not None), default=None)

    def tick(self, now_s: float) -> list[Effect]:
        """Do what is due: end late requests, repeat others, give up a silent server."""
        effects: list[Effect] = [*self._asks.expire(now_s)]
        if self._answer_by_s is not None and self._answer_by_s <= now_s:
            self._answer_by_s = None
            seconds = self._settings.answer_timeout_s
            return [*effects, GiveUp(f"expected an answer within {seconds:g} s")]
        if self._auth_at_s is not None and self._auth_at_s <= now_s:
            effects += self._authenticate(now_s)
        return effects + self._flush(now_s)

    # What the program asks for

    def subscribe(
        self, channels: Sequence[str], resume: Mapping[str, ResumePoint], now_s: float
    ) -> list[Effect]:
        """Begin to receive channels.

        Args:
            channels: canonical names.
            resume: where to go on, by name.
            now_s: monotonic seconds.

        Raises:
            AlreadySubscribed: one of them is received already; nothing has changed.
        """
        self._channels.add(channels, resume)
        return self._flush(now_s)

    def unsubscribe(self, channels: Sequence[str], now_s: float) -> list[Effect]:
        """Stop receiving channels; nothing of them is handed on from now."""
        self._channels.remove(channels)
        return self._flush(now_s)

    def restart(self, channel: str, now_s: float) -> list[Effect]:
        """Begin a channel from scratch; a `Reset` with `CHECKSUM` comes first."""
        self._channels.restart(channel)
        return self._flush(now_s)

    def ask(self, message: dict[str, Any], now_s: float) -> tuple[int, list[Effect]]:
        """Send a request and repeat it as needed; return its ticket.

        Raises:
            TooManyRequests: too many have no answer yet.
        """
        ticket = self._asks.add(message, now_s)
        return ticket, self._flush(now_s)

    def cancel(self, ticket: int) -> None:
        """Forget a request nobody waits for any more."""
        self._asks.cancel(ticket)

    def set_token(self, token: str) -> None:
        """Use another credential from the next socket on."""
        self._credential = auth_fields(token)

    # Answers

    def _on_hello(self, message: Mapping[str, Any], now_s: float) -> list[Effect]:
        if message.get("t") != "hello":
            return [End(ProtocolMismatch(f"expected hello first, was {message.get('t')!r}"))]
        hello = msgspec.convert(dict(message), Hello)
        if hello.v != PROTOCOL_VERSION:
            text = f"expected version {PROTOCOL_VERSION} of the protocol, was {hello.v}"
            return [End(ProtocolMismatch(text))]
        self.hello = hello
        self._answer_by_s = None
        self._limits = {**self._limits, **hello.limits}
        rate = max(0.1, self._limits["requests_per_s"] * _RATE_SHARE)
        burst = max(1.0, self._limits["requests_burst"] * _RATE_SHARE)
        self._bucket = TokenBucket(rate, burst, now_s)
        if self._credential is not None:
            return self._authenticate(now_s)
        self.phase = Phase.OPEN
        return [Ready(None, None)]

    def _authenticate(self, now_s: float) -> list[Effect]:
        self.phase = Phase.AUTHENTICATING
        self._auth_at_s = None
        self._answer_by_s = now_s + self._settings.answer_timeout_s
        self._auth_id = self._next_id()
        self._bucket.take(now_s)
        return [Send({"op": "auth", "id": self._auth_id, **(self._credential or {})})]

    def _on_answer(self, message: Mapping[str, Any], now_s: float) -> list[Effect]:
        request_id = message.get("re")
        if not isinstance(request_id, int):
            self.counters.complaints += 1
            return []
        refusal = _refusal(message) if message["t"] == "err" else None
        if request_id == self._auth_id and self.phase is Phase.AUTHENTICATING:
            return self._on_authenticated(message, refusal, now_s)
        if self._channels.awaits(request_id):
            effects = self._channels.on_answer(request_id, message, refusal, now_s)
            self._expect_answer(now_s)
            return effects
        if refusal is not None:
            return list(self._asks.refused(request_id, refusal, now_s))
        return list(self._asks.answered(request_id, dict(message)))

    def _on_authenticated(
        self, message: Mapping[str, Any], refusal: CommandRefused | None, now_s: float
    ) -> list[Effect]:
        self._answer_by_s = None
        if refusal is not None:
            if refusal.code in (ErrorCode.NOT_READY, ErrorCode.RATE_LIMITED):
                retry_ms = refusal.retry_ms
                wait_ms = _AUTH_RETRY_MS if retry_ms is None else retry_ms
                self._auth_at_s = now_s + wait_ms / 1000
                return []
            return [End(AuthenticationFailed(str(refusal)))]
        self.phase = Phase.OPEN
        self.trader = str(message["trader"])
        return [Ready(self.trader, message.get("expires_in"))]

    # Sending

    def _flush(self, now_s: float) -> list[Effect]:
        """Send what may be sent now: channels first, then requests in their order."""
        effects: list[Effect] = []
        self._paced_until_s = None
        if self.phase is not Phase.OPEN:
            return effects
        in_flight_max = int(self._limits["commands_in_flight"])
        while True:
            channels = self._channels.sendable(now_s)
            if not channels and not self._asks.sendable(now_s, in_flight_max):
                break
            if not self._bucket.take(now_s):
                self._paced_until_s = now_s + self._bucket.wait_ms() / 1000
                break
            request_id = self._next_id()
            if channels:
                batch_max = int(self._limits["subscribe_batch"])
                effects.append(Send(self._channels.send(request_id, now_s, batch_max)))
                self._expect_answer(now_s)
            else:
                effects.append(Send(self._asks.send(request_id)))
        return effects

    def _expect_answer(self, now_s: float) -> None:
        waiting = self._channels.waiting
        self._answer_by_s = now_s + self._settings.answer_timeout_s if waiting else None

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids


def _refusal(message: Mapping[str, Any]) -> CommandRefused:
    return CommandRefused(
        str(message["code"]),
        str(message.get("msg", "")),
        field=message.get("field"),
        retry_ms=message.get("retry_ms"),
    )
