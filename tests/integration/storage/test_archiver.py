from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from storage import archive_writer, archiver as archiver_module
from storage.archive_position import ArchivePosition, fence, read_position
from storage.archive_unit import ArchiveUnit
from storage.archive_writer import ArchiveWriter
from storage.archiver import Archiver
from storage.errors import ArchiveDiverged, ArchiveMoved
from storage.pool import Pool, open_pool
from streams.ports import ENTRY_ZERO, EntryId
from tests.integration.cutting_proxy import CuttingProxy
from tests.integration.storage.archive_units import (
    assert_archived_once,
    make_units,
    position_of,
    reread_from,
)
from tests.support import MS, eventually


@asynccontextmanager
async def running(*archivers: Archiver) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(archiver.run()) for archiver in archivers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        assert task.cancelled(), task.exception()


def fed(pool: Pool, units: list[ArchiveUnit], *, bytes_max: int = 1 << 28) -> Archiver:
    archiver = Archiver(pool, reread_from(units), linger_s=0, backlog_bytes_max=bytes_max)
    for unit in units:
        archiver.put(unit)
    return archiver


async def finished(archiver: Archiver, units: list[ArchiveUnit]) -> None:
    async with asyncio.timeout(15_000 * MS):
        await archiver.archived(units[-1].entry_id)


def opens(epoch: str) -> Callable[[], Awaitable[str]]:
    async def open_log() -> str:
        return epoch

    return open_log


@pytest.fixture
def small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiver_module, "ROWS_PER_TRANSACTION_MAX", 60)


async def test_units_are_archived_with_position(pool: Pool) -> None:
    units = make_units(50)
    archiver = fed(pool, units)
    assert archiver.lag_entries == 50
    assert archiver.lag_bytes > 0

    async with running(archiver):
        await finished(archiver, units)

    await assert_archived_once(pool, units)
    assert (archiver.lag_entries, archiver.lag_bytes, archiver.lag_s) == (0, 0, 0.0)
    assert archiver.rows == 50 * (1 + 5 + 2 + 4)
    assert archiver.transactions == 1
    assert archiver.committed_at_us > 0


@pytest.mark.usefixtures("no_partitions")
async def test_units_put_while_running_and_across_months(pool: Pool) -> None:
    units = make_units(20)
    moved = [
        unit._replace(
            previous=EntryId(units[19].entry_id.ms + i * 40 * 86_400_000, i if i else 2),
            entry_id=EntryId(units[19].entry_id.ms + (i + 1) * 40 * 86_400_000, i + 1),
        )
        for i, unit in enumerate(make_units(3, first=21))
    ]
    archiver = fed(pool, [])
    async with running(archiver):
        for unit in [*units, *moved]:
            archiver.put(unit)
        await finished(archiver, moved)

    await assert_archived_once(pool, [*units, *moved])


@pytest.mark.usefixtures("small_transactions")
async def test_two_archivers_at_once_are_harmless(pool: Pool) -> None:
    units = make_units(300)
    one, two = fed(pool, units), fed(pool, units)

    async with running(one, two):
        await finished(one, units)
        await eventually(lambda: two.position.entry_id == units[-1].entry_id or two.conflicts)

    await assert_archived_once(pool, units)
    assert one.rows + two.rows == 300 * 12


async def test_second_writer_at_the_same_position_is_refused(pool: Pool) -> None:
    units = make_units(2)
    start = ArchivePosition("", ENTRY_ZERO, b"")

    outcomes = await asyncio.gather(
        *(ArchiveWriter(pool).write(units, start) for _ in range(3)), return_exceptions=True
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, ArchiveMoved)]
    assert len(refused) == 2
    assert position_of(units[-1]) in outcomes
    await assert_archived_once(pool, units)


@pytest.mark.usefixtures("small_transactions")
async def test_lost_connections_at_any_moment(pool: Pool, migrated_url: str) -> None:
    units = make_units(400)
    archiver = fed(pool, units)
    rng = random.Random(7)
    killer = await open_pool(migrated_url, application_name="killer", size_max=1)

    async with running(archiver):
        for _ in range(8):
            goal = units[min(399, archiver.transactions * 5 + rng.randrange(40))].entry_id
            await eventually(lambda goal=goal: archiver.position.entry_id >= goal)
            await killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'optix' AND datname = current_database()"
            )
        await finished(archiver, units)
    killer.terminate()

    await assert_archived_once(pool, units)


