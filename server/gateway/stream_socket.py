"""One open socket: the session's effects carried out, deadlines kept, the end announced.

Messages leave here as ready WebSocket frames, past the library's engine, which makes control
frames only. Both are whole frames, so their order on the wire is the order of the writes.

Invariants:
    * After a close frame nothing is written: the outbox leaves the hub first.
    * No timer handle of its own, and no task but the one that checks credentials: an answer is a
      callback of the submitter's future, time comes from the gateway's wheel.
    * One log line per socket, at its end.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame as WebSocketFrame, Opcode
from websockets.protocol import State

from server.gateway.handshake import StreamProtocol, shorten_reason
from server.gateway.timers import Timer
from streams.fanout.outbox import Outbox
from streams.ports import CommandError, CommandOutcome
from streams.protocol.codec import JSON
from streams.protocol.codes import CloseCode
from streams.protocol.effects import Attach, AuthRequested, CommandRequested, Detach, Effect, Reply
from streams.protocol.limits import MESSAGE_FRAGMENTS_MAX
from streams.protocol.operations import RequestId
from streams.protocol.session import Session


if TYPE_CHECKING:
    from server.gateway.gateway import Gateway


# A leaving socket with unanswered commands is looked at this often until they are answered.
_DRAIN_LOOK_S: Final = 0.05
# RFC 6455, section 7.1.5: what is said of a connection that ended without a close frame.
_ABNORMAL_CLOSURE: Final = 1006


class StreamSocket:
    """The conversation with one client.

    Args:
        gateway: the gateway it belongs to.
        transport: where bytes go.
        wire: the library's engine, open.
        address: where the client connects from.

    Attributes:
        session: the protocol's state.
        outbox: the way to the client.
    """

    def __init__(
        self, gateway: Gateway, transport: asyncio.Transport, wire: StreamProtocol, address: str
    ) -> None:
        settings = gateway.settings
        codec = wire.codec or JSON
        self.session = Session(
            gateway.source,
            codec,
            limits=settings.limits,
            node=settings.node,
            clock=gateway.clock,
            authentication_required=settings.authentication_required,
        )
        self.outbox = Outbox(
            transport,
            codec,
            gateway.hub,
            limits=settings.limits,
            monotonic=gateway.clock.monotonic,
            on_overflow=self._overflow,
        )
        self._gateway = gateway
        self._transport = transport
        self._wire = wire
        self._address = address
        self._timer: Timer | None = None
        self._opened_s = self._heard_s = gateway.clock.monotonic()
        self._ping_sent_s: float | None = None
        self._fragments: list[bytes] = []
        self._fragments_opcode = Opcode.TEXT
        self._closing = False
        self._close_code: int = _ABNORMAL_CLOSURE
        self._close_reason = ""
        self._drain_by_s = 0.0

    def begin(self, authorization: str | None) -> None:
        """Say hello, unless the client speaks none of our subprotocols.

        Args:
            authorization: the `Authorization` header of the upgrade.
        """
        self._gateway.opened_socket(self)
        if self._wire.codec is None:
            self.close(CloseCode.PROTOCOL_VIOLATED, "unknown subprotocol")
            return
        self.carry_out(self.session.begin(authorization))
        self._inspect()

    # Reports of the transport

    def heard(self) -> None:
        """Note that the client sent something."""
        self._heard_s = self._gateway.clock.monotonic()

    def drained(self) -> None:
        """Note that the transport has room again."""
        if not self._closing:
            self.outbox.resume()

    def lost(self) -> None:
        """Leave everything this socket was part of, and log its one line."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._closing = True
        self._gateway.hub.detach(self.outbox)
        self.outbox.release()
        self.session.close(CloseCode.GOING_AWAY)
        self._gateway.lost_socket(self, self._close_code)
        principal = self.session.principal
        self._gateway.log.info(
            "stream_closed",
            address=self._address,
            account_id=principal.trader if principal is not None else None,
            codec=self.outbox.codec.name,
            code=self._close_code,
            reason=self._close_reason,
            open_s=round(self._gateway.clock.monotonic() - self._opened_s, 3),
            messages_in=self.session.messages_in,
            conflations=self.outbox.conflations,
        )

    # Requests of the gateway

    def close(self, code: CloseCode, reason: str | None = None) -> None:
        """Close the socket on the server's initiative."""
        self.carry_out(self.session.close(code, reason))

    def abort(self) -> None:
        """Cut the connection without a closing handshake."""
        self._transport.abort()

    def broken(self, error: Exception) -> None:
        """Report an error of ours and close the socket with 4004."""
        self._gateway.log.error("stream_broken", address=self._address, exc_info=error)
        if self._closing or self.session.closed:
            self.abort()
        else:
            self.close(CloseCode.INTERNAL_ERROR)

    def recheck(self, key: str) -> None:
        """End the subscription to a channel this socket may not receive any more."""
        self.carry_out(self.session.recheck(key))

    def drain(self, in_ms: int, close_after_s: float) -> None:
        """Tell the client that this node leaves, and close after a while.

        Args:
            in_ms: time the client is given, as sent.
            close_after_s: when this socket is closed; later while commands are unanswered, but
                not after `in_ms`.
        """
        self.carry_out([Reply({"t": "drain", "in_ms": in_ms})])
        self._drain_by_s = self._gateway.clock.monotonic() + in_ms / 1000
        self._gateway.timers.schedule(close_after_s, self._close_drained)

    def carry_out(self, effects: list[Effect]) -> None:
        """Do what the session decided, in order and in one step."""
        outbox, hub = self.outbox, self._gateway.hub
        for effect in effects:
            if self._closing:
                return
            if isinstance(effect, Reply):
                outbox.send(outbox.codec.wire(effect.message))
            elif isinstance(effect, Attach):
                hub.subscribe(
                    outbox,
                    effect.info,
                    effect.seq,
                    snapshot=effect.mode == "snapshot",
                    after_seq=effect.after_seq,
                )
            elif isinstance(effect, Detach):
                hub.unsubscribe(outbox, effect.key)
            elif isinstance(effect, AuthRequested):
                self._gateway.spawn(self, self._authenticate(effect), "authenticate")
            elif isinstance(effect, CommandRequested):
                self._request_command(effect)
            else:
                self._close(effect.code, effect.reason)

    # Receiving

    def on_message(self, message: bytes, opcode: int) -> None:
        """Take one whole message from the client."""
        if not self._closing:
            self.carry_out(self.session.receive(message, opcode=opcode))

    def on_frame(self, frame: WebSocketFrame) -> None:
        """Take one frame from the client that is no whole message; the engine has checked it."""
        if self._closing:
            return
        opcode = frame.opcode
        if opcode is Opcode.PONG:
            self._ping_sent_s = None
        elif opcode is Opcode.PING:
            self.carry_out(self.session.control_received())
        elif opcode is Opcode.CLOSE:
            self._on_close_frame()
        elif opcode is not Opcode.CONT and frame.fin:
            self.on_message(bytes(frame.data), int(opcode))
        else:
            self._on_fragment(frame)

    def on_broken_wire(self, error: Exception) -> None:
        """Answer bytes that are no WebSocket; the engine has the close frame ready."""
        if self._closing:
            return
        if isinstance(error, PayloadTooBig):
            self.carry_out(self.session.too_large())
        else:
            self.carry_out(self.session.close(CloseCode.PROTOCOL_VIOLATED, str(error)))

    def flush_wire(self) -> None:
        """Write what the engine has made: pongs, a close frame, the end."""
        closing = self._closing
        for data in self._wire.data_to_send():
            if closing != self._closing:
                # A pong was one too many: the close frame has been written meanwhile.
                return
            if not data:
                self._end()
            elif closing:
                self._transport.write(data)
            else:
                # Pongs count against the outbox like anything else a client makes us say.
                self.outbox.send(data)

    def _on_fragment(self, frame: WebSocketFrame) -> None:
        if frame.opcode is not Opcode.CONT:
            self._fragments_opcode = frame.opcode
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            message = b"".join(self._fragments)
            self._fragments.clear()
            self.carry_out(self.session.receive(message, opcode=int(self._fragments_opcode)))
        elif len(self._fragments) >= MESSAGE_FRAGMENTS_MAX:
            self.close(
                CloseCode.PROTOCOL_VIOLATED, f"expected at most {MESSAGE_FRAGMENTS_MAX} fragments"
            )

    def _on_close_frame(self) -> None:
        received = self._wire.close_rcvd
        if received is not None:
            self._close_code, self._close_reason = int(received.code), received.reason
        self.session.close(CloseCode.GOING_AWAY)
        self._leave_hub()
        # The engine has the answering close frame ready; whoever called us flushes it.
        self._await_end()

    # Closing

    def _close(self, code: CloseCode, reason: str) -> None:
        self._close_code, self._close_reason = int(code), reason
        self._leave_hub()
        if self._wire.state is State.OPEN:
            self._wire.send_close(code, shorten_reason(reason))
        self.flush_wire()
        self._await_end()

    def _leave_hub(self) -> None:
        if not self._closing:
            self._gateway.hub.settle(self.outbox)
            self._gateway.hub.detach(self.outbox)
            self._closing = True

    def _end(self) -> None:
        if self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _await_end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait_s = self._gateway.settings.close_wait_ms / 1000
        self._timer = self._gateway.timers.schedule(wait_s, self.abort)

    def _overflow(self, reason: str) -> None:
        self.close(CloseCode.SLOW_CONSUMER, reason)

    # Time

    def _inspect(self) -> None:
        """Look after deadlines, the heartbeat and a stalled outbox; then wait for the next."""
        session, gateway = self.session, self._gateway
        self.carry_out(session.expire())
        now_s = gateway.clock.monotonic()
        due_s = now_s + gateway.settings.inspect_ms / 1000
        for look in (self._beat, self._stall, session.due_at_s):
            other_s = look()
            if self._closing:
                return
            if other_s is not None and other_s < due_s:
                due_s = other_s
        if self._timer is not None:
            self._timer.cancel()
        self._timer = gateway.timers.schedule(due_s - now_s, self._inspect)

    def _stall(self) -> float | None:
        return None if self._closing else self.outbox.inspect()

    def _beat(self) -> float | None:
        """Ping a silent client, give up one that does not answer; return the next deadline."""
        if self._closing:
            return None
        limits = self._gateway.settings.limits
        now_s = self._gateway.clock.monotonic()
        if self._ping_sent_s is not None:
            give_up_s = self._ping_sent_s + limits.pong_within_ms / 1000
            if now_s >= give_up_s:
                self.close(CloseCode.HEARTBEAT_LOST)
            return give_up_s
        ping_s = self._heard_s + limits.ping_after_ms / 1000
        if now_s < ping_s:
            return ping_s
        self._wire.send_ping(b"")
        self._ping_sent_s = now_s
        self.flush_wire()
        return now_s + limits.pong_within_ms / 1000

    def _close_drained(self) -> None:
        if self._closing:
            return
        if self.session.commands_in_flight and self._gateway.clock.monotonic() < self._drain_by_s:
            self._gateway.timers.schedule(_DRAIN_LOOK_S, self._close_drained)
        else:
            self.close(CloseCode.DRAIN)

    # Asynchronous work

    async def _authenticate(self, request: AuthRequested) -> None:
        session = self.session
        try:
            principal = await self._gateway.authenticate(request, self._address)
        except CommandError as error:
            self.carry_out(session.authentication_failed(request.re, error))
            return
        if self._closing:
            return
        if session.principal is None and not self._gateway.may_join(principal):
            self.close(CloseCode.TOO_MANY_SOCKETS)
            return
        effects = session.authenticated(request.re, principal)
        if session.principal is principal:
            self._gateway.registry.identify(self, principal)
        self.carry_out(effects)
        if not self._closing:
            # The credential's end may come before the next look.
            self._inspect()

    def _request_command(self, request: CommandRequested) -> None:
        gateway, principal = self._gateway, self.session.principal
        refusal = gateway.command_refusal()
        try:
            if refusal is not None:
                raise refusal
            if principal is None:
                return
            outcome = gateway.commands.execute(principal, request.name, request.args, request.key)
        except CommandError as error:
            self.carry_out(self.session.command_failed(request.re, error))
            return
        gateway.commands_in_flight += 1
        outcome.add_done_callback(partial(self._answer, request.re))

    def _answer(self, re: RequestId, outcome: asyncio.Future[CommandOutcome]) -> None:
        self._gateway.commands_in_flight -= 1
        try:
            self.carry_out(self.session.command_done(re, outcome.result()))
        except CommandError as error:
            self.carry_out(self.session.command_failed(re, error))
        except Exception as error:  # noqa: BLE001  # root of a callback: ends its socket
            self.broken(error)
