"""What a load test found: one JSON object, and what is judged in it.

Field names are part of the format: a file of today must be readable beside one of next year.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from loadtests.profile_file import LimitsPart, Profile
from loadtests.swarm.counts import FAULTS


FORMAT: Final = 1
READS: Final = ("cached", "calculated")


class Check(msgspec.Struct, frozen=True):
    """One figure that was judged.

    Attributes:
        name: what was measured.
        value: the number; None when it was not taken.
        unit: of the number.
        most: what it must not exceed.
        met: whether it does not.
    """

    name: str
    value: float | None
    unit: str
    most: float
    met: bool


class Result(msgspec.Struct, kw_only=True):
    """One load test.

    Attributes:
        format: version of this shape.
        profile: name.
        about: what it proves.
        machine: in one line.
        commit: of the code.
        date: of the start, UTC.
        target: how the node ran, in words.
        command: which repeats it.
        plan: the whole profile.
        population: what was made before, by kind.
        swarm: `counts`, `latency`, `whole_seconds` and `storms` of the swarm; None without one.
        users: by kind of request `requests`, `failures` and times; None without users.
        rows: a row a second, see `Sampler`.
        checks: what was judged.
    """

    format: int = FORMAT
    profile: str
    about: str
    machine: str
    commit: str
    date: str
    target: str
    command: str
    plan: dict[str, Any]
    population: dict[str, int]
    swarm: dict[str, Any] | None
    users: dict[str, Any] | None
    rows: list[dict[str, Any]]
    checks: list[Check] = []

    @property
    def met(self) -> bool:
        """Whether everything judged holds."""
        return all(check.met for check in self.checks)


def judge(result: Result, profile: Profile) -> list[Check]:
    """Return every check of a profile: faults of the swarm always, its limits when it has them."""
    checks: list[Check] = []
    limits = profile.limits
    if result.swarm is not None:
        counts = result.swarm["counts"]
        checks += [_at_most(name.replace("_", " "), counts[name], "", 0) for name in FAULTS]
        missing = profile.swarm.sockets - result.swarm["sockets"] if profile.swarm else 0
        checks.append(_at_most("sockets missing at the end", missing, "", 0))
    figures = {
        "error_percent": ("errors", error_percent(result), "%"),
        "cached_p95_ms": ("reads from memory, p95", _user_time(result, "cached", "p95_ms"), "ms"),
        "calculated_p95_ms": (
            "calculated reads, p95",
            _user_time(result, "calculated", "p95_ms"),
            "ms",
        ),
        "command_p99_ms": ("commands, p99", _user_time(result, "command", "p99_ms"), "ms"),
        "frame_p99_ms": ("frames, p99", _frame_p99(result), "ms"),
        "storm_seconds": ("longest storm", _longest_storm(result), "s"),
        "memory_growth_percent": ("growth of the node's memory", memory_growth(result), "%"),
    }
    for field in msgspec.structs.fields(LimitsPart):
        most = getattr(limits, field.name)
        if most is not None:
            name, value, unit = figures[field.name]
            checks.append(_at_most(name, value, unit, most))
    return checks


def _at_most(name: str, value: float | None, unit: str, most: float) -> Check:
    return Check(name, value, unit, most, value is not None and value <= most)


def error_percent(result: Result) -> float | None:
    """Return the failed share of users' requests and of the swarm's upgrades, in percent."""
    requests = failures = 0
    if result.users is not None:
        requests += result.users["all"]["requests"]
        failures += result.users["all"]["failures"]
    if result.swarm is not None:
        counts = result.swarm["counts"]
        failed = sum(counts["not_opened"].values()) + sum(counts["closed"].values())
        failed += sum(counts["refused"].values())
        requests += result.swarm["opened"] + failed
        failures += failed
    return round(100 * failures / requests, 4) if requests else None


def _user_time(result: Result, kind: str, field: str) -> float | None:
    if result.users is None or kind not in result.users["by_class"]:
        return None
    value: float | None = result.users["by_class"][kind][field]
    return value


def _frame_p99(result: Result) -> float | None:
    value: float | None = None if result.swarm is None else result.swarm["latency"]["p99_ms"]
    return value


def _longest_storm(result: Result) -> float | None:
    if result.swarm is None or not result.swarm["storms"]:
        return None
    return max(float(storm["seconds"]) for storm in result.swarm["storms"])


def memory_growth(result: Result) -> float | None:
    """Return by how many percent the node's memory grew in the second half of the rows.

    Compared are the medians of the third and the last quarter, so that one garbage collection or
    one snapshot decides nothing.
    """
    sizes = [row["memory_bytes"]["node"] for row in result.rows if "node" in row["memory_bytes"]]
    quarter = len(sizes) // 4
    if not quarter:
        return None
    before, after = _median(sizes[-2 * quarter : -quarter]), _median(sizes[-quarter:])
    return round(100 * (after - before) / before, 3)


def _median(values: list[int]) -> float:
    return float(sorted(values)[len(values) // 2])
