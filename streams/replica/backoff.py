"""How long to wait for a log that does not answer."""

from __future__ import annotations


RETRY_SECONDS_MIN, RETRY_SECONDS_MAX = 0.05, 2.0


def backoff_s(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row: doubling, up to a maximum."""
    return min(RETRY_SECONDS_MIN * (1 << min(failures, 6)), RETRY_SECONDS_MAX)
