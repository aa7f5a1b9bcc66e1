"""A bounded sketch of whole numbers: counts in buckets that widen with the size of the number.

Numbers up to 64 in absolute value are counted exactly; above, sixteen buckets a power of two keep
the relative error of a quantile within 1/16. At most about 1,200 buckets exist for 64-bit numbers.
Merging is adding counts, and the result does not depend on the order of what came.
"""

from __future__ import annotations


EXACT_MAX = 64
_SIXTEENTHS_BITS = 4
_EXACT_BITS = EXACT_MAX.bit_length() - 1


def bucket_of(value: int) -> int:
    """Return the bucket of a number; buckets ascend with the numbers in them."""
    size = abs(value)
    if size <= EXACT_MAX:
        return value
    shift = size.bit_length() - 1 - _SIXTEENTHS_BITS
    index = EXACT_MAX + ((shift - _EXACT_BITS + _SIXTEENTHS_BITS) << _SIXTEENTHS_BITS)
    index += (size >> shift) - (1 << _SIXTEENTHS_BITS) + 1
    return index if value > 0 else -index


def value_of(bucket: int) -> int:
    """Return the number of a bucket that is nearest to zero."""
    size = abs(bucket)
    if size <= EXACT_MAX:
        return bucket
    step, part = divmod(size - EXACT_MAX - 1, 1 << _SIXTEENTHS_BITS)
    shift = step + _EXACT_BITS - _SIXTEENTHS_BITS
    value = (part + (1 << _SIXTEENTHS_BITS)) << shift
    return value if bucket > 0 else -value


def add(counts: dict[int, int], value: int) -> None:
    """Count a number."""
    bucket = value if -EXACT_MAX <= value <= EXACT_MAX else bucket_of(value)
    counts[bucket] = counts.get(bucket, 0) + 1


def quantile(counts: dict[int, int], parts: int, of: int = 100) -> int | None:
    """Return the nearest-rank quantile `parts / of`, None without numbers."""
    total = sum(counts.values())
    rank = max(-(-total * parts // of), 1)
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return value_of(bucket)
    return None
