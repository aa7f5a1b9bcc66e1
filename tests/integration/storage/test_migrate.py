from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import asyncpg
import pytest

from storage.errors import MigrationEdited, MigrationNameInvalid, StorageError
from storage.migrate import Migration, migrate, migration_status, read_migrations


def migration(version: int, sql: str) -> Migration:
    return Migration(version, f"step_{version}", sql, hashlib.sha256(sql.encode()).digest())


async def test_several_runners_at_once_apply_each_file_once(database_url: str) -> None:
    all_applied = await asyncio.gather(*(migrate(database_url) for _ in range(4)))

    versions = sorted(one.version for applied in all_applied for one in applied)
    expected = [one.version for one in read_migrations()]
    assert expected == versions
    status = await migration_status(database_url)
    assert (expected, [], []) == tuple(status)


async def test_status_before_the_first_run(database_url: str) -> None:
    status = await migration_status(database_url)

    assert ([], [one.version for one in read_migrations()], []) == tuple(status)


async def test_edited_file_is_refused_and_nothing_more_applied(database_url: str) -> None:
    first = migration(1, "CREATE TABLE one ()")
    await migrate(database_url, migrations=[first])
    edited = [migration(1, "CREATE TABLE uno ()"), migration(2, "CREATE TABLE two ()")]

    with pytest.raises(MigrationEdited, match="0001_step_1"):
        await migrate(database_url, migrations=edited)
    with pytest.raises(MigrationEdited):
        await migration_status(database_url, migrations=edited)

    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT to_regclass('two')") is None
    await connection.close()


async def test_failing_file_is_undone_and_the_ones_before_stay(database_url: str) -> None:
    steps = [
        migration(1, "CREATE TABLE one ()"),
        migration(2, "CREATE TABLE two (); SELECT no_such_function()"),
    ]

    with pytest.raises(StorageError, match="0002_step_2"):
        await migrate(database_url, migrations=steps)

    status = await migration_status(database_url, migrations=steps)
    assert tuple(status) == ([1], [2], [])
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT to_regclass('two')") is None
    await connection.close()


async def test_database_ahead_of_the_code_is_accepted(database_url: str) -> None:
    steps = [migration(1, "CREATE TABLE one ()"), migration(2, "CREATE TABLE two ()")]
    await migrate(database_url, migrations=steps)

    assert await migrate(database_url, migrations=steps[:1]) == []
    status = await migration_status(database_url, migrations=steps[:1])
    assert tuple(status) == ([1], [], [2])


@pytest.mark.parametrize("names", [["1_a.sql"], ["0001_a.sql", "0003_c.sql"], ["0001_A.sql"]])
def test_bad_names_and_holes_are_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")

    with pytest.raises(MigrationNameInvalid):
        read_migrations(tmp_path)


def test_line_ends_of_a_checkout_do_not_change_the_digest(tmp_path: Path) -> None:
    digests = []
    for text in (b"SELECT 1;\nSELECT 2;\n", b"SELECT 1;\r\nSELECT 2;\r\n"):
        (tmp_path / "0001_a.sql").write_bytes(text)
        digests.append(read_migrations(tmp_path)[0].sha256)

    assert digests[0] == digests[1]
