"""A map that says the same thing twice, in two ways.

Decoders keep the last of two equal keys, signatures and logs may show the first: whoever checked
the one has not checked the other. RFC 8259 calls the outcome unpredictable; here it is refused.

A message of a socket is decoded anyway, so the question is only whether the text has more pairs
than the decoded maps have keys. For ordinary JSON that is answered by counting; `duplicate_key`
reads the text again, and says which key it is.
"""

from __future__ import annotations

import json
from typing import Any


CHECKED_BYTES_MAX = 64 * 1024
"""Bodies up to this size are looked at, about 0.5 ms; only deliveries of a feed are larger."""


_SPACED = (b" :", b"\t:", b"\n:", b"\r:")
"""Between a key and its colon, or within a text: either way counting says nothing."""

_SIZES = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
"""Bytes of a number after its first byte, of those first bytes that do not hold the number."""

_LENGTHS = {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
"""Bytes of a length after the first byte: of texts, lists and maps that are not short."""


class _Twice(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def duplicate_key(body: bytes) -> str | None:
    """Return the first key that stands twice in one object of a sound JSON text, or None."""
    if len(body) > CHECKED_BYTES_MAX:
        return None
    try:
        json.loads(body, object_pairs_hook=_checked, parse_int=str, parse_float=str)
    except _Twice as found:
        return found.key
    return None


def twice_in_json(message: bytes, keys: int) -> bool:
    """Return whether a key stands twice in one object of a sound JSON text.

    Args:
        message: the text.
        keys: of all its objects, as decoded.
    """
    # Each pair not written with a space before its colon is counted, and no more pairs than that
    # can be; a text that has an escaped quote before a colon is counted too, so look closer then.
    if message.count(b'":') == keys and not any(space in message for space in _SPACED):
        return False
    return duplicate_key(message) is not None


def twice_in_msgpack(message: bytes, keys: int) -> bool:
    """Return whether a key stands twice in one map of sound msgpack bytes of plain values.

    Args:
        message: the bytes; extensions and binary are no plain values.
        keys: of all its maps, as decoded.
    """
    at = pairs = 0
    while at < len(message):
        first = message[at]
        at += 1
        if first in _SIZES:
            at += _SIZES[first]
        elif first in _LENGTHS:
            length = int.from_bytes(message[at : at + _LENGTHS[first]], "big")
            at += _LENGTHS[first]
            if first >= 0xDE:
                pairs += length
            elif first <= 0xDB:
                at += length
        elif 0x80 <= first <= 0x8F:
            pairs += first & 0x0F
        elif 0xA0 <= first <= 0xBF:
            at += first & 0x1F
    return pairs != keys


def _checked(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise _Twice(key)
        seen.add(key)
