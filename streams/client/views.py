"""Books, boards and marks rebuilt from frames, and proved equal to the server's.

A view takes every item of its channel in order. Prices, weights and values stay as they were
sent; they are read as numbers only to be sorted.

Invariant: after `apply` the view is the server's state at `seq`, or `apply` has raised and the
view is not `ready` until the next `Snap`.

Source: wire-protocol.md, "Channels" and "Checksums".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from streams.client.errors import ViewBroken
from streams.client.items import Delta, Item, Reset, Snap
from streams.protocol.checksum import book_crc, leaderboard_crc, positions_crc


Row: TypeAlias = list[Any]

_GONE = "0"


class Rebuilt(ABC):
    """What the views share: the run of frames and the checksum.

    Attributes:
        channel: name of the channel.
        ready: whether the view holds the whole state.
        seq: number of the newest frame applied.
        ts_us: its log time in microseconds.
        verified: checksums that fitted.
    """

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.ready = False
        self.seq = 0
        self.ts_us = 0
        self.verified = 0

    def apply(self, item: Item) -> None:
        """Take the next item of the channel.

        Raises:
            ViewBroken: the result is not the server's state.
        """
        if isinstance(item, Reset):
            self.ready = False
        if not isinstance(item, (Snap, Delta)):
            return
        whole = isinstance(item, Snap)
        if not whole and (not self.ready or item.seq != self.seq + 1):
            self.ready = False
            raise ViewBroken(self.channel, f"expected number {self.seq + 1}, was {item.seq}")
        try:
            self._merge(item.data, whole)
        except (KeyError, IndexError, TypeError, ValueError, InvalidOperation) as error:
            self.ready = False
            raise ViewBroken(self.channel, f"expected data of this kind: {error!r}") from error
        self._verify(item.crc)
        self.ready, self.seq, self.ts_us = True, item.seq, item.ts_us

    def _verify(self, crc: int | None) -> None:
        if crc is None:
            return
        own = self.checksum()
        if own != crc:
            self.ready = False
            raise ViewBroken(self.channel, f"expected checksum {crc}, was {own}")
        self.verified += 1

    @abstractmethod
    def _merge(self, data: Any, whole: bool) -> None:
        """Take a frame's data; `whole` says that it replaces everything."""

    @abstractmethod
    def checksum(self) -> int | None:
        """Return the checksum of the view as the server computes it; None on kinds without one."""


class Levels:
    """Rows by price, sorted by rising price."""

    def __init__(self) -> None:
        self._rows: dict[Decimal, Row] = {}
        self._prices: list[Decimal] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        rows = self._rows
        return (rows[price] for price in self._prices)

    def __reversed__(self) -> Iterator[Row]:
        rows = self._rows
        return (rows[price] for price in reversed(self._prices))

    def put(self, row: Row, *, gone: bool) -> None:
        """Insert, replace or remove the row of its price."""
        price = Decimal(row[0])
        known = price in self._rows
        if gone:
            if known:
                del self._rows[price]
                del self._prices[bisect_left(self._prices, price)]
            return
        if not known:
            insort(self._prices, price)
        self._rows[price] = row

    def replace(self, rows: list[Row]) -> None:
        """Hold these rows and no others."""
        self._rows = {Decimal(row[0]): row for row in rows}
        self._prices = sorted(self._rows)


class BookView(Rebuilt):
    """The idea book of a symbol (`book:{symbol}`).

    Args:
        symbol: instrument.
        interval: `raw`, `100ms` or `1s`.
    """

    def __init__(self, symbol: str, interval: str = "100ms") -> None:
        super().__init__(_with_interval(f"book:{symbol}", interval))
        self._buys = Levels()
        self._sells = Levels()

    @property
    def buys(self) -> list[Row]:
        """Rows `[price, weight, ideas]` of side `b`, by falling price."""
        return list(reversed(self._buys))

    @property
    def sells(self) -> list[Row]:
        """Rows `[price, weight, ideas]` of side `s`, by rising price."""
        return list(self._sells)

    def _merge(self, data: Any, whole: bool) -> None:
        for levels, rows in ((self._buys, data["b"]), (self._sells, data["s"])):
            if whole:
                levels.replace(rows)
                continue
            for row in rows:
                levels.put(row, gone=row[1] == _GONE)

    def checksum(self) -> int:
        """Return the CRC-32 of the best levels of both sides."""
        return book_crc(reversed(self._buys), iter(self._sells))


class PositionBookView(Rebuilt):
    """The crowd's open positions in a symbol by entry price (`positions:{symbol}`).

    Args:
        symbol: instrument.
        interval: `raw`, `100ms` or `1s`.
    """

    def __init__(self, symbol: str, interval: str = "100ms") -> None:
        super().__init__(_with_interval(f"positions:{symbol}", interval))
        self._levels = Levels()

    @property
    def rows(self) -> list[Row]:
        """Rows `[price, long, short]` by rising price."""
        return list(self._levels)

    def _merge(self, data: Any, whole: bool) -> None:
        rows = data["rows"]
        if whole:
            self._levels.replace(rows)
            return
        for row in rows:
            self._levels.put(row, gone=row[1] == _GONE and row[2] == _GONE)

    def checksum(self) -> int:
        """Return the CRC-32 of the first levels."""
        return positions_crc(iter(self._levels))


class BoardView(Rebuilt):
    """The head of a ranking (`leaderboard:{metric}:{period}`).

    Args:
        metric: for instance `total_return`.
        period: for instance `1m`.
        interval: `raw`, `100ms` or `1s`.

    Attributes:
        rows: `[trader, rank, value, trades, previous rank or None]` by rank, without a hole.
        ranked: traders ranked in all.
    """

    def __init__(self, metric: str, period: str, interval: str = "100ms") -> None:
        super().__init__(_with_interval(f"leaderboard:{metric}:{period}", interval))
        self.rows: list[Row] = []
        self.ranked = 0

    def _merge(self, data: Any, whole: bool) -> None:
        by_trader = {} if whole else {row[0]: row for row in self.rows}
        if not whole:
            for trader in data["left"]:
                by_trader.pop(trader, None)
        for row in data["rows"]:
            by_trader[row[0]] = row
        rows = sorted(by_trader.values(), key=_rank_of)
        ranks = [row[1] for row in rows]
        if ranks != list(range(1, len(rows) + 1)):
            raise ValueError(f"expected ranks 1 to {len(rows)}, was {ranks}")
        self.rows, self.ranked = rows, int(data["n"])

    def checksum(self) -> int:
        """Return the CRC-32 of the first rows."""
        return leaderboard_crc(self.rows)


class MarksView(Rebuilt):
    """Quotes of one symbol or all (`marks`, `marks:{symbol}`). The channel has no checksum.

    Args:
        symbol: instrument, None for all.
        interval: `raw`, `100ms` or `1s`.

    Attributes:
        marks: by symbol the row `[symbol, bid, ask, last]`; a price not known is None.
    """

    def __init__(self, symbol: str | None = None, interval: str = "100ms") -> None:
        name = "marks" if symbol is None else f"marks:{symbol}"
        super().__init__(_with_interval(name, interval))
        self.marks: dict[str, Row] = {}

    def _merge(self, data: Any, whole: bool) -> None:
        rows = {row[0]: row for row in data["rows"]}
        if whole:
            self.marks = rows
        else:
            self.marks.update(rows)

    def checksum(self) -> None:
        """Return None: the channel has no checksum."""


def _rank_of(row: Row) -> int:
    return int(row[1])


def _with_interval(channel: str, interval: str) -> str:
    return channel if interval == "100ms" else f"{channel}@{interval}"
