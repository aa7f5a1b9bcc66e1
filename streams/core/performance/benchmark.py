"""How much of a record is the market's: beta and alpha against a benchmark of the same days.

Source: domain.md, section 3.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import fsum
from typing import NamedTuple

from streams.core.performance.periods import DAYS_A_YEAR
from streams.core.performance.undefined import Metric, undefined


COMMON_DAYS_MIN = 60
"""Days with a return of both below which beta says nothing."""


class Market(NamedTuple):
    """Beta, and annualised alpha as a fraction."""

    beta: Metric
    alpha: Metric


def against(
    returns: Sequence[float],
    benchmark: Sequence[float] | None,
    annualisation: float = DAYS_A_YEAR,
) -> Market:
    """Return beta and alpha.

    Args:
        returns: of the record, over the risk-free rate.
        benchmark: of the same days, over the risk-free rate; None when there is none.
        annualisation: returns a year.
    """
    if benchmark is None:
        return Market(undefined("NO_BENCHMARK"), undefined("NO_BENCHMARK"))
    count = len(returns)
    if count < COMMON_DAYS_MIN:
        return Market(undefined("TOO_FEW_COMMON_DAYS"), undefined("TOO_FEW_COMMON_DAYS"))
    high, low = max(benchmark), min(benchmark)
    if high - low <= 4.0 * sys.float_info.epsilon * max(abs(high), abs(low)):
        return Market(undefined("NO_VARIATION"), undefined("NO_VARIATION"))
    own, other = fsum(returns) / count, fsum(benchmark) / count
    pairs = list(zip(returns, benchmark, strict=True))
    variance = fsum((value - other) * (value - other) for value in benchmark)
    if variance == 0.0:
        return Market(undefined("NO_VARIATION"), undefined("NO_VARIATION"))
    beta = fsum((value - own) * (market - other) for value, market in pairs) / variance
    return Market(beta, (own - beta * other) * annualisation)
