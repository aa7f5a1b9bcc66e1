"""Counters of the edge as plain numbers: cheap to bump while serving, read only at a scrape.

Nothing here looks up a label or takes a lock: one event loop writes, the collector reads.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

from streams.core.kernel import Applied


LATENCY_BOUNDS_S = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
)  # fmt: skip
"""Upper bounds of the buckets of a latency histogram, seconds."""

ROUTES_MAX = 512
"""Different (method, route, status) counted; beyond it they are counted as `other`."""


class Histogram:
    """Counts of observations in buckets, their number and sum.

    Attributes:
        counts: observations in each bucket, not cumulated; the last one has no upper bound.
        total: observations.
        sum_s: their sum in seconds.
    """

    __slots__ = ("counts", "sum_s", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self.total = 0
        self.sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(LATENCY_BOUNDS_S, seconds)] += 1
        self.total += 1
        self.sum_s += seconds

    def cumulated(self) -> list[tuple[str, float]]:
        """Return (upper bound, observations up to it), as Prometheus wants them."""
        rows: list[tuple[str, float]] = []
        count = 0
        for bound, inside in zip(LATENCY_BOUNDS_S, self.counts, strict=False):
            count += inside
            rows.append((repr(bound), float(count)))
        rows.append(("+Inf", float(self.total)))
        return rows


class Meters:
    """What is counted while serving.

    Attributes:
        requests: answers by (method, route, status).
        request_seconds: time to answer by (method, route).
        acknowledgements: time from sending a batch to its acknowledgement by the log.
        outcomes: outcomes of applied commands by code.
        rate_limited: requests refused by rate.
        authentications: credentials checked, by (kind, result).
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.request_seconds: dict[tuple[str, str], Histogram] = {}
        self.acknowledgements = Histogram()
        self.outcomes: Counter[str] = Counter()
        self.rate_limited = 0
        self.authentications: Counter[tuple[str, str]] = Counter()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        if len(self.requests) >= ROUTES_MAX:
            route = "other"
        self.requests[method, route, status] += 1
        histogram = self.request_seconds.get((method, route))
        if histogram is None:
            histogram = self.request_seconds[method, route] = Histogram()
        histogram.observe(seconds)

    def acknowledged(self, seconds: float, commands: int) -> None:
        """Count a batch; to be given to the submitter as `on_acknowledged`."""
        del commands  # the submitter counts them itself
        self.acknowledgements.observe(seconds)

    def applied(self, applied: Applied) -> None:
        """Count the outcomes of an applied entry; to be called from the replica's `on_entry`."""
        for outcome in applied.outcomes:
            self.outcomes[outcome.code] += 1
