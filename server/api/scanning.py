"""Filtering a long list in bounded time: a page may be short and still have a next one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar


SCAN_MAX = 5_000
"""Items looked at for one page, about 2 ms; a page that needs more is cut there, with a cursor."""

T = TypeVar("T")


def scan(
    items: Iterable[tuple[int, T]], wanted: Callable[[T], bool], limit: int
) -> tuple[list[T], int | None]:
    """Return up to `limit` wanted items, and the place to go on from (None = no more).

    Args:
        items: (place, item), in order of the list.
        wanted: whether an item belongs on the page.
        limit: most items.
    """
    found: list[T] = []
    last = 0
    for looked_at, (place, item) in enumerate(items):
        if len(found) == limit or looked_at == SCAN_MAX:
            return found, last
        last = place
        if wanted(item):
            found.append(item)
    return found, None
