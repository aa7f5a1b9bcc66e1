"""The readers of the fan-out benchmark: N sockets of one process, read with epoll.

    python -m server.bench.fanout_reader PORT SOCKETS BYTES ws|raw

Connects (and, for `ws`, upgrades and subscribes), prints `ready`, and then prints `done` each time
every byte of one round has arrived.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from typing import Final

from server.bench.fanout_server import CHANNEL


_MASK: Final = b"\x00\x00\x00\x00"


def main() -> None:
    """Read until the server goes away."""
    port, count, frame_bytes, kind = (
        int(sys.argv[1]),
        int(sys.argv[2]),
        int(sys.argv[3]),
        sys.argv[4],
    )
    sockets = []
    for _ in range(count):
        each = socket.create_connection(("127.0.0.1", port))
        if kind == "ws":
            _subscribe(each)
        each.setblocking(False)
        sockets.append(each)
    _say("ready")
    _read(sockets, count * frame_bytes)


def _subscribe(each: socket.socket) -> None:
    request = json.dumps({"op": "subscribe", "id": 1, "ch": [{"ch": CHANNEL}]}).encode()
    each.sendall(
        b"GET /v1/stream HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    _read_until(each, b'"t":"hello"')
    # A mask of zeros leaves the payload as it is.
    each.sendall(bytes((0x81, 0x80 | len(request))) + _MASK + request)
    _read_until(each, b'"t":"snap"', b'"data":""}')


def _read_until(each: socket.socket, *marks: bytes) -> None:
    seen = b""
    while not all(mark in seen for mark in marks):
        data = each.recv(65536)
        if not data:
            raise ConnectionError(f"expected {marks!r}, was the end after {seen!r}")
        seen += data


def _read(sockets: list[socket.socket], round_bytes: int) -> None:
    poll = select.epoll()
    receive = {}
    for each in sockets:
        poll.register(each.fileno(), select.EPOLLIN)
        receive[each.fileno()] = each.recv
    left = round_bytes
    while True:
        for number, _ in poll.poll():
            data = receive[number](65536)
            if not data:
                return
            left -= len(data)
        if left <= 0:
            _say("done")
            left += round_bytes


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
