from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from storage import audit
from storage.audit import GENESIS, append_audit, newest_hash, read_audit, verify_audit
from storage.errors import AuditDamaged
from storage.pool import Pool


NOW = datetime(2026, 2, 1, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ROWS_PER_PAGE", 4)


async def append(pool: Pool, number: int) -> None:
    await append_audit(
        pool,
        at=NOW + timedelta(seconds=number),
        actor="a_1",
        action="login.revoked",
        subject=f"l_{number % 3}",
        detail={"number": number, "why": "ü"},
    )


async def test_chain_of_many_writers_holds(pool: Pool) -> None:
    assert await newest_hash(pool) == (0, GENESIS)
    assert await verify_audit(pool) == 0

    await asyncio.gather(*(append(pool, number) for number in range(10)))

    assert await verify_audit(pool) == 10
    assert await verify_audit(pool, head=await newest_hash(pool)) == 10


async def test_table_refuses_changes(pool: Pool) -> None:
    await append(pool, 1)

    for statement in (
        "UPDATE audit_log SET actor = 'a_2'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await pool.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'a_2' WHERE audit_id = 5",
        "UPDATE audit_log SET detail = '{}' WHERE audit_id = 5",
        "UPDATE audit_log SET at = at + interval '1 microsecond' WHERE audit_id = 5",
        "DELETE FROM audit_log WHERE audit_id = 5",
        "DELETE FROM audit_log WHERE audit_id >= 9",
    ],
)
async def test_change_past_the_trigger_shows(pool: Pool, statement: str) -> None:
    for number in range(10):
        await append(pool, number)
    head = await newest_hash(pool)
    await pool.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
    await pool.execute(statement)

    with pytest.raises(AuditDamaged):
        await verify_audit(pool, head=head)


async def test_rewritten_chain_differs_from_the_published_head(pool: Pool) -> None:
    await append(pool, 1)

    with pytest.raises(AuditDamaged, match="published"):
        await verify_audit(pool, head=(1, b"0" * 32))


async def test_pages_and_subjects(pool: Pool) -> None:
    for number in range(7):
        await append(pool, number)

    first = await read_audit(pool, limit=5)
    second = await read_audit(pool, limit=5, cursor=first.next_cursor)
    of_subject = await read_audit(pool, subject="l_1")

    assert list(range(7, 0, -1)) == [row.audit_id for row in first.items + second.items]
    assert second.next_cursor is None
    assert [row.audit_id for row in of_subject.items] == [5, 2]
    assert of_subject.items[0].detail == '{"number":4,"why":"ü"}'


async def test_too_long_a_detail_is_refused(pool: Pool) -> None:
    with pytest.raises(ValueError, match="detail"):
        await append_audit(
            pool, at=NOW, actor="a", action="b", subject="c", detail={"text": "x" * 20_000}
        )
