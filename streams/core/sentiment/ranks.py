"""Medians of probabilities in whole percent, plain and weighted by recency.

Source: Metaculus (weights e ** sqrt(rank), the newest having the highest rank), named in
domain.md, section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import isqrt


_BITS = 40
_SERIES_TERMS = 16


def median(weights: Sequence[int]) -> int:
    """Return the lowest percent at which half of the weight is reached; `weights` by percent."""
    half, seen = sum(weights), 0
    for percent, weight in enumerate(weights):
        seen += weight
        if seen and 2 * seen >= half:
            return percent
    return 0


def recent_median(percents: Sequence[int]) -> int:
    """Return the recency-weighted median of percents that are in order of time."""
    weights = [0] * 101
    for weight, percent in zip(rank_weights(len(percents)), percents, strict=True):
        weights[percent] += weight
    return median(weights)


def rank_weights(count: int) -> list[int]:
    """Return e ** (sqrt(rank) - sqrt(count)) for ranks 1...count, in parts of 2 ** 40."""
    falls = _falls()
    while len(falls) < count:
        falls.append(_fall(len(falls) + 1))
    weight = 1 << _BITS
    weights = []
    for rank in range(count, 0, -1):
        weights.append(weight)
        weight = weight * falls[rank - 2] >> _BITS
    weights.reverse()
    return weights


@cache
def _falls() -> list[int]:
    """Return the known falls by rank, from rank 1 to 2 on; it grows as it is needed."""
    return []


def _fall(rank: int) -> int:
    """Return e ** (sqrt(rank) - sqrt(rank + 1)) in parts of 2 ** 40, by its series."""
    step = isqrt((rank + 1) << 2 * _BITS) - isqrt(rank << 2 * _BITS)
    power = total = 1 << _BITS
    for term in range(1, _SERIES_TERMS):
        power = -power * step // (term << _BITS)
        total += power
    return total
