"""The smoke profile, as a user runs it: a node, a market, sockets that verify, a result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import MS


ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(120)
def test_the_smoke_profile_finds_no_fault(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "loadtests", "smoke", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100_000 * MS,
        check=False,
    )
    (path,) = tmp_path.glob("*.json")
    result = json.loads(path.read_text())
    missed = [check for check in result["checks"] if not check["met"]]
    assert (done.returncode, missed) == (0, []), done.stderr
    counts = result["swarm"]["counts"]
    assert 0 < counts["checksums"] <= counts["originals"] <= counts["frames"]
    assert result["swarm"]["sockets"] == 200
    assert len(result["swarm"]["storms"]) == 1
    assert path.with_suffix(".html").read_text().startswith("<!doctype html>")
