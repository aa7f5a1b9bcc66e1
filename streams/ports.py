"""The small protocols between the parts of OPTIX, and the values that cross them.

Invariants:
    * An `EntryId` names one entry of the log; it is the order and the clock of the whole system.
    * An `Offset` is the place of one command: the entry's id and the command's index in it.
    * A `Frame` is one numbered message of one channel, identical on every node.

Adapters are named `<technology>_<port>.py` and pass one shared test suite per port.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import msgspec


class EntryId(NamedTuple):
    """Id of a log entry as Redis makes it: milliseconds since 1970 UTC and a sequence number."""

    ms: int
    seq: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}"

    @classmethod
    def parse(cls, text: str | bytes) -> EntryId:
        """Parse `"1767225600000-3"`.

        Raises:
            ValueError: the text is not two integers joined by a hyphen.
        """
        if isinstance(text, bytes):
            text = text.decode("ascii")
        ms, _, seq = text.partition("-")
        return cls(int(ms), int(seq))


ENTRY_ZERO = EntryId(0, 0)


class Offset(NamedTuple):
    """Place of one command in the log. Ordered. Text form: `"1767225600000-3.2"`."""

    ms: int
    seq: int
    command_index: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}.{self.command_index}"

    @property
    def entry_id(self) -> EntryId:
        """The entry this command stands in."""
        return EntryId(self.ms, self.seq)

    @classmethod
    def parse(cls, text: str) -> Offset:
        """Parse the text form.

        Raises:
            ValueError: the text is not of the form `ms-seq.index`.
        """
        entry, _, index = text.partition(".")
        ms, _, seq = entry.partition("-")
        return cls(int(ms), int(seq), int(index))


class LogEntry(NamedTuple):
    """One entry as read from the log: its id and the encoded batch (see streams.log.codec)."""

    entry_id: EntryId
    payload: bytes


class OptixError(Exception):
    """Root of every operating error raised by OPTIX.

    OptixError
    ├── LogError
    │   ├── LogTruncated      the log holds less than the caller has applied
    │   ├── LogUnavailable    refused or unreachable before the entry was sent: nothing was appended
    │   │   └── LogFull       refused for want of memory
    │   ├── AppendUnknown     the connection was cut after sending: appended once or not at all
    │   │   └── ReplicasMissing  appended here, but too few replicas confirmed it in time
    │   ├── LogHole           a reader asked for entries that were trimmed away
    │   ├── LogMisconfigured  the server's settings would lose entries: refused at opening
    │   └── EpochChanged      the log began a new life: positions of the old one mean nothing
    ├── DecodeError           stored bytes are not what this version can read
    └── StorageError          PostgreSQL refused or is unreachable (storage tier)
    """


class LogError(OptixError):
    """The log could not do what was asked."""


class LogTruncated(LogError):
    """The log lacks entries the caller has applied.

    Attributes:
        head: the newest entry the caller and the log may still have in common.
        seen: the newest entry the caller has applied.
        foreign: another entry already stands above `head`, so that repair cannot help and a new
            epoch is needed.
    """

    def __init__(self, *, head: EntryId, seen: EntryId, foreign: bool = False) -> None:
        above = ", and a foreign entry stands above it" if foreign else ""
        super().__init__(f"expected the log to hold at least {seen}, its head was {head}{above}")
        self.head = head
        self.seen = seen
        self.foreign = foreign


class LogUnavailable(LogError):
    """Nothing was appended; the same batch may be sent again."""


class LogFull(LogUnavailable):
    """The server has no memory for the entry; nothing was appended. Shed load before retrying."""

    code = "LOG_FULL"


class AppendUnknown(LogError):
    """The batch was sent, the answer never came: it is in the log once or not at all."""


class ReplicasMissing(AppendUnknown):
    """The entry is in the log, but a failover may still lose it.

    Attributes:
        expected: how many replicas had to confirm.
        actual: how many did in time.
    """

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__(f"expected {expected} replicas to confirm the entry, was {actual}")
        self.expected = expected
        self.actual = actual


class LogHole(LogError):
    """Entries after `after` and before `first` were trimmed: read them from the archive."""

    def __init__(self, *, after: EntryId, first: EntryId) -> None:
        super().__init__(f"expected entries after {after}, the first one held was {first}")
        self.after = after
        self.first = first


class LogMisconfigured(LogError):
    """The server is set up in a way that loses entries; retrying does not help."""


class EpochChanged(LogError):
    """The log began a new epoch."""

    def __init__(self, *, expected: str, actual: str) -> None:
        super().__init__(f"expected epoch {expected}, was {actual}")
        self.expected = expected
        self.actual = actual


class DecodeError(OptixError):
    """Stored bytes are not what this version can read."""


class Appended(NamedTuple):
    """An entry that was appended; `follows_seen`: it stands right after the caller's newest."""

    entry_id: EntryId
    follows_seen: bool


