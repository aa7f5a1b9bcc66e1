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
from streams.core.state import Day, Track


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


def record_round_trip(track: Track, trip_micros: int) -> None:
    """Count a round trip that ended.

    Args:
        track: changed in place.
        trip_micros: its profit net of fees: above 0 a win, below 0 a loss, 0 neither.
    """
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


def close_day(track: Track, day: int, equity_micros: int) -> None:
    """Write a UTC day down and begin the next one.

    Args:
        track: changed in place.
        day: number of the day that ended, counted from 1970.
        equity_micros: equity at the last marks; 0 or less while the curve runs wipes it.
    """
    if track.base_micros > 0 and equity_micros <= 0:
        _wipe(track)
    days = track.days
    days.append(
        Day(
            day,
            unit_ppb(track, equity_micros),
            equity_micros,
            track.today_trades,
            track.today_wins,
            track.today_losses,
            track.today_won_micros,
            track.today_lost_micros,
        )
    )
    if len(days) > DAYS_MAX:
        del days[0]
    track.today_trades = track.today_wins = track.today_losses = 0
    track.today_won_micros = track.today_lost_micros = 0


def _wipe(track: Track) -> None:
    track.growth, track.base_micros, track.wiped = 0.0, 0, True
