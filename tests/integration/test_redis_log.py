"""The Redis adapter against a real server: settings, refusals, cut and silent connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis

from streams.log import redis_repair
from streams.log.recent import RecentEntries
from streams.log.redis_connection import connection_factory
from streams.log.redis_log import RedisLog
from streams.log.redis_settings import _durability
from streams.ports import (
    ENTRY_ZERO,
    AppendUnknown,
    DecodeError,
    EpochChanged,
    LogEntry,
    LogFull,
    LogMisconfigured,
    LogTruncated,
    LogUnavailable,
    ReplicasMissing,
)
from tests.integration.cutting_proxy import CuttingProxy
from tests.support import eventually


@pytest.fixture
async def log(redis_url: str) -> AsyncIterator[RedisLog]:
    log = RedisLog(redis_url)
    await log.open()
    yield log
    await log.close()


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    return redis.Redis.from_url(redis_url, protocol=2)


@pytest.fixture
async def proxy(redis_url: str, tmp_path: Path) -> AsyncIterator[CuttingProxy]:
    target = connection_factory(redis_url)().path
    async with CuttingProxy(target, tmp_path) as proxy:
        password = redis_url.partition("://:")[2].partition("@")[0]
        proxy.url = f"unix://:{password}@{proxy.socket}"
        yield proxy


async def test_server_that_evicts_is_refused(redis_url: str, client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    log = RedisLog(redis_url)
    try:
        with pytest.raises(LogMisconfigured, match="noeviction, was allkeys-lru"):
            await log.open()
    finally:
        client.config_set("maxmemory-policy", "noeviction")
        await log.close()


async def test_settings_tell_the_durability(log: RedisLog, client: redis.Redis) -> None:
    durability = client.config_get("appendfsync")["appendfsync"]
    expected = {"always": "fsync", "everysec": "everysec", "no": "os"}[durability]

    assert log.settings is not None
    assert log.settings.durability == expected
    assert log.settings.version


async def test_missing_server_is_unavailable(tmp_path: Path) -> None:
    log = RedisLog(f"unix://{tmp_path}/nobody.sock")

    with pytest.raises(LogUnavailable, match="upkeep connection"):
        await log.open()


def test_other_addresses_are_refused() -> None:
    with pytest.raises(ValueError, match="redis://"):
        RedisLog("http://localhost")


async def test_full_server_refuses_and_nothing_is_appended(
    log: RedisLog, client: redis.Redis
) -> None:
    entry_id = (await log.append(b"one", seen=ENTRY_ZERO)).entry_id
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(LogFull) as caught:
            await log.append(b"two", seen=entry_id)
    finally:
        client.config_set("maxmemory", 0)

    assert caught.value.code == "LOG_FULL"
    assert await log.length() == 1
    await log.append(b"three", seen=entry_id)
    found = await log.read(ENTRY_ZERO, count_max=9, wait_ms=0)
    assert [entry.payload for entry in found] == [b"one", b"three"]


async def test_forgotten_scripts_are_sent_again(log: RedisLog, client: redis.Redis) -> None:
    await log.append(b"one", seen=ENTRY_ZERO)
    client.script_flush()
    await log.append(b"two", seen=ENTRY_ZERO)

    assert await log.length() == 2


async def test_keys_share_one_hash_tag_and_a_prefix_of_their_own(
    log: RedisLog, redis_url: str, client: redis.Redis
) -> None:
    other = RedisLog(redis_url, prefix="other")
    await other.open()
    await other.append(b"one", seen=ENTRY_ZERO)

    assert await log.length() == 0
    assert set(client.keys("*")) == {
        b"{optix}:epoch",
        b"{other}:epoch",
        b"{other}:head",
        b"{other}:log",
    }
    await other.close()


async def test_connection_cut_while_idle_is_noticed_before_sending(
    log: RedisLog, client: redis.Redis
) -> None:
    first = (await log.append(b"one", seen=ENTRY_ZERO)).entry_id
    await log.read(ENTRY_ZERO, count_max=1, wait_ms=0)
    client.client_kill_filter(_type="normal", skipme=True)
    for connection in (log._writer, log._reader):
        await eventually(lambda c=connection: c._conversation.lost)  # until the loop has been told

    second = (await log.append(b"two", seen=first)).entry_id

    found = await log.read(first, count_max=9, wait_ms=0)
    assert found == [LogEntry(second, b"two")]


async def test_connection_cut_after_sending_leaves_the_outcome_unknown(
    log: RedisLog, proxy: CuttingProxy
) -> None:
    cut = RedisLog(proxy.url)
    await cut.open()
    await cut.append(b"one", seen=ENTRY_ZERO)
    proxy.cut_after_request = True

    with pytest.raises(AppendUnknown, match="appending connection"):
        await cut.append(b"two", seen=ENTRY_ZERO)

    assert await log.length() == 2
    await cut.append(b"three", seen=ENTRY_ZERO)
    await cut.close()


async def test_silent_server_leaves_the_outcome_unknown(log: RedisLog, proxy: CuttingProxy) -> None:
    silent = RedisLog(proxy.url, answer_ms_max=50)
    await silent.open()
    await silent.append(b"one", seen=ENTRY_ZERO)
    await silent.read(ENTRY_ZERO, count_max=1, wait_ms=0)
    proxy.swallow_answers = True

    with pytest.raises(AppendUnknown, match="within 50 ms"):
        await silent.append(b"two", seen=ENTRY_ZERO)
    with pytest.raises(LogUnavailable):
        await silent.read(ENTRY_ZERO, count_max=1, wait_ms=10)

    proxy.swallow_answers = False
    assert await silent.length() == 2
    await silent.close()


async def test_cancelled_append_does_not_disturb_the_next(log: RedisLog) -> None:
    appending = asyncio.create_task(log.append(b"x" * 1_000_000, seen=ENTRY_ZERO))
    await asyncio.sleep(0)
    appending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await appending

    entry_id = (await log.append(b"two", seen=ENTRY_ZERO)).entry_id

    assert await log.head() == entry_id


async def test_waiting_read_outlives_the_bound_of_answers(redis_url: str) -> None:
    log = RedisLog(redis_url, answer_ms_max=100)
    await log.open()

    assert await log.read(ENTRY_ZERO, count_max=1, wait_ms=300) == []
    await log.close()


@pytest.mark.slow
async def test_read_that_waits_longer_than_the_clients_default_timeout(log: RedisLog) -> None:
    assert await log.read(ENTRY_ZERO, count_max=1, wait_ms=6_000) == []


async def test_deleted_stream_is_a_truncation(log: RedisLog, client: redis.Redis) -> None:
    entry_id = (await log.append(b"one", seen=ENTRY_ZERO)).entry_id
    client.delete("{optix}:log")

    with pytest.raises(LogTruncated):
        await log.append(b"two", seen=entry_id)

    again = RedisLog(log._reader._connect)
    await again.open()
    with pytest.raises(LogTruncated):
        await again.read(entry_id, count_max=1, wait_ms=0)
    await again.close()


async def test_emptied_server_is_a_new_epoch(log: RedisLog, client: redis.Redis) -> None:
    entry_id = (await log.append(b"one", seen=ENTRY_ZERO)).entry_id
    client.flushall()

    with pytest.raises(EpochChanged):
        await log.append(b"two", seen=entry_id)
    with pytest.raises(EpochChanged):
        await log.read(entry_id, count_max=1, wait_ms=0)


async def test_lost_head_is_found_again_from_the_stream(log: RedisLog, client: redis.Redis) -> None:
    entry_id = (await log.append(b"one", seen=ENTRY_ZERO)).entry_id
    client.delete("{optix}:head")

    await log.open()

    assert await log.head() == entry_id
    second = (await log.append(b"two", seen=entry_id)).entry_id
    assert len(await log.read(ENTRY_ZERO, count_max=9, wait_ms=0)) == 2
    assert await log.read(entry_id, count_max=9, wait_ms=0) == [LogEntry(second, b"two")]


async def test_head_follows_a_stream_whose_newest_entry_was_deleted(
    log: RedisLog, client: redis.Redis
) -> None:
    first = (await log.append(b"one", seen=ENTRY_ZERO)).entry_id
    second = (await log.append(b"two", seen=first)).entry_id
    client.xdel("{optix}:log", str(second))
    client.delete("{optix}:head")

    await log.open()

    assert await log.head() == second
    third = (await log.append(b"three", seen=second)).entry_id
    assert await log.read(first, count_max=9, wait_ms=0) == [LogEntry(third, b"three")]


async def test_foreign_fields_are_refused(log: RedisLog, client: redis.Redis) -> None:
    client.xadd("{optix}:log", {"by": "hand"})

    with pytest.raises(DecodeError, match="expected the fields d, p, c"):
        await log.read(ENTRY_ZERO, count_max=1, wait_ms=0)


async def test_missing_replicas_are_told(redis_url: str) -> None:
    log = RedisLog(redis_url, wait_replicas=1, replicas_ms_max=20)
    await log.open()

    with pytest.raises(ReplicasMissing) as caught:
        await log.append(b"one", seen=ENTRY_ZERO)

    assert (caught.value.expected, caught.value.actual) == (1, 0)
    assert await log.length() == 1
    await log.close()


async def test_long_repair_goes_in_parts_and_holds_appends_back(
    log: RedisLog, redis_url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_repair, "PART_ENTRIES_MAX", 3)
    recent = RecentEntries()
    for number in range(10):
        await log.append(b"%d" % number, seen=recent.newest)
        for entry in await log.read(recent.newest, count_max=9, wait_ms=0):
            recent.add(entry)
    first = recent.entries()[1].entry_id
    client.delete("{optix}:log", "{optix}:head")
    client.xadd("{optix}:log", {"d": "0", "p": "0-0:00000000", "c": "f4dbdf21"}, id=str(first))
    await log.open()

    assert await log.repair(recent.entries()) == recent.newest

    with pytest.raises(LogUnavailable, match="under repair"):
        await log.append(b"too early", seen=recent.newest)
    assert await log.read(ENTRY_ZERO, count_max=99, wait_ms=0) == recent.entries()[1:]
    await eventually(lambda: not client.exists("{optix}:repair"))
    await log.append(b"in time", seen=recent.newest)


async def test_repair_waits_for_another_repair(
    log: RedisLog, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_repair, "ATTEMPTS_MAX", 2)
    monkeypatch.setattr(redis_repair, "BUSY_POLL_MS", 1)
    lost = [
        LogEntry(ENTRY_ZERO, b""),
        LogEntry((await log.append(b"a", seen=ENTRY_ZERO)).entry_id, b"a"),
    ]
    client.delete("{optix}:log", "{optix}:head")
    client.set("{optix}:repair", "another node")

    with pytest.raises(LogUnavailable, match="within 2 attempts"):
        await log.repair(lost)

    client.delete("{optix}:repair")
    assert await log.repair(lost) == lost[1].entry_id


async def test_server_that_does_not_tell_its_settings(redis_url: str, client: redis.Redis) -> None:
    client.acl_setuser(
        "limited", enabled=True, nopass=True, keys="*", commands=["+@all", "-config"]
    )
    path = connection_factory(redis_url)().path
    log = RedisLog(f"unix://limited:any@{path}")
    await log.open()

    assert log.settings is not None
    assert log.settings.durability == "unknown"
    client.acl_setuser("limited", enabled=True, commands=["-info"])
    with pytest.raises(LogUnavailable, match="INFO"):
        await log.open()
    await log.close()
    client.acl_deluser("limited")


def test_no_append_only_file_is_no_durability() -> None:
    assert _durability("no", "always") == "none"


async def test_keys_of_another_kind_are_refused(log: RedisLog, client: redis.Redis) -> None:
    client.set("{optix}:log", "text")

    with pytest.raises(LogUnavailable, match="WRONGTYPE"):
        await log.length()
    with pytest.raises(LogUnavailable, match="WRONGTYPE"):
        await log.append(b"one", seen=ENTRY_ZERO)
    with pytest.raises(LogUnavailable, match="WRONGTYPE"):
        await log.read(ENTRY_ZERO, count_max=1, wait_ms=0)


async def test_no_word_of_the_replicas_leaves_the_outcome_unknown(
    log: RedisLog, proxy: CuttingProxy, client: redis.Redis
) -> None:
    waiting = RedisLog(proxy.url, wait_replicas=1, replicas_ms_max=60_000)
    await waiting.open()
    appending = asyncio.create_task(waiting.append(b"one", seen=ENTRY_ZERO))
    await eventually(log.length)
    await eventually(lambda: client.info("clients")["blocked_clients"] == 1)
    proxy.cut()

    with pytest.raises(AppendUnknown):
        await appending

    assert await log.length() == 1
    await waiting.close()


async def test_repair_meets_a_full_server(log: RedisLog, client: redis.Redis) -> None:
    lost = [
        LogEntry(ENTRY_ZERO, b""),
        LogEntry((await log.append(b"a", seen=ENTRY_ZERO)).entry_id, b"a"),
    ]
    client.delete("{optix}:log", "{optix}:head")
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(LogUnavailable, match="accept the repair"):
            await log.repair(lost)
    finally:
        client.config_set("maxmemory", 0)


async def test_own_new_epoch_ends_the_read_that_waits(log: RedisLog) -> None:
    reading = asyncio.create_task(log.read(ENTRY_ZERO, count_max=1, wait_ms=100))
    await asyncio.sleep(0)
    await log.begin_epoch(ENTRY_ZERO)

    with pytest.raises(EpochChanged):
        await reading
