"""Putting lost entries back into the stream, in parts, while nobody appends.

Invariants:
    * Each part is one script call that writes only right after the head it was planned for; when
      the head has moved, the plan is made again. So any number of nodes may repair at once.
    * From the first part until the grace after the last one, appends are refused: another entry
      behind a half repaired head would stand where lost ones belong. The lock expires by itself.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from redis.exceptions import RedisError

from streams.log.link import Link, checksum_of, missing_from
from streams.log.redis_connection import Argument, RedisConnection
from streams.log.scripts import Script
from streams.ports import EntryId, EpochChanged, LogEntry, LogTruncated, LogUnavailable


PART_BYTES_MAX = 4 * 1024 * 1024
PART_ENTRIES_MAX = 500
LOCK_MS = 5_000
GRACE_MS = 250
ATTEMPTS_MAX = 100
BUSY_POLL_MS = 50

_REPAIR = Script("repair")


class RedisRepair:
    """One repair by one node."""

    def __init__(
        self, connection: RedisConnection, keys: tuple[str, ...], epoch: str, answer_ms_max: int
    ) -> None:
        """Prepare.

        Args:
            connection: the upkeep connection.
            keys: as the scripts want them; the first is the stream.
            epoch: the repair is of this life only.
            answer_ms_max: bound of each call.
        """
        self._connection = connection
        self._keys = keys
        self._epoch = epoch
        self._answer_ms_max = answer_ms_max
        self._token = secrets.token_hex(8)

    async def run(
        self, entries: Sequence[LogEntry], link: Callable[[], Awaitable[Link]]
    ) -> EntryId:
        """Append what is missing; return the new head.

        Args:
            entries: see `Log.repair`.
            link: asks for the head.

        Raises:
            LogTruncated: the entries do not join on to the log.
            LogUnavailable: the server cannot be reached or is busy with another repair.
        """
        for _ in range(ATTEMPTS_MAX):
            head = await link()
            if not entries:
                return head.high
            missing = missing_from(entries, head)
            if missing is None:
                return await self._head_if_held(entries[-1], head)
            if not missing:
                return head.high
            if await self._append(missing, head):
                return missing[-1].entry_id
            await asyncio.sleep(BUSY_POLL_MS / 1000)
        raise LogUnavailable(f"expected to repair the log within {ATTEMPTS_MAX} attempts")

    async def _append(self, missing: Sequence[LogEntry], head: Link) -> bool:
        """Append in parts; return False when somebody else is at it."""
        text: Argument = str(head)
        parts = list(_parts(missing))
        for index, part in enumerate(parts):
            is_last = index == len(parts) - 1
            triples = [
                value
                for entry in part
                for value in (str(entry.entry_id), entry.payload, checksum_of(entry.payload))
            ]
            reply = await _REPAIR.call(
                self._connection,
                self._keys,
                self._epoch,
                text,
                self._token,
                GRACE_MS if is_last else LOCK_MS,
                int(is_last),
                *triples,
                answer_ms_max=self._answer_ms_max,
            )
            match reply:
                case [b"OK", new_head]:
                    text = new_head
                case [b"BUSY"] | [b"MOVED", _]:
                    return False
                case _:
                    raise self._refusal(reply)
        return True

    async def _head_if_held(self, newest: LogEntry, head: Link) -> EntryId:
        """Return the head when the log holds our newest entry: somebody has repaired before."""
        newest_id = str(newest.entry_id)
        [rows] = await self._connection.call(
            ("XRANGE", self._keys[0], newest_id, newest_id), answer_ms_max=self._answer_ms_max
        )
        if isinstance(rows, RedisError):
            raise self._refusal(rows)
        if rows and (not newest.payload or newest.payload in rows[0][1][1::2]):
            return head.high
        is_foreign = head.high > newest.entry_id
        raise LogTruncated(head=head.high, seen=newest.entry_id, foreign=is_foreign)

    def _refusal(self, reply: Any) -> EpochChanged | LogUnavailable:
        match reply:
            case [b"EPOCH", bytes(actual)]:
                return EpochChanged(expected=self._epoch, actual=actual.decode("ascii"))
            case _:
                return LogUnavailable(f"expected the server to accept the repair, was: {reply!r}")


def _parts(entries: Sequence[LogEntry]) -> Iterator[list[LogEntry]]:
    part: list[LogEntry] = []
    part_bytes = 0
    for entry in entries:
        size = len(entry.payload)
        if part and (part_bytes + size > PART_BYTES_MAX or len(part) == PART_ENTRIES_MAX):
            yield part
            part, part_bytes = [], 0
        part.append(entry)
        part_bytes += size
    if part:
        yield part
