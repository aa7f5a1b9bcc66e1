"""Sort keys: one whole number holds a trader's value on a board and what settles ties.

The upper bits are the value in millionths (negated where less is better), the lower ones the
trader's place in seniority, turned round. So no two keys are equal, the largest key has rank 1,
and a key tells whose it is: ranking is sorting whole numbers, and its result is the same on
every processor.
"""

from __future__ import annotations

import numpy as np

from streams.core.valuation import Flags, Floats, Integers


VALUE_MICRO = 1_000_000
"""Board values are kept in these parts of 1."""

VALUE_MICRO_MAX = 2**42
"""Largest board value, in millionths: beyond it (4.4 million) the value stays there."""

PLACE_BITS = 20
"""Bits for the place in seniority: enough for `TRADERS_MAX`, as a test makes sure."""

PLACE_MASK = 2**PLACE_BITS - 1

UNRANKED = -(2**63)
"""Key of a trader that the board does not rank; below all others."""


def pack(
    values: Floats, ranked: Flags | None, seniority: Integers, *, lowest_first: bool
) -> Integers:
    """Return one key for each trader.

    Args:
        values: on the board, finite.
        ranked: whom the board ranks; None = all of them.
        seniority: place of each trader among all, 0 = goes first in a tie.
        lowest_first: whether less is better.
    """
    scaled = values * -VALUE_MICRO if lowest_first else values * VALUE_MICRO
    np.rint(scaled, out=scaled)
    np.clip(scaled, -VALUE_MICRO_MAX, VALUE_MICRO_MAX, out=scaled)
    keys = scaled.astype(np.int64)
    keys <<= PLACE_BITS
    keys |= PLACE_MASK - seniority
    if ranked is not None:
        np.putmask(keys, ~ranked, UNRANKED)
    return keys


def values_of(keys: Integers, *, lowest_first: bool) -> Integers:
    """Return the values in millionths that keys of ranked traders hold."""
    values: Integers = keys >> PLACE_BITS
    if lowest_first:
        np.negative(values, out=values)
    return values


def seniority_of(keys: Integers) -> Integers:
    """Return the places in seniority that keys hold."""
    places: Integers = PLACE_MASK - (keys & PLACE_MASK)
    return places


def best(keys: Integers, count: int) -> Integers:
    """Return the keys of the first `count` ranks, by rank; fewer when fewer are ranked."""
    if len(keys) > count:
        first = len(keys) - count
        keys = np.partition(keys, first)[first:]
    ordered = np.sort(keys)[::-1]
    return ordered[: len(ordered) - int(np.count_nonzero(ordered == UNRANKED))]
