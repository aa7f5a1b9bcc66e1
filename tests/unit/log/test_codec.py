from __future__ import annotations

import zlib

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from streams.core.commands import AnyCommand, Tick
from streams.log.codec import (
    BATCH_OVERHEAD_BYTES_MAX,
    BATCH_SCHEMA,
    PAYLOAD_BYTES_MAX,
    Batch,
    BatchCodec,
    Envelope,
)
from streams.ports import DecodeError
from tests.unit.log.samples import Count, Sample, Say, sample_codec, say


ENVELOPES = st.lists(
    st.builds(
        Envelope[Sample],
        st.text(),
        st.none() | st.text(),
        st.text(),
        st.integers(0, 2**32),
        st.builds(Say, st.text(), st.booleans()) | st.builds(Count, st.integers(-(2**63), 2**63)),
    ),
    min_size=1,
    max_size=5,
)


def sealed(fields: object) -> bytes:
    body = msgspec.msgpack.encode(fields)
    return zlib.crc32(body).to_bytes(4, "big") + body


@settings(deadline=None)
@given(ENVELOPES)
def test_batch_comes_back_as_it_was(envelopes: list[Envelope[Sample]]) -> None:
    codec = sample_codec()
    batch = Batch(BATCH_SCHEMA, "n1", "n1.a.1", envelopes)

    assert codec.decode(codec.encode(batch)) == batch


@settings(deadline=None)
@given(ENVELOPES)
def test_joining_encoded_envelopes_gives_the_same_bytes(envelopes: list[Envelope[Sample]]) -> None:
    codec = sample_codec()
    encoded = [codec.encode_envelope(envelope) for envelope in envelopes]

    joined = codec.encode_encoded("n1", "n1.a.1", encoded)

    assert joined == codec.encode(Batch(BATCH_SCHEMA, "n1", "n1.a.1", envelopes))
    assert len(joined) <= sum(map(len, encoded)) + BATCH_OVERHEAD_BYTES_MAX


@settings(deadline=None)
@given(st.data())
def test_any_damaged_byte_is_noticed(data: st.DataObject) -> None:
    codec = sample_codec()
    payload = bytearray(codec.encode_encoded("n1", "b", [codec.encode_envelope(say("c1"))]))
    index = data.draw(st.integers(0, len(payload) - 1))
    payload[index] ^= data.draw(st.integers(1, 255))

    with pytest.raises(DecodeError, match="checksum"):
        codec.decode(bytes(payload))


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(DecodeError):
        sample_codec().decode(noise)


@settings(deadline=None)
@given(st.integers(0, 4))
def test_cut_payload_is_refused(length: int) -> None:
    with pytest.raises(DecodeError, match="expected a payload of 5 to"):
        sample_codec().decode(bytes(length))


def test_too_long_payload_is_refused() -> None:
    with pytest.raises(DecodeError, match=f"was {PAYLOAD_BYTES_MAX + 1}"):
        sample_codec().decode(bytes(PAYLOAD_BYTES_MAX + 1))


NEWER = BATCH_SCHEMA + 1
ENVELOPE = ["c1", None, "t_1", 0, ["Count", 1]]


@pytest.mark.parametrize(
    "fields",
    [
        [NEWER, "n1", "b", [ENVELOPE]],
        [NEWER, "n1", "b", [ENVELOPE], "more"],
        [NEWER, {"node": "n1"}],
    ],
    ids=["same shape", "more fields", "other shape"],
)
def test_newer_schema_is_refused_by_name(fields: object) -> None:
    with pytest.raises(DecodeError, match=f"expected a batch of schema 1 to .*, was {NEWER}"):
        sample_codec().decode(sealed(fields))


@pytest.mark.parametrize(
    "fields",
    [
        [BATCH_SCHEMA, "n1", "b", [["c1", None, "t_1", 0, ["Unheard", 1]]]],
        [BATCH_SCHEMA, "n1", "b", [["c1", None, "t_1", 0]]],
        [BATCH_SCHEMA, "n1"],
        [0, "n1", "b", [ENVELOPE]],
        [BATCH_SCHEMA, "n1", "b", []],
        {"schema": BATCH_SCHEMA},
        [],
        7,
    ],
    ids=["unknown command", "no command", "short", "schema 0", "empty", "map", "nothing", "number"],
)
def test_what_is_not_a_batch_is_refused(fields: object) -> None:
    with pytest.raises(DecodeError):
        sample_codec().decode(sealed(fields))


def test_sealed_noise_is_refused() -> None:
    body = b"\xc1 is never used in msgpack"

    with pytest.raises(DecodeError, match="expected a batch"):
        sample_codec().decode(zlib.crc32(body).to_bytes(4, "big") + body)


def test_fields_appended_within_a_schema_are_ignored_and_missing_ones_have_defaults() -> None:
    envelope = ["c1", None, "t_1", 0, ["Say", "hi"], "new field"]
    longer = ["c2", None, "t_1", 0, ["Say", "hi", True, "new field"]]

    batch = sample_codec().decode(sealed([BATCH_SCHEMA, "n1", "b", [envelope, longer], "new"]))

    assert [Say("hi", loud=False), Say("hi", loud=True)] == [
        envelope.command for envelope in batch.envelopes
    ]


def test_the_commands_of_the_core_can_be_carried() -> None:
    codec: BatchCodec[AnyCommand] = BatchCodec(AnyCommand)
    batch = Batch(BATCH_SCHEMA, "n1", "b", [Envelope("c1", None, "scheduler", 2, Tick(7))])

    assert codec.decode(codec.encode(batch)).envelopes[0].command == Tick(7)
