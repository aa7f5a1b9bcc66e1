"""Daily returns of an instrument beside those of a record, for beta and alpha.

Source: domain.md, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.core.limits import DAYS_MAX
from streams.core.market_clock import DAY_US
from streams.core.state import Instrument, State


def close_marks(state: State, day: int) -> None:
    """Write down at which price each instrument that had a quote on a UTC day closed it."""
    start_us = day * DAY_US
    for instrument in state.instruments.values():
        if instrument.marked_at_us >= start_us:
            closes = instrument.closes
            closes[day] = instrument.mark_ticks
            if len(closes) > DAYS_MAX:
                del closes[next(iter(closes))]


def market_returns(
    instrument: Instrument, start_day: int, days: Sequence[int], today: int
) -> list[float | None]:
    """Return the return of an instrument over each stretch of a record, None without both prices.

    Args:
        instrument: whose closes and mark.
        start_day: the day at whose close the first stretch begins.
        days: the days at whose closes the stretches end, rising; today ends at the mark.
        today: number of the present UTC day.
    """
    closes = instrument.closes
    found: list[float | None] = []
    before = closes.get(start_day)
    for day in days:
        price = instrument.mark_ticks if day == today and instrument.quoted else closes.get(day)
        found.append(price / before - 1.0 if price and before else None)
        before = price
    return found
