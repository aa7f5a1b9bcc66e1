"""`optix verify` finds one changed byte, names the place, and ends with 1."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
import pytest

from storage.embedded import EmbeddedStores
from storage.history import decode_event
from streams.core.events import FillBooked
from tests.e2e.market import play, slice_of_day
from tests.e2e.processes import Home
from tests.support import MS, LoopThread, eventually


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with an archive, a snapshot in it, and stores that run without a node."""
    home = Home(tmp_path_factory.mktemp("archived") / "state", OPTIX_SNAPSHOT_SECONDS="1")
    recording = slice_of_day(home.state_dir.with_name("slice.jsonl"), 3_000)

    async def live() -> None:
        async with home.node() as node:
            await play(home, recording)
            async with connected(home) as connection:
                taken = "SELECT count(*) FROM snapshots WHERE complete"
                await eventually(lambda: connection.fetchval(taken), 30_000 * MS, "a snapshot")
            assert await node.terminate() == 0

    stores = EmbeddedStores(home.state_dir)
    with LoopThread() as thread:
        thread.run(live())
        thread.run(stores.start())
        try:
            yield home
        finally:
            thread.run(stores.stop())


@asynccontextmanager
async def connected(home: Home) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(home.endpoints().database_url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def tampered(home: Home, table: str, where: str, column: str, change: Any) -> AsyncIterator:
    """Change one value while the block runs; yields (entry_ms, entry_seq) of its row."""
    async with connected(home) as connection:
        row = await connection.fetchrow(
            f"SELECT tableoid, ctid, entry_ms, entry_seq, {column} AS value"
            f" FROM {table} WHERE {where} LIMIT 1"
        )
        update = f"UPDATE {table} SET {column} = $1 WHERE entry_ms = $2 AND entry_seq = $3 AND"
        place = (row["entry_ms"], row["entry_seq"])
        await connection.execute(f"{update} {where}", change(row["value"]), *place)
        try:
            yield place
        finally:
            await connection.execute(f"{update} {where}", row["value"], *place)


def flipped(data: bytes) -> bytes:
    """Change one bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def dearer(payload: bytes) -> bytes:
    """Return a fill that is whole, and one tick dearer."""
    event = decode_event(payload)
    assert isinstance(event, FillBooked)
    changed = msgspec.structs.replace(event, price_ticks=event.price_ticks + 1)
    return msgspec.msgpack.encode(changed)


async def failures(home: Home) -> tuple[int, dict[str, str]]:
    """Run the verification; return its exit code and what it says is wrong, by check."""
    ended = await home.run("verify")
    assert "Traceback" not in ended.errors, ended
    failed = [line.split(maxsplit=2) for line in ended.output.splitlines() if line[:4] == "FAIL"]
    return ended.code, {name: detail for _, name, detail in failed}


async def test_untouched_archive_passes(archived: Home) -> None:
    assert await failures(archived) == (0, {})


FIRST_FILL = (
    "(entry_ms, entry_seq, event_index) = (SELECT entry_ms, entry_seq, event_index FROM events"
    " WHERE kind = 'FillBooked' ORDER BY 1, 2, 3 LIMIT 1)"
)


@pytest.mark.parametrize("change", [dearer, flipped])
async def test_changed_event_is_named(archived: Home, change: Any) -> None:
    async with tampered(archived, "events", FIRST_FILL, "payload", change) as (ms, seq):
        code, found = await failures(archived)
    assert code == 1
    assert f"entry {ms}-{seq}" in found["commands"]
    assert await failures(archived) == (0, {})


async def test_changed_entry_is_named(archived: Home) -> None:
    where = "(entry_ms, entry_seq) = (SELECT entry_ms, entry_seq FROM log_entries"
    where += " ORDER BY 1, 2 OFFSET 3 LIMIT 1)"
    async with tampered(archived, "log_entries", where, "payload", flipped) as (ms, seq):
        code, found = await failures(archived)
    assert code == 1
    assert any(f"{ms}-{seq}" in detail for detail in found.values()), found


async def test_changed_snapshot_is_named(archived: Home) -> None:
    async with connected(archived) as connection:
        row = await connection.fetchrow(
            "SELECT snapshot_id, chunk_index, data, entry_ms, entry_seq FROM snapshot_chunks"
            " JOIN snapshots USING (snapshot_id) WHERE complete LIMIT 1"
        )
        update = "UPDATE snapshot_chunks SET data = $3 WHERE snapshot_id = $1 AND chunk_index = $2"
        place = (row["snapshot_id"], row["chunk_index"])
        await connection.execute(update, *place, flipped(row["data"]))
        code, found = await failures(archived)
        await connection.execute(update, *place, row["data"])
    assert code == 1
    assert list(found) == ["snapshots"]
    assert f"snapshot at {row['entry_ms']}-{row['entry_seq']}" in found["snapshots"]


async def test_missing_event_is_named(archived: Home) -> None:
    async with connected(archived) as connection:
        work = connection.transaction()
        await work.start()
        columns = "entry_ms, entry_seq, event_index, command_index, at_us, kind, trader, symbol"
        columns += ", counterparty, code, payload"
        row = await connection.fetchrow(
            f"DELETE FROM events WHERE {FIRST_FILL} RETURNING {columns}"
        )
        await work.commit()
        code, found = await failures(archived)
        marks = ", ".join(f"${number}" for number in range(1, 12))
        await connection.execute(f"INSERT INTO events ({columns}) VALUES ({marks})", *row)
    assert code == 1
    assert f"entry {row['entry_ms']}-{row['entry_seq']}" in found["commands"]
    assert await failures(archived) == (0, {})
