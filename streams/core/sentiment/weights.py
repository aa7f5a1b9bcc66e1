"""Weight of a voice by its age: a half for every half-life of its horizon, in integers.

Whole numbers make the crowd's score equal on every processor; a power of a float need not be.
A half-life is cut into 4096 steps; the factor of one step is found by twelve square roots of a
half in 80-bit fixed point.

Source: domain.md, section 6 (weight 2 ** (-age / half-life)).
"""

from __future__ import annotations

from functools import cache
from math import isqrt


STEPS_A_HALF_LIFE = 4096
"""Steps in which age is counted within a half-life; a power of two."""

WEIGHT_ONE = 2**24
"""Weight of a stance that was just declared."""

_FRACTION_BITS = 80


@cache
def step_weights() -> tuple[int, ...]:
    """Return the weights of all steps of the first half-life."""
    one = 1 << _FRACTION_BITS
    factor = one >> 1
    for _ in range(STEPS_A_HALF_LIFE.bit_length() - 1):
        factor = isqrt(factor << _FRACTION_BITS)
    weights = []
    weight = one
    for _ in range(STEPS_A_HALF_LIFE):
        weights.append(weight * WEIGHT_ONE >> _FRACTION_BITS)
        weight = weight * factor >> _FRACTION_BITS
    return tuple(weights)


def weight_of(age_us: int, half_life_us: int) -> int:
    """Return the weight of an age in parts of `WEIGHT_ONE`; what lies ahead counts as new."""
    steps = max(age_us, 0) * STEPS_A_HALF_LIFE // half_life_us
    half_lives, step = divmod(steps, STEPS_A_HALF_LIFE)
    return step_weights()[step] >> half_lives
