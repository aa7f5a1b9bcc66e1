"""Queries of the archive: what left memory, page by page.

Reads go to the read replica when there is one, and to the primary when that one is unreachable.
Live reads never come here: they are answered from the replica's state in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from storage.errors import StorageUnavailable
from storage.paging import (
    INTEGER_MAX,
    LIMIT_DEFAULT,
    Page,
    check_limit,
    decode_cursor,
    encode_cursor,
)
from storage.pool import Pool, acquired
from storage.queries import load
from streams.core.events import AnyEvent, Event
from streams.core.kernel import Outcome
from streams.ports import DecodeError, EntryId, Offset


_SQL = load("history")

_decode_event = msgspec.msgpack.Decoder(AnyEvent).decode
_decode_outcome = msgspec.msgpack.Decoder(Outcome).decode

ENTRY_SEQ_MAX = 2**31 - 1
"""Largest integer column: above every number within an entry."""


class ArchivedEvent(NamedTuple):
    """An event and where it stands.

    Attributes:
        entry_id: the log entry.
        command_index: the command it came from.
        event_index: its place among the entry's events.
        at_us: market time, microseconds since 1970 UTC.
        event: one of `AnyEvent`.
    """

    entry_id: EntryId
    command_index: int
    event_index: int
    at_us: int
    event: Event

    @property
    def offset(self) -> Offset:
        """Place of the command in the log."""
        return Offset(*self.entry_id, self.command_index)


class NumberedEvent(NamedTuple):
    """An event with its number in a lossless channel."""

    seq: int
    archived: ArchivedEvent


class ArchivedOutcome(NamedTuple):
    """The answer to a command, and the command's place in the log."""

    offset: Offset
    outcome: Outcome


