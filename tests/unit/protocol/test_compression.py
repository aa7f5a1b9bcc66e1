"""What is compressed says so in its header and opens to the same message; the rest is as it was."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streams.ports import Frame
from streams.protocol.codec import COMPRESSING, PLAIN_CODECS, Codec, encode_frame
from streams.protocol.compression import COMPRESSED_BYTES_MIN, WINDOW_BITS, deflated
from streams.protocol.frames import frame_header, server_frame


def frame(data: Any, *, own: bool = False) -> Frame:
    return Frame("copies:t_9" if own else "ideas", "copies" if own else "ideas", "ev", 1, 2, data)


def inflated(payload: bytes) -> bytes:
    """Open a message as RFC 7692, section 7.2.2, says."""
    return zlib.decompressobj(-WINDOW_BITS).decompress(payload + b"\x00\x00\xff\xff")


@given(st.binary(max_size=5_000))
def test_what_is_compressed_opens_to_the_same(payload: bytes) -> None:
    assert inflated(deflated(payload)) == payload


@pytest.mark.parametrize("codec", PLAIN_CODECS)
def test_a_large_public_frame_is_compressed(codec: Codec) -> None:
    public = frame({"text": "up " * 200})
    message = encode_frame(public, codec)
    wire = COMPRESSING[codec].wire_frame(public)
    header = frame_header(codec.opcode, len(wire) - 2, compressed=True)
    assert (wire[:2], header[0]) == (header, 0xC0 | codec.opcode)
    assert inflated(wire[2:]) == message


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(frame({"text": "x"}), id="small"),
        pytest.param(frame({"text": "up " * 200}, own=True), id="an-accounts-own"),
    ],
)
@pytest.mark.parametrize("codec", PLAIN_CODECS)
def test_other_frames_go_as_they_are(codec: Codec, plain: Frame) -> None:
    expected = server_frame(codec.opcode, encode_frame(plain, codec))
    assert COMPRESSING[codec].wire_frame(plain) == expected


@pytest.mark.parametrize("codec", PLAIN_CODECS)
def test_answers_are_not_compressed_whatever_their_size(codec: Codec) -> None:
    answer = {"t": "ok", "re": 1, "text": "x" * COMPRESSED_BYTES_MIN}
    assert COMPRESSING[codec].wire(answer) == codec.wire(answer)
