"""`./optix` where something is missing, with pretended programs around a copy of the script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT


PYTHON = """#!/bin/sh
case "$1" in
  -c) echo 3 11 ;;
  *) echo "started in $PWD: $*" ;;
esac
"""
UV = """#!/bin/sh
case "$1" in
  --version) echo uv 0.99.0 ;;
  *) echo "$*" >> "$UV_RECORD"; echo 'no route to the index'; exit "${UV_CODE:-0}" ;;
esac
"""


class Checkout:
    """A copy of the script with what it needs, below a path with a space."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "my optix"
        self.record = folder / "record"
        self.programs = folder / "bin"
        self.root.mkdir()
        for name in ("optix", "uv.lock", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root / name)
        self.write(self.root / ".venv" / "bin" / "python", PYTHON)
        (self.root / ".venv" / "pyvenv.cfg").write_text("version = 3.11.7\n")
        self.write(self.programs / "uv", UV)

    @staticmethod
    def write(path: Path, script: str) -> None:
        """Write a program."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def popen(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the script."""
        return subprocess.Popen(
            [sys.executable, self.root / "optix", *arguments],
            cwd="/",
            env={
                "PATH": f"{self.programs}{os.pathsep}/usr/bin:/bin",
                "UV_RECORD": str(self.record),
                "HOME": str(self.root),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run the script; return exit code, output and the last line of the errors."""
        child = self.popen(*arguments, **environment)
        output, errors = child.communicate()
        return child.returncode, output, (errors.splitlines() or [""])[-1]

    @property
    def syncs(self) -> list[str]:
        """What uv was asked for."""
        return self.record.read_text().splitlines() if self.record.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_command_is_handed_over_with_its_arguments(checkout: Checkout) -> None:
    code, output, _ = checkout.run("up", "--port", "0", "a b")
    assert (code, output) == (0, "started in /: -P -m server.cli.main up --port 0 a b\n")
    assert checkout.syncs == ["sync --frozen --inexact --no-progress"]


def test_second_start_installs_nothing(checkout: Checkout) -> None:
    checkout.run("up")
    checkout.run("up")
    assert len(checkout.syncs) == 1


def test_tests_add_their_group_and_keep_it(checkout: Checkout) -> None:
    checkout.run("up")
    _, output, _ = checkout.run("test", "-k", "tidy")
    checkout.run("up")
    assert output == f"started in /: -P {checkout.root}/tests/gate.py -k tidy\n"
    both = ["sync --frozen --inexact --no-progress --group dev --group load"]
    assert checkout.syncs[1:] == both
    checkout.run("up", OPTIX_GROUPS="docs")
    assert checkout.syncs[2:] == [both[0].replace("dev ", "dev --group docs ")]


def test_only_loading_a_node_adds_what_it_needs(checkout: Checkout) -> None:
    checkout.run("up")
    _, output, _ = checkout.run("load", "smoke")
    assert output == "started in /: -P -m loadtests smoke\n"
    assert checkout.syncs[1:] == ["sync --frozen --inexact --no-progress --group load"]


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml", ".venv/pyvenv.cfg"])
def test_change_is_installed(checkout: Checkout, name: str) -> None:
    checkout.run("up")
    with (checkout.root / name).open("a") as file:
        file.write("# changed\n")
    checkout.run("up")
    assert len(checkout.syncs) == 2


def test_starts_at_once_install_once(checkout: Checkout) -> None:
    children = [checkout.popen("up") for _ in range(4)]
    outputs = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert len(set(outputs)) == 1
    assert len(checkout.syncs) == 1


def test_failed_installation_says_what_to_do_and_is_tried_again(checkout: Checkout) -> None:
    code, output, last = checkout.run("up", UV_CODE="1")
    assert (code, output) == (2, "")
    assert "connect this machine to the internet (files.pythonhosted.org)" in last
    assert checkout.run("up")[0] == 0


def test_missing_python_says_what_to_install(checkout: Checkout) -> None:
    script = checkout.root / "optix"
    script.write_text(script.read_text().replace("OLDEST = (3, 11)", "OLDEST = (3, 99)"))
    code, _, last = checkout.run("up", PATH=str(checkout.programs))
    assert code == 2
    assert last.startswith("optix: expected Python >= 3.11, found none on PATH or in ~/.pyenv;")


def test_missing_venv_module_says_what_to_install(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / ".venv")
    lacking = checkout.programs / "ensurepip.py"
    lacking.write_text("raise ImportError('as on Debian without python3-venv')\n")
    code, _, last = checkout.run("up", PYTHONPATH=str(checkout.programs))
    assert code == 2
    package = f"python3.{sys.version_info[1]}-venv"
    assert last == (
        "optix: expected Python's venv module, it is not installed; "
        f"run: sudo apt install {package}"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_foreign_checkout_says_who_may_start(checkout: Checkout) -> None:
    (checkout.root / ".venv").chmod(0o500)
    code, _, last = checkout.run("up")
    (checkout.root / ".venv").chmod(0o700)
    assert code == 2
    assert last.endswith("start as its owner")
