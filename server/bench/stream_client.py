"""A client for measuring: sockets of `/v1/stream` in one thread, requests at an even rate.

Open loop: a request is due at its time whether or not earlier ones were answered, and its latency
counts from that time, so a slow node or a slow client shows (no coordinated omission). One
`select` with a timeout in microseconds drives all sockets; nothing spins.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from server.gateway.settings import STREAM_PATH
from streams.protocol.codec import MSGPACK
from streams.protocol.frames import OPCODE_BINARY, frame_header


HANDSHAKE_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 10.0
RECEIVE_BYTES = 1 << 16

_MASKED = 0x80
_NO_MASK = b"\x00\x00\x00\x00"
"""A mask of zeros leaves the payload as it is."""

Message = dict[str, Any]


class ClientSocket:
    """One socket as one `Dev` trader, msgpack."""

    def __init__(self, host: str, port: int, handle: str) -> None:
        """Connect and wait for the upgrade.

        Raises:
            ConnectionError: the node refused.
        """
        self.connection = socket.create_connection((host, port), HANDSHAKE_SECONDS_MAX)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waiting = bytearray()
        lines = (
            f"GET {STREAM_PATH} HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            f"Sec-WebSocket-Protocol: {MSGPACK.subprotocol}",
            f"Authorization: Dev {handle}",
        )
        self.connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii"))
        try:
            self._upgraded()
        except BaseException:
            self.close()
            raise

    def _upgraded(self) -> None:
        while (end := self._waiting.find(b"\r\n\r\n")) < 0:
            self._fill()
        status = bytes(self._waiting[:end]).split(b"\r\n", 1)[0]
        if b" 101 " not in status:
            raise ConnectionError(f"expected an upgrade, was {status.decode('latin-1')}")
        del self._waiting[: end + 4]

    def send(self, message: Message) -> None:
        """Send one message."""
        payload = MSGPACK.encode(message)
        header = bytearray(frame_header(OPCODE_BINARY, len(payload)))
        header[1] |= _MASKED
        self.connection.sendall(bytes(header) + _NO_MASK + payload)

    def receive(self) -> list[Message]:
        """Return the messages that are complete; when there are none, read at least one byte.

        Raises:
            ConnectionError: the node closed the socket.
        """
        found = self._messages()
        if not found:
            self._fill()
            found = self._messages()
        return found

    def close(self) -> None:
        """Cut the connection."""
        self.connection.close()

    def _fill(self) -> None:
        data = self.connection.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionError("expected an open socket, the node closed it")
        self._waiting += data

    def _messages(self) -> list[Message]:
        found: list[Message] = []
        data, at = self._waiting, 0
        while len(data) - at >= 2:
            length, start = data[at + 1], at + 2
            if length >= 126:
                width = 2 if length == 126 else 8
                length = int.from_bytes(data[start : start + width], "big")
                start += width
            if start + length > len(data):
                break
            if data[at] & 0x0F == OPCODE_BINARY:
                found.append(MSGPACK.decode(data[start : start + length]))
            at = start + length
        del data[:at]
        return found


def ask(each: ClientSocket, message: Message) -> Message:
    """Send one request and return its answer.

    Raises:
        ConnectionError: the node closed the socket, or refused.
    """
    each.send(message)
    answer = answer_to(each, message)
    if answer["t"] == "err":
        raise ConnectionError(f"expected no refusal of {message}, was {answer}")
    return answer


def answer_to(each: ClientSocket, message: Message) -> Message:
    """Wait for the answer to a request that was sent; what comes before it is left out.

    Raises:
        ConnectionError: the node closed the socket.
    """
    while True:
        for answer in each.receive():
            if answer.get("re") == message["id"]:
                return answer


def open_loop(
    sockets: Sequence[ClientSocket],
    make: Callable[[int, int], Message],
    take: Callable[[Message], None],
    *,
    rate: float,
    count: int,
) -> list[float]:
    """Send requests at an even rate, round the sockets; return their latencies in seconds.

    Args:
        sockets: open ones.
        make: given (number of the request, number of the socket), returns the message; its `id`
            must be the number of the request.
        take: given each answer.
        rate: requests a second, all sockets together.
        count: requests in all.

    Raises:
        ConnectionError: a socket was closed.
        TimeoutError: requests were not answered within `ANSWER_SECONDS_MAX` after the last one.
    """
    by_descriptor = {each.connection.fileno(): each for each in sockets}
    descriptors = list(by_descriptor)
    latencies: list[float] = []
    begun = time.perf_counter() + 0.05
    sent = 0
    while len(latencies) < count:
        now = time.perf_counter()
        while sent < count and begun + sent / rate <= now:
            number = sent % len(sockets)
            sockets[number].send(make(sent, number))
            sent += 1
        due = begun + sent / rate if sent < count else now + ANSWER_SECONDS_MAX
        readable, _, _ = select.select(descriptors, [], [], max(due - time.perf_counter(), 0.0))
        if not readable and sent == count:
            raise TimeoutError(f"expected {count} answers, were {len(latencies)}")
        for descriptor in readable:
            messages = by_descriptor[descriptor].receive()
            arrived = time.perf_counter()
            for message in messages:
                if "re" in message:
                    latencies.append(arrived - begun - message["re"] / rate)
                    take(message)
    return latencies
