"""Errors of the storage tier, and the one place where asyncpg's are translated.

StorageError
├── StorageUnavailable     no connection, or it was lost: nothing is known to be wrong with the data
│   └── WriteUnknown       it was lost while a transaction was being committed
├── StorageTimeout         the server did not answer in time
├── Conflict               a unique key is taken
│   ├── EmailTaken         EMAIL_TAKEN
│   └── HandleTaken        HANDLE_TAKEN
├── NotFound               the row asked for does not exist
├── RefreshRefused         REFRESH_UNKNOWN, REFRESH_EXPIRED, REFRESH_REVOKED, REFRESH_REUSED
├── InvalidCursor          a page cursor that this version did not make
├── TextRefused            a text holds a character that PostgreSQL cannot store
├── MigrationError
│   ├── MigrationEdited    an applied file is not what was applied
│   └── MigrationNameInvalid  a file name or numbering this version does not accept
├── SnapshotDamaged        stored chunks are not what was saved
├── AuditDamaged           a row of the audit log is not what was appended
└── ArchiveError
    ├── ArchiveFenced      the archive belongs to another epoch of the log
    ├── ArchiveMoved       somebody else archived in the meantime
    ├── ArchiveGap         the entries between archive and memory could not be read again
    └── ArchiveDiverged    the archive and this node disagree about the same entry

Invariant: no asyncpg exception leaves the storage tier; `translated` is the border.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from streams.ports import DecodeError, EntryId, OptixError


class StorageError(OptixError):
    """PostgreSQL refused or is unreachable. `code` is stable and may be shown to a caller."""

    code = "STORAGE_ERROR"


class StorageUnavailable(StorageError):
    """There is no connection, or it was lost."""

    code = "STORAGE_UNAVAILABLE"


class WriteUnknown(StorageUnavailable):
    """The connection was lost during COMMIT: written wholly or not at all."""

    code = "WRITE_UNKNOWN"


class StorageTimeout(StorageError):
    """The server did not answer in time."""

    code = "STORAGE_TIMEOUT"


class Conflict(StorageError):
    """A unique key is taken. `constraint` is its name in the schema."""

    code = "CONFLICT"

    def __init__(self, message: str, *, constraint: str = "") -> None:
        super().__init__(message)
        self.constraint = constraint


class EmailTaken(Conflict):
    """Another account has this address."""

    code = "EMAIL_TAKEN"


class HandleTaken(Conflict):
    """Another account has this handle, perhaps in other letter case."""

    code = "HANDLE_TAKEN"


class NotFound(StorageError):
    """The row asked for does not exist."""

    code = "NOT_FOUND"


class RefreshRefused(StorageError):
    """A refresh token was not accepted; `code` says why.

    `REFRESH_REUSED` means that a token was presented twice: its login is revoked.
    """

    def __init__(self, code: str, *, login_id: str = "", account_id: str = "") -> None:
        super().__init__(f"expected the newest token of a live login, was {code}")
        self.code = code
        self.login_id = login_id
        self.account_id = account_id


class InvalidCursor(StorageError):
    """The cursor of a page was not made by this version for this list."""

    code = "INVALID_CURSOR"


class TextRefused(StorageError):
    """A text of the caller holds a character that PostgreSQL cannot store, which is only NUL."""

    code = "INVALID_ARGUMENT"


class MigrationError(StorageError):
    """The schema could not be brought up to date."""

    code = "MIGRATION_FAILED"


class MigrationEdited(MigrationError):
    """A file that was applied has changed since; write a new migration instead."""

    code = "MIGRATION_EDITED"


class MigrationNameInvalid(MigrationError):
    """A file is not named `NNNN_name.sql`, or a number is missing or doubled."""

    code = "MIGRATION_NAME_INVALID"


class SnapshotDamaged(StorageError, DecodeError):
    """A stored snapshot is not what was saved; use the next older one."""

    code = "SNAPSHOT_DAMAGED"


class AuditDamaged(StorageError):
    """The hash chain of the audit log is broken."""

    code = "AUDIT_DAMAGED"


class ArchiveError(StorageError):
    """The archive does not go on from where this node thought."""

    code = "ARCHIVE_ERROR"


class ArchiveFenced(ArchiveError):
    """The archive belongs to another epoch than the entries offered."""

    code = "ARCHIVE_FENCED"

    def __init__(self, *, expected: str, actual: str) -> None:
        super().__init__(f"expected the archive to be in epoch {expected}, was {actual}")
        self.expected = expected
        self.actual = actual


class ArchiveMoved(ArchiveError):
    """Somebody else archived: read the position again."""

    code = "ARCHIVE_MOVED"


class ArchiveGap(ArchiveError):
    """Entries between the archive and memory could not be read again."""

    code = "ARCHIVE_GAP"

    def __init__(self, *, after: EntryId, until: EntryId, was: str) -> None:
        super().__init__(f"expected the entries after {after} up to {until}, was {was}")
        self.after = after
        self.until = until


class ArchiveDiverged(ArchiveError):
    """Archive and node disagree about an entry: stop, and run `optix verify`."""

    code = "ARCHIVE_DIVERGED"


LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
    ConnectionError,
    OSError,
    # a session the server ended leaves the client's protocol in the middle of a reply
    asyncpg.InternalClientError,
)
"""What asyncpg raises when the session is, or may be, gone: such a connection is thrown away."""


def transport_closed(error: RuntimeError) -> bool:
    """Whether uvloop refused to write to a connection whose loss asyncpg has not heard of yet."""
    return "the handler is closed" in str(error)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn errors of asyncpg and of the network inside the block into `StorageError`s.

    Args:
        doing: what was attempted, for the message ("append to the audit log").

    Raises:
        StorageTimeout, StorageUnavailable, Conflict, TextRefused, StorageError: see the module
            docstring.
    """
    try:
        yield
    except StorageError:
        raise
    except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
        raise StorageTimeout(f"{doing}: expected an answer in time: {error}") from error
    except asyncpg.UniqueViolationError as error:
        constraint = error.constraint_name or ""
        raise Conflict(f"{doing}: expected a free key: {error}", constraint=constraint) from error
    except (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError) as error:
        raise TextRefused("expected text without the character U+0000") from error
    except LOST as error:
        kind = type(error).__name__
        raise StorageUnavailable(f"{doing}: expected PostgreSQL, was {kind}: {error}") from error
    except asyncpg.PostgresError as error:
        raise StorageError(f"{doing}: PostgreSQL refused: {error}") from error
    except RuntimeError as error:
        if not transport_closed(error):
            raise
        raise StorageUnavailable(f"{doing}: expected PostgreSQL, was: {error}") from error
