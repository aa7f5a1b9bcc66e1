"""Snapshot, restore and digest of a state.

A snapshot is the state's msgpack encoding: equal states give equal bytes, because dictionaries
keep the order that came from the log. Encoding walks everything, so a node does it in a forked
child, never on its event loop; what a node compares often is `State.chain`, which costs nothing.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from streams.core.state import State


SNAPSHOT_SCHEMA = 1
"""Layout of a snapshot. Raised when a field changes meaning; appended fields do not raise it."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def snapshot(state: State) -> bytes:
    """Return the state as bytes."""
    return _encoder.encode(state)


def restore(data: bytes) -> State:
    """Return the state that a snapshot holds.

    Raises:
        msgspec.DecodeError: the bytes are damaged or of another layout.
    """
    return _decoder.decode(data)


def digest(state: State) -> str:
    """Return the stable hash of everything in the state: 32 hexadecimal digits."""
    return blake2b(_encoder.encode(state), digest_size=16).hexdigest()
