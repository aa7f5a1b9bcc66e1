"""The two encodings of a message: JSON text and msgpack bytes of the same map.

Invariants:
    * A message decoded by either codec holds only None, bool, signed 64-bit int, finite float,
      str, list and dict with str keys, each once, at most `MESSAGE_DEPTH_MAX` deep. Everything
      else is malformed, so the rest of the code sees no difference between the codecs.
    * `encode_frame` gives the message; `Codec.wire` adds the WebSocket header.
    * Each codec has a compressing form. It decodes the same messages (what a client compressed is
      opened before) and sends the same ones; public frames that are large enough go compressed.

Source: wire-protocol.md, first paragraph and "Server -> client".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from streams.ports import Frame
from streams.protocol.compression import COMPRESSED_BYTES_MIN, deflated
from streams.protocol.duplicates import twice_in_json, twice_in_msgpack
from streams.protocol.frames import OPCODE_BINARY, OPCODE_TEXT, frame_header, server_frame
from streams.protocol.limits import INTEGER_MAX, INTEGER_MIN, MESSAGE_DEPTH_MAX


class MalformedMessage(ValueError):
    """Bytes from a client are not one map of plain values. The text says what was expected."""


class Codec:
    """One encoding of messages, as it is written to sockets; immutable.

    Attributes:
        name: `json` or `msgpack`.
        index: place in `CODECS`, for tables with one entry a codec.
        subprotocol: the WebSocket subprotocol that selects it.
        opcode: the WebSocket opcode its messages travel in.
    """

    __slots__ = ("_decode", "_encode", "_twice", "index", "name", "opcode", "subprotocol")

    def __init__(
        self,
        name: str,
        index: int,
        opcode: int,
        encode: Callable[[Any], bytes],
        decode: Callable[[bytes], Any],
        twice: Callable[[bytes, int], bool],
    ) -> None:
        self.name = name
        self.index = index
        self.subprotocol = f"optix.v1.{name}"
        self.opcode = opcode
        self._encode = encode
        self._decode = decode
        self._twice = twice

    def __repr__(self) -> str:
        return f"Codec({self.name!r})"

    def compressing(self, index: int) -> CompressingCodec:
        """Return the form of this codec for sockets that negotiated compression."""
        return CompressingCodec(
            self.name, index, self.opcode, self._encode, self._decode, self._twice
        )

    def encode(self, message: Mapping[str, Any]) -> bytes:
        """Return one message as bytes, without the WebSocket header."""
        return self._encode(message)

    def wire(self, message: Mapping[str, Any]) -> bytes:
        """Return one message as bytes ready to be written to a socket."""
        return server_frame(self.opcode, self._encode(message))

    def wire_frame(self, frame: Frame) -> bytes:
        """Return a channel's frame as bytes ready to be written to any subscriber's socket."""
        return server_frame(self.opcode, self._encode(frame_map(frame)))

    def decode(self, message: bytes | bytearray) -> dict[str, Any]:
        """Return the map a client sent.

        Raises:
            MalformedMessage: not this encoding, not a map, not plain values, a key twice, or too
                deep.
        """
        encoded = bytes(message)
        try:
            value = self._decode(encoded)
        except RecursionError:
            raise MalformedMessage(
                f"expected at most {MESSAGE_DEPTH_MAX} levels, was far deeper"
            ) from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise MalformedMessage(f"expected one {self.name} map: {error}") from None
        if not isinstance(value, dict):
            raise MalformedMessage(f"expected a map, was {type(value).__name__}")
        if self._twice(encoded, _check_plain(value)):
            raise MalformedMessage("expected each key of a map once, one was there twice")
        return value


JSON: Final = Codec(
    "json",
    0,
    OPCODE_TEXT,
    msgspec.json.Encoder().encode,
    msgspec.json.Decoder().decode,
    twice_in_json,
)
MSGPACK: Final = Codec(
    "msgpack",
    1,
    OPCODE_BINARY,
    msgspec.msgpack.Encoder().encode,
    msgspec.msgpack.Decoder().decode,
    twice_in_msgpack,
)


class CompressingCodec(Codec):
    """A codec for sockets that negotiated compression: shared frames are sent compressed."""

    __slots__ = ()

    def wire_frame(self, frame: Frame) -> bytes:
        """See `Codec.wire_frame`."""
        payload = self._encode(frame_map(frame))
        # The name of an account's own channel does not say whose it is, its key does.
        if len(payload) >= COMPRESSED_BYTES_MIN and frame.key == frame.name:
            smaller = deflated(payload)
            return frame_header(self.opcode, len(smaller), compressed=True) + smaller
        return server_frame(self.opcode, payload)


PLAIN_CODECS: Final = (JSON, MSGPACK)
COMPRESSING: Final[dict[Codec, Codec]] = {
    codec: codec.compressing(len(PLAIN_CODECS) + codec.index) for codec in PLAIN_CODECS
}
"""The compressing form of each codec."""

CODECS: Final = (*PLAIN_CODECS, *COMPRESSING.values())
CODEC_BY_SUBPROTOCOL: Final[dict[str, Codec]] = {codec.subprotocol: codec for codec in PLAIN_CODECS}


def frame_map(frame: Frame) -> dict[str, Any]:
    """Return the map sent for a frame: `t`, `ch`, `seq`, `ts`, `data`, and `crc` if it has one."""
    message: dict[str, Any] = {
        "t": frame.kind,
        "ch": frame.name,
        "seq": frame.seq,
        "ts": frame.ts_us,
        "data": frame.data,
    }
    if frame.crc is not None:
        message["crc"] = frame.crc
    return message


def encode_frame(frame: Frame, codec: Codec) -> bytes:
    """Return a frame as the bytes of one message, without the WebSocket header."""
    return codec.encode(frame_map(frame))


def _check_plain(root: dict[Any, Any]) -> int:
    """Walk the value level by level, so that depth costs no recursion; return its keys' number."""
    level: list[Any] = [root]
    keys = 0
    for _ in range(MESSAGE_DEPTH_MAX):
        below: list[Any] = []
        for container in level:
            children = container
            if type(container) is dict:
                keys += len(container)
                for key in container:
                    if type(key) is not str:
                        raise MalformedMessage(f"expected text as key, was {type(key).__name__}")
                children = container.values()
            for value in children:
                kind = type(value)
                if kind is dict or kind is list:
                    below.append(value)
                elif kind is not str:
                    _check_scalar(value)
        if not below:
            return keys
        level = below
    raise MalformedMessage(f"expected at most {MESSAGE_DEPTH_MAX} levels, was deeper")


def _check_scalar(value: Any) -> None:
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int):
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise MalformedMessage("expected integers of 64 bits, was larger")
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise MalformedMessage("expected finite numbers")
        return
    raise MalformedMessage(f"expected plain values, was {type(value).__name__}")
