"""A clock that moves when the test says so."""

from __future__ import annotations


class ManualClock:
    """Both times in one: wall time begins at 1970 plus a day, monotonic time at zero."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now_us(self) -> int:
        return 86_400_000_000 + round(self.now_s * 1_000_000)

    def monotonic(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
