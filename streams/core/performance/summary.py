"""Performance of one trader over a period, for reads.

Computed from the closed days and the present moment. The boards publish the same numbers, in
millionths.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from streams.core.limits import DAYS_MAX
from streams.core.market_clock import day_of
from streams.core.performance import metrics
from streams.core.performance.equity import ledger_equity
from streams.core.performance.metrics import Metric, Undefined, UndefinedReason
from streams.core.performance.periods import RESOLUTION, first_day
from streams.core.performance.track import UNIT_PPB, has_record, unit_ppb
from streams.core.state import Day, State, Track, Trader


class Window(NamedTuple):
    """What a track says about one period.

    Attributes:
        start_ppb: unit at the start of the period, in billionths.
        now_ppb: unit at its end, now.
        returns: daily returns in order of time; the last one is today's so far.
        trades: round trips closed in the period, `wins` and `losses` among them.
    """

    start_ppb: int
    now_ppb: int
    returns: list[float]
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
    units = [day.unit_ppb for day in (inside if whole else inside[1:])]
    if not days or days[-1].day < today:
        units.append(now_ppb)
    trades, wins, losses = _trades(track, inside, first)
    return Window(start_ppb, now_ppb, list(_returns(base_ppb, units)), trades, wins, losses)


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
    numbers: dict[str, Metric] = {
        "total_return": period_return(part),
        "sharpe": metrics.sharpe(part.returns, resolution=RESOLUTION),
        "win_rate": metrics.win_rate(part.wins, part.losses),
        "max_drawdown": metrics.max_drawdown(part.returns),
        "annual_volatility": metrics.annual_volatility(part.returns),
        "sortino": metrics.sortino(part.returns),
    }
    if not has_record(trader.track):
        for name in ("total_return", "sharpe", "max_drawdown", "annual_volatility", "sortino"):
            numbers[name] = Undefined(UndefinedReason.NO_RECORD)
    answer: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name, value in numbers.items():
        if isinstance(value, Undefined):
            answer[name] = None
            reasons[name] = value.reason.value
        else:
            answer[name] = value
    counts = {"trades": part.trades, "wins": part.wins, "losses": part.losses}
    return {**answer, **counts, "reasons": reasons}


def period_return(part: Window) -> Metric:
    """Return the return over a period; undefined if the account was wiped before it."""
    if part.start_ppb <= 0:
        return Undefined(UndefinedReason.WIPED)
    return part.now_ppb / part.start_ppb - 1.0


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
