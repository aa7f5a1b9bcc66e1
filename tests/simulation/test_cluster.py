"""Hundreds of small clusters under seeded faults; one integer repeats a run.

python -m pytest tests/simulation/test_cluster.py --seeds 5000     more of them
python -m pytest tests/simulation/test_cluster.py --seed 17        this one again
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.conftest import SEEDS_DEFAULT
from tests.simulation.scenario import Report, run_seed


ROOT = Path(__file__).resolve().parents[2]
CHUNK = 20
"""Seeds a test: small enough to spread over processes, few enough tests to read."""

TWICE = 3
"""A seed that is run in two more processes."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        # In a run of all tests the options of this folder are known too late to be given.
        one = metafunc.config.getoption("seed", default=None)
        count = metafunc.config.getoption("seeds", default=SEEDS_DEFAULT)
        chunks = [range(one, one + 1)] if one is not None else _chunks(count)
        names = [f"{chunk.start}-{chunk.stop - 1}" for chunk in chunks]
        metafunc.parametrize("seeds", chunks, ids=names)


def _chunks(count: int) -> list[range]:
    return [range(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]


def test_every_promise_holds_under_faults(seeds: range) -> None:
    reports = [run_seed(seed) for seed in seeds]
    if len(reports) == CHUNK:
        _must_have_tried(reports)


def _must_have_tried(reports: list[Report]) -> None:
    """A simulation in which nothing happens proves nothing."""
    faults = sum((Counter(report.faults) for report in reports), Counter[str]())
    assert not [name for name, count in faults.items() if count == 0]
    assert sum(report.answered for report in reports) > 0.9 * sum(r.commands for r in reports)
    assert sum(report.resumed for report in reports) > 0
    assert max(report.lost for report in reports) > 0
    assert any(not report.epoch.startswith("e1.") for report in reports)


def test_a_seed_gives_the_same_run_in_every_process() -> None:
    program = f"from tests.simulation.scenario import run_seed; print(run_seed({TWICE})[:7])"
    printed = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]
        for seed in ("1", "2")
    ]
    assert printed == [str(run_seed(TWICE)[:7])] * 2
