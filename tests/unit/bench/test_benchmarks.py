"""Every benchmark runs, tiny, and reports; what it measures is judged elsewhere, never here."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from server.bench import boards, commands, copies, core, fanout, feed, ideas, restart, sentiment
from server.bench.figures import Report
from server.cli.bench_command import BENCHMARKS
from server.demo import RECORDED_DAY


def values(report: Report) -> dict[str, float]:
    """Return the figures by name."""
    return {figure.name: figure.value for figure in report.figures}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """The first records of the shipped day."""
    path = tmp_path / "day.jsonl"
    with gzip.open(RECORDED_DAY, "rt", encoding="utf-8") as lines:
        path.write_text("".join(line for _, line in zip(range(600), lines, strict=False)))
    return path


def test_each_name_is_a_module_with_a_report() -> None:
    modules = (core, copies, boards, ideas, fanout, commands, feed, sentiment, restart)
    assert [f"server.bench.{name}" for name in BENCHMARKS] == [m.__name__ for m in modules]


def test_core(recording: Path) -> None:
    assert values(core.run(recording, rounds=1))["commands"] > 0


def test_copies() -> None:
    report = copies.run(followers=3, fills=2)
    assert values(report)["frames a fill"] >= 3


def test_boards() -> None:
    report = boards.run(traders=30, batches=2, days=3)
    assert values(report)["rows of deltas a batch"] > 0


def test_ideas() -> None:
    found = values(ideas.run(ideas=200, updates=20, marks=20))
    assert min(found.values()) > 0
    assert "200 open ideas" in ideas.run(ideas=200, updates=20, marks=20).conditions


def test_fanout() -> None:
    if not shutil.which("gcc"):
        pytest.skip("no C compiler: the Python loop is tested with the gateway")
    report = fanout.run(sockets=10, rounds=2, blocks=1)
    assert [report.figures[0].met is not None, report.figures[1].met] == [True, None]


def test_commands() -> None:
    report = commands.run(rate=100, seconds=0.5, sockets=10)
    assert 0 < values(report)["p50"] <= values(report)["p99"] <= values(report)["longest"]
    assert "50 commands" in report.conditions
    assert "OUTCOME_UNKNOWN" not in report.conditions


def test_feed(recording: Path) -> None:
    report = feed.run(recording)
    assert values(report)["day, archived"] <= values(report)["day, applied"]
    assert "600 records, 0 refused" in report.conditions


def test_sentiment() -> None:
    report = sentiment.run(messages=("$ETH.X to the moon",), rounds=3)
    assert 0 < values(report)["a message"] < 10_000
    assert values(report)["rows of the lexicon"] > 1_000


def test_restart() -> None:
    report = restart.run(traders=20, events=200, entries=10, rounds=1)
    found = values(report)
    assert found["archived entries replayed"] >= 10
    whole = sum(value for name, value in found.items() if name.startswith("of these"))
    assert found["process start → ready, p50"] == pytest.approx(whole, abs=1e-6)
