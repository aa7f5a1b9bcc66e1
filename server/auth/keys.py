"""API keys: `optix_<environment>_<43 characters of base62><6 characters of checksum>`.

The random part has 32 bytes, so its SHA-256 may be stored as it is: there is nothing to guess.
The checksum lets a mistyped key be told from a revoked one without asking PostgreSQL, and lets
scanners of secrets find a leaked key.

Source: reliability.md, section 6, "API keys".
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from typing import NamedTuple


ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_BYTES = 32
RANDOM_LENGTH = 43
CHECKSUM_LENGTH = 6
PREFIX_LENGTH = 8
"""Characters of the random part shown in lists, so that an owner knows which key is which."""

_KEY = re.compile(
    rf"optix_([a-z]{{3,16}})_([0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})"
)


class NewKey(NamedTuple):
    """A key just made.

    Attributes:
        text: the whole key; shown once.
        prefix: its beginning, for lists.
        digest: SHA-256 of the whole text, as stored.
    """

    text: str
    prefix: str
    digest: bytes


def make_key(environment: str) -> NewKey:
    """Make a random key.

    Args:
        environment: what it is good for: `development`, `production`, …, or `service`.
    """
    random = base62(int.from_bytes(secrets.token_bytes(RANDOM_BYTES)), RANDOM_LENGTH)
    body = f"optix_{environment}_{random}"
    text = body + _checksum(body)
    return NewKey(text, body[: len(body) - RANDOM_LENGTH + PREFIX_LENGTH], digest_of(text))


def environment_of(text: str) -> str | None:
    """Return the environment of a well-formed key, None when it is not one."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    body = text[:-CHECKSUM_LENGTH]
    return found[1] if _checksum(body) == found[3] else None


def digest_of(text: str) -> bytes:
    """Return what is stored of a key."""
    return hashlib.sha256(text.encode()).digest()


def base62(number: int, length: int) -> str:
    """Return a non-negative integer in base 62, padded with zeros."""
    digits = []
    while number:
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits)).rjust(length, "0")


def _checksum(body: str) -> str:
    return base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)
