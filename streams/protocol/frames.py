"""WebSocket framing for messages from server to client.

A message becomes ready-to-write bytes once and is then written, the same object, to every
subscriber. Frames from a server are never masked, and we never fragment: a frame is whole, so
control frames may be written between any two.

Source: RFC 6455, section 5.2.
"""

from __future__ import annotations

from typing import Final


OPCODE_TEXT: Final = 0x1
OPCODE_BINARY: Final = 0x2

_FIN: Final = 0x80
_COMPRESSED: Final = 0x40  # the first reserved bit: RFC 7692, section 6
# Payload lengths up to 125 stand in the second byte; 126 and 127 announce 2 and 8 more bytes.
_LENGTH_INLINE_MAX: Final = 125
_LENGTH_16: Final = 126
_LENGTH_16_MAX: Final = 0xFFFF
_LENGTH_64: Final = 127


def frame_header(opcode: int, length: int, *, compressed: bool = False) -> bytes:
    """Return the header of one unmasked, unfragmented frame.

    Args:
        opcode: `OPCODE_TEXT` or `OPCODE_BINARY`.
        length: payload length in bytes, >= 0.
        compressed: whether the payload is, see `compression`.
    """
    first = _FIN | opcode | (_COMPRESSED if compressed else 0)
    if length <= _LENGTH_INLINE_MAX:
        return bytes((first, length))
    if length <= _LENGTH_16_MAX:
        return bytes((first, _LENGTH_16)) + length.to_bytes(2, "big")
    return bytes((first, _LENGTH_64)) + length.to_bytes(8, "big")


def server_frame(opcode: int, payload: bytes) -> bytes:
    """Return `payload` as the bytes of one WebSocket frame."""
    return frame_header(opcode, len(payload)) + payload