@pytest.mark.usefixtures("small_transactions")
async def test_killed_server_process_and_recovery(pool: Pool) -> None:
    units = make_units(300)
    archiver = fed(pool, units)
    backend = await pool.fetchval("SELECT pg_backend_pid()")

    async with running(archiver):
        await eventually(lambda: archiver.transactions >= 3)
        os.kill(backend, signal.SIGKILL)  # PostgreSQL restarts all its processes and recovers
        await finished(archiver, units)

    await eventually(lambda: pool.fetchval("SELECT true"))
    await assert_archived_once(pool, units)
    assert archiver.error == ""


@pytest.mark.usefixtures("small_transactions")
async def test_commit_whose_answer_is_lost_is_not_repeated(
    pool: Pool, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = urlsplit(migrated_url)
    server = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
    copy = archive_writer._copy
    with TemporaryDirectory(prefix="optix-") as name:
        async with CuttingProxy(server, Path(name)) as proxy:
            Path(name, ".s.PGSQL.5432").symlink_to(proxy.socket)
            cut_pool = await open_pool(parts._replace(query=f"host={name}").geturl(), size_max=2)

            async def copy_then_cut(connection: Any, table: str, *rest: Any) -> int:
                rows = await copy(connection, table, *rest)
                if table == "channel_events" and archiver.transactions == 2:
                    proxy.cut_after_request = archiver.failures == 0
                return rows

            monkeypatch.setattr(archive_writer, "_copy", copy_then_cut)
            units = make_units(40)
            archiver = fed(cut_pool, units)
            async with running(archiver):
                await finished(archiver, units)
            assert (archiver.failures, archiver.conflicts) == (1, 0)
            # what was committed without an answer is not counted, and was not written again
            assert archiver.transactions == 40 * 12 // 60 - 1
            cut_pool.terminate()

    await assert_archived_once(pool, units)


async def test_killed_archivers_leave_each_row_once(pool: Pool, migrated_url: str) -> None:
    count = 1_500
    units = make_units(count)
    rng = random.Random(11)
    command = (sys.executable, "-m", "tests.integration.storage.archive_process")
    for _ in range(3):
        reached = (await read_position(pool)).entry_id
        goal = max(reached, units[0].entry_id)
        wanted = EntryId(goal.ms + rng.randrange(300_000), 0)
        process = await asyncio.create_subprocess_exec(*command, migrated_url, str(count))

        async def arrived(wanted: EntryId = wanted) -> bool:
            return (await read_position(pool)).entry_id >= wanted

        await eventually(arrived, timeout_s=10_000 * MS)
        process.kill()
        assert await process.wait() == -signal.SIGKILL
        assert reached < (await read_position(pool)).entry_id < units[-1].entry_id

    process = await asyncio.create_subprocess_exec(*command, migrated_url, str(count))
    assert await process.wait() == 0
    await assert_archived_once(pool, units)


async def test_overflow_is_derived_from_the_log_again(pool: Pool) -> None:
    units = make_units(200)
    archiver = fed(pool, units, bytes_max=40_000)
    assert archiver.behind
    assert archiver.lag_entries == 200
    assert not archiver.put(make_units(1, first=201)[0])
    units.append(make_units(1, first=201)[0])

    async with running(archiver):
        await finished(archiver, units)

    await assert_archived_once(pool, units)
    assert (archiver.rereads, archiver.behind, archiver.lag_entries) == (1, False, 0)


async def test_log_that_cannot_be_read_again_is_retried(pool: Pool) -> None:
    units = make_units(60)
    readable = units[:20]
    archiver = Archiver(pool, reread_from(readable), linger_s=0)
    for unit in units[40:]:
        archiver.put(unit)

    async with running(archiver):
        await eventually(lambda: archiver.failures)
        assert "an end at" in archiver.error
        await assert_archived_once(pool, units[:20])
        readable += units[20:40]
        await finished(archiver, units)

    await assert_archived_once(pool, units)


async def test_replica_that_was_rebuilt_begins_anew(pool: Pool) -> None:
    units = make_units(30)
    archiver = fed(pool, units[:20])
    for unit in units[10:]:
        archiver.put(unit)

    archiver._reread = reread_from(units)
    async with running(archiver):
        await finished(archiver, units)

    await assert_archived_once(pool, units)


async def test_divergence_stops_the_archiver(pool: Pool) -> None:
    units = make_units(10)
    async with running(archiver := fed(pool, units)):
        await finished(archiver, units)
    odd = [*units[:9], units[9]._replace(chain=b"odd"), *make_units(1, first=11)]
    archiver = fed(pool, odd)

    with pytest.raises(ArchiveDiverged, match="expected chain"):
        await archiver.run()

    assert archiver.state == "diverged"
    await assert_archived_once(pool, units)


async def test_foreign_entry_in_the_archive_stops_the_archiver(pool: Pool) -> None:
    units = make_units(10)
    async with running(archiver := fed(pool, units)):
        await finished(archiver, units)
    gapped = make_units(1, first=11)[0]._replace(previous=units[8].entry_id)

    with pytest.raises(ArchiveDiverged, match="to be"):
        await fed(pool, [gapped]).run()


async def test_watcher_lets_go_of_what_others_archive(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiver_module, "WATCH_S", 0.01)
    units = make_units(10)
    standby = fed(pool, units)
    watching = asyncio.create_task(standby.watch())

    async with running(archiver := fed(pool, units)):
        await finished(archiver, units)
        await eventually(lambda: standby.lag_entries == 0)
    assert standby.state == "standby"

    watching.cancel()
    await asyncio.wait((watching,))


async def test_entries_of_an_old_epoch_are_fenced_off(pool: Pool) -> None:
    units = make_units(10)
    async with running(archiver := fed(pool, units)):
        await finished(archiver, units)
    assert await fence(pool, opens("e2")) == "e2"
    position = await read_position(pool)
    stale = fed(pool, make_units(2, first=11))

    async with running(stale):
        await eventually(lambda: stale.state == "fenced")
        assert position == await read_position(pool)
        following = make_units(2, first=11, epoch="e2")
        stale._reread = reread_from(following)
        for unit in following:
            stale.put(unit)
        await finished(stale, following)

    await assert_archived_once(pool, [*units, *following])


async def test_slow_node_does_not_give_the_archive_back_to_an_ended_epoch(pool: Pool) -> None:
    answers = iter(["e1", "e2"])

    async def open_log() -> str:
        answer = next(answers)
        if answer == "e1":  # while this node was slow, e2 began and another node fenced it
            await fence(pool, opens("e2"))
        return answer

    assert await fence(pool, open_log) == "e2"
    assert (await read_position(pool)).epoch == "e2"


async def test_many_nodes_fence_at_once(pool: Pool) -> None:
    await asyncio.gather(*(fence(pool, opens("e1")) for _ in range(8)))

    assert await read_position(pool) == ArchivePosition("e1", ENTRY_ZERO, b"")


async def test_epoch_in_the_middle_of_a_transaction_wins_or_waits(pool: Pool) -> None:
    """A writer of the old epoch either commits before the fence or not at all."""
    units = make_units(300)
    old = fed(pool, units)
    async with running(old):
        await fence(pool, opens("e2"))
        end = await read_position(pool)
        await eventually(lambda: old.state == "fenced")

    assert (end.epoch, end.entry_id) in [("e2", ENTRY_ZERO), ("e2", units[-1].entry_id)]
    assert await read_position(pool) == end


async def test_server_that_is_down_at_the_start(database_url: str) -> None:
    missing = database_url.rsplit("/", 1)  # a database without tables: every statement fails
    pool = await open_pool("/".join(missing))
    units = make_units(5)
    archiver = fed(pool, units)

    async with running(archiver):
        await eventually(lambda: archiver.failures >= 2)
        assert archiver.state == "unreachable"
        assert archiver.lag_entries == 5
        from storage.migrate import migrate

        await migrate(database_url)
        await finished(archiver, units)

    await assert_archived_once(pool, units)
    pool.terminate()
