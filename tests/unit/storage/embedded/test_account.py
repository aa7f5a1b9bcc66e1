"""Who runs the servers, and what that account can reach."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.embedded import StateDirUnusable
from storage.embedded.account import (
    NOBODY_ID,
    Account,
    choose_account,
    make_server_directory,
    reachable_by,
)


OWN = Account(os.geteuid(), os.getegid())
STRANGER = Account(NOBODY_ID - 1, NOBODY_ID - 1)


@pytest.mark.parametrize(
    ("account", "mode", "expected"),
    [
        (OWN, 0o700, True),
        (OWN, 0o077, False),
        (Account(STRANGER.uid, OWN.gid), 0o710, True),
        (Account(STRANGER.uid, OWN.gid), 0o701, False),
        (STRANGER, 0o701, True),
        (STRANGER, 0o770, False),
    ],
)
def test_execute_bit_of_the_matching_class_decides(
    tmp_path: Path, account: Account, mode: int, expected: bool
) -> None:
    program = tmp_path / "program"
    program.touch()
    program.chmod(mode)
    assert expected == account._may(program, 0o100)


def test_one_locked_directory_above_is_enough(tmp_path: Path) -> None:
    (tmp_path / "locked" / "open").mkdir(parents=True)
    (tmp_path / "locked").chmod(0o700)
    assert not STRANGER.can_enter(tmp_path / "locked" / "open")
    assert STRANGER.can_enter(Path("/"))


def test_locked_path_is_named_by_a_descriptor(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with reachable_by(None, tmp_path) as found:
        assert found == (str(tmp_path), ())
    with reachable_by(STRANGER, Path("/")) as found:
        assert found == ("/", ())
    with reachable_by(STRANGER, tmp_path) as (name, (descriptor,)):
        assert name == f"/proc/self/fd/{descriptor}"
        assert Path(name).samefile(tmp_path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_user_keeps_own_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert choose_account([]) is None


def test_root_becomes_nobody_where_no_account_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("storage.embedded.account.ACCOUNTS_PREFERRED", ("no such account",))
    assert Account(NOBODY_ID, NOBODY_ID) == choose_account([Path("/no/data")])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a directory away")
def test_owner_of_existing_data_decides(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_server_directory(data, STRANGER)
    assert data.stat().st_uid == STRANGER.uid
    assert choose_account([tmp_path / "missing", data]) == STRANGER
    make_server_directory(data, STRANGER)
    with pytest.raises(StateDirUnusable, match=f"belong to uid {OWN.uid}, was uid {STRANGER.uid}"):
        make_server_directory(data, None)


def test_file_in_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StateDirUnusable, match="to be a directory, was a file"):
        make_server_directory(tmp_path / "data", None)


def test_directory_writable_by_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o777)
    with pytest.raises(StateDirUnusable, match="by its owner only, was 0777"):
        make_server_directory(tmp_path / "data", None)
