"""Moments of daily returns: what most period metrics are made of, mergeable in any grouping.

`Moments.of` makes two exactly rounded passes (`math.fsum`), so the order of the numbers does not
matter. `merged` joins two parts without their numbers, so that a record longer than the days kept
costs one merge a day. Only additions, multiplications and divisions: equal on every processor.

Source: Chan, Golub and LeVeque (1979); Pebay (2008) for the third and fourth moment.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import fsum, inf

import msgspec


class Moments(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Sums over daily returns, as fractions.

    Attributes:
        count: number of returns.
        mean: their mean; 0 without one.
        m2: sum of squared deviations from the mean, `m3` of cubes, `m4` of fourth powers.
        below: sum of the squares of the negative returns.
        gained: sum of the positive returns.
        lost: sum of the negative returns, as a positive number.
        low: smallest return; infinity without one.
        high: largest return; minus infinity without one.
        ups: number of returns above 0.
        downs: number of returns below 0.
    """

    count: int = 0
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    m4: float = 0.0
    below: float = 0.0
    gained: float = 0.0
    lost: float = 0.0
    low: float = inf
    high: float = -inf
    ups: int = 0
    downs: int = 0

    @classmethod
    def of(cls, values: Sequence[float]) -> Moments:
        """Return the moments of returns in any order."""
        if not values:
            return cls()
        mean = fsum(values) / len(values)
        deviations = [value - mean for value in values]
        squares = [value * value for value in deviations]
        return cls(
            count=len(values),
            mean=mean,
            m2=fsum(squares),
            m3=fsum(square * value for square, value in zip(squares, deviations, strict=True)),
            m4=fsum(square * square for square in squares),
            below=fsum(value * value for value in values if value < 0.0),
            gained=fsum(value for value in values if value > 0.0),
            lost=-fsum(value for value in values if value < 0.0),
            low=min(values),
            high=max(values),
            ups=sum(1 for value in values if value > 0.0),
            downs=sum(1 for value in values if value < 0.0),
        )

    def merged(self, other: Moments) -> Moments:
        """Return the moments of both parts together."""
        if not self.count or not other.count:
            return self if self.count else other
        here, there = float(self.count), float(other.count)
        count = here + there
        delta = other.mean - self.mean
        part = delta / count
        square = part * part
        product = here * there
        m2 = self.m2 + other.m2 + delta * part * product
        m3 = self.m3 + other.m3 + delta * square * product * (here - there)
        m3 += 3.0 * part * (here * other.m2 - there * self.m2)
        m4 = self.m4 + other.m4
        m4 += delta * square * part * product * (here * here - product + there * there)
        m4 += 6.0 * square * (here * here * other.m2 + there * there * self.m2)
        m4 += 4.0 * part * (here * other.m3 - there * self.m3)
        return Moments(
            count=self.count + other.count,
            mean=self.mean + part * there,
            m2=m2,
            m3=m3,
            m4=m4,
            below=self.below + other.below,
            gained=self.gained + other.gained,
            lost=self.lost + other.lost,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            ups=self.ups + other.ups,
            downs=self.downs + other.downs,
        )

    def varies(self, resolution: float = 0.0) -> bool:
        """Whether the returns differ by more than their rounding.

        Comparing the deviation with 0 would take rounding noise of equal returns for risk.

        Args:
            resolution: step in which the returns were measured, 0 when exact.
        """
        noise = 4.0 * sys.float_info.epsilon * max(abs(self.high), abs(self.low))
        # What underflows when it is squared is no variation to divide by either.
        return self.high - self.low > max(noise, resolution) and self.m2 > 0.0
