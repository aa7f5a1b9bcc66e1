"""What drives the users, apart from locust itself."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import Any

import pytest

from loadtests.users.plan import UsersPlan, users_at, users_plan


STEPS = [(10.0, 100), (20.0, 100), (10.0, 0)]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, 0), (5, 50), (10, 100), (29.9, 100), (35, 50), (40, None), (99, None)],
)
def test_users_follow_the_steps(seconds: float, expected: int | None) -> None:
    assert expected == users_at(STEPS, seconds)


def test_without_a_plan_locust_decides() -> None:
    assert UsersPlan() == users_plan({})
    assert users_plan({}).steps == []


def test_the_plan_is_taken_from_the_environment() -> None:
    plan = users_plan({"LOAD_PLAN": '{"accounts": 7, "steps": [[1, 2]]}'})
    assert (plan.accounts, plan.steps) == (7, [(1.0, 2)])


class Hook:
    """One event of locust: calls who listens."""

    def __init__(self) -> None:
        self.listeners: list[Any] = []

    def add_listener(self, listener: Any) -> None:
        self.listeners.append(listener)


def test_requests_are_reported_by_class_and_name() -> None:
    recording = pytest.importorskip("loadtests.users.recorder", reason="locust is not installed")
    reading, writing = os.pipe()
    events = SimpleNamespace(request=Hook(), quitting=Hook())
    recorder = recording.Recorder(SimpleNamespace(events=events, runner=None), writing)
    for time_ms, problem in ((5.0, None), (15.0, None), (25.0, TimeoutError("late"))):
        recorder.take("GET", "/v1/marks", time_ms, problem, {"class": "cached"})
    recorder.take("SOCKET", "open_order", 7.0, None, {"class": "command", "refused": "NO_FUNDS"})
    recorder.done()
    with os.fdopen(reading) as lines:
        report = json.loads(lines.readline())
    assert (report["all"]["requests"], report["all"]["failures"]) == (4, 1)
    assert tuple(report["by_class"]["cached"][each] for each in ("requests", "failures")) == (3, 1)
    assert pytest.approx(report["by_name"]["SOCKET open_order"]["p50_ms"], rel=0.04) == 7.0
    assert report["failures"] == [{"name": "GET /v1/marks", "error": "late", "count": 1}]
    assert report["refused"] == {"NO_FUNDS": 1}