class Log(Protocol):
    """One totally ordered, durable sequence of entries. Adapters: `memory_log`, `redis_log`."""

    async def open(self) -> str:
        """Connect, check the server's settings, and return the epoch (created when absent).

        Raises:
            LogMisconfigured: the server's settings would lose entries.
            LogUnavailable: the server cannot be reached.
        """
        ...

    async def append(self, payload: bytes, *, seen: EntryId) -> Appended:
        """Append one entry atomically with the truncation check.

        Args:
            payload: the encoded batch.
            seen: the newest entry this caller has applied.

        Raises:
            LogTruncated: the head is behind `seen`; nothing was appended.
            LogUnavailable: nothing was appended (`LogFull` when memory is the reason).
            AppendUnknown: appended once or not at all (`ReplicasMissing`: appended here).
            EpochChanged: the epoch is no longer the one this adapter opened.
        """
        ...

    async def read(self, after: EntryId, *, count_max: int, wait_ms: int) -> list[LogEntry]:
        """Return up to `count_max` entries after `after`, waiting up to `wait_ms` for the first.

        One read of an adapter object may wait at a time; others with `wait_ms` 0 may come between.

        Raises:
            LogHole: entries between `after` and the first one held were trimmed.
            LogTruncated: the head is behind `after`.
            EpochChanged: the epoch is no longer the one this adapter opened.
            LogUnavailable: the server cannot be reached.
        """
        ...

    async def head(self) -> EntryId:
        """Return the id that the next entry will follow (`ENTRY_ZERO` in a new log).

        It is the newest entry's, or the one the epoch began after, whichever is greater.
        """
        ...

    async def repair(self, entries: Sequence[LogEntry]) -> EntryId:
        """Append lost entries again under their own ids; return the new head.

        Entries at or below the head are skipped, so any number of nodes may repair at once.
        An entry without payload says only that the caller has applied its id: it joins on to the
        head but cannot be appended (see `streams.log.recent`).

        Raises:
            LogTruncated: a foreign entry stands above the missing part, or the entries do not
                join on to the head; the log is unchanged and a new epoch is needed.
        """
        ...

    async def begin_epoch(self, entry_id: EntryId) -> str:
        """Begin a new epoch whose ids follow `entry_id`; return its name.

        Raises:
            EpochChanged: another node has begun one since this adapter opened.
            LogUnavailable: the server cannot be reached; it may have begun.
        """
        ...

    async def trim(self, keep_from: EntryId) -> int:
        """Forget entries below `keep_from`, never the newest one; return how many."""
        ...

    async def length(self) -> int:
        """Return how many entries are held."""
        ...

    async def close(self) -> None:
        """Release the connections."""
        ...


class Clock(Protocol):
    """Time for the edge and the roles (never for the core)."""

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        ...


FrameKind = Literal["snap", "delta", "ev"]


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One numbered message of a channel, before encoding.

    Attributes:
        key: the channel's key inside the node: the wire name, for an account's own channels with
            the trader behind it (`copies:t_9` is sent as `copies` to trader `t_9` only).
        name: the channel name as sent on the wire (`ch`).
        kind: `ev` for lossless channels; `snap` or `delta` for conflatable ones.
        seq: number of this frame in the channel, from 1 by 1.
        ts_us: log time in microseconds.
        data: JSON-able value (str, int, float, bool, None, list, dict).
        crc: unsigned CRC-32 where the wire protocol asks for one.
    """

    key: str
    name: str
    kind: FrameKind
    seq: int
    ts_us: int
    data: Any
    crc: int | None = None


class Principal(msgspec.Struct, frozen=True):
    """Who is asking, as the edge established it.

    Attributes:
        trader: the trader's id.
        roles: names of roles (`trader`, `service`, `admin`).
        scopes: what the credential allows (`read`, `trade`, `copy`, `stream`, `admin`).
        login: id of the login or API key, so that it can be revoked.
        expires_at_us: when the credential ends (0 = never).
    """

    trader: str
    roles: tuple[str, ...] = ("trader",)
    scopes: tuple[str, ...] = ("read", "trade", "copy", "stream")
    login: str = ""
    expires_at_us: int = 0


class ChannelInfo(NamedTuple):
    """What a node knows of a channel when somebody subscribes.

    Attributes:
        key: see `Frame.key`.
        name: see `Frame.name`.
        conflatable: whether only the newest state matters.
    """

    key: str
    name: str
    conflatable: bool


class ChannelSource(Protocol):
    """The replica as the gateway sees it: current state of channels and recent history."""

    @property
    def epoch(self) -> str:
        """Name of the log's present life."""
        ...

    @property
    def offset(self) -> str:
        """Text of the newest applied offset."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the replica has caught up with the log."""
        ...

    def resolve(self, channel: str, principal: Principal | None) -> ChannelInfo | str:
        """Return the channel's info, or an error code of the stream.

        Codes: `UNKNOWN_CHANNEL`, `UNAUTHENTICATED`, `FORBIDDEN`.
        """
        ...

    def seq(self, key: str) -> int:
        """Return the newest sequence number of the channel (0 before the first frame)."""
        ...

    def snapshot(self, key: str) -> Frame:
        """Return the whole state of a conflatable channel as a `snap` at its newest number."""
        ...

    def history(self, key: str, after_seq: int) -> list[Frame] | None:
        """Return the frames after `after_seq` in order, or None when memory no longer has them."""
        ...


