"""What makes a clean clone start: the lock, the script, the image."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT


def tool(name: str) -> str:
    """Return a program of this environment or of the machine; skip when there is none."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the repository's root."""
    return subprocess.run(
        arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_lock_matches_the_project() -> None:
    answer = run(tool("uv"), "lock", "--check", "--offline")
    if "network" in answer.stderr.lower() and "disabled" in answer.stderr.lower():
        pytest.skip("uv needs the network to tell: its cache is empty")
    assert answer.returncode == 0, f"Run `uv lock` and commit uv.lock\n{answer.stderr}"


def test_lock_has_a_hash_for_every_file() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    packages = [package for package in locked if "registry" in package["source"]]
    bare = [
        package["name"]
        for package in packages
        for file in [*package.get("wheels", []), package.get("sdist", {"hash": "none"})]
        if not file.get("hash")
    ]
    assert len(packages) > 50
    assert bare == []
    assert {package["source"]["registry"] for package in packages} == {"https://pypi.org/simple"}


def test_bootstrap_can_be_read_by_an_old_python() -> None:
    text = (ROOT / "optix").read_text()
    ast.parse(text, feature_version=(3, 7))
    assert text.startswith("#!/usr/bin/env python3\n")
    assert os.access(ROOT / "optix", os.X_OK)


def test_bootstrap_needs_the_standard_library_only() -> None:
    tree = ast.parse((ROOT / "optix").read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= set(sys.stdlib_module_names)


def test_image_passes_hadolint() -> None:
    answer = run(tool("hadolint"), "Dockerfile")
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("script", [".ci/run"])
def test_shell_scripts_pass_shellcheck(script: str) -> None:
    answer = run(tool("shellcheck"), script)
    assert answer.returncode == 0, answer.stdout
    assert os.access(ROOT / script, os.X_OK)
