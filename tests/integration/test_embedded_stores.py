"""The embedded servers as the node sees them: start, restart, settings, refusals."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from storage.embedded import (
    BinaryMissing,
    DataMajorMismatch,
    EmbeddedError,
    EmbeddedStores,
    ServerNotReady,
    StateDirBusy,
    StateDirUnusable,
    find_running,
    postgres,
    server,
    valkey,
)
from storage.embedded.state import StateDir, write_private
from tests.support import eventually


async def append(stores: EmbeddedStores, count: int) -> int:
    """Append entries to a stream and return its length."""
    client = redis.asyncio.Redis.from_url(stores.redis_url)
    for number in range(count):
        await client.xadd("log", {"number": number})
    length = int(await client.xlen("log"))
    await client.aclose()
    return length


async def query(database_url: str, statement: str) -> object:
    """Return the first value of a statement's answer."""
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with data, for copying: making a cluster takes most of a start."""
    state_dir = tmp_path_factory.mktemp("made") / "state"

    async def make() -> None:
        async with EmbeddedStores(state_dir, unsafe_fast=True):
            pass

    asyncio.run(make())
    return state_dir


@pytest.fixture
def state_dir(made_once: Path, tmp_path: Path) -> Path:
    """A state directory of an earlier life."""
    subprocess.run(["cp", "-a", made_once, tmp_path / "state"], check=True)
    return tmp_path / "state"


async def test_database_is_fresh(database_url: str) -> None:
    assert await query(database_url, "SELECT count(*) FROM pg_stat_user_tables") == 0
    await query(database_url, "CREATE TABLE only_here (id bigint PRIMARY KEY)")


async def test_second_database_is_fresh_too(database_url: str) -> None:
    assert await query(database_url, "SELECT count(*) FROM pg_stat_user_tables") == 0


async def test_killed_valkey_keeps_appended_entries(stores: EmbeddedStores, redis_url: str) -> None:
    assert await append(stores, 50) == 50
    stores.kill("valkey")
    assert set(stores.pids) == {"postgres"}
    await stores.restart("valkey")
    assert await append(stores, 0) == 50


async def test_killed_postgres_is_back_after_ensure_running(
    stores: EmbeddedStores, database_url: str
) -> None:
    await query(database_url, "CREATE TABLE kept (id bigint)")
    stores.kill("postgres")
    await stores.ensure_running()
    assert await query(database_url, "SELECT count(*) FROM kept") == 0


async def test_data_and_passwords_survive_a_restart(state_dir: Path) -> None:
    async with EmbeddedStores(state_dir, unsafe_fast=True) as stores:
        urls = (stores.database_url, stores.redis_url)
        await append(stores, 3)
        await query(stores.database_url, "CREATE TABLE kept AS SELECT 7 AS id")
    assert stores.pids == {}

    async with EmbeddedStores(state_dir, unsafe_fast=True) as stores:
        assert urls == (stores.database_url, stores.redis_url)
        assert await append(stores, 0) == 3
        assert await query(stores.database_url, "SELECT id FROM kept") == 7


async def test_durable_settings_are_in_force(tmp_path: Path) -> None:
    async with EmbeddedStores(tmp_path / "state") as stores:
        client = redis.asyncio.Redis.from_url(stores.redis_url, decode_responses=True)
        found = await client.config_get("append[fo]*", "maxmemory*", "port")
        await client.aclose()
        expected = {
            "appendfsync": "always",
            "appendonly": "yes",
            "maxmemory": str(valkey.memory_bytes_max()),
            "maxmemory-policy": "noeviction",
            "port": "0",
        }
        assert expected == {name: found[name] for name in expected}
        for name, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
        }.items():
            assert value == await query(stores.database_url, f"SHOW {name}"), name
        collation = (
            "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname=$$optix$$"
        )
        assert await query(stores.database_url, collation) == "bC.UTF-8"


async def test_everysec_is_a_setting(state_dir: Path) -> None:
    async with EmbeddedStores(state_dir, durability="everysec", synchronous_commit=False) as stores:
        client = redis.asyncio.Redis.from_url(stores.redis_url, decode_responses=True)
        assert await client.config_get("appendfsync") == {"appendfsync": "everysec"}
        await client.aclose()
        assert await query(stores.database_url, "SHOW synchronous_commit") == "off"


async def test_wrong_password_is_refused(stores: EmbeddedStores) -> None:
    password = stores.redis_url.split(":")[2].partition("@")[0]
    client = redis.asyncio.Redis.from_url(stores.redis_url.replace(password, "guess"))
    with pytest.raises(redis.exceptions.ConnectionError, match="invalid username-password"):
        await client.ping()
    await client.aclose()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(stores.database_url, password="guess")


async def test_secrets_are_private(state_dir: Path) -> None:
    async with EmbeddedStores(state_dir, unsafe_fast=True):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state_dir.iterdir()}
        directories = {"postgres", "valkey", "log", "run"}
        expected = {name: 0o700 if name in directories else 0o600 for name in modes}
        assert expected == modes
        assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700


async def test_second_instance_is_refused_with_the_pid(stores: EmbeddedStores) -> None:
    state_dir = stores.state_dir
    with pytest.raises(StateDirBusy, match=f"was held by process {os.getpid()}"):
        await EmbeddedStores(state_dir).start()
    assert len(stores.pids) == 2


async def test_addresses_can_be_found_while_running(state_dir: Path) -> None:
    assert find_running(state_dir) is None
    async with EmbeddedStores(state_dir, unsafe_fast=True) as stores:
        found = find_running(state_dir)
        assert found is not None
        assert (stores.database_url, stores.redis_url, os.getpid()) == found
    assert find_running(state_dir) is None


async def test_data_of_another_postgres_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("14\n")
    with pytest.raises(DataMajorMismatch, match=r"was PostgreSQL 14\. Point OPTIX_PG_BIN"):
        await EmbeddedStores(tmp_path).start()


async def test_data_of_a_newer_valkey_is_refused(tmp_path: Path) -> None:
    (tmp_path / "valkey.version").write_text("Valkey 99")
    stores = EmbeddedStores(tmp_path)
    with pytest.raises(DataMajorMismatch, match="was Valkey 99"):
        await stores.start()
    assert stores.pids == {}
    StateDir(tmp_path).open()  # the lock is free again


async def test_lost_password_is_named(state_dir: Path) -> None:
    write_private(state_dir / "secrets.json", "{}")
    stores = EmbeddedStores(state_dir, unsafe_fast=True)
    with pytest.raises(ServerNotReady, match="it refused the password in"):
        await stores.start()
    assert stores.pids == {}


async def test_failing_server_shows_its_last_words(state_dir: Path) -> None:
    (state_dir / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(ServerNotReady, match="no_such_setting"):
        await EmbeddedStores(state_dir, unsafe_fast=True).start()


async def test_remains_of_a_dead_postgres_do_not_hinder(state_dir: Path) -> None:
    # A pid that is alive by now and belongs to something else: PostgreSQL alone would refuse.
    (state_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n/\n0\n")
    async with EmbeddedStores(state_dir, unsafe_fast=True) as stores:
        assert await query(stores.database_url, "SELECT 1") == 1


async def test_unfinished_cluster_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18\n")
    async with EmbeddedStores(tmp_path, unsafe_fast=True) as stores:
        assert await query(stores.database_url, "SELECT 1") == 1
    assert not (tmp_path / "postgres.new").exists()


async def test_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").mkdir()
    with pytest.raises(StateDirUnusable, match=r"expected usable .*Is a directory"):
        await EmbeddedStores(tmp_path).start()
    StateDir(tmp_path).open()  # the lock is free again


async def test_failing_initdb_leaves_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ROLE", "pg_reserved")
    with pytest.raises(ServerNotReady, match=r"initdb ended with code 1.*pg_reserved"):
        await EmbeddedStores(tmp_path).start()
    assert not list(tmp_path.glob("run/*"))
    assert not (tmp_path / "postgres").exists()


async def test_start_that_is_given_up_ends_soon(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey.ValkeyServer, "answers", lambda _: False)
    stores = EmbeddedStores(state_dir, unsafe_fast=True)
    start = asyncio.create_task(stores.start(), name="start")
    await eventually(lambda: "valkey" in stores.pids)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert stores.pids == {}


async def test_silent_server_is_not_waited_for_ever(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "READY_S_MAX", 0.0)
    with pytest.raises(ServerNotReady, match="it did not within 0 s"):
        await EmbeddedStores(state_dir, unsafe_fast=True).start()


async def test_cancelled_start_leaves_nothing(state_dir: Path) -> None:
    stores = EmbeddedStores(state_dir, unsafe_fast=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await stores.start()
    assert stores.pids == {}
    async with EmbeddedStores(state_dir, unsafe_fast=True):
        assert find_running(state_dir) is not None


async def test_stopped_stores_refuse_work(tmp_path: Path) -> None:
    stores = EmbeddedStores(tmp_path / "state")
    await stores.stop()
    with pytest.raises(EmbeddedError, match="expected started stores"):
        await stores.ensure_running()


@pytest.mark.parametrize("variable", ["OPTIX_PG_BIN", "OPTIX_VALKEY_BIN"])
async def test_chosen_program_is_not_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "nowhere"))
    with pytest.raises(BinaryMissing, match=f"none in: {variable}"):
        await EmbeddedStores(tmp_path / "state").start()


async def test_system_servers_work_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (installed := sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))):
        pytest.skip("no PostgreSQL of the system under /usr/lib/postgresql")
    monkeypatch.setenv("OPTIX_PG_BIN", str(installed[-1]))
    major = installed[-1].parts[4]
    async with EmbeddedStores(tmp_path / "state", unsafe_fast=True) as stores:
        version = await query(stores.database_url, "SHOW server_version")
        assert str(version).startswith(major)
