"""Performance of one trader over a period, for reads.

Computed from the closed days and the present moment. The boards publish the same numbers, in
millionths.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

from streams.core.limits import DAYS_MAX
from streams.core.market_clock import DAY_US, day_of
from streams.core.money import format_money
from streams.core.performance.equity import ledger_worth, lot_values
from streams.core.performance.market import market_returns
from streams.core.performance.past import fold
from streams.core.performance.period import Record, is_underwater, period_metrics
from streams.core.performance.periods import DAYS_A_CALENDAR_YEAR, RESOLUTION, first_day
from streams.core.performance.sharpe import Trials
from streams.core.performance.track import UNIT_PPB, begun, has_record, today_of
from streams.core.performance.trades import SQN_TRADES_MIN
from streams.core.performance.trading import trading_metrics
from streams.core.performance.trips import add_day
from streams.core.performance.undefined import Metric, Undefined, undefined
from streams.core.state import Day, Earlier, Instrument, State, Track, Trader, Trading


MONEY = ("expectancy", "best_trade", "worst_trade")
"""Metrics in micro-units, published as decimal strings."""


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


def performance(
    state: State,
    trader: Trader,
    period: str,
    benchmark: Instrument | None = None,
    trials: Trials | None = None,
) -> dict[str, Any]:
    """Return the metrics of a trader's own account over a period that ends now.

    Args:
        state: read only.
        trader: whose account.
        period: a key of `PERIOD_DAYS`.
        benchmark: the market for beta and alpha; None = none.
        trials: among how many records this one is shown, for the deflated Sharpe ratio.

    Returns:
        Each metric as a number or None (money as a decimal string or None), the counts of closed
        round trips, `flags` that say what to make of the numbers, and under `reasons` a code for
        each None. Returns are fractions, ratios are annualised with 365 days.
    """
    track, now_us = trader.track, state.market_at_us
    today = day_of(now_us)
    equity, gross = ledger_worth(lot_values(state, trader.ledger.positions), trader.ledger)
    present = today_of(track, today, now_us, equity, gross, trader.ledger.cash_micros)
    first = first_day(period, today)
    part = window(track, present.unit_ppb, today, first)
    earlier = _earlier(track) if first is None else None
    start_day = earlier.first_day - 1 if earlier else part.start_day
    record = Record(
        returns=part.returns,
        days=part.days,
        start_day=start_day,
        total=part.now_ppb / part.start_ppb - 1.0 if part.start_ppb > 0 else undefined("WIPED"),
        years=(today - start_day) / DAYS_A_CALENDAR_YEAR,
        length_days=today - start_day,
        resolution=RESOLUTION,
        earlier=earlier,
        benchmark=(
            market_returns(benchmark, part.start_day, part.days, today) if benchmark else None
        ),
        trials=trials,
    )
    numbers = period_metrics(record)
    if not has_record(track):
        numbers = dict.fromkeys(numbers, undefined("NO_RECORD"))
    elif part.start_ppb <= 0:
        numbers = dict.fromkeys(numbers, undefined("WIPED"))
    trading = _trading(track, first, earlier, present)
    begin_us = max((start_day + 1) * DAY_US, track.first_fill_us)
    numbers.update(trading_metrics(trading, now_us - begin_us))
    return _published(numbers, trading, _flags(record, trading, track))


def _earlier(track: Track) -> Earlier | None:
    """Return the sums of what `window` gives no returns of, None when that is nothing."""
    if len(track.days) < DAYS_MAX:
        return None
    oldest = track.days[0]
    earlier = deepcopy(track.earlier) or begun(oldest.day)
    fold(earlier, oldest)
    return earlier


def _trading(track: Track, first: int | None, earlier: Earlier | None, present: Day) -> Trading:
    trading = earlier.trading if earlier else Trading()
    for day in track.days[1 if earlier else 0 :]:
        if first is None or day.day >= first:
            add_day(trading, day)
    add_day(trading, present)
    return trading


def _flags(record: Record, trading: Trading, track: Track) -> list[str]:
    flags = {
        "wiped": track.wiped,
        "drawdown_open": is_underwater(record),
        "no_losses": trading.trades > 0 and trading.losses == 0,
        "few_trades": 0 < trading.trades < SQN_TRADES_MIN,
        "tails_of_newest_days": record.earlier is not None,
    }
    return [name for name, applies in flags.items() if applies]


def _published(numbers: dict[str, Metric], trading: Trading, flags: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    reasons = {}
    for name, value in numbers.items():
        if isinstance(value, Undefined):
            answer[name] = None
            reasons[name] = value.reason.value
        else:
            answer[name] = format_money(round(value)) if name in MONEY else float(value)
    counts = {
        "trades": trading.trades,
        "wins": trading.wins,
        "losses": trading.losses,
        "break_even": trading.trades - trading.wins - trading.losses,
    }
    return {**answer, **counts, "flags": flags, "reasons": reasons}


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
