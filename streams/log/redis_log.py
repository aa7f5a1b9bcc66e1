"""The log as one Redis stream: the adapter for production. Works on Redis 6.2 and later, Valkey.

Keys, all in one hash slot: `{prefix}:log` the stream, `{prefix}:head` its link (see `link`),
`{prefix}:epoch` the epoch's name, `{prefix}:repair` the lock that holds appends back. An entry
has the fields `d` (payload), `p` (link to its predecessor) and `c` (checksum of the payload).

Invariants:
    * Every write goes through one script that compares epoch and head first (`lua/`).
    * A read is sent together with a look at head and epoch, and every entry must follow the one
      before it: trimmed, lost and foreign entries are all noticed by the read that meets them.
    * Three connections: a blocked read, an append and the upkeep never wait for each other.
    * Nothing is ever sent twice by this module; the submitter decides about resending.

Discarded: XREAD with a separate key for the trim point (cannot see lost entries that foreign ones
have overtaken), consumer groups (every node reads everything), XADD IDMP (Redis 8 only).
Source: reliability.md, section 2; dependencies.md, section 3.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError

from streams.log.link import Link, check_follows, check_head, checksum_of
from streams.log.redis_connection import (
    AnswerLost,
    Argument,
    ConnectionFactory,
    RedisConnection,
    connection_factory,
)
from streams.log.redis_repair import RedisRepair
from streams.log.redis_settings import ServerSettings, read_settings
from streams.log.scripts import Script
from streams.ports import (
    ENTRY_ZERO,
    Appended,
    AppendUnknown,
    DecodeError,
    EntryId,
    EpochChanged,
    LogEntry,
    LogFull,
    LogTruncated,
    LogUnavailable,
    ReplicasMissing,
)


ANSWER_MS_MAX = 5_000
REPLICAS_MS_MAX = 1_000
_FIELDS = [b"d", b"p", b"c"]

_APPEND = Script("append")
_STATE = Script("state")
_BEGIN_EPOCH = Script("begin_epoch")


class RedisLog:
    """One node's handle to the log. Implements `streams.ports.Log`.

    One read may wait at a time, so one task tails; any number may append.
    """

    def __init__(
        self,
        url: str | ConnectionFactory,
        *,
        prefix: str = "optix",
        wait_replicas: int = 0,
        replicas_ms_max: int = REPLICAS_MS_MAX,
        answer_ms_max: int = ANSWER_MS_MAX,
    ) -> None:
        """Prepare; `open` connects.

        Args:
            url: `redis://`, `rediss://` or `unix://`, or what makes connections.
            prefix: hash tag of the keys.
            wait_replicas: replicas that must have an entry before `append` returns.
            replicas_ms_max: how long to wait for them.
            answer_ms_max: bound of each call, for a read beyond its own waiting time.
        """
        connect = connection_factory(url) if isinstance(url, str) else url
        self.settings: ServerSettings | None = None
        self._reader = RedisConnection(connect, name="reading")
        self._writer = RedisConnection(connect, name="appending")
        self._upkeep = RedisConnection(connect, name="upkeep")
        self._log_key = f"{{{prefix}}}:log"
        self._head_key = f"{{{prefix}}}:head"
        self._epoch_key = f"{{{prefix}}}:epoch"
        self._keys = (self._log_key, self._head_key, self._epoch_key, f"{{{prefix}}}:repair")
        self._wait_replicas = wait_replicas
        self._replicas_ms_max = replicas_ms_max
        self._answer_ms_max = answer_ms_max
        self._epoch = ""
        self._reading = False
        self._last = (ENTRY_ZERO, "")

    async def open(self) -> str:
        """See `Log.open`. Sets `settings`."""
        self.settings = await read_settings(self._upkeep, self._answer_ms_max)
        self.settings.check()
        self._epoch, _ = await self._state(self._upkeep)
        return self._epoch

    async def append(self, payload: bytes, *, seen: EntryId) -> Appended:
        """See `Log.append`."""
        if not payload:
            raise ValueError("expected a payload, was empty")
        checksum = checksum_of(payload)
        arguments = (self._opened(), seen.ms, seen.seq, payload, checksum)
        try:
            reply = await self._call(_APPEND, self._writer, *arguments)
        except AnswerLost as error:
            raise AppendUnknown(str(error)) from error
        match reply:
            case [b"OK", id_text, head]:
                await self._wait_for_replicas()
                entry_id = EntryId.parse(id_text)
                follows = Link.parse(head).high == seen
                if follows:
                    self._last = (entry_id, checksum)
                return Appended(entry_id, follows)
            case [b"TRUNCATED", head]:
                raise LogTruncated(head=Link.parse(head).high, seen=seen)
            case [b"REPAIRING"]:
                raise LogUnavailable("expected a log open for appends, it was under repair")
            case _:
                raise self._refusal(reply)

    async def read(self, after: EntryId, *, count_max: int, wait_ms: int) -> list[LogEntry]:
        """See `Log.read`."""
        if self._reading:
            if wait_ms > 0:
                raise RuntimeError("expected one waiting read of a handle at a time, was another")
            return (await self._read(self._upkeep, after, "", count_max, 0))[0]
        self._reading = True
        try:
            checksum = self._last[1] if self._last[0] == after else ""
            found, newest = await self._read(self._reader, after, checksum, count_max, wait_ms)
            self._last = newest
            return found
        finally:
            self._reading = False

    async def head(self) -> EntryId:
        """See `Log.head`."""
        return (await self._link()).high

    async def repair(self, entries: Sequence[LogEntry]) -> EntryId:
        """See `Log.repair`. Appends wait meanwhile, and a grace after it (see `redis_repair`)."""
        repair = RedisRepair(self._upkeep, self._keys, self._opened(), self._answer_ms_max)
        return await repair.run(entries, self._checked_link)

    async def begin_epoch(self, entry_id: EntryId) -> str:
        """See `Log.begin_epoch`."""
        arguments = (self._opened(), entry_id.ms, entry_id.seq, secrets.token_hex(4))
        reply = await self._call(_BEGIN_EPOCH, self._upkeep, *arguments)
        match reply:
            case [b"OK", epoch]:
                self._epoch = _text(epoch)
                return self._epoch
            case _:
                raise self._refusal(reply)

    async def trim(self, keep_from: EntryId) -> int:
        """See `Log.trim`."""
        newest = (await self._link()).low
        keep = str(min(keep_from, newest))
        return int(await self._upkeep_call("XTRIM", self._log_key, "MINID", keep))

    async def length(self) -> int:
        """See `Log.length`."""
        return int(await self._upkeep_call("XLEN", self._log_key))

    async def close(self) -> None:
        """See `Log.close`."""
        self._epoch = ""
        for connection in (self._reader, self._writer, self._upkeep):
            await connection.close()

    async def _read(
        self,
        connection: RedisConnection,
        after: EntryId,
        checksum: str,
        count_max: int,
        wait_ms: int,
    ) -> tuple[list[LogEntry], tuple[EntryId, str]]:
        """Read and check; return the entries, and id and checksum of the newest."""
        opened = self._opened()
        if await connection.connect():
            epoch, head = await self._state(connection)
            self._check_epoch(epoch)
            check_head(head, after, checksum)
        block = ("BLOCK", wait_ms) if wait_ms > 0 else ()  # 0 would mean for ever
        entries, held = await connection.call(
            ("XREAD", "COUNT", count_max, *block, "STREAMS", self._log_key, str(after)),
            ("MGET", self._head_key, self._epoch_key),
            answer_ms_max=wait_ms + self._answer_ms_max,
        )
        for reply in (entries, held):
            if isinstance(reply, RedisError):
                raise await self._refused(connection, reply)
        head_text, epoch_text = held
        self._check_epoch(_text(epoch_text))
        if self._epoch != opened:
            raise EpochChanged(expected=opened, actual=self._epoch)
        if not entries:
            check_head(Link.parse(head_text or b"0-0:"), after, checksum)
            return [], (after, checksum)
        return _joined(entries[0][1], after, checksum)

    async def _wait_for_replicas(self) -> None:
        if self._wait_replicas == 0:
            return
        command = ("WAIT", self._wait_replicas, self._replicas_ms_max)
        limit_ms = self._replicas_ms_max + self._answer_ms_max
        try:
            [confirmed] = await self._writer.call(command, answer_ms_max=limit_ms)
        except LogUnavailable as error:
            raise AppendUnknown(f"appended, but no word of the replicas: {error}") from error
        if isinstance(confirmed, RedisError):
            raise AppendUnknown(f"appended, but the server refused to wait: {confirmed}")
        if confirmed < self._wait_replicas:
            raise ReplicasMissing(expected=self._wait_replicas, actual=confirmed)

    async def _state(self, connection: RedisConnection) -> tuple[str, Link]:
        new_epoch = f"e1.{secrets.token_hex(4)}"
        epoch, head = await self._call(_STATE, connection, new_epoch)
        return _text(epoch), Link.parse(head)

    async def _checked_link(self) -> Link:
        epoch, link = await self._state(self._upkeep)
        self._check_epoch(epoch)
        return link

    async def _link(self) -> Link:
        text = await self._upkeep_call("GET", self._head_key)
        return Link.parse(text or b"0-0:")

    async def _upkeep_call(self, *command: Argument) -> Any:
        [reply] = await self._upkeep.call(command, answer_ms_max=self._answer_ms_max)
        if isinstance(reply, RedisError):
            raise await self._refused(self._upkeep, reply)
        return reply

    async def _call(self, script: Script, connection: RedisConnection, *arguments: Argument) -> Any:
        reply = await script.call(
            connection, self._keys, *arguments, answer_ms_max=self._answer_ms_max
        )
        if isinstance(reply, RedisError):
            raise await self._refused(connection, reply)
        return reply

    async def _refused(self, connection: RedisConnection, error: RedisError) -> LogUnavailable:
        if isinstance(error, OutOfMemoryError) or "OOM " in str(error):
            return LogFull(f"expected memory for the entry, the server refused: {error}")
        if isinstance(error, ReadOnlyError):
            await connection.close()  # no longer the primary: ask again who is
        return LogUnavailable(f"expected the server to accept the command, was: {error}")

    def _refusal(self, reply: Any) -> EpochChanged | DecodeError:
        match reply:
            case [b"EPOCH", actual]:
                return EpochChanged(expected=self._epoch, actual=_text(actual))
            case _:
                return DecodeError(f"expected an answer of the log's script, was {reply!r}")

    def _check_epoch(self, actual: str) -> None:
        if actual != self._epoch:
            raise EpochChanged(expected=self._epoch, actual=actual)

    def _opened(self) -> str:
        if not self._epoch:
            raise RuntimeError("expected the log to be opened first")
        return self._epoch


def _joined(
    rows: list[Any], after: EntryId, checksum: str
) -> tuple[list[LogEntry], tuple[EntryId, str]]:
    """Check that the rows follow `after` and each other; return them as entries."""
    found: list[LogEntry] = []
    newest = after
    expected_link = f"{after}:{checksum}".encode()
    for row_id, fields in rows:
        if fields is None or fields[0::2] != _FIELDS:
            raise DecodeError(f"expected the fields d, p, c in entry {row_id!r}")
        payload, link, row_checksum = fields[1::2]
        entry_id = EntryId.parse(row_id)
        if link != expected_link:
            check_follows(Link.parse(link), newest, checksum, entry_id)
        found.append(LogEntry(entry_id, payload))
        newest, checksum = entry_id, _text(row_checksum)
        expected_link = row_id + b":" + row_checksum
    return found, (newest, checksum)


def _text(value: bytes | None) -> str:
    return value.decode("ascii") if value else ""
