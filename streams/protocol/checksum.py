"""Checksums by which a client proves that the book or board it rebuilt is the server's.

A checksum is the unsigned CRC-32 of ASCII text made of values exactly as they are sent, so a
client needs neither our number formats nor our rounding.

Source: wire-protocol.md, "Checksums".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

import msgspec

from streams.protocol.limits import BOOK_CRC_LEVELS, LEADERBOARD_CRC_ROWS


def book_crc(bids: Iterable[Sequence[Any]], asks: Iterable[Sequence[Any]]) -> int:
    """Return the checksum of a book.

    Args:
        bids: levels `[price, weight, ...]` by falling price.
        asks: levels `[price, weight, ...]` by rising price.

    Returns:
        CRC-32 of the best 25 levels of either side as `price:weight` joined by `|`.
    """
    levels = chain(islice(bids, BOOK_CRC_LEVELS), islice(asks, BOOK_CRC_LEVELS))
    return _crc(f"{_text(level[0])}:{_text(level[1])}" for level in levels)


def positions_crc(levels: Iterable[Sequence[Any]]) -> int:
    """Return the checksum of a book of the crowd's positions.

    Args:
        levels: `[price, long, short]` by rising price.

    Returns:
        CRC-32 of the first 25 levels as `price:long:short` joined by `|`: both weights of a
        level are part of it, or a wrong short side would go unnoticed.
    """
    first = islice(levels, BOOK_CRC_LEVELS)
    return _crc(f"{_text(row[0])}:{_text(row[1])}:{_text(row[2])}" for row in first)


def leaderboard_crc(rows: Iterable[Sequence[Any]]) -> int:
    """Return the checksum of a board.

    Args:
        rows: `[trader, rank, value, ...]` by rising rank, values as sent.

    Returns:
        CRC-32 of the first 100 rows as `rank:trader:value` joined by `|`.
    """
    first = islice(rows, LEADERBOARD_CRC_ROWS)
    return _crc(f"{_text(row[1])}:{_text(row[0])}:{_text(row[2])}" for row in first)


def _text(value: Any) -> str:
    # "Exactly as sent" is the JSON text; a string stands without its quotes.
    return value if isinstance(value, str) else msgspec.json.encode(value).decode("ascii")


def _crc(parts: Iterable[str]) -> int:
    return zlib.crc32("|".join(parts).encode("ascii"))
