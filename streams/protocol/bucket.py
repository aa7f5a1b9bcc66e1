"""Token bucket: a sustained rate with a burst, on a clock that is handed in.

Invariant: over any span of `t` seconds at most `burst + rate * t` takes succeed.
"""

from __future__ import annotations

import math


class TokenBucket:
    """Tokens refill at a steady rate up to a maximum; each use takes one.

    Args:
        rate_per_s: tokens added each second, > 0.
        burst: tokens held at most, and at the beginning, >= 1.
        now_s: monotonic seconds at the beginning.
    """

    __slots__ = ("_burst", "_filled_at_s", "_rate_per_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: float, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at_s = now_s

    def take(self, now_s: float) -> bool:
        """Take one token; return whether there was one.

        Args:
            now_s: monotonic seconds; a value before the last one adds nothing.
        """
        elapsed_s = now_s - self._filled_at_s
        if elapsed_s > 0:
            self._tokens = min(self._burst, self._tokens + elapsed_s * self._rate_per_s)
            self._filled_at_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def wait_ms(self) -> int:
        """Return milliseconds from the last `take` until the next token, at least 1."""
        return max(1, math.ceil((1.0 - self._tokens) / self._rate_per_s * 1000))
