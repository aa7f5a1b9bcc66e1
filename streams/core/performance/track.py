"""The record of a trader's own account: a unit curve that flows cannot bend.

One unit starts at 1. Between flows it grows as equity does; at a flow the equity just before is
chained to the equity just after, so that deposits, withdrawals and what a venue corrects make no
return. Only `evolve_*` functions call this module.

Invariants:
    * `base_micros` > 0 while the curve runs; 0 before the first funding and after everything was
      withdrawn or lost. Then the unit stands still at `growth`.
    * `wiped` is for good: equity was 0 or less, the unit is 0, the record ends at -100 %.
    * Every day is closed once from the first close on, so `days` has no hole inside.

Source: domain.md, section 3 (chain-linked returns).
"""

from __future__ import annotations

from streams.core.limits import DAYS_MAX
from streams.core.market_clock import DAY_US
from streams.core.performance.drawdown import Drawdown
from streams.core.performance.past import fold
from streams.core.performance.trips import add_return, add_risk, add_trip, share_ppm
from streams.core.state import Day, Earlier, Track, Trips


UNIT_PPB = 1_000_000_000
"""Value of one unit at the start of every curve, in billionths."""


UNIT_MAX = 1e9
"""Largest unit value: beyond it the curve stays there (a gain of 100 thousand million percent)."""


def unit_now(track: Track, equity_micros: int) -> float:
    """Return the value of one unit (1 at the start) at an equity; 0 if equity is 0 or less."""
    if track.wiped:
        return 0.0
    if track.base_micros <= 0:
        return track.growth
    if equity_micros <= 0:
        return 0.0
    return min(track.growth * equity_micros / track.base_micros, UNIT_MAX)


def unit_ppb(track: Track, equity_micros: int) -> int:
    """Return `unit_now` in whole billionths, the form in which it is compared and stored."""
    return round(unit_now(track, equity_micros) * UNIT_PPB)


def has_record(track: Track) -> bool:
    """Whether the account ever had equity, so that a return is defined."""
    return track.base_micros > 0 or track.wiped or track.growth != 1.0


def record_flow(track: Track, equity_before_micros: int, equity_after_micros: int) -> None:
    """Chain the curve over an external flow.

    Args:
        track: changed in place.
        equity_before_micros: equity just before; 0 or less while the curve runs wipes it.
        equity_after_micros: equity just after; 0 or less stops the curve until the next flow.
    """
    if track.wiped:
        return
    if track.base_micros > 0:
        track.growth = unit_now(track, equity_before_micros)
        if equity_before_micros <= 0:
            _wipe(track)
            return
    track.base_micros = max(equity_after_micros, 0)


def record_fill(track: Track, at_us: int) -> None:
    """Count a fill; the first one starts the length of the record."""
    track.fills += 1
    if track.first_fill_us == 0:
        track.first_fill_us = at_us


def record_round_trip(
    track: Track,
    trip_micros: int,
    entered_micros: int = 0,
    duration_us: int = 0,
    risk_micros: int = 0,
) -> None:
    """Count a round trip that ended.

    Args:
        track: changed in place.
        trip_micros: its profit net of fees: above 0 a win, below 0 a loss, 0 neither.
        entered_micros: what was paid to enter it; 0 = not known.
        duration_us: time from its first fill to its last.
        risk_micros: what its first stop risked; 0 = it had none.
    """
    if track.today_trips is None:
        track.today_trips = Trips()
    before = track.today_won_micros - track.today_lost_micros
    add_trip(track.today_trips, track.today_trades, before, trip_micros)
    add_return(track.today_trips, track.today_trades, trip_micros, entered_micros)
    if risk_micros > 0:
        add_risk(track.today_trips, trip_micros, risk_micros)
    track.today_trips.duration_us += max(duration_us, 0)
    track.trades += 1
    track.today_trades += 1
    if trip_micros > 0:
        track.wins += 1
        track.today_wins += 1
        track.today_won_micros += trip_micros
    elif trip_micros < 0:
        track.losses += 1
        track.today_losses += 1
        track.today_lost_micros -= trip_micros


def record_exposure(track: Track, at_us: int, *, is_open: bool) -> None:
    """Begin or end the time with an open position, whenever positions may have changed."""
    if is_open:
        if track.open_since_us == 0:
            track.open_since_us = at_us
    elif track.open_since_us:
        track.today_exposed_us += max(at_us - track.open_since_us, 0)
        track.open_since_us = 0


def close_day(
    track: Track, day: int, equity_micros: int, gross_micros: int = 0, balance_micros: int = 0
) -> None:
    """Write a UTC day down and begin the next one.

    Args:
        track: changed in place.
        day: number of the day that ended, counted from 1970.
        equity_micros: equity at the last marks; 0 or less while the curve runs wipes it.
        gross_micros: value of all open positions without signs.
        balance_micros: equity without the profit of open positions.
    """
    if track.base_micros > 0 and equity_micros <= 0:
        _wipe(track)
    closed = today_of(track, day, (day + 1) * DAY_US, equity_micros, gross_micros, balance_micros)
    days = track.days
    days.append(closed)
    if len(days) > DAYS_MAX:
        _forget_first_day(track)
    track.today_trades = track.today_wins = track.today_losses = 0
    track.today_won_micros = track.today_lost_micros = 0
    track.today_traded_micros = track.today_exposed_us = 0
    track.today_trips = None
    if track.open_since_us:
        track.open_since_us = max(track.open_since_us, (day + 1) * DAY_US)


def today_of(
    track: Track,
    day: int,
    until_us: int,
    equity_micros: int,
    gross_micros: int,
    balance_micros: int,
) -> Day:
    """Return the present day as it would be written down now.

    Args:
        track: read only.
        day: its number.
        until_us: when it ends.
        equity_micros: as for `close_day`, like the other amounts.
        gross_micros: value of all open positions without signs.
        balance_micros: equity without the profit of open positions.
    """
    exposed_us = track.today_exposed_us
    if track.open_since_us:
        exposed_us += max(until_us - track.open_since_us, 0)
    return Day(
        day,
        unit_ppb(track, equity_micros),
        equity_micros,
        track.today_trades,
        track.today_wins,
        track.today_losses,
        track.today_won_micros,
        track.today_lost_micros,
        share_ppm(track.today_traded_micros, equity_micros),
        share_ppm(gross_micros, equity_micros),
        share_ppm(balance_micros - equity_micros, balance_micros),
        exposed_us,
        track.today_trips,
    )


def begun(day: int) -> Earlier:
    """Return the sums of a record just before its first day."""
    return Earlier(day, UNIT_PPB, drawdown=Drawdown(peak_day=day - 1))


def _forget_first_day(track: Track) -> None:
    oldest = track.days.pop(0)
    if track.earlier is None:
        track.earlier = begun(oldest.day)
    fold(track.earlier, oldest)


def _wipe(track: Track) -> None:
    track.growth, track.base_micros, track.wiped = 0.0, 0, True
