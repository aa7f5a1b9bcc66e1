"""Who may be ranked by the composite board, and what is missing for it.

A board that lists accounts after one lucky trade shows luck. So a record must be long, active and
proven first; until then a trader is "unranked, n/90".

Source: domain.md, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from streams.core.integrity.flags import is_excluded
from streams.core.market_clock import day_of
from streams.core.money import MICROS, PPM
from streams.core.performance.track import UNIT_PPB
from streams.core.state import State, Trader


DAYS_MIN = 90
"""Calendar days from the first fill to the newest close."""

ACTIVE_DAYS_MIN = 60
"""Days with a position or a closed trade."""

TRADES_MIN = 30
"""Closed round trips."""

EQUITY_MICROS_MIN = 100 * MICROS
"""Equity at the newest close."""

DRAWDOWN_PPM_MAX = 500_000
"""Drawdown that a record must stay below."""


class Missing(StrEnum):
    """Why a trader is not ranked by the composite board."""

    NO_RECORD = "NO_RECORD"
    TOO_FEW_DAYS = "TOO_FEW_DAYS"
    TOO_FEW_ACTIVE_DAYS = "TOO_FEW_ACTIVE_DAYS"
    TOO_FEW_TRADES = "TOO_FEW_TRADES"
    EQUITY_TOO_SMALL = "EQUITY_TOO_SMALL"
    DRAWDOWN_TOO_DEEP = "DRAWDOWN_TOO_DEEP"
    NOT_VERIFIED = "NOT_VERIFIED"
    FLAGGED = "FLAGGED"


class Eligibility(NamedTuple):
    """What a trader has of what the composite board asks for.

    Attributes:
        days: calendar days of record, `active_days` those with a position or a closed trade.
        trades: closed round trips.
        equity_micros: at the newest close.
        drawdown_ppm: largest one at closes.
        missing: what is not enough yet; empty = eligible.
    """

    days: int
    active_days: int
    trades: int
    equity_micros: int
    drawdown_ppm: int
    missing: tuple[Missing, ...]


def eligibility(state: State, trader: Trader) -> Eligibility:
    """Return what a trader has at the newest close. Self-reported fills are in no record."""
    track = trader.track
    closed = track.days
    days = closed[-1].day - day_of(track.first_fill_us) + 1 if closed else 0
    active = sum(1 for day in closed if day.trades > 0 or day.exposed_us > 0)
    equity = closed[-1].equity_micros if closed else 0
    deepest = _drawdown_ppm(trader)
    checks = (
        (Missing.NO_RECORD, not closed),
        (Missing.TOO_FEW_DAYS, days < DAYS_MIN),
        (Missing.TOO_FEW_ACTIVE_DAYS, active < ACTIVE_DAYS_MIN),
        (Missing.TOO_FEW_TRADES, track.trades < TRADES_MIN),
        (Missing.EQUITY_TOO_SMALL, equity < EQUITY_MICROS_MIN),
        (Missing.DRAWDOWN_TOO_DEEP, deepest >= DRAWDOWN_PPM_MAX),
        (Missing.NOT_VERIFIED, not trader.verified),
        (Missing.FLAGGED, is_excluded(state, trader.trader)),
    )
    missing = tuple(reason for reason, failed in checks if failed)
    return Eligibility(days, active, track.trades, equity, deepest, missing)


def eligible_rows(state: State, traders: Sequence[str]) -> list[int]:
    """Return the places in `traders` of who is eligible."""
    found = []
    for row, name in enumerate(traders):
        trader = state.traders[name]
        # What most lack is asked first: the rest walks over every day.
        likely = trader.verified and trader.track.trades >= TRADES_MIN
        if likely and not eligibility(state, trader).missing:
            found.append(row)
    return found


def _drawdown_ppm(trader: Trader) -> int:
    peak, deepest = UNIT_PPB, 0
    for day in trader.track.days:
        peak = max(peak, day.unit_ppb)
        deepest = max(deepest, (peak - day.unit_ppb) * PPM // peak)
    return deepest
