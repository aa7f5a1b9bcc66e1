"""The protocol session of one socket as a state machine without I/O.

Messages come in by `receive`; effects come out, in the order in which the driver must carry them
out (see `streams.protocol.effects`). Results of asynchronous work come back by `authenticated`,
`authentication_failed`, `command_done` and `command_failed`.

Invariants:
    * `hello` is the first message of every socket.
    * Every message is answered by a reply or a close; no message raises.
    * While an authentication is under way later requests wait, in order, so that a client may
      send `auth` and `subscribe` in one breath.
    * Authentication again may renew the credential, never change the account.
    * After a `Close` the session is silent.

Discarded: one coroutine a socket that awaits messages. It costs memory per socket and hides the
order in which a subscription reads its number and joins the fan-out.

Source: wire-protocol.md.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from streams.ports import ChannelSource, Clock, CommandError, CommandOutcome, Principal
from streams.protocol.bucket import TokenBucket
from streams.protocol.codec import Codec, MalformedMessage
from streams.protocol.codes import CloseCode, ErrorCode
from streams.protocol.credentials import header_credential
from streams.protocol.effects import AuthRequested, Close, CommandRequested, Detach, Effect, Reply
from streams.protocol.limits import PROTOCOL_VERSION, REQUESTS_WAITING_MAX, StreamLimits
from streams.protocol.operations import (
    Auth,
    CancelAfter,
    InvalidRequest,
    Operation,
    Ping,
    RequestId,
    Subscribe,
    Unsubscribe,
    parse_operation,
    readable_id,
)
from streams.protocol.replies import (
    command_error_reply,
    error_reply,
    unauthenticated_reply,
    with_re,
)
from streams.protocol.subscriptions import Subscriptions


# How long a client should wait before it asks a node again that has not caught up.
NOT_READY_RETRY_MS: Final = 1000
# How long a client waits when too many of its commands are unanswered.
IN_FLIGHT_RETRY_MS: Final = 100
# How long a client stays away after it was closed for abusing the rate limit.
ABUSE_RETRY_MS: Final = 10_000
_RATE_FORGIVEN_PER_S: Final = 1.0
_MALFORMED_FORGIVEN_PER_S: Final = 0.1


class Session:
    """State of one socket: who it is, what it receives, how much it may ask.

    Args:
        source: channels of this node.
        codec: the socket's encoding.
        limits: bounds to hold the client to.
        node: name of this node, sent in `hello`.
        clock: time of the edge.
        authentication_required: whether anything but `auth` and `ping` needs a principal.

    Attributes:
        principal: who the socket is, None before authentication.
        subscriptions: what it receives.
        closed: whether a `Close` has been given out.
        messages_in: messages received.
        commands_in_flight: commands that wait for their outcome.
    """

    def __init__(
        self,
        source: ChannelSource,
        codec: Codec,
        *,
        limits: StreamLimits,
        node: str,
        clock: Clock,
        authentication_required: bool,
    ) -> None:
        now_s = clock.monotonic()
        self.principal: Principal | None = None
        self.subscriptions = Subscriptions(source, subscriptions_max=limits.subscriptions_max)
        self.closed = False
        self.messages_in = 0
        self._source = source
        self._codec = codec
        self._limits = limits
        self._node = node
        self._clock = clock
        self._authentication_required = authentication_required
        self._authenticating = False
        self._waiting: deque[Operation] = deque()
        self.commands_in_flight = 0
        self._authenticate_by_s = now_s + limits.authentication_ms / 1000
        self._rate = TokenBucket(limits.requests_per_s, limits.requests_burst, now_s)
        self._rate_strikes = TokenBucket(_RATE_FORGIVEN_PER_S, limits.rate_strikes_max, now_s)
        self._malformed_strikes = TokenBucket(
            _MALFORMED_FORGIVEN_PER_S, limits.malformed_strikes_max, now_s
        )

    # The life of a socket

    def begin(self, authorization: str | None = None) -> list[Effect]:
        """Open the conversation.

        Args:
            authorization: the `Authorization` header of the upgrade: `Bearer <jwt>`,
                `Dev <handle>` or `Key <api key>`.
        """
        effects: list[Effect] = [
            Reply(
                {
                    "t": "hello",
                    "v": PROTOCOL_VERSION,
                    "node": self._node,
                    "epoch": self._source.epoch,
                    "offset": self._source.offset,
                    "ts": self._clock.now_us(),
                    "limits": self._limits.as_hello(),
                }
            )
        ]
        if authorization is not None:
            request = header_credential(authorization)
            if request is None:
                effects += self._refuse_credentials(
                    None, "expected Authorization as Bearer, Dev or Key"
                )
            else:
                self._authenticating = True
                effects.append(request)
        return effects

    def receive(self, message: bytes | bytearray, *, opcode: int) -> list[Effect]:
        """Take one whole message from the client.

        Args:
            message: payload of the message, at most `message_bytes_max` bytes.
            opcode: the WebSocket opcode it came in, 1 (text) or 2 (binary).
        """
        if self.closed:
            return []
        self.messages_in += 1
        over_rate = not self._rate.take(self._clock.monotonic())
        try:
            if opcode != self._codec.opcode:
                raise MalformedMessage(f"expected {self._codec.name} messages only")
            plain = self._codec.decode(message)
        except MalformedMessage as error:
            return self._over_rate(None) if over_rate else self._malformed(str(error))
        if over_rate:
            return self._over_rate(readable_id(plain))
        try:
            operation = parse_operation(plain)
        except InvalidRequest as error:
            effects: list[Effect] = [
                error_reply(error.re, error.code, error.message, field=error.field)
            ]
            if error.code is ErrorCode.UNKNOWN_OP:
                effects += self._strike_malformed()
            return effects
        if self._authenticating and not isinstance(operation, Ping):
            return self._wait(operation)
        return self._act(operation)

    def control_received(self) -> list[Effect]:
        """Account for a WebSocket ping: it costs a reply, so it costs a token."""
        if self.closed or self._rate.take(self._clock.monotonic()):
            return []
        return self._over_rate(None)

    def too_large(self) -> list[Effect]:
        """Answer a message above `message_bytes_max`, of which nothing was kept."""
        if self.closed:
            return []
        text = f"expected at most {self._limits.message_bytes_max} bytes, was more"
        return [
            error_reply(None, ErrorCode.TOO_LARGE, text),
            *self.close(CloseCode.PROTOCOL_VIOLATED),
        ]

    def close(self, code: CloseCode, reason: str | None = None) -> list[Effect]:
        """Close on the server's initiative; the reason defaults to the code's name."""
        if self.closed:
            return []
        self.closed = True
        self._waiting.clear()
        return [Close(code, reason or code.name.lower().replace("_", " "))]

    # Time

    def due_at_s(self) -> float | None:
        """Return the monotonic second at which `expire` has something to do, None when never."""
        if self.principal is None:
            return self._authenticate_by_s if self._authentication_required else None
        if self.principal.expires_at_us == 0:
            return None
        left_us = self.principal.expires_at_us - self._clock.now_us()
        return self._clock.monotonic() + left_us / 1e6

    def expire(self) -> list[Effect]:
        """Close the socket if its time to authenticate or its credential has run out."""
        due_at_s = self.due_at_s()
        if self.closed or due_at_s is None or due_at_s > self._clock.monotonic():
            return []
        if self.principal is None:
            text = f"expected authentication within {self._limits.authentication_ms} ms"
            return self.close(CloseCode.AUTHENTICATION_FAILED, text)
        return self.close(CloseCode.TOKEN_EXPIRED)

    # Results of asynchronous work

    def authenticated(self, re: RequestId | None, principal: Principal) -> list[Effect]:
        """Take the principal that credentials stand for; then act on what waited."""
        if self.closed:
            return []
        self._authenticating = False
        known = self.principal
        if known is not None and known.trader != principal.trader:
            effects: list[Effect] = [
                error_reply(re, ErrorCode.FORBIDDEN, "expected credentials of the same account")
            ]
            return effects + self._act_on_waiting()
        self.principal = principal
        expires_in: int | None = None
        if principal.expires_at_us:
            expires_in = max(0, (principal.expires_at_us - self._clock.now_us()) // 1_000_000)
        reply = {"t": "ok", "trader": principal.trader, "expires_in": expires_in}
        effects = [Reply(with_re(reply, re))]
        return effects + self._act_on_waiting()

    def authentication_failed(self, re: RequestId | None, error: CommandError) -> list[Effect]:
        """Report credentials that were refused.

        A first authentication that is refused closes the socket; a failed refresh does not, the
        old credential still has its time. A check that could not be made refuses nothing.
        """
        if self.closed:
            return []
        self._authenticating = False
        if error.code == ErrorCode.UNAUTHENTICATED and self.principal is None:
            return self._refuse_credentials(re, error.message)
        effects: list[Effect] = [command_error_reply(re, error)]
        return effects + self._act_on_waiting()

    def command_done(self, re: RequestId, outcome: CommandOutcome) -> list[Effect]:
        """Answer a command that was applied, or refused by the core."""
        self.commands_in_flight -= 1
        if self.closed:
            return []
        reply: dict[str, Any] = {"t": "ok", "re": re, "offset": outcome.offset}
        if outcome.code != "OK":
            reply = {"t": "err", "re": re, "code": outcome.code, "msg": outcome.message}
            if outcome.field is not None:
                reply["field"] = outcome.field
            reply["offset"] = outcome.offset
        if outcome.replayed:
            reply["replayed"] = True
        # The protocol's own keys win over a result field of the same name.
        return [Reply({**reply, **{k: v for k, v in outcome.result.items() if k not in reply}})]

    def command_failed(self, re: RequestId, error: CommandError) -> list[Effect]:
        """Answer a command that never reached the log, or whose outcome is unknown."""
        self.commands_in_flight -= 1
        return [] if self.closed else [command_error_reply(re, error)]

    def recheck(self, key: str) -> list[Effect]:
        """Ask again whether this socket may receive a channel; end the subscription if not."""
        if self.closed:
            return []
        return self.subscriptions.recheck(key, self.principal)

    # Requests

    def _act(self, operation: Operation) -> list[Effect]:
        if isinstance(operation, Ping):
            return [Reply({"t": "pong", "re": operation.id, "ts": self._clock.now_us()})]
        if isinstance(operation, Auth):
            self._authenticating = True
            return [
                AuthRequested(
                    operation.id, operation.token, operation.key, operation.ts, operation.sig
                )
            ]
        if self.principal is None and self._authentication_required:
            return [unauthenticated_reply(operation.id)]
        if isinstance(operation, Subscribe):
            return self._subscribe(operation)
        if isinstance(operation, Unsubscribe):
            return self._unsubscribe(operation)
        if isinstance(operation, CancelAfter):
            # The switch is a command: it holds even when this node dies.
            return self._command(operation.id, "cancel_after", {"ms": operation.ms}, None)
        return self._command(operation.id, operation.name, operation.args, operation.key)

    def _subscribe(self, request: Subscribe) -> list[Effect]:
        refusal = self._batch_refusal(request.id, len(request.ch))
        if refusal is not None:
            return [refusal]
        if not self._source.ready:
            return [
                error_reply(
                    request.id,
                    ErrorCode.NOT_READY,
                    "expected a node that has caught up with the log",
                    retry_ms=NOT_READY_RETRY_MS,
                )
            ]
        entries, attached = self.subscriptions.subscribe(request.ch, self.principal)
        return [Reply({"t": "ok", "re": request.id, "ch": entries}), *attached]

    def _unsubscribe(self, request: Unsubscribe) -> list[Effect]:
        refusal = self._batch_refusal(request.id, len(request.ch))
        if refusal is not None:
            return [refusal]
        entries, keys = self.subscriptions.unsubscribe(request.ch)
        # Detached before the answer: after `ok` no frame of these channels comes.
        return [*map(Detach, keys), Reply({"t": "ok", "re": request.id, "ch": entries})]

    def _batch_refusal(self, re: RequestId, count: int) -> Reply | None:
        count_max = self._limits.subscribe_batch_max
        if count <= count_max:
            return None
        text = f"expected at most {count_max} channels, was {count}"
        return error_reply(re, ErrorCode.INVALID_ARGUMENT, text, field="ch")

    def _command(
        self, re: RequestId, name: str, args: dict[str, Any], key: str | None
    ) -> list[Effect]:
        if self.principal is None:
            return [unauthenticated_reply(re)]
        in_flight_max = self._limits.commands_in_flight_max
        if self.commands_in_flight >= in_flight_max:
            text = f"expected at most {in_flight_max} unanswered commands"
            return [error_reply(re, ErrorCode.RATE_LIMITED, text, retry_ms=IN_FLIGHT_RETRY_MS)]
        self.commands_in_flight += 1
        return [CommandRequested(re, name, args, key)]

    def _wait(self, operation: Operation) -> list[Effect]:
        if len(self._waiting) >= REQUESTS_WAITING_MAX:
            text = f"expected at most {REQUESTS_WAITING_MAX} requests during authentication"
            return [
                error_reply(operation.id, ErrorCode.RATE_LIMITED, text, retry_ms=IN_FLIGHT_RETRY_MS)
            ]
        self._waiting.append(operation)
        return []

    def _act_on_waiting(self) -> list[Effect]:
        effects: list[Effect] = []
        while self._waiting and not self._authenticating:
            effects += self._act(self._waiting.popleft())
        return effects

    # Refusals

    def _refuse_credentials(self, re: RequestId | None, message: str) -> list[Effect]:
        refusal = error_reply(re, ErrorCode.UNAUTHENTICATED, message)
        return [refusal, *self.close(CloseCode.AUTHENTICATION_FAILED)]

    def _malformed(self, message: str) -> list[Effect]:
        return [error_reply(None, ErrorCode.MALFORMED, message), *self._strike_malformed()]

    def _strike_malformed(self) -> list[Effect]:
        if self._malformed_strikes.take(self._clock.monotonic()):
            return []
        return self.close(CloseCode.PROTOCOL_VIOLATED)

    def _over_rate(self, re: RequestId | None) -> list[Effect]:
        text = f"expected at most {self._limits.requests_per_s:g} requests a second"
        if self._rate_strikes.take(self._clock.monotonic()):
            return [error_reply(re, ErrorCode.RATE_LIMITED, text, retry_ms=self._rate.wait_ms())]
        return [
            error_reply(re, ErrorCode.RATE_LIMITED, text, retry_ms=ABUSE_RETRY_MS),
            *self.close(
                CloseCode.RATE_LIMIT_ABUSED, f"rate limit abused, retry_ms={ABUSE_RETRY_MS}"
            ),
        ]
