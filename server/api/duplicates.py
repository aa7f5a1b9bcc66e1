"""A JSON object that says the same thing twice, in two ways.

Decoders keep the last of two equal keys, signatures and logs may show the first: whoever checked
the one has not checked the other. RFC 8259 calls the outcome unpredictable; here it is refused.
"""

from __future__ import annotations

import json
from typing import Any


CHECKED_BYTES_MAX = 64 * 1024
"""Bodies up to this size are looked at, about 0.5 ms; only deliveries of a feed are larger."""


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


def _checked(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise _Twice(key)
        seen.add(key)
