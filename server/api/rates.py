"""How often one account or address may ask: token buckets in this process.

Every answer says what is left (`RateLimit-Limit`, `-Remaining`, `-Reset`); a refusal says when to
come back. Each node counts for itself.

Source: draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from streams.core.eldest import Eldest


SUBJECTS_MAX = 50_000
"""Accounts and addresses remembered; when reached, the one seen least recently leaves."""


class Allowance(NamedTuple):
    """What a subject may do now.

    Attributes:
        allowed: whether this request may go on.
        limit: requests that may come at once.
        remaining: of them, left after this one.
        reset_s: seconds until all are there again.
        retry_s: seconds until the next one is.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_s: int
    retry_s: int

    def headers(self) -> dict[str, str]:
        """Return the headers of the answer."""
        headers = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }
        if not self.allowed:
            headers["Retry-After"] = str(self.retry_s)
        return headers


class RateLimit:
    """One bucket for each subject.

    Args:
        per_second: tokens added each second, > 0.
        burst: tokens held at most, and at first, >= 1.
        monotonic: seconds.
    """

    def __init__(self, per_second: float, burst: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}
        self._eldest = Eldest(self._buckets)

    def take(self, subject: str) -> Allowance:
        """Take one token of a subject, if there is one."""
        now = self._monotonic()
        tokens, filled_at = self._buckets.get(subject, (float(self._burst), now))
        tokens = min(self._burst, tokens + max(0.0, now - filled_at) * self._per_second)
        allowed = tokens >= 1.0
        if allowed:
            tokens -= 1.0
        if subject not in self._buckets and len(self._buckets) >= SUBJECTS_MAX:
            self._eldest.drop()
        self._eldest.put(subject, (tokens, now))
        return Allowance(
            allowed,
            self._burst,
            int(tokens),
            math.ceil((self._burst - tokens) / self._per_second),
            max(1, math.ceil((1.0 - tokens) / self._per_second)),
        )
