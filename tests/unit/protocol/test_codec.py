from typing import Any

import msgspec
import pytest

from streams.ports import Frame
from streams.protocol.codec import (
    CODEC_BY_SUBPROTOCOL,
    CODECS,
    COMPRESSING,
    JSON,
    MSGPACK,
    Codec,
    MalformedMessage,
    encode_frame,
    frame_map,
)
from streams.protocol.frames import server_frame


FRAME = Frame("copies:t_9", "copies", "ev", 42, 1_767_225_600_000_001, {"a": [1, None, "x"]})
PACK = msgspec.msgpack.encode


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def test_a_frame_as_json() -> None:
    expected = b'{"t":"ev","ch":"copies","seq":42,"ts":1767225600000001,"data":{"a":[1,null,"x"]}}'
    assert expected == encode_frame(FRAME, JSON)


def test_both_codecs_carry_the_same_map() -> None:
    assert (
        frame_map(FRAME)
        == JSON.decode(encode_frame(FRAME, JSON))
        == MSGPACK.decode(encode_frame(FRAME, MSGPACK))
    )


def test_a_checksum_is_sent_when_there_is_one() -> None:
    assert "crc" not in frame_map(FRAME)
    assert frame_map(msgspec.structs.replace(FRAME, crc=0))["crc"] == 0


@pytest.mark.parametrize("codec", CODECS)
def test_wire_bytes_are_the_message_with_its_header(codec: Codec) -> None:
    message = encode_frame(FRAME, codec)
    assert server_frame(codec.opcode, message) == codec.wire_frame(FRAME)
    assert codec.wire_frame(FRAME) == codec.wire(frame_map(FRAME))
    plain = CODEC_BY_SUBPROTOCOL[f"optix.v1.{codec.name}"]
    assert codec in (plain, COMPRESSING[plain])
    assert codec is CODECS[codec.index]
    assert codec.name in repr(codec)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{",
        b"{}{}",
        b"[]",
        b"1",
        b"null",
        b'"x"',
        b"\xff",
        b'{"a":"\xc3("}',
        b'{"a":"\\ud800"}',
        b'{"a":NaN}',
        b'{"a":1e400}',
        b'{"a":9223372036854775808}',
        b'{"a":-9223372036854775809}',
        b'{"a":' + b"1" * 5000 + b"}",
        b'{"a":' * 30_000,
        b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
    ],
    ids=lambda message: f"{len(message)} {message[:24]!r}",
)
def test_malformed_json(message: bytes) -> None:
    with pytest.raises(MalformedMessage):
        JSON.decode(message)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x81",
        b"\x80\x80",
        b"\x90",
        b"\xc1",
        b"\x81\x01\x02",
        b"\x81\xa1\xff\x01",
        b"\x81\xa1a" * 30_000,
        PACK({"a": b"bytes"}),
        PACK({"a": 2**63}),
        PACK({"a": float("nan")}),
        PACK({"a": float("inf")}),
        PACK({"a": msgspec.msgpack.Ext(5, b"x")}),
        b"\x81\xa1a\xd6\xff\x00\x00\x00\x00",
        b"\xdf\xff\xff\xff\xff",
        PACK({"a": [{1: 2}]}),
        PACK(nested(33)),
    ],
    ids=lambda message: f"{len(message)} {message[:24]!r}",
)
def test_malformed_msgpack(message: bytes) -> None:
    with pytest.raises(MalformedMessage):
        MSGPACK.decode(message)


@pytest.mark.parametrize("codec", CODECS)
def test_the_widest_message_that_is_well_formed(codec: Codec) -> None:
    message = {"a": [2**63 - 1, -(2**63), 0.5, True, False, None, "ü"], "b": nested(31)}
    assert message == codec.decode(bytearray(codec.encode(message)))