class CommandOutcome(msgspec.Struct, frozen=True):
    """Answer to a command that was applied or refused by the core.

    Attributes:
        code: `"OK"`, or a reason code of the core.
        offset: text of the command's offset.
        result: JSON-able fields of the answer (for instance `{"order": {...}}`).
        replayed: the same idempotency key was answered before; this is the first answer.
        message: what was expected, for a refusal.
        field: the argument at fault, if one is.
    """

    code: str
    offset: str
    result: dict[str, Any]
    replayed: bool = False
    message: str = ""
    field: str | None = None


class CommandError(OptixError):
    """A command that never reached the log, or whose outcome is unknown.

    `code` is one of the stream's error codes: `MALFORMED`, `UNKNOWN_COMMAND`, `INVALID_ARGUMENT`,
    `FORBIDDEN`, `UNAUTHENTICATED`, `NOT_READY`, `LOG_FULL`, `OUTCOME_UNKNOWN`, `RATE_LIMITED`.
    """

    def __init__(
        self, code: str, message: str, *, field: str | None = None, retry_ms: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_ms = retry_ms


class CommandPort(Protocol):
    """Where the edge (REST and socket alike) hands in commands by name."""

    def execute(
        self, principal: Principal, name: str, args: dict[str, Any], key: str | None
    ) -> asyncio.Future[CommandOutcome]:
        """Validate and hand to the log; the future ends when this node has applied the command.

        Returns:
            A future that ends with the outcome, or with a `CommandError`: it is unknown.

        Raises:
            CommandError: not accepted.
        """
        ...


class Authenticator(Protocol):
    """Turns credentials into a principal."""

    async def authenticate(self, *, token: str | None, key: str | None, address: str) -> Principal:
        """Check one credential.

        Raises:
            CommandError: code `UNAUTHENTICATED` with the reason.
        """
        ...


@runtime_checkable
class SignedKeyAuthenticator(Protocol):
    """An authenticator that also checks API keys proved by HMAC (the `ts` and `sig` of `auth`)."""

    async def authenticate_signed(
        self, *, key: str, ts_ms: int, signature: str, address: str
    ) -> Principal:
        """Check a key whose secret is not sent.

        Args:
            key: the public part of the API key.
            ts_ms: signed milliseconds since 1970 UTC.
            signature: HMAC of the key's secret.
            address: where the request came from.

        Raises:
            CommandError: code `UNAUTHENTICATED` with the reason.
        """
        ...


class SnapshotInfo(NamedTuple):
    """A stored snapshot of the state after one entry."""

    epoch: str
    entry_id: EntryId
    schema: int


class RecoveryStore(Protocol):
    """What a node rebuilds itself from: snapshots and archived entries. Adapter: PostgreSQL."""

    async def fence(self, open_log: Callable[[], Awaitable[str]]) -> str:
        """Give the archive to the log's present epoch, and return that epoch.

        Args:
            open_log: returns the name of the log's present epoch, asked from the server.
        """
        ...

    async def snapshots(self) -> list[SnapshotInfo]:
        """Return the stored snapshots, newest first."""
        ...

    async def load(self, snapshot: SnapshotInfo) -> bytes:
        """Return a snapshot's bytes, verified.

        Raises:
            DecodeError: it is damaged; the next older one may serve.
        """
        ...

    async def entries(self, after: EntryId, *, count_max: int) -> list[LogEntry]:
        """Return archived entries after `after`, in order."""
        ...

    async def recent_events(self, until: EntryId, *, count_max: int) -> list[RecentEvent]:
        """Return what reached lossless channels lately, up to and including an entry, in order.

        Of every channel in it, the events up to that entry are complete from the first one on.
        """
        ...


class RecentEvent(NamedTuple):
    """An archived event as one lossless channel carried it; `ts_us` is log time.

    `entry_seq` and `event_index` are its place among the events of that time.
    """

    key: str
    seq: int
    ts_us: int
    event: Any
    entry_seq: int = 0
    event_index: int = 0


class DigestBoard(Protocol):
    """Where nodes compare their digests."""

    async def exchange(self, entry_id: EntryId, node: str, digest: str) -> list[tuple[str, str]]:
        """Publish this node's digest at an entry; return all (node, digest) in order of arrival."""
        ...
