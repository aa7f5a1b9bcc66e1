"""A key that stands twice is found wherever it stands, and nothing else is taken for one."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streams.protocol.codec import JSON, MSGPACK, Codec, MalformedMessage


Pairs = list[tuple[str, Any]]

TEXTS = st.text(alphabet='ab":\\ \t,{}[]', max_size=6)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), TEXTS)


def _pairs(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # A map is a tuple of pairs, so that a key can stand in it twice; a list is a list.
    maps = st.lists(st.tuples(TEXTS, children), max_size=4).map(tuple)
    return st.one_of(st.lists(children, max_size=3), maps)


VALUES = st.recursive(SCALARS, _pairs, max_leaves=12)
MAPS = st.lists(st.tuples(TEXTS, VALUES), max_size=4).map(tuple)


def has_twice(value: Any) -> bool:
    """The plain answer."""
    if isinstance(value, tuple):
        keys = [key for key, _ in value]
        return len(set(keys)) < len(keys) or any(has_twice(child) for _, child in value)
    return isinstance(value, list) and any(has_twice(child) for child in value)


def as_json(value: Any, space: str) -> str:
    """Write a value with a space before each colon."""
    if isinstance(value, tuple):
        pairs = [f"{json.dumps(key)}{space}:{as_json(child, space)}" for key, child in value]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(as_json(child, space) for child in value) + "]"
    return json.dumps(value)


def as_msgpack(value: Any, *, wide: bool) -> bytes:
    """Write a value in its shortest form, or with the widest lengths there are."""
    if isinstance(value, tuple):
        children = b"".join(
            as_msgpack(key, wide=wide) + as_msgpack(child, wide=wide) for key, child in value
        )
        return _head(len(value), 0x80, 0xDF, wide=wide) + children
    if isinstance(value, list):
        children = b"".join(as_msgpack(child, wide=wide) for child in value)
        return _head(len(value), 0x90, 0xDD, wide=wide) + children
    if isinstance(value, str):
        text = value.encode()
        return _head(len(text), 0xA0, 0xDB, wide=wide) + text
    return MSGPACK.encode({"": value})[2:]


def _head(length: int, short: int, long: int, *, wide: bool) -> bytes:
    return struct.pack(">BI", long, length) if wide else bytes([short | length])


def refused(codec: Codec, message: bytes) -> bool:
    """Whether a message is refused, for the right reason."""
    try:
        codec.decode(message)
    except MalformedMessage as error:
        return str(error) == "expected each key of a map once, one was there twice"
    return False


@given(MAPS, st.sampled_from(["", " ", "\t", "\n", "\r"]))
def test_json(value: Any, space: str) -> None:
    assert has_twice(value) == refused(JSON, as_json(value, space).encode())


@given(MAPS, st.booleans())
def test_msgpack(value: Any, wide: bool) -> None:
    assert has_twice(value) == refused(MSGPACK, as_msgpack(value, wide=wide))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"\x7f", id="fixint"),
        pytest.param(b"\xe0", id="negative-fixint"),
        pytest.param(b"\xc0", id="nil"),
        pytest.param(b"\xc3", id="true"),
        pytest.param(b"\xca\x81\x81\x81\x81", id="float32"),
        pytest.param(b"\xcb\x81\x81\x81\x81\x81\x81\x81\x81", id="float64"),
        pytest.param(b"\xcc\x81", id="uint8"),
        pytest.param(b"\xcd\x81\x81", id="uint16"),
        pytest.param(b"\xce\x81\x81\x81\x81", id="uint32"),
        pytest.param(b"\xcf\x01\x81\x81\x81\x81\x81\x81\x81", id="uint64"),
        pytest.param(b"\xd0\x81", id="int8"),
        pytest.param(b"\xd1\x81\x81", id="int16"),
        pytest.param(b"\xd2\x81\x81\x81\x81", id="int32"),
        pytest.param(b"\xd3\x81\x81\x81\x81\x81\x81\x81\x81", id="int64"),
        pytest.param(b"\xa2\x7f\x7f", id="fixstr"),
        pytest.param(b"\xd9\x02\x7f\x7f", id="str8"),
        pytest.param(b"\xda\x00\x02\x7f\x7f", id="str16"),
        pytest.param(b"\xdb\x00\x00\x00\x02\x7f\x7f", id="str32"),
        pytest.param(b"\x91\x01", id="fixarray"),
        pytest.param(b"\xdc\x00\x01\x01", id="array16"),
        pytest.param(b"\xdd\x00\x00\x00\x01\x01", id="array32"),
        pytest.param(b"\x81\xa1b\x01", id="fixmap"),
        pytest.param(b"\xde\x00\x01\xa1b\x01", id="map16"),
        pytest.param(b"\xdf\x00\x00\x00\x01\xa1b\x01", id="map32"),
    ],
)
def test_each_form_of_msgpack_is_passed_over_whole(value: bytes) -> None:
    once, twice = b"\x82\xa1a" + value + b"\xa1c\x01", b"\x82\xa1a" + value + b"\xa1a\x01"
    assert [refused(MSGPACK, once), refused(MSGPACK, twice)] == [False, True]
