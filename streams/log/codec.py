"""Payload of a log entry: one batch of commands, encoded once, checked when read.

Layout: 4 bytes CRC-32 of the body (big-endian, unsigned), then the body, a msgpack array
`[schema, node, batch_id, envelopes]`; an envelope is `[id, key, principal, roles, command]`.

Invariants:
    * Whatever was ever stored stays readable. Fields are only appended, with defaults, and never
      change type or meaning. A reader ignores trailing fields it does not know *within* one
      schema number; the number is raised when an old reader would apply a batch wrongly, and an
      old reader refuses it by name instead of guessing.
    * The codec never depends on particular commands: the union is a parameter.

Damage must show as `DecodeError` and never as a different batch: hence the checksum, which covers
the body only, so that the same envelopes give the same body on every version of Python.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec

from streams.ports import DecodeError


BATCH_SCHEMA = 1
"""Newest layout this version writes and reads."""

PAYLOAD_BYTES_MAX = 16 * 1024 * 1024
"""Longest payload accepted when read; writers stay below the submitter's own, smaller bound."""

BATCH_OVERHEAD_BYTES_MAX = 1024
"""Upper bound of what a batch adds to its envelopes: checksum, node, batch id, array headers."""

_CHECKSUM_BYTES = 4

C = TypeVar("C")


class Envelope(msgspec.Struct, Generic[C], array_like=True, frozen=True, gc=False):
    """One command and who asks.

    Attributes:
        id: unique for ever; made by the submitting node.
        key: the caller's idempotency key, if one was given.
        principal: id of the trader, or name of the service.
        roles: bit set, meaning given by the core.
        command: the command itself.
    """

    id: str
    key: str | None
    principal: str
    roles: int
    command: C


class Batch(msgspec.Struct, Generic[C], array_like=True, frozen=True, gc=False):
    """The commands of one log entry, in order.

    Attributes:
        schema: layout number, see `BATCH_SCHEMA`.
        node: name of the submitting node.
        batch_id: unique for ever; the core drops a batch whose id it has seen.
        envelopes: at least one.
    """

    schema: int
    node: str
    batch_id: str
    envelopes: list[Envelope[C]]


class BatchCodec(Generic[C]):
    """Encodes and decodes batches of one union of commands, with reused msgspec coders.

    Not for use from several threads at once.
    """

    def __init__(self, command_type: type[C] | Any) -> None:
        """Prepare the coders.

        Args:
            command_type: a tagged msgspec Struct or a union of such.
        """
        self._encoder = msgspec.msgpack.Encoder()
        batch_type = cast("Any", Batch)[command_type]
        self._decoder: msgspec.msgpack.Decoder[Batch[C]] = msgspec.msgpack.Decoder(batch_type)

    def encode_envelope(self, envelope: Envelope[C]) -> bytes:
        """Encode one envelope, to be joined into a batch later without encoding it again."""
        return self._encoder.encode(envelope)

    def encode_encoded(self, node: str, batch_id: str, envelopes: Sequence[bytes]) -> bytes:
        """Join envelopes that are already encoded into one payload."""
        raw = [msgspec.Raw(envelope) for envelope in envelopes]
        return _sealed(self._encoder.encode((BATCH_SCHEMA, node, batch_id, raw)))

    def encode(self, batch: Batch[C]) -> bytes:
        """Encode a whole batch."""
        return _sealed(self._encoder.encode(batch))

    def decode(self, payload: bytes) -> Batch[C]:
        """Check and decode one payload.

        Raises:
            DecodeError: too short or too long, damaged, of a newer schema, or not a batch.
        """
        body = _unsealed(payload)
        try:
            batch = self._decoder.decode(body)
        except msgspec.DecodeError as error:
            _refuse_newer(body)
            raise DecodeError(f"expected a batch of schema {BATCH_SCHEMA}: {error}") from error
        if not 1 <= batch.schema <= BATCH_SCHEMA:
            raise DecodeError(f"expected a batch of schema 1 to {BATCH_SCHEMA}, was {batch.schema}")
        if not batch.envelopes:
            raise DecodeError(f"expected at least one command in batch {batch.batch_id}, was none")
        return batch


def _sealed(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "big") + body


def _unsealed(payload: bytes) -> memoryview:
    if not _CHECKSUM_BYTES < len(payload) <= PAYLOAD_BYTES_MAX:
        raise DecodeError(
            f"expected a payload of {_CHECKSUM_BYTES + 1} to {PAYLOAD_BYTES_MAX} bytes, "
            f"was {len(payload)}"
        )
    body = memoryview(payload)[_CHECKSUM_BYTES:]
    expected = int.from_bytes(payload[:_CHECKSUM_BYTES], "big")
    actual = zlib.crc32(body)
    if actual != expected:
        raise DecodeError(f"expected checksum {expected:08x} of the payload, was {actual:08x}")
    return body


def _refuse_newer(body: memoryview) -> None:
    """Name the schema of a body that did not decode, when the reason is that it is newer."""
    try:
        fields = msgspec.msgpack.decode(body)
    except msgspec.DecodeError:
        return
    if isinstance(fields, list) and fields and isinstance(fields[0], int):
        schema = fields[0]
        if schema > BATCH_SCHEMA:
            raise DecodeError(f"expected a batch of schema 1 to {BATCH_SCHEMA}, was {schema}")
