"""The metrics of the boards for one trader, in plain lists: the oracle of the arrays."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import Any

from streams.core.market_clock import day_of
from streams.core.performance.equity import ledger_equity
from streams.core.performance.periods import RESOLUTION, first_day
from streams.core.performance.track import UNIT_PPB, unit_ppb
from streams.core.state import State, Trader


def plain_metrics(state: State, trader: Trader, period: str) -> dict[str, Any]:
    """Return each metric with a board as a number or None, and the round trips."""
    track = trader.track
    today = day_of(state.market_at_us)
    first = first_day(period, today)
    inside = [day for day in track.days if first is None or day.day >= first]
    before = [day for day in track.days if first is not None and day.day < first]
    start = before[-1].unit_ppb if before else UNIT_PPB
    now = unit_ppb(track, ledger_equity(state, trader.ledger))
    curve = [start, *(day.unit_ppb for day in inside)]
    if not track.days or track.days[-1].day < today:
        curve.append(now)
    returns = []
    for unit, following in pairwise(curve):
        if unit <= 0:
            break
        returns.append(following / unit - 1.0)
    won = track.today_won_micros + sum(day.won_micros for day in inside)
    lost = track.today_lost_micros + sum(day.lost_micros for day in inside)
    wins = track.today_wins + sum(day.wins for day in inside)
    losses = track.today_losses + sum(day.losses for day in inside)
    ups, downs = sum(value > 0 for value in returns), sum(value < 0 for value in returns)
    return {
        "total_return": now / start - 1.0 if start > 0 else None,
        "sharpe": _sharpe(returns),
        "sortino": _sortino(returns),
        "win_rate": wins / (wins + losses) if wins + losses else None,
        "profit_factor": won / lost if lost else None,
        "max_drawdown": _drawdown(curve) if start > 0 else None,
        "consistency": ups / (ups + downs) if ups + downs >= 5 else None,
        "trades": track.today_trades + sum(day.trades for day in inside),
    }


def _sharpe(returns: list[float]) -> float | None:
    if len(returns) < 2 or max(returns) - min(returns) <= RESOLUTION:
        return None
    mean = sum(returns) / len(returns)
    variance = sum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
    return mean / sqrt(variance) * sqrt(365)


def _sortino(returns: list[float]) -> float | None:
    below = sum(min(value, 0.0) ** 2 for value in returns)
    if len(returns) < 2 or below == 0.0:
        return None
    return sum(returns) / len(returns) / sqrt(below / len(returns)) * sqrt(365)


def _drawdown(curve: list[int]) -> float:
    return max(1.0 - min(curve[place:]) / peak for place, peak in enumerate(curve) if peak > 0)
