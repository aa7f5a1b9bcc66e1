"""Performance of one trader over a period, for reads.

Computed from the closed days and the present moment. The boards publish the same numbers, in
millionths.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from streams.core.limits import DAYS_MAX
from streams.core.market_clock import day_of
from streams.core.performance.equity import ledger_equity
from streams.core.performance.period import Record, period_metrics
from streams.core.performance.periods import DAYS_A_CALENDAR_YEAR, RESOLUTION, first_day
from streams.core.performance.track import UNIT_PPB, has_record, unit_ppb
from streams.core.performance.trades import win_rate
from streams.core.performance.undefined import Metric, Undefined, undefined
from streams.core.state import Day, State, Track, Trader


class Window(NamedTuple):
    """What a track says about one period.

    Attributes:
        start_ppb: unit at the start of the period, in billionths.
        now_ppb: unit at its end, now.
        returns: daily returns in order of time; the last one is today's so far.
        days: number of the UTC day of each return.
        start_day: number of the day at whose end the period or the record begins.
        trades: round trips closed in the period, `wins` and `losses` among them.
    """

    start_ppb: int
    now_ppb: int
    returns: list[float]
    days: list[int]
    start_day: int
    trades: int
    wins: int
    losses: int


def window(track: Track, now_ppb: int, today: int, first: int | None) -> Window:
    """Return the part of a track that lies in a period.

    Args:
        track: the record.
        now_ppb: unit value now, in billionths.
        today: number of the present UTC day.
        first: number of the first day of the period; None = the whole record.
    """
    days = track.days
    begin = 0 if first is None else sum(1 for day in days if day.day < first)
    start_ppb = days[begin - 1].unit_ppb if begin else UNIT_PPB
    inside = days[begin:]
    # Of a record that reached its maximum the day before the first one kept is unknown.
    whole = begin > 0 or len(days) < DAYS_MAX
    base_ppb = start_ppb if whole else inside[0].unit_ppb
    closed = inside if whole else inside[1:]
    units, numbers = [day.unit_ppb for day in closed], [day.day for day in closed]
    if not days or days[-1].day < today:
        units.append(now_ppb)
        numbers.append(today)
    returns = list(_returns(base_ppb, units))
    trades, wins, losses = _trades(track, inside, first)
    start_day = days[begin - 1].day if begin else numbers[0] - 1
    return Window(
        start_ppb, now_ppb, returns, numbers[: len(returns)], start_day, trades, wins, losses
    )


def performance(state: State, trader: Trader, period: str) -> dict[str, Any]:
    """Return the metrics of a trader's own account over a period that ends now.

    Args:
        state: read only.
        trader: whose account.
        period: a key of `PERIOD_DAYS`.

    Returns:
        Each metric as a number or None, the counts of closed round trips, and under `reasons` a
        code for each None. Returns are fractions, ratios are annualised with 365 days.
    """
    today = day_of(state.market_at_us)
    now_ppb = unit_ppb(trader.track, ledger_equity(state, trader.ledger))
    part = window(trader.track, now_ppb, today, first_day(period, today))
    length_days = today - part.start_day
    record = Record(
        returns=part.returns,
        days=part.days,
        start_day=part.start_day,
        total=part.now_ppb / part.start_ppb - 1.0 if part.start_ppb > 0 else undefined("WIPED"),
        years=length_days / DAYS_A_CALENDAR_YEAR,
        length_days=length_days,
        resolution=RESOLUTION,
    )
    numbers = period_metrics(record)
    if not has_record(trader.track):
        numbers = dict.fromkeys(numbers, undefined("NO_RECORD"))
    elif part.start_ppb <= 0:
        numbers = dict.fromkeys(numbers, undefined("WIPED"))
    numbers["win_rate"] = win_rate(part.wins, part.losses)
    answer, reasons = published(numbers)
    counts = {"trades": part.trades, "wins": part.wins, "losses": part.losses}
    return {**answer, **counts, "reasons": reasons}


def published(numbers: dict[str, Metric]) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return the metrics with None for what has no value, and the reason of each None."""
    answer = {name: value if isinstance(value, float) else None for name, value in numbers.items()}
    reasons = {
        name: value.reason.value for name, value in numbers.items() if isinstance(value, Undefined)
    }
    return answer, reasons


def _returns(base_ppb: int, units: list[int]) -> Iterator[float]:
    before = base_ppb
    for unit in units:
        if before <= 0:
            return
        yield unit / before - 1.0
        before = unit


def _trades(track: Track, inside: list[Day], first: int | None) -> tuple[int, int, int]:
    if first is None:
        return track.trades, track.wins, track.losses
    return (
        track.today_trades + sum(day.trades for day in inside),
        track.today_wins + sum(day.wins for day in inside),
        track.today_losses + sum(day.losses for day in inside),
    )
