"""Forward-only, numbered migrations: `migrations/NNNN_name.sql`, each in one transaction.

Invariants:
    * Any number of runners may start at once; each file is applied once. The lock is held by the
      transaction, so it works through a transaction pooler too.
    * The SHA-256 of an applied file is recorded; a file that differs from it is refused.
    * A database that is ahead of this version is accepted: schema changes are made as expand,
      migrate, contract, so that two versions run side by side.
    * There is no way back; a mistake is corrected by the next number.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from storage.errors import MigrationEdited, MigrationNameInvalid, translated
from storage.pool import Connection, connect


MIGRATIONS = Path(__file__).parent / "migrations"

LOCK_KEY = 0x6F_70_74_69_78_6D_69_67
"""Advisory lock of the runners: the letters `optixmig` as a 64-bit number."""

APPLY_TIMEOUT_S = 3600.0
"""Longest time for one file, waiting for another runner included; beyond it `StorageTimeout`."""

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

_CREATE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY CHECK (version > 0),
    name text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    applied_at timestamptz NOT NULL DEFAULT now(),
    duration_ms integer NOT NULL
)
"""


class Migration(NamedTuple):
    """One file: its number, its name without number, its text and the digest of the text."""

    version: int
    name: str
    sql: str
    sha256: bytes


class MigrationStatus(NamedTuple):
    """Where a database stands: numbers applied, not yet applied, and not known to this version."""

    applied: list[int]
    pending: list[int]
    ahead: list[int]


def read_migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """Read all files in order of their numbers, which run from 1 without a hole.

    Raises:
        MigrationNameInvalid: a name is not `NNNN_name.sql`, or a number is missing or doubled.
    """
    migrations: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationNameInvalid(f"expected NNNN_name.sql, was {path.name}")
        if int(match[1]) != len(migrations) + 1:
            raise MigrationNameInvalid(f"expected number {len(migrations) + 1}, was {path.name}")
        sql = path.read_text(encoding="utf-8")  # universal newlines: a checkout may use CRLF
        digest = hashlib.sha256(sql.encode()).digest()
        migrations.append(Migration(int(match[1]), match[2], sql, digest))
    return migrations


async def migrate(url: str, *, migrations: Sequence[Migration] | None = None) -> list[Migration]:
    """Bring the database up to date and return what this call applied.

    Raises:
        MigrationEdited: an applied file has changed; nothing more was applied.
        StorageError: the server is unreachable or refused a statement; that file is undone.
    """
    wanted = read_migrations() if migrations is None else migrations
    connection = await connect(
        url, application_name="optix-migrate", command_timeout_s=APPLY_TIMEOUT_S
    )
    applied = []
    try:
        for migration in wanted:
            with translated(f"migration {migration.version:04d}_{migration.name}"):
                if await _apply(connection, migration):
                    applied.append(migration)
    finally:
        await connection.close()
    return applied


async def migration_status(
    url: str, *, migrations: Sequence[Migration] | None = None
) -> MigrationStatus:
    """Compare the database with the files, changing nothing.

    Raises:
        MigrationEdited: an applied file has changed.
        StorageError: see storage.errors.
    """
    wanted = read_migrations() if migrations is None else migrations
    connection = await connect(url, application_name="optix-migrate")
    try:
        with translated("read the applied migrations"):
            if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
                return MigrationStatus([], [migration.version for migration in wanted], [])
            rows = await connection.fetch(
                "SELECT version, sha256 FROM schema_migrations ORDER BY version"
            )
    finally:
        await connection.close()
    applied = {row["version"]: row["sha256"] for row in rows}
    for migration in wanted:
        if migration.version in applied:
            _check_unedited(migration, applied[migration.version])
    known = {migration.version for migration in wanted}
    return MigrationStatus(
        applied=[version for version in applied if version in known],
        pending=[one.version for one in wanted if one.version not in applied],
        ahead=[version for version in applied if version not in known],
    )


async def _apply(connection: Connection, migration: Migration) -> bool:
    """Apply one file unless it is applied already; return whether it was applied now."""
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
        await connection.execute(_CREATE)
        recorded = await connection.fetchval(
            "SELECT sha256 FROM schema_migrations WHERE version = $1", migration.version
        )
        if recorded is not None:
            _check_unedited(migration, recorded)
            return False
        started = time.monotonic()
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (version, name, sha256, duration_ms)"
            " VALUES ($1, $2, $3, $4)",
            migration.version,
            migration.name,
            migration.sha256,
            round((time.monotonic() - started) * 1000),
        )
        return True


def _check_unedited(migration: Migration, recorded: bytes) -> None:
    if recorded != migration.sha256:
        raise MigrationEdited(
            f"expected {migration.version:04d}_{migration.name}.sql as it was applied"
            f" ({recorded.hex()[:12]}), was {migration.sha256.hex()[:12]}"
        )
