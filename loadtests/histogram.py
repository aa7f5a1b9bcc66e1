"""Times in buckets: any number of them in fixed memory, percentiles to three percent.

A time in microseconds falls into one of 32 buckets of its power of two, so a bucket is at most
1/32 wider than its lower end. Discarded: keeping every time (a soak has a hundred million).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final


_BITS: Final = 5
_EXACT: Final = 1 << (_BITS + 1)
"""Times below this many microseconds have a bucket each."""

TIME_US_MAX: Final = 1 << 36
"""Longer times, 19 hours, count as this long."""

BUCKETS: Final = (36 - _BITS + 1) * (1 << _BITS) + 1


def bucket_of(time_us: int) -> int:
    """Return the bucket of a time; negative times (clocks differ) count as 0."""
    if time_us < _EXACT:
        return max(time_us, 0)
    shift = min(time_us, TIME_US_MAX).bit_length() - _BITS - 1
    return (shift << _BITS) + (min(time_us, TIME_US_MAX) >> shift)


def _middle_us(bucket: int) -> float:
    if bucket < _EXACT:
        return float(bucket)
    shift = (bucket >> _BITS) - 1
    low = (bucket - (shift << _BITS)) << shift
    return low + (1 << shift) / 2


class Histogram:
    """Times of one kind.

    Attributes:
        counts: times by bucket.
        longest_us: the longest time, exact.
    """

    __slots__ = ("counts", "longest_us")

    def __init__(self) -> None:
        self.counts = [0] * (BUCKETS + 1)
        self.longest_us = 0

    def __len__(self) -> int:
        return sum(self.counts)

    def add(self, time_us: int) -> None:
        """Take one time in microseconds."""
        self.counts[bucket_of(time_us)] += 1
        if time_us > self.longest_us:
            self.longest_us = time_us

    def merge(self, others: Iterable[Histogram]) -> Histogram:
        """Take all times of others; return itself."""
        for other in others:
            self.counts = [own + more for own, more in zip(self.counts, other.counts, strict=True)]
            self.longest_us = max(self.longest_us, other.longest_us)
        return self

    def percentile_ms(self, share: float) -> float | None:
        """Return the time in milliseconds that a share of the times does not exceed.

        Args:
            share: 0 to 1.

        Returns:
            The middle of its bucket, at most the longest time; None when there are no times.
        """
        total = len(self)
        if not total:
            return None
        wanted, seen = min(int(share * total) + 1, total), 0
        for bucket, count in enumerate(self.counts):
            seen += count
            if seen >= wanted:
                return min(_middle_us(bucket), float(max(self.longest_us, 0))) / 1000
        raise AssertionError("expected the last bucket to reach the total")

    def summary(self) -> dict[str, float | None]:
        """Return `p50_ms`, `p95_ms`, `p99_ms`, `p99_9_ms` and `max_ms`."""
        shares = (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99), ("p99_9_ms", 0.999))
        found = {name: _rounded(self.percentile_ms(share)) for name, share in shares}
        return {**found, "max_ms": _rounded(self.longest_us / 1000) if len(self) else None}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
