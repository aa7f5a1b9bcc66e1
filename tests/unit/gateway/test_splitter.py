"""The splitter against the library's engine, and its bounds."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given, strategies as st
from websockets.frames import Frame, Opcode

from server.gateway.splitter import ENGINE, FrameSplitter


LIMIT = 1_000
MASK = b"\x01\x02\x03\x04"


def frame(head: int, payload: bytes, *, masked: bool = True) -> bytes:
    size, mask_bit = len(payload), 0x80 if masked else 0
    if size < 126:
        begin = struct.pack("!BB", head, mask_bit | size)
    elif size < 65_536:
        begin = struct.pack("!BBH", head, mask_bit | 126, size)
    else:
        begin = struct.pack("!BBQ", head, mask_bit | 127, size)
    if not masked:
        return begin + payload
    return begin + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))


@given(
    messages=st.lists(
        st.tuples(st.sampled_from((Opcode.TEXT, Opcode.BINARY)), st.binary(max_size=300)),
        max_size=8,
    ),
    cuts=st.lists(st.integers(0, 3_000), max_size=8),
)
def test_messages_come_out_however_the_bytes_are_cut(
    messages: list[tuple[Opcode, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(Frame(*each).serialize(mask=True) for each in messages)
    splitter = FrameSplitter(LIMIT)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    found = [
        part
        for begin, end in itertools.pairwise(edges)
        for part in splitter.take(stream[begin:end])
    ]
    assert found == [(int(opcode), data) for opcode, data in messages]


@pytest.mark.parametrize(
    "whole",
    [
        frame(0x89, b"ping"),
        frame(0x8A, b""),
        frame(0x88, b"\x03\xe8"),
        frame(0x01, b"part"),
        frame(0x80, b"end"),
    ],
)
def test_what_is_no_whole_message_is_for_the_engine(whole: bytes) -> None:
    splitter = FrameSplitter(LIMIT)
    assert splitter.take(whole[:1]) == []
    assert splitter.take(whole[1:]) == [(ENGINE, whole)]
    assert splitter.take(frame(0x89, b"x")) == [(ENGINE, frame(0x89, b"x"))]


def test_a_message_between_parts_is_for_the_engine_to_refuse() -> None:
    part, between, end = frame(0x01, b"a"), frame(0x81, b"b"), frame(0x80, b"c")
    splitter = FrameSplitter(LIMIT)
    assert splitter.take(part + between) == [(ENGINE, part), (ENGINE, between)]
    again = FrameSplitter(LIMIT)
    assert again.take(part + end + frame(0x82, b"d")) == [(ENGINE, part), (ENGINE, end), (2, b"d")]


@pytest.mark.parametrize(
    ("why", "bad"),
    [
        ("not masked", frame(0x81, b"x", masked=False)),
        ("reserved bit", frame(0xC1, b"x")),
        ("unknown opcode", frame(0x83, b"x")),
        ("control frame in parts", frame(0x09, b"x")),
        ("long control frame", frame(0x89, b"x" * 126)),
        ("too long", frame(0x82, b"x" * (LIMIT + 1))),
        ("eight bytes of length", frame(0x82, b"x" * 65_536)),
    ],
)
def test_a_head_that_is_wrong_gives_everything_to_the_engine(why: str, bad: bytes) -> None:
    splitter = FrameSplitter(LIMIT)
    good = frame(0x81, b"{}")
    assert splitter.take(good + bad[:4]) == [(1, b"{}"), (ENGINE, bad[:4])], why
    assert splitter.take(bad[4:] + good) == [(ENGINE, bad[4:] + good)], why


def test_compressed_messages_are_cut_whole_for_the_engine_where_agreed_upon() -> None:
    compressed, plain = frame(0xC1, b"x"), frame(0x82, b"{}")
    begin, end = frame(0x41, b"a"), frame(0x80, b"b")
    splitter = FrameSplitter(LIMIT, compressed=True)
    parts = [(ENGINE, each) for each in (compressed, begin, end)]
    assert splitter.take(compressed + begin + end + plain) == [*parts, (2, b"{}")]
    assert splitter.take(frame(0xC9, b"ping")) == [(ENGINE, frame(0xC9, b"ping"))]


def test_the_largest_message_is_held_whole() -> None:
    whole = frame(0x82, b"x" * LIMIT)
    splitter = FrameSplitter(LIMIT)
    assert [splitter.take(whole[i : i + 1]) for i in range(len(whole) - 1)] == [[]] * (
        len(whole) - 1
    )
    assert splitter.take(whole[-1:]) == [(2, b"x" * LIMIT)]
