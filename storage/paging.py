"""Pages by key: a cursor names the last row seen, so that pages have neither gap nor duplicate.

A cursor is opaque to callers: base64url of the list's name and some integers. It carries no
permission: every page checks its own.
"""

from __future__ import annotations

import base64
import binascii
from typing import Generic, NamedTuple, TypeVar

from storage.errors import InvalidCursor


LIMIT_MAX = 200
"""Most rows of one page; a larger `limit` is refused with ValueError."""

LIMIT_DEFAULT = 50

CURSOR_LENGTH_MAX = 200
"""Characters of a cursor; a longer one is refused."""

INTEGER_MAX = 2**63 - 1
"""Largest bigint: above every key."""

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """Some rows, and the cursor of the next page; None when there is none."""

    items: list[T]
    next_cursor: str | None


def encode_cursor(name: str, *key: int) -> str:
    """Return the cursor after a row of the list `name`."""
    text = ":".join((name, *map(str, key)))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_cursor(name: str, cursor: str, length: int) -> tuple[int, ...]:
    """Return the `length` integers of a cursor of the list `name`.

    Raises:
        InvalidCursor: it is damaged, or of another list.
    """
    if len(cursor) > CURSOR_LENGTH_MAX:
        raise InvalidCursor(f"expected at most {CURSOR_LENGTH_MAX} characters, was {len(cursor)}")
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        found, *numbers = text.split(":")
        key = tuple(int(number) for number in numbers)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor(f"expected a cursor of {name}, was {cursor!r}") from error
    if found != name or len(key) != length or not all(0 <= part <= INTEGER_MAX for part in key):
        raise InvalidCursor(f"expected a cursor of {name}, was one of {found!r}")
    return key


def check_limit(limit: int) -> None:
    """Refuse a size of page out of bounds.

    Raises:
        ValueError: it is not from 1 to `LIMIT_MAX`.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise ValueError(f"expected a limit from 1 to {LIMIT_MAX}, was {limit}")
