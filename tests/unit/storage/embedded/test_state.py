"""The state directory: lock, secrets, logs, place of the sockets."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from storage.embedded import StateDirBusy, StateDirUnusable, state as state_module
from storage.embedded.state import StateDir, find_running, socket_directory


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = StateDir(tmp_path), StateDir(tmp_path)
    first.open()
    with pytest.raises(StateDirBusy) as caught:
        second.open()
    assert (os.getpid(), True) == (caught.value.holder_pid, caught.value.holder_alive)
    first.close()
    second.open()
    second.close()
    second.close()
    with pytest.raises(StateDirUnusable, match="to be open, was closed"):
        second.lock_fd  # noqa: B018 - reading it is the act


def test_servers_of_a_dead_owner_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "ORPHANS_END_S_MAX", 0.0)
    holder = StateDir(tmp_path)
    holder.open()
    dead = os.spawnlp(os.P_WAIT, "true", "true") or 2**22 + 1  # above any pid
    os.pwrite(holder.lock_fd, f"{dead} 0\n".ljust(40).encode(), 0)
    with pytest.raises(StateDirBusy, match=f"was held by servers of dead process {dead}"):
        StateDir(tmp_path).open()
    holder.close()


def test_lock_without_a_note_is_held_by_somebody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "ORPHANS_END_S_MAX", 0.0)
    holder = StateDir(tmp_path)
    holder.open()
    os.truncate(holder.lock_fd, 0)
    with pytest.raises(StateDirBusy, match="was held by another process"):
        StateDir(tmp_path).open()
    assert find_running(tmp_path) is None  # locked, and no addresses yet
    holder.close()


def test_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(StateDirUnusable, match="expected a writable directory"):
        StateDir(tmp_path / "state").open()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a directory away")
def test_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(StateDirUnusable, match="was uid 12345"):
        StateDir(tmp_path).open()


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    secret = StateDir(tmp_path).secret("postgres")
    assert secret == StateDir(tmp_path).secret("postgres")
    assert secret != StateDir(tmp_path).secret("valkey")
    assert secret == StateDir(tmp_path).secret("postgres")
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_log_is_cut_and_its_end_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "LOG_BYTES_MAX", 100)
    state = StateDir(tmp_path)
    (tmp_path / "log").mkdir()
    state.bound_log("valkey")
    state.log("valkey").write_bytes(b"a" * 50 + b"b" * 100)
    state.bound_log("valkey")
    assert state.log("valkey").read_bytes() == b""
    assert (tmp_path / "log" / "valkey.log.1").read_bytes() == b"b" * 100


def test_sockets_stay_in_the_state_directory(tmp_path: Path) -> None:
    assert tmp_path / "run" == socket_directory(tmp_path, None)
    (tmp_path / "run" / "left_over").touch()
    assert list(socket_directory(tmp_path, None).iterdir()) == []


def test_deep_state_directory_gets_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    with tempfile.TemporaryDirectory(dir="/tmp") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        found = socket_directory(deep, None)
        assert found.parent == Path(runtime)
        assert found == socket_directory(deep, None)
        assert found != socket_directory(tmp_path / ("e" * 100), None)
        assert stat.S_IMODE(found.stat().st_mode) == 0o700


def test_no_place_for_sockets_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "SOCKET_PATH_BYTES_MAX", 10)
    with pytest.raises(StateDirUnusable, match="at most 10 bytes"):
        socket_directory(tmp_path, None)
