"""What a benchmark reports: figures with their target, taken beside a floor of the same run."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured figure.

    Attributes:
        name: what was measured.
        value: the number.
        unit: of the number.
        target: what the issue asks for, as text; empty when none.
        met: whether the target is met; None when there is none.
    """

    name: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None


class Report(NamedTuple):
    """One benchmark's result.

    Attributes:
        title: what ran.
        figures: in order.
        conditions: sizes and settings, in words.
    """

    title: str
    figures: list[Figure]
    conditions: str


def at_most(name: str, value: float, unit: str, most: float) -> Figure:
    """Return a figure that should not exceed a number."""
    return Figure(name, value, unit, f"≤ {most:g}", value <= most)


def at_least(name: str, value: float, unit: str, least: float) -> Figure:
    """Return a figure that should reach a number."""
    return Figure(name, value, unit, f"≥ {least:g}", value >= least)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def machine() -> str:
    """Return the machine in one line."""
    try:
        lines = Path("/proc/cpuinfo").read_text("ascii", "replace").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        model = platform.machine()
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load at start {load:.1f}"
    )
