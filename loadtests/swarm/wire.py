"""WebSocket frames as bytes: what a client sends and what it finds in what it received.

No extension is offered, so no bit but FIN and the opcode is ever set; a server's message is one
frame. Source: RFC 6455, section 5.2.
"""

from __future__ import annotations

from typing import Final

from streams.protocol.frames import OPCODE_BINARY, OPCODE_TEXT, frame_header


OPCODE_CLOSE: Final = 0x8
OPCODE_PING: Final = 0x9
OPCODE_PONG: Final = 0xA

_MASKED: Final = 0x80
_FIN: Final = 0x80
_NO_MASK: Final = b"\x00\x00\x00\x00"
"""A mask of zeros leaves the payload as it is."""

_OPCODES: Final = {_FIN | code: code for code in (1, 2, OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG)}


class WireBroken(ConnectionError):
    """The server sent what no server may send."""


def client_frame(opcode: int, payload: bytes) -> bytes:
    """Return a frame of a client."""
    header = bytearray(frame_header(opcode, len(payload)))
    header[1] |= _MASKED
    return bytes(header) + _NO_MASK + payload


def upgrade(host: str, path: str, codec: str, authorization: str | None) -> bytes:
    """Return the request that opens a socket.

    Args:
        host: for the `Host` header.
        path: of the stream.
        codec: `json` or `msgpack`.
        authorization: value of the `Authorization` header, None for none.
    """
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        f"Sec-WebSocket-Protocol: optix.v1.{codec}",
    ]
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def message_opcode(codec: str) -> int:
    """Return the opcode of a codec's messages."""
    return OPCODE_TEXT if codec == "json" else OPCODE_BINARY


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the whole frames in what was received, as (opcode, payload), and what is left.

    Raises:
        WireBroken: a fragment, a masked frame or an unknown opcode.
    """
    found: list[tuple[int, bytes]] = []
    at, end = 0, len(data)
    while end - at >= 2:
        length, start = data[at + 1], at + 2
        if length >= 126:
            if length > 127:
                raise WireBroken("expected a frame without a mask")
            start += 2 if length == 126 else 8
            if start > end:
                break
            length = int.from_bytes(data[at + 2 : start], "big")
        if start + length > end:
            break
        opcode = _OPCODES.get(data[at])
        if opcode is None:
            raise WireBroken(f"expected a whole frame, was first byte {data[at]:#04x}")
        found.append((opcode, data[start : start + length]))
        at = start + length
    return found, data[at:] if at else data
