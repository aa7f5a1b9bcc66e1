"""How straight the curve of cumulative log returns is, and whether it points up.

`Line` holds the sums of an ordinary least squares fit. The logarithm is made of correctly rounded
steps instead of a library's, because sums of it are part of the replicated state.

Source: domain.md, section 3; Chan, Golub and LeVeque (1979) for adding a point to centred sums.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import frexp, sqrt

import msgspec

from streams.core.performance.undefined import Metric, undefined


STABILITY_RETURNS_MIN = 20
"""Returns below which a straight line says nothing."""

LN_2_HIGH = 0.693147180369123816490
LN_2_LOW = 1.90821492927058770002e-10
"""Logarithm of 2 in two parts, so that its multiples are exact to the last place."""

SERIES_TERMS = 13
"""Terms of the series of the logarithm; the first left out is below 1e-20."""

HALF_ROOT = sqrt(0.5)


class Line(msgspec.Struct, array_like=True, gc=False):
    """Centred sums over points (number of the return, log of the curve after it).

    Attributes:
        count: number of points, at 1, 2, 3, ...
        mean: mean of the logs.
        numbers: sum of squared deviations of the numbers.
        logs: sum of squared deviations of the logs.
        products: sum of products of both deviations.
    """

    count: int = 0
    mean: float = 0.0
    numbers: float = 0.0
    logs: float = 0.0
    products: float = 0.0

    @classmethod
    def of(cls, units: Iterable[float]) -> Line:
        """Return the line through the values of the curve after each return, all above 0."""
        line = cls()
        for unit in units:
            line.add(logarithm(unit))
        return line

    def add(self, log: float) -> None:
        """Add the log of the curve after the next return."""
        before = self.count
        self.count = before + 1
        from_number = self.count - (before + 1) / 2.0
        from_log = log - self.mean
        share = before / self.count
        self.mean += from_log / self.count
        self.numbers += from_number * from_number * share
        self.logs += from_log * from_log * share
        self.products += from_number * from_log * share


def stability(line: Line) -> Metric:
    """Return R squared of the line, in 0...1; a curve that never moved has none."""
    if line.count < STABILITY_RETURNS_MIN:
        return undefined("TOO_FEW_RETURNS")
    if line.logs == 0.0:
        return undefined("NO_VARIATION")
    return min(line.products / line.numbers * (line.products / line.logs), 1.0)


def slope_sign(line: Line) -> Metric:
    """Return 1 where the line rises, -1 where it falls: R squared alone likes straight losers."""
    fit = stability(line)
    if not isinstance(fit, float):
        return fit
    return 1.0 if line.products > 0.0 else -1.0 if line.products < 0.0 else 0.0


def logarithm(value: float) -> float:
    """Return the natural logarithm of a number above 0, equal on every processor."""
    fraction, exponent = frexp(value)
    if fraction < HALF_ROOT:
        fraction, exponent = 2.0 * fraction, exponent - 1
    ratio = (fraction - 1.0) / (fraction + 1.0)
    square = ratio * ratio
    series = 0.0
    for term in range(2 * SERIES_TERMS - 1, 1, -2):
        series = (series + 1.0 / term) * square
    return exponent * LN_2_HIGH + (exponent * LN_2_LOW + 2.0 * ratio * (1.0 + series))
