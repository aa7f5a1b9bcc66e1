"""The interval of a share from few observations: quantiles of a Beta distribution.

Shown beside a score, never part of the state: floats, rounded where they are published.

Source: Abramowitz and Stegun 26.5.8 (continued fraction of the incomplete beta function, here by
Lentz's method); a Beta(1 + n P, 1 + n (1 - P)) posterior with a uniform prior.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log


REMEMBERED_INTERVALS_MAX = 4_096
_PRECISION = 1e-12
_CLOSE_ENOUGH = 1e-9


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), 0 < x < 1, a and b at least 1."""
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - incomplete_beta(1.0 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1.0 - x)) / a
    c = 1.0
    d = 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    value = d
    m, change = 1, 0.0
    # a and b are above 1 and x is left of the mean, so no denominator comes near 0
    while abs(1.0 - change) > _PRECISION:
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / (1.0 + numerator * d)
            c = 1.0 + numerator / c
            change = c * d
            value *= change
        m += 1
    return front * value


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return the x with I_x(a, b) = share, by Newton's method within a closing bracket."""
    low, high = 0.0, 1.0
    x = a / (a + b)
    scale = lgamma(a + b) - lgamma(a) - lgamma(b)
    while abs(excess := incomplete_beta(x, a, b) - share) > _CLOSE_ENOUGH:
        if excess < 0.0:
            low = x
        else:
            high = x
        density = exp(scale + (a - 1.0) * log(x) + (b - 1.0) * log(1.0 - x))
        moved = x - excess / density if density > 0.0 else low
        x = moved if low < moved < high else (low + high) / 2.0
    return x


@lru_cache(REMEMBERED_INTERVALS_MAX)
def interval_90(probability_ppm: int, effective_milli: int) -> tuple[float, float]:
    """Return the 90 % interval of a score, -100 to 100, with two decimals.

    Args:
        probability_ppm: the crowd's probability in millionths.
        effective_milli: effective voices in thousandths; none leaves 90 % of everything.
    """
    probability, effective = probability_ppm / 1e6, effective_milli / 1e3
    a, b = 1.0 + effective * probability, 1.0 + effective * (1.0 - probability)
    low, high = beta_quantile(0.05, a, b), beta_quantile(0.95, a, b)
    return round(200.0 * low - 100.0, 2), round(200.0 * high - 100.0, 2)
