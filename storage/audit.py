"""The audit log: who did what to whom, append-only, with a hash chain.

Each row's hash covers the row and the hash before it, so a row that was changed, removed or put
in shows. The database refuses UPDATE, DELETE and TRUNCATE on the table. Publishing the newest
hash elsewhere once a day (`newest_hash`) also shows a log that was cut off at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from storage.errors import AuditDamaged
from storage.paging import (
    INTEGER_MAX,
    LIMIT_DEFAULT,
    Page,
    check_limit,
    decode_cursor,
    encode_cursor,
)
from storage.pool import Pool, acquired, transaction
from storage.queries import load


LOCK_KEY = 0x6F_70_74_69_78_61_75_64
"""Advisory lock of writers: the letters `optixaud` as a 64-bit number."""

DETAIL_BYTES_MAX = 16 * 1024
"""Longest detail as JSON; a longer one is refused with ValueError."""

ROWS_PER_PAGE = 500
"""Rows read at once by the verification."""

GENESIS = b"\0" * 32
"""The hash before the first row."""

_SQL = load("audit")
_encode = msgspec.json.Encoder(order="sorted").encode


class AuditRow(NamedTuple):
    """One row.

    Attributes:
        audit_id: from 1 by 1.
        at: UTC.
        actor: account id, or the name of a service.
        action: what was done, `noun.verb`.
        subject: id of what it was done to.
        address: where the request came from, or empty.
        detail: JSON text.
        previous_hash: hash of the row before.
        hash: SHA-256 over all of it.
    """

    audit_id: int
    at: datetime
    actor: str
    action: str
    subject: str
    address: str
    detail: str
    previous_hash: bytes
    hash: bytes


async def append_audit(
    pool: Pool,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    address: str = "",
    detail: Mapping[str, Any] | None = None,
) -> AuditRow:
    """Append a row; writers take turns.

    Args:
        pool: connections to the primary.
        at: time of the action, with a zone.
        actor: account id, or the name of a service.
        action: for instance `login.revoked`.
        subject: id of what it was done to.
        address: where the request came from.
        detail: JSON-able; nothing personal.

    Raises:
        ValueError: the detail is longer than `DETAIL_BYTES_MAX`.
        StorageError: see storage.errors.
    """
    text = _encode(detail or {})
    if len(text) > DETAIL_BYTES_MAX:
        raise ValueError(f"expected at most {DETAIL_BYTES_MAX} bytes of detail, was {len(text)}")
    async with transaction(pool, "append to the audit log") as connection:
        await connection.execute(_SQL["lock"], LOCK_KEY)
        newest = await connection.fetchrow(_SQL["newest"])
        audit_id, previous = (0, GENESIS) if newest is None else newest
        row = AuditRow(
            audit_id + 1, at, actor, action, subject, address, text.decode(), previous, b""
        )
        row = row._replace(hash=_hash(row))
        await connection.execute(_SQL["append"], *row)
    return row


async def read_audit(
    pool: Pool,
    *,
    subject: str | None = None,
    cursor: str | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[AuditRow]:
    """Return rows, newest first.

    Raises:
        InvalidCursor: not a cursor of this list.
        ValueError: the limit is out of bounds.
        StorageError: see storage.errors.
    """
    check_limit(limit)
    before = INTEGER_MAX if cursor is None else decode_cursor("audit", cursor, 1)[0]
    async with acquired(pool, "read the audit log") as connection:
        if subject is None:
            rows = await connection.fetch(_SQL["before"], before, limit + 1)
        else:
            rows = await connection.fetch(_SQL["before_of_subject"], before, limit + 1, subject)
    items = [AuditRow(*row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor("audit", items[-1].audit_id) if more else None)


async def newest_hash(pool: Pool) -> tuple[int, bytes]:
    """Return number and hash of the newest row: the daily head. (0, `GENESIS`) when empty.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "read the audit log") as connection:
        newest = await connection.fetchrow(_SQL["newest"])
    return (0, GENESIS) if newest is None else (newest["audit_id"], newest["hash"])


async def verify_audit(pool: Pool, *, head: tuple[int, bytes] | None = None) -> int:
    """Check the whole chain; return how many rows there are.

    Args:
        pool: connections to the database.
        head: a daily head published earlier, which must be in the chain.

    Raises:
        AuditDamaged: names the first row that is not what was appended.
        StorageError: see storage.errors.
    """
    count, previous = 0, GENESIS
    while True:
        async with acquired(pool, "read the audit log") as connection:
            rows = await connection.fetch(_SQL["after"], count, ROWS_PER_PAGE)
        for row in map(AuditRow._make, rows):
            count += 1
            if row.audit_id != count or row.previous_hash != previous or row.hash != _hash(row):
                raise AuditDamaged(f"expected row {count} as it was appended, was {row.audit_id}")
            if head is not None and row.audit_id == head[0] and row.hash != head[1]:
                raise AuditDamaged(f"expected the published hash at row {count}")
            previous = row.hash
        if not rows:
            break
    if head is not None and count < head[0]:
        raise AuditDamaged(f"expected at least {head[0]} rows, was {count}")
    return count


def _hash(row: AuditRow) -> bytes:
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    fields = (row.audit_id, at, row.actor, row.action, row.subject, row.address, row.detail)
    return hashlib.sha256(row.previous_hash + _encode(fields)).digest()
