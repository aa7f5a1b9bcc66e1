from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from storage import snapshots
from storage.errors import SnapshotDamaged, StorageError
from storage.pool import Pool
from storage.postgres_recovery_store import PostgresRecoveryStore
from streams.ports import DecodeError, EntryId


DATA = bytes(range(256)) * 100


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "CHUNK_BYTES", 1_000)


async def save(pool: Pool, number: int, data: bytes = DATA, epoch: str = "e1") -> int:
    return await snapshots.save(
        pool,
        epoch=epoch,
        entry_id=EntryId(1_000 + number, 0),
        schema=1,
        digest=b"digest",
        data=data,
    )


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def test_saved_and_loaded(pool: Pool) -> None:
    number = await save(pool, 1)

    (found,) = await snapshots.newest(pool)

    assert (number, "e1", EntryId(1_001, 0), 1, b"digest") == found[:5]
    assert (len(DATA), 26, hashlib.sha256(DATA).digest()) == found[5:8]
    assert await snapshots.load(pool, found) == DATA


@pytest.mark.parametrize("size", [1, 999, 1_000, 1_001, 5_500])
async def test_pieces_of_any_size_give_the_same_chunks(pool: Pool, size: int) -> None:
    data = DATA[:5_500]
    await snapshots.save(
        pool,
        epoch="e1",
        entry_id=EntryId(1, 0),
        schema=1,
        digest=b"",
        data=pieces(data, size),
    )

    (found,) = await snapshots.newest(pool)
    sizes = await pool.fetch("SELECT octet_length(data) FROM snapshot_chunks ORDER BY chunk_index")

    assert [row[0] for row in sizes] == [1_000] * 5 + [500]
    assert await snapshots.load(pool, found) == data


async def test_empty_snapshot(pool: Pool) -> None:
    await save(pool, 1, data=b"")

    (found,) = await snapshots.newest(pool)

    assert await snapshots.load(pool, found) == b""


async def test_newest_first_and_by_epoch(pool: Pool) -> None:
    for number, epoch in ((2, "e1"), (3, "e2"), (1, "e1")):
        await save(pool, number, epoch=epoch)

    everything = await snapshots.newest(pool)
    of_one = await snapshots.newest(pool, "e1", limit=1)

    assert [one.entry_id.ms for one in everything] == [1_003, 1_002, 1_001]
    assert [one.entry_id.ms for one in of_one] == [1_002]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            "UPDATE snapshot_chunks SET data = set_byte(data, 7, 9) WHERE chunk_index = 3",
            "checksum",
        ),
        ("UPDATE snapshot_chunks SET crc32 = crc32 # 1 WHERE chunk_index = 3", "checksum"),
        ("DELETE FROM snapshot_chunks WHERE chunk_index = 25", "missing"),
        ("UPDATE snapshots SET sha256 = set_byte(sha256, 0, 1)", "SHA-256"),
        ("UPDATE snapshots SET chunks = 25, size = 25000", "SHA-256"),
    ],
)
async def test_damage_is_detected(pool: Pool, damage: str, message: str) -> None:
    await save(pool, 1)
    assert await pool.execute(damage) != "UPDATE 0"

    (found,) = await snapshots.newest(pool)

    with pytest.raises(SnapshotDamaged, match=message):
        await snapshots.load(pool, found)


async def test_recovery_goes_on_to_the_next_older_one(pool: Pool) -> None:
    await save(pool, 1, data=b"older")
    newer = await save(pool, 2, data=b"newer")
    await pool.execute("DELETE FROM snapshot_chunks WHERE snapshot_id = $1", newer)
    store = PostgresRecoveryStore(pool)

    found = await store.snapshots()

    assert [info.entry_id.ms for info in found] == [1_002, 1_001]
    with pytest.raises(DecodeError):
        await store.load(found[0])
    assert await store.load(found[1]) == b"older"


async def test_twin_of_a_damaged_snapshot_serves(pool: Pool) -> None:
    await save(pool, 1, data=b"same")
    second = await save(pool, 1, data=b"same")
    await pool.execute("DELETE FROM snapshot_chunks WHERE snapshot_id = $1", second)
    store = PostgresRecoveryStore(pool)

    (info,) = await store.snapshots()

    assert await store.load(info) == b"same"


async def test_snapshot_of_a_killed_writer_does_not_count(pool: Pool) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield DATA
        raise RuntimeError("the writer died")

    with pytest.raises(RuntimeError):
        await snapshots.save(
            pool, epoch="e1", entry_id=EntryId(1, 0), schema=1, digest=b"", data=broken()
        )

    assert await snapshots.newest(pool) == []
    assert await snapshots.prune(pool) == 0  # it may still be being written
    await pool.execute("UPDATE snapshots SET created_at = now() - $1::interval", timedelta(days=1))
    assert await snapshots.prune(pool) == 1
    assert await pool.fetchval("SELECT count(*) FROM snapshot_chunks") == 0


async def test_pruned_while_being_written_is_not_complete(pool: Pool) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield DATA
        await pool.execute("DELETE FROM snapshot_chunks WHERE chunk_index < 3")
        yield DATA

    with pytest.raises(StorageError):
        await snapshots.save(
            pool, epoch="e1", entry_id=EntryId(1, 0), schema=1, digest=b"", data=slow()
        )


async def test_prune_keeps_the_newest(pool: Pool) -> None:
    for number in range(5):
        await save(pool, number)

    assert await snapshots.prune(pool, keep=2) == 3

    assert [one.entry_id.ms for one in await snapshots.newest(pool)] == [1_004, 1_003]
    assert await pool.fetchval("SELECT count(DISTINCT snapshot_id) FROM snapshot_chunks") == 2
    with pytest.raises(ValueError, match="at least 1"):
        await snapshots.prune(pool, keep=0)
