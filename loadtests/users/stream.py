"""A user's socket: frames verified as the swarm's are, commands sent and their answers awaited.

Works under gevent: a greenlet reads, whoever asks waits for its own answer.
"""

from __future__ import annotations

import socket
import time
from typing import Any, Final

import gevent
from gevent.event import AsyncResult

from loadtests.swarm import wire
from loadtests.swarm.counts import FAULTS
from loadtests.swarm.member import Member, MemberClosed, MemberState
from loadtests.swarm.verifier import Verifier, decoder
from streams.protocol.codec import MSGPACK


OPENING_SECONDS_MAX: Final = 30.0
ANSWER_SECONDS_MAX: Final = 10.0
LOOK_SECONDS: Final = 0.01
RECEIVE_BYTES: Final = 1 << 16

VERIFIER: Final = Verifier(decoder("msgpack"))
"""One for all users of the process: they see the same frames."""


class StreamFailed(Exception):
    """The socket could not be opened, was closed, or an answer did not come."""


class UserSocket:
    """One socket of one user.

    Args:
        host: of the node.
        port: of the node.
        authorization: value of the header.
        channels: to subscribe to.
    """

    def __init__(self, host: str, port: int, authorization: str, channels: tuple[str, ...]) -> None:
        self._host, self._port = host, port
        self._member = Member(
            authorization, authorization, channels, "msgpack", VERIFIER, self._answered
        )
        self._answers: dict[int, AsyncResult] = {}
        self._asked = 1
        self._closed = ""

    def open(self) -> None:
        """Connect, identify, subscribe, and take the snapshots; resume after an earlier time.

        Raises:
            StreamFailed: one of that failed.
        """
        address = (self._host, self._port)
        try:
            self._socket = socket.create_connection(address, OPENING_SECONDS_MAX)
        except OSError as error:
            raise StreamFailed(f"not connected: {error}") from error
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._closed = ""
        self._member.connected(f"{self._host}:{self._port}", self._socket.sendall)
        self._reader = gevent.spawn(self._read)
        give_up = time.monotonic() + OPENING_SECONDS_MAX
        while self._member.state is not MemberState.WHOLE:
            if self._closed or time.monotonic() > give_up:
                raise StreamFailed(self._closed or "not subscribed in time")
            gevent.sleep(LOOK_SECONDS)

    @property
    def closed(self) -> str:
        """Why the node closed it; empty while it is open."""
        return self._closed

    def ask(self, name: str, args: dict[str, Any], key: str) -> dict[str, Any]:
        """Send a command; return its answer, `ok` or `err`.

        Raises:
            StreamFailed: the socket is closed, or no answer came.
        """
        self._asked += 1
        number = self._asked
        request = {"op": "command", "id": number, "name": name, "args": args, "key": key}
        waiting = self._answers[number] = AsyncResult()
        try:
            self._socket.sendall(wire.client_frame(MSGPACK.opcode, MSGPACK.encode(request)))
            answer: dict[str, Any] = waiting.get(timeout=ANSWER_SECONDS_MAX)
        except OSError as error:
            raise StreamFailed(self._closed or str(error)) from error
        except gevent.Timeout:
            raise StreamFailed(f"no answer within {ANSWER_SECONDS_MAX:g} s") from None
        finally:
            self._answers.pop(number, None)
        return answer

    def close(self) -> None:
        """Cut the connection."""
        self._reader.kill()
        self._end("closed by the user")

    def _answered(self, message: dict[str, Any]) -> bool:
        number = message.get("re")
        waiting = self._answers.get(number or 0)
        if waiting is not None:
            waiting.set(message)
        # An answer that came too late is no fault of the protocol.
        return isinstance(number, int) and 1 < number <= self._asked

    def _read(self) -> None:
        try:
            while data := self._socket.recv(RECEIVE_BYTES):
                self._member.receive(data, time.time_ns() // 1000)
            self._end("1006")
        except MemberClosed as closed:
            self._end(closed.reason)
        except OSError as error:
            self._end(str(error))

    def _end(self, reason: str) -> None:
        self._closed = reason
        self._socket.close()
        self._member.closed()
        for waiting in self._answers.values():
            waiting.set_exception(ConnectionError(reason))


def faults() -> list[tuple[str, int, list[str]]]:
    """Return the faults that all sockets of this process saw: kind, count, examples."""
    counts = VERIFIER.counts
    found = [(name, getattr(counts, name), counts.examples.get(name, [])) for name in FAULTS]
    return [each for each in found if each[1]]