class ArchiveHistory:
    """The archive as the REST surface reads it.

    Attributes:
        fallbacks: reads that went to the primary because the read replica was unreachable.
    """

    def __init__(self, pool: Pool, replica: Pool | None = None) -> None:
        """Read from `replica` when given, else from `pool`."""
        self._pool = pool
        self._replica = replica
        self.fallbacks = 0

    async def trades(
        self,
        *,
        trader: str | None = None,
        symbol: str | None = None,
        from_us: int = 0,
        to_us: int = INTEGER_MAX,
        cursor: str | None = None,
        limit: int = LIMIT_DEFAULT,
    ) -> Page[ArchivedEvent]:
        """Return fills (`FillBooked`), newest first by market time, then by place in the log.

        Args:
            trader: only of this trader.
            symbol: only in this instrument.
            from_us: market time from here on, microseconds.
            to_us: market time before this, microseconds.
            cursor: of the page before, with the same filters.
            limit: 1 to 200.

        Raises:
            InvalidCursor: not a cursor of this list.
            ValueError: the limit is out of bounds.
            StorageError: see storage.errors.
        """
        check_limit(limit)
        key: tuple[int, ...] = (to_us, 0, 0, 0)
        if cursor is not None:
            key = min(key, decode_cursor("trades", cursor, 4))
        filters = [value for value in (trader, symbol) if value is not None]
        name = "trades" + ("_of_trader" if trader is not None else "")
        name += "_in_symbol" if symbol is not None else ""
        rows = await self.fetch(_SQL[name], from_us, *_bounded(key), limit + 1, *filters)
        items = [archived_event(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return Page(items, None)
        last = items[-1]
        return Page(items, encode_cursor("trades", last.at_us, *last.entry_id, last.event_index))

    async def decisions(
        self,
        *,
        follower: str,
        leader: str,
        code: str | None = None,
        cursor: str | None = None,
        limit: int = LIMIT_DEFAULT,
    ) -> Page[ArchivedEvent]:
        """Return the decisions of a copy (`CopyDecided`), newest first.

        Args:
            follower: who copies.
            leader: who is copied.
            code: only with this code; `EXECUTED` or the gate that skipped it.
            cursor: of the page before, with the same filters.
            limit: 1 to 200.

        Raises:
            InvalidCursor: not a cursor of this list.
            ValueError: the limit is out of bounds.
            StorageError: see storage.errors.
        """
        check_limit(limit)
        key: tuple[int, ...] = (INTEGER_MAX, 0, 0)
        if cursor is not None:
            key = decode_cursor("decisions", cursor, 3)
        name, filters = "decisions", []
        if code == "EXECUTED":
            name = "decisions_executed"
        elif code is not None:
            name, filters = "decisions_skipped", [code]
        rows = await self.fetch(_SQL[name], follower, leader, *_bounded(key), limit + 1, *filters)
        items = [archived_event(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return Page(items, None)
        last = items[-1]
        return Page(items, encode_cursor("decisions", *last.entry_id, last.event_index))

    async def copy_settings(
        self, *, follower: str, leader: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT
    ) -> Page[ArchivedEvent]:
        """Return every version of a copy's settings (`CopySet`), newest first.

        Args:
            follower: who copies.
            leader: who is copied.
            cursor: of the page before.
            limit: 1 to 200.

        Raises:
            InvalidCursor: not a cursor of this list.
            ValueError: the limit is out of bounds.
            StorageError: see storage.errors.
        """
        check_limit(limit)
        key: tuple[int, ...] = (INTEGER_MAX, 0, 0)
        if cursor is not None:
            key = decode_cursor("copy_settings", cursor, 3)
        sql = _SQL["copy_settings"]
        rows = await self.fetch(sql, follower, leader, *_bounded(key), limit + 1)
        items = [archived_event(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return Page(items, None)
        last = items[-1]
        return Page(items, encode_cursor("copy_settings", *last.entry_id, last.event_index))

    async def channel_after(
        self, channel: str, after_seq: int, *, limit: int = LIMIT_DEFAULT
    ) -> list[NumberedEvent]:
        """Return events of a lossless channel after a number, in order of numbers.

        Args:
            channel: the channel's key inside the node (`copies:t_9`).
            after_seq: the last number the client has.
            limit: 1 to 200.

        Raises:
            ValueError: the limit is out of bounds.
            StorageError: see storage.errors.
        """
        check_limit(limit)
        rows = await self.fetch(_SQL["channel_after"], channel, after_seq, limit)
        return [NumberedEvent(row["seq"], archived_event(row)) for row in rows]

    async def channel_page(
        self, channel: str, *, cursor: str | None = None, limit: int = LIMIT_DEFAULT
    ) -> Page[NumberedEvent]:
        """Return events of a lossless channel, newest first.

        Raises:
            InvalidCursor: not a cursor of this list.
            ValueError: the limit is out of bounds.
            StorageError: see storage.errors.
        """
        check_limit(limit)
        before = INTEGER_MAX if cursor is None else decode_cursor("channel", cursor, 1)[0]
        rows = await self.fetch(_SQL["channel_before"], channel, before, limit + 1)
        items = [NumberedEvent(row["seq"], archived_event(row)) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(items, encode_cursor("channel", items[-1].seq) if more else None)

    async def links_of(self, trader: str) -> list[ArchivedEvent]:
        """Return every `TraderFollowed` and `TraderUnfollowed` of a trader, in order.

        Raises:
            StorageError: see storage.errors.
        """
        return [archived_event(row) for row in await self.fetch(_SQL["links_of"], trader)]

    async def posts_within(
        self,
        spans: Sequence[tuple[str, int, int, int, int, int, int]],
        *,
        skip: int,
        limit: int = LIMIT_DEFAULT,
    ) -> list[ArchivedEvent]:
        """Return what several channels carried, each within its span, merged in order.

        Args:
            spans: (channel, place that it begins after, place that it ends before), where a place
                is entry_ms, entry_seq, event_index.
            skip: events to leave out at the beginning.
            limit: 1 to 200.

        Raises:
            ValueError: the limit is out of bounds.
            StorageError: see storage.errors.
        """
        check_limit(limit)
        columns = [list(column) for column in zip(*spans, strict=True)] or [[]] * 7
        rows = await self.fetch(_SQL["posts_within"], *columns, skip, limit)
        return [archived_event(row) for row in rows]

    async def posts_before(
        self, channels: list[str], before: tuple[int, int, int], *, limit: int = LIMIT_DEFAULT
    ) -> list[tuple[str, ArchivedEvent]]:
        """Return (channel, event) of several channels before a place in the log, newest first.

        Raises:
            ValueError: the limit is out of bounds.
            StorageError: see storage.errors.
        """
        check_limit(limit)
        rows = await self.fetch(_SQL["posts_before"], channels, *_bounded(before), limit)
        return [(row["channel"], archived_event(row)) for row in rows]

    async def outcome(self, principal: str, key: str) -> ArchivedOutcome | None:
        """Return the newest answer on record under an idempotency key, or None.

        Raises:
            StorageError: see storage.errors.
        """
        rows = await self.fetch(_SQL["outcome_of_key"], principal, key)
        if not rows:
            return None
        outcome = decode_outcome(rows[0]["payload"])
        offset = Offset(rows[0]["entry_ms"], rows[0]["entry_seq"], outcome.index)
        return ArchivedOutcome(offset, outcome)

    async def fetch(self, sql: str, *arguments: object) -> list[Any]:
        """Return the rows of a statement.

        Raises:
            StorageError: see storage.errors.
        """
        if self._replica is not None:
            try:
                return await _fetch_from(self._replica, sql, arguments)
            except StorageUnavailable:
                self.fallbacks += 1
        return await _fetch_from(self._pool, sql, arguments)


def decode_event(payload: bytes) -> Event:
    """Decode an archived event.

    Raises:
        DecodeError: the bytes are damaged or of a newer version.
    """
    try:
        event: Event = _decode_event(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"expected an archived event: {error}") from error
    return event


def decode_outcome(payload: bytes) -> Outcome:
    """Decode an archived outcome.

    Raises:
        DecodeError: the bytes are damaged or of a newer version.
    """
    try:
        return _decode_outcome(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"expected an archived outcome: {error}") from error


async def _fetch_from(pool: Pool, sql: str, arguments: tuple[object, ...]) -> list[Any]:
    async with acquired(pool, "read the archive") as connection:
        rows: list[Any] = await connection.fetch(sql, *arguments)
        return rows


def archived_event(row: Any) -> ArchivedEvent:
    """Return the event of a row with the columns from `entry_ms` to `payload`.

    Raises:
        DecodeError: see `decode_event`.
    """
    return ArchivedEvent(
        EntryId(row["entry_ms"], row["entry_seq"]),
        row["command_index"],
        row["event_index"],
        row["at_us"],
        decode_event(row["payload"]),
    )


def _bounded(key: tuple[int, ...]) -> tuple[int, ...]:
    """Keep the last two parts of a key, sequence and index, within their columns."""
    return (*key[:-2], *(min(part, ENTRY_SEQ_MAX) for part in key[-2:]))
