"""The log when its server is killed, loses its tail, stalls, or is replaced by a replica."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from redis.asyncio.connection import AbstractConnection

from streams.log.flight import SubmitterLimits
from streams.log.recent import RecentEntries
from streams.log.redis_connection import ConnectionFactory, connection_factory
from streams.log.redis_log import RedisLog
from streams.log.submitter import Submitter
from streams.ports import (
    ENTRY_ZERO,
    EntryId,
    EpochChanged,
    LogEntry,
    LogError,
    LogTruncated,
    LogUnavailable,
)
from tests.integration.valkey_process import ValkeyProcess
from tests.support import MS, eventually
from tests.unit.log.samples import Sample, Tail, cancelled, sample_codec, say


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose sockets fit into the 107 bytes that a socket's path may have."""
    path = Path(tempfile.mkdtemp(prefix="optix-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
async def valkey(short_path: Path) -> AsyncIterator[ValkeyProcess]:
    async with ValkeyProcess(short_path / "a") as valkey:
        yield valkey


OpenLog = Callable[..., Awaitable[RedisLog]]


@pytest.fixture
async def opened() -> AsyncIterator[OpenLog]:
    """Opens logs and closes them after the test."""
    logs: list[RedisLog] = []

    async def open_log(url: str | ConnectionFactory, **settings: int) -> RedisLog:
        logs.append(RedisLog(url, **settings))
        await logs[-1].open()
        return logs[-1]

    yield open_log
    for log in logs:
        await log.close()


async def applied(log: RedisLog, count: int) -> RecentEntries:
    recent = RecentEntries()
    for number in range(count):
        await log.append(f"entry {number}".encode(), seen=recent.newest)
        for entry in await log.read(recent.newest, count_max=10, wait_ms=1_000):
            recent.add(entry)
    return recent


async def everything(log: RedisLog) -> list[LogEntry]:
    return await log.read(ENTRY_ZERO, count_max=100_000, wait_ms=0)


async def append_when_open(log: RedisLog, payload: bytes, seen: EntryId) -> EntryId:
    async with asyncio.timeout(5_000 * MS):
        while True:
            with contextlib.suppress(LogUnavailable):
                return (await log.append(payload, seen=seen)).entry_id
            await asyncio.sleep(5 * MS)


async def read_when_up(log: RedisLog, after: EntryId) -> list[LogEntry]:
    """Read as soon as the connection is a new one."""
    async with asyncio.timeout(5_000 * MS):
        while True:
            with contextlib.suppress(LogUnavailable):
                return await log.read(after, count_max=100, wait_ms=0)
            await asyncio.sleep(5 * MS)


async def test_nothing_acknowledged_is_missing_after_a_kill_under_load(
    valkey: ValkeyProcess, opened: OpenLog
) -> None:
    logs = [await opened(valkey.url) for _ in range(4)]
    acknowledged: list[LogEntry] = []

    async def appender(number: int, log: RedisLog) -> None:
        count = 0
        with contextlib.suppress(LogError):
            while True:
                payload = f"{number}.{count}".encode()
                entry_id = (await log.append(payload, seen=ENTRY_ZERO)).entry_id
                acknowledged.append(LogEntry(entry_id, payload))
                count += 1

    async with asyncio.TaskGroup() as group:
        for number, log in enumerate(logs):
            group.create_task(appender(number, log))
        await eventually(lambda: len(acknowledged) > 500)
        valkey.kill()
    await valkey.start()

    held = await everything(logs[0])
    assert sorted(acknowledged) == [entry for entry in held if entry in set(acknowledged)]
    assert len(held) - len(acknowledged) <= len(logs)


async def test_every_command_is_applied_once_through_a_kill_under_load(
    valkey: ValkeyProcess, opened: OpenLog
) -> None:
    log = await opened(valkey.url)
    tail = Tail(log)

    async def never(error: LogTruncated | EpochChanged) -> None:
        raise error

    submitter: Submitter[Sample] = Submitter(
        log,
        sample_codec(),
        node="n1",
        incarnation="a",
        seen=lambda: tail.seen,
        on_truncated=never,
        limits=SubmitterLimits(outcome_ms_max=30_000, batch_commands_max=5, seen_ms_max=50),
    )

    async def follow() -> None:
        while True:
            with contextlib.suppress(LogUnavailable):
                await tail.run(lambda: submitter)
            await asyncio.sleep(5 * MS)

    tasks = [asyncio.create_task(submitter.run()), asyncio.create_task(follow())]
    await eventually(lambda: submitter.accepting)
    ids = [f"c{number}" for number in range(2_000)]
    futures = [submitter.submit(say(id_)) for id_ in ids]

    await eventually(lambda: len(tail.applied) > 300)
    valkey.kill()
    await valkey.start()
    async with asyncio.timeout(20_000 * MS):
        outcomes = await asyncio.gather(*futures)

    assert {outcome.code for outcome in outcomes} == {"OK"}
    assert tail.applied == ids
    assert submitter.unknown + submitter.refused > 0
    for task in tasks:
        await cancelled(task)


@pytest.mark.parametrize("more_bytes", [0, 40], ids=["between records", "inside a record"])
async def test_lost_tail_is_noticed_and_repaired(
    valkey: ValkeyProcess, opened: OpenLog, more_bytes: int
) -> None:
    log = await opened(valkey.url)
    recent = await applied(log, 8)
    before = await everything(log)
    valkey.kill()
    valkey.cut_log(3, more_bytes=more_bytes)
    await valkey.start()

    with pytest.raises(LogTruncated) as caught:
        await log.append(b"next", seen=recent.newest)
    assert caught.value.head == before[4 if more_bytes == 0 else 3].entry_id
    with pytest.raises(LogTruncated):
        await log.read(recent.newest, count_max=1, wait_ms=60_000)
    assert await log.repair(recent.entries()) == recent.newest

    assert await everything(log) == before
    entry_id = await append_when_open(log, b"next", recent.newest)
    found = await log.read(recent.newest, count_max=9, wait_ms=0)
    assert found == [LogEntry(entry_id, b"next")]


async def test_lost_tail_with_a_foreign_entry_above_needs_a_new_epoch(
    valkey: ValkeyProcess, opened: OpenLog
) -> None:
    log = await opened(valkey.url)
    recent = await applied(log, 5)
    known = recent.entries()[3].entry_id
    valkey.kill()
    valkey.cut_log(2)
    await valkey.start()
    slower = await opened(valkey.url)
    await slower.append(b"foreign", seen=known)

    with pytest.raises(LogTruncated) as caught:
        await log.read(recent.newest, count_max=9, wait_ms=0)
    assert caught.value.foreign
    with pytest.raises(LogTruncated) as caught:
        await log.repair(recent.entries())
    assert caught.value.foreign

    epoch = await log.begin_epoch(recent.newest)
    with pytest.raises(EpochChanged):
        await slower.read(known, count_max=9, wait_ms=0)
    assert await slower.open() == epoch
    assert len(await everything(slower)) == 4


async def test_waiting_reader_survives_a_restart(valkey: ValkeyProcess, opened: OpenLog) -> None:
    log, writer = await opened(valkey.url), await opened(valkey.url)
    first = (await writer.append(b"one", seen=ENTRY_ZERO)).entry_id
    reading = asyncio.create_task(log.read(first, count_max=9, wait_ms=60_000))
    client = valkey.client()
    await eventually(lambda: client.info("clients")["blocked_clients"] == 1)
    client.close()

    valkey.kill()
    with pytest.raises(LogUnavailable, match="reading connection"):
        await reading
    await valkey.start()

    second = await append_when_open(writer, b"two", first)
    found = await log.read(first, count_max=9, wait_ms=1_000)
    assert found == [LogEntry(second, b"two")]


async def test_stalled_server_is_noticed_by_a_waiting_reader(
    valkey: ValkeyProcess, opened: OpenLog
) -> None:
    log = await opened(valkey.url, answer_ms_max=100)
    await log.read(ENTRY_ZERO, count_max=1, wait_ms=0)
    valkey.signal(signal.SIGSTOP)

    with pytest.raises(LogUnavailable, match="within 150 ms"):
        await log.read(ENTRY_ZERO, count_max=1, wait_ms=50)

    valkey.signal(signal.SIGCONT)
    assert await log.read(ENTRY_ZERO, count_max=1, wait_ms=0) == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_failover_that_lost_entries_is_repaired(short_path: Path, opened: OpenLog) -> None:
    """The primary dies with entries its replica never had; the replica takes over."""
    primary = ValkeyProcess(short_path / "a", port=free_port())
    replica = ValkeyProcess(short_path / "b", port=free_port())
    connect = {"now": connection_factory(primary.url)}

    def connection() -> AbstractConnection:
        return connect["now"]()

    async with primary, replica:
        replica_client = replica.client()
        replica_client.replicaof("127.0.0.1", primary.port)
        await eventually(
            lambda: replica_client.info("replication")["master_link_status"] == "up",
            timeout_s=10_000 * MS,
        )
        log = await opened(connection, wait_replicas=1)
        recent = await applied(log, 3)
        replica_client.replicaof("NO", "ONE")  # parted: from now on it misses everything
        parted = await opened(connection)
        for number in range(3):
            await parted.append(f"later {number}".encode(), seen=recent.newest)
            for entry in await log.read(recent.newest, count_max=9, wait_ms=0):
                recent.add(entry)
        primary.kill()
        connect["now"] = connection_factory(replica.url)

        with pytest.raises(LogTruncated):
            await read_when_up(log, recent.newest)
        assert await parted.length() == 3
        assert await log.repair(recent.entries()) == recent.newest

        assert await everything(parted) == recent.entries()[1:]
        replica_client.close()


async def test_demoted_primary_refuses_appends(valkey: ValkeyProcess, opened: OpenLog) -> None:
    log = await opened(valkey.url)
    client = valkey.client()
    client.replicaof("127.0.0.1", free_port())

    with pytest.raises(LogUnavailable, match="accept the command"):
        await log.append(b"one", seen=ENTRY_ZERO)

    client.replicaof("NO", "ONE")
    client.close()
    await log.append(b"one", seen=ENTRY_ZERO)
    assert await log.length() == 1
