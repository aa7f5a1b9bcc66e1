"""The clock of a real node."""

from __future__ import annotations

import time


class SystemClock:
    """The `Clock` of a real node."""

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()
