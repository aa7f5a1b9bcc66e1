"""The market clock: the newest time that a quote, a fill or a tick has told.

Invariants:
    * `state.market_at_us` is the clock. It never goes back, but for one time: a live market runs on
      log time, and the first recorded mark or fill sets the clock to the recording's time.
    * A UTC day closes once, before the first event of a later day, at the last marks of the day.

A gap of several days closes only the day that it began in: the others had no market.
"""

from __future__ import annotations

from streams.core.context import Context
from streams.core.events import DayClosed
from streams.core.state import State


DAY_US = 86_400_000_000
"""Microseconds of a UTC day."""

TICKS_PER_SECOND = 10
"""Ticks of the log's clock in a second."""


def day_of(at_us: int) -> int:
    """Return the UTC day of a time, counted from 1970-01-01 = 0."""
    return at_us // DAY_US


def market_time(state: State, at_us: int, *, recorded: bool) -> int:
    """Return where the clock will stand when something of this time happens.

    Args:
        state: read only.
        at_us: time of the mark or fill.
        recorded: it is of a recorded market.
    """
    if recorded and not state.recorded_market:
        return at_us
    return max(state.market_at_us, at_us)


def advance_market(ctx: Context, at_us: int) -> None:
    """Emit `DayClosed` if the market clock is about to leave its UTC day.

    Call it after all checks and before the event that carries the new time.

    Args:
        ctx: the command's context.
        at_us: market time of the event to come; earlier times than the clock's change nothing.
    """
    clock_us = ctx.state.market_at_us
    if clock_us > 0:
        day = day_of(clock_us)
        if day_of(at_us) > day:
            ctx.emit(DayClosed(day, (day + 1) * DAY_US))
