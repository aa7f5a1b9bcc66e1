"""Logarithm and exponential of arrays, equal on every processor.

A library's differ in the last place from one machine to another; these are made of correctly
rounded steps in one order. `streams.core.performance.stability.logarithm` is the same for one
number.
"""

from __future__ import annotations

import numpy as np

from streams.core.performance.stability import HALF_ROOT, LN_2_HIGH, LN_2_LOW, SERIES_TERMS
from streams.core.valuation import Floats


EXPONENTIAL_TERMS = 18
"""Terms of the series of the exponential; the first left out is below 1e-24."""

EXPONENT_MAX = 600.0
"""Largest argument without sign: beyond it the result stays there."""


def logarithms(values: Floats) -> Floats:
    """Return the natural logarithms of numbers above 0."""
    fraction, exponent = np.frexp(values)
    small = fraction < HALF_ROOT
    fraction = np.where(small, 2.0 * fraction, fraction)
    whole = np.where(small, exponent - 1, exponent).astype(np.float64)
    ratio = (fraction - 1.0) / (fraction + 1.0)
    square = ratio * ratio
    series = np.zeros_like(ratio)
    for term in range(2 * SERIES_TERMS - 1, 1, -2):
        series += 1.0 / term
        series *= square
    found: Floats = whole * LN_2_HIGH + (whole * LN_2_LOW + 2.0 * ratio * (1.0 + series))
    return found


def exponentials(values: Floats) -> Floats:
    """Return e to the power of numbers."""
    bounded = np.clip(values, -EXPONENT_MAX, EXPONENT_MAX)
    whole = np.rint(bounded / LN_2_HIGH)
    rest = (bounded - whole * LN_2_HIGH) - whole * LN_2_LOW
    series = np.ones_like(rest)
    for term in range(EXPONENTIAL_TERMS, 0, -1):
        series *= rest / term
        series += 1.0
    found: Floats = np.ldexp(series, whole.astype(np.int32))
    return found
