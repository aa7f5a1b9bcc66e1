"""Periods of performance, counted in UTC days and ending now.

A period of n days is the present day so far and the n closed days before it.
"""

from __future__ import annotations


DAYS_A_YEAR = 365
"""Annualisation of markets that never close."""

DAYS_A_CALENDAR_YEAR = 365.25
"""Length of a year when growth is told for a year."""

PERIOD_DAYS: dict[str, int | None] = {
    "1w": 7,
    "1m": 30,
    "3m": 91,
    "6m": 182,
    "1y": 365,
    "all": None,
}
"""Closed days of each period before the present one; None = the whole record."""

RESOLUTION = 4e-9
"""Spread of daily returns that is only rounding: closes are kept in billionths of a unit."""


def first_day(period: str, today: int) -> int | None:
    """Return the number of the first UTC day in a period, None for the whole record.

    Args:
        period: a key of `PERIOD_DAYS`.
        today: number of the present UTC day.
    """
    days = PERIOD_DAYS[period]
    return None if days is None else today - days
