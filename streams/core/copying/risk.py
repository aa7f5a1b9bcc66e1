"""A leader's value at risk, from the daily closes of its record.

Source: domain.md, section 4.2 (`vol_target`). A leader with fewer than `RISK_DAYS_MIN` daily
returns has no measured risk; `vol_target` then takes its smallest factor.
"""

from __future__ import annotations

from itertools import pairwise
from math import isqrt

from streams.core.money import PPM
from streams.core.state import Track


RISK_DAYS = 45
"""Daily returns from which a leader's value at risk is taken."""

RISK_DAYS_MIN = 20
"""Fewest daily returns that measure a risk."""

RISK_MONTH_DAYS = 30
"""Days of a month in markets that never close."""


def monthly_risk_ppm(track: Track) -> int | None:
    """Return the 95 % value at risk of a month in ppm of equity, from the last daily returns.

    The empirical 5 % quantile of up to `RISK_DAYS` daily returns, scaled by the root of
    `RISK_MONTH_DAYS`. None with fewer than `RISK_DAYS_MIN` returns.
    """
    units = [day.unit_ppb for day in track.days[-RISK_DAYS - 1 :]]
    returns = sorted(
        (after - before) * PPM // before for before, after in pairwise(units) if before > 0
    )
    if len(returns) < RISK_DAYS_MIN:
        return None
    loss = max(-returns[len(returns) * 5 // 100], 0)
    return isqrt(loss * loss * RISK_MONTH_DAYS)
