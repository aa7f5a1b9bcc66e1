"""The curve of a trader's own account, point by point: what the period metrics are made of."""

from __future__ import annotations

from typing import NamedTuple

from streams.core.market_clock import DAY_US, day_of
from streams.core.performance.equity import ledger_equity
from streams.core.performance.periods import first_day
from streams.core.performance.track import UNIT_PPB, unit_ppb
from streams.core.state import State, Trader


class Point(NamedTuple):
    """One point of a curve.

    Attributes:
        at_us: when; the close of a UTC day, or now.
        equity_micros: equity then.
        unit: value of the unit curve that starts at 1 with the record.
        drawdown: fall from the highest unit since the period began, in 0...1.
        closed: whether the day is over.
    """

    at_us: int
    equity_micros: int
    unit: float
    drawdown: float
    closed: bool


def curve(state: State, trader: Trader, period: str) -> list[Point]:
    """Return the closes of a period, oldest first, and the present moment as the last point.

    Args:
        state: read only.
        trader: whose account.
        period: a key of `PERIOD_DAYS`.
    """
    track, now_us = trader.track, state.market_at_us
    first = first_day(period, day_of(now_us))
    peak = UNIT_PPB if track.earlier is None else round(track.earlier.drawdown.peak * UNIT_PPB)
    points = []
    equity = ledger_equity(state, trader.ledger)
    rows = [((day.day + 1) * DAY_US, day.equity_micros, day.unit_ppb) for day in track.days]
    begin = 0 if first is None else sum(1 for day in track.days if day.day < first)
    if begin:
        peak = rows[begin - 1][2]
    for at_us, equity_micros, unit in [*rows[begin:], (now_us, equity, unit_ppb(track, equity))]:
        peak = max(peak, unit)
        drawdown = 1.0 - unit / peak if peak > 0 else 1.0
        points.append(Point(at_us, equity_micros, unit / UNIT_PPB, drawdown, closed=True))
    return [*points[:-1], points[-1]._replace(closed=False)]
