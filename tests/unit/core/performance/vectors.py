"""The golden vectors of the domain document, and the reasons a table expects."""

from __future__ import annotations

from streams.core.performance.undefined import Metric, Undefined


RETURNS = [0.01, -0.02, 0.015, 0.0, 0.03, -0.005]
RESULTS = [120.0, -80.0, 60.0, -40.0, 200.0, -100.0, 30.0]


def numbers(text: str) -> list[float]:
    """Return the numbers of a table's cell: `0.01 -0.02 0x58` has 58 zeros at its end; `-` none."""
    values: list[float] = []
    for word in text.split():
        value, _, times = word.partition("x")
        values += [float(value)] * int(times or 1) if value != "-" else []
    return values


def reason(value: Metric) -> str:
    """Return why a metric has no value, `-` when it has one."""
    return value.reason.value if isinstance(value, Undefined) else "-"
