"""The result as JSON and as a page."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loadtests.plots import line_plot
from loadtests.profile_file import parse_profile
from loadtests.result import Result, error_percent, judge, memory_growth
from loadtests.run import write
from loadtests.swarm.counts import Counts


PROFILE = parse_profile(
    """
about = "a"
seconds = 10
[population]
accounts = 10
[swarm]
sockets = 100
subscriptions = [["marks"]]
[limits]
error_percent = 1
frame_p99_ms = 50
storm_seconds = 8
memory_growth_percent = 2
cached_p95_ms = 200
calculated_p95_ms = 1000
command_p99_ms = 10
""",
    "p.toml",
)
TIMES = {"p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 40.0, "p99_9_ms": 45.0, "max_ms": 50.0}


def result(**changes: Any) -> Result:
    row = {"requests": 1000, "failures": 2, **TIMES}
    whole: dict[str, Any] = {
        "profile": "smoke",
        "about": "what <it> proves & how",
        "machine": "two cores",
        "commit": "abc",
        "date": "2026-11-25T10:00:00Z",
        "target": "own node",
        "command": "./optix load smoke",
        "plan": {},
        "population": {"accounts": 10},
        "swarm": {
            "counts": msgspec.to_builtins(Counts(frames=5)),
            "latency": TIMES,
            "opened": 100,
            "sockets": 100,
            "whole_seconds": 1.5,
            "storms": [{"seconds": 3.0, "sockets": 100}],
        },
        "users": {
            "all": row,
            "by_class": {"cached": row, "calculated": row, "command": row},
            "by_name": {"GET /v1/marks": row},
            "failures": [{"name": "GET /v1/marks", "error": "503 <busy>", "count": 2}],
        },
        "rows": [
            {
                "at": 100.0 + second,
                "cpu": {"node": 0.5},
                "memory_bytes": {"node": 100_000_000},
                "swarm": {"sockets": 100, "frames": 10 * second, **TIMES},
            }
            for second in range(12)
        ],
    }
    return Result(**(whole | changes))


class Page(HTMLParser):
    """Collects what a page shows and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_everything_and_loads_nothing(tmp_path: Path) -> None:
    made = result()
    made.checks = judge(made, PROFILE)
    _, path = write(made, tmp_path / "new")
    page = Page()
    page.feed(path.read_text())
    for text in (
        "two cores",
        "abc",
        "2026-11-25T10:00:00Z",
        "what <it> proves & how",
        "503 <busy>",
    ):
        assert text in page.text
    assert page.loads == []
    assert "script" not in page.tags
    assert page.tags.count("svg") == 5


def test_the_json_file_is_the_result(tmp_path: Path) -> None:
    made = result()
    made.checks = judge(made, PROFILE)
    path, _ = write(made, tmp_path)
    assert made == msgspec.json.decode(path.read_bytes(), type=Result)


def test_a_run_that_keeps_its_limits_is_met() -> None:
    made = result()
    made.checks = judge(made, PROFILE)
    assert {"commands, p99"} == {check.name for check in made.checks if not check.met}
    assert not made.met


@pytest.mark.parametrize("fault", ["gaps", "duplicates", "order_errors", "checksum_errors"])
def test_one_fault_is_enough(fault: str) -> None:
    made = result()
    assert made.swarm is not None
    made.swarm["counts"][fault] = 1
    missed = [check.name for check in judge(made, PROFILE) if not check.met]
    assert fault.replace("_", " ") in missed


def test_a_figure_that_was_not_taken_is_missed() -> None:
    missed = {check.name for check in judge(result(users=None), PROFILE) if not check.met}
    assert {"reads from memory, p95", "calculated reads, p95", "commands, p99"} <= missed


def test_errors_are_a_share_of_requests_and_openings() -> None:
    made = result()
    assert made.swarm is not None
    made.swarm["counts"]["not_opened"] = {"503": 1}
    made.swarm["counts"]["closed"] = {"4001": 1}
    assert round(100 * 4 / 1102, 4) == error_percent(made)


def test_growth_is_that_of_the_second_half() -> None:
    sizes = [50, 90, 100, 100, 100, 100, 103, 103]
    rows = [{"memory_bytes": {"node": size}} for size in sizes]
    assert memory_growth(result(rows=rows)) == 3.0
    assert memory_growth(result(rows=rows[:3])) is None


def test_a_plot_leaves_holes_where_nothing_was_measured() -> None:
    plot = line_plot([0, 1, 2, 3, 4], {"a": [1, 2, None, 3, 4], "b": [None] * 5}, "ms")
    assert plot.count("<polyline") == 2
    assert "b</span>" not in plot


def test_a_long_run_is_drawn_with_as_many_points_as_pixels() -> None:
    seconds = [float(second) for second in range(10_000)]
    plot = line_plot(seconds, {"a": [1.0] * 9_999 + [5.0]}, "")
    assert plot.count(",") < 800
