"""The daily review: what only closed days tell, a few traders each tick after a day has closed.

| Flag | Detector |
|--|--|
| `OPEN_LOSSES` | open positions lost 30 % of the balance, while closed trades show a profit |
| `STYLE_DRIFT` | value at risk or leverage of 30 days is over twice that of the 180 before |
| `DORMANT` | exposure of 30 days is below 80 % of the mean of the five months before |

Flags are cleared by the review that no longer finds what raised them.

Source: domain.md, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, pairwise

from streams.core.context import Context, Evolvers
from streams.core.events import ConductReviewed
from streams.core.integrity.flags import clear_flag, raise_flag
from streams.core.money import PPM
from streams.core.state import Day, State, Trader


REVIEWED_PER_TICK_MAX = 50
"""Traders reviewed on one tick: about a millisecond of work."""

RECENT_DAYS = 30
PRIOR_DAYS = 180
PRIOR_DAYS_MIN = 60
"""Days before the recent ones without which nothing can have drifted."""

MONTHS_BEFORE = 5

OPEN_LOSS_PPM_MAX = 300_000
DRIFT_RATIO = 2
EXPOSURE_SHARE_PERCENT_MIN = 80
LEVERAGE_PPM_MIN = PPM // 10
RISK_PPM_MIN = PPM // 100
"""Leverage of 0.1 and a daily loss of 1 %: below them twice as much is no drift."""


def review_conduct(ctx: Context) -> None:
    """Review the next traders that are due; called on ticks."""
    state = ctx.state
    if not state.integrity.due:
        return
    names = list(islice(state.integrity.due, REVIEWED_PER_TICK_MAX))
    at_us = state.market_at_us
    for name in names:
        trader = state.traders[name]
        for flag, detect in DETECTORS.items():
            evidence = detect(trader)
            if evidence:
                raise_flag(ctx, name, flag, evidence, at_us)
            else:
                clear_flag(ctx, name, flag, at_us)
    ctx.emit(ConductReviewed(len(names), at_us))


def open_losses(trader: Trader) -> dict[str, int]:
    """Return the largest open-loss share of late, where closed trades alone would show a gain."""
    recent = trader.track.days[-RECENT_DAYS:]
    share = max((day.open_loss_ppm for day in recent), default=0)
    closed = sum(day.won_micros - day.lost_micros for day in trader.track.days)
    if share < OPEN_LOSS_PPM_MAX or closed <= 0:
        return {}
    return {"open_loss_ppm": share}


def style_drift(trader: Trader) -> dict[str, int]:
    """Return how much leverage or value at risk has grown, where it has more than doubled."""
    days = trader.track.days
    recent, prior = days[-RECENT_DAYS:], days[-RECENT_DAYS - PRIOR_DAYS : -RECENT_DAYS]
    if len(prior) < PRIOR_DAYS_MIN:
        return {}
    found: dict[str, int] = {}
    leverage = sum(day.gross_ppm for day in recent) // len(recent)
    before = sum(day.gross_ppm for day in prior) // len(prior)
    if leverage > max(DRIFT_RATIO * before, LEVERAGE_PPM_MIN):
        found["leverage_ppm"], found["leverage_before_ppm"] = leverage, before
    risk, risk_before = _value_at_risk_ppm(recent), _value_at_risk_ppm(prior)
    if risk > max(DRIFT_RATIO * risk_before, RISK_PPM_MIN):
        found["value_at_risk_ppm"], found["value_at_risk_before_ppm"] = risk, risk_before
    return found


def dormant(trader: Trader) -> dict[str, int]:
    """Return the exposure of late, where an account with a record is only parked."""
    days = trader.track.days
    prior = days[-RECENT_DAYS * (MONTHS_BEFORE + 1) : -RECENT_DAYS]
    if len(prior) < RECENT_DAYS * MONTHS_BEFORE:
        return {}
    exposed = sum(day.exposed_us for day in days[-RECENT_DAYS:])
    before = sum(day.exposed_us for day in prior) // MONTHS_BEFORE
    if exposed * 100 >= before * EXPOSURE_SHARE_PERCENT_MIN:
        return {}
    return {"exposure_ppm": exposed * PPM // before}


def _value_at_risk_ppm(days: Sequence[Day]) -> int:
    """Return the daily loss that one day in twenty exceeds, in parts per million; 0 for a gain."""
    changes = sorted(
        (after.unit_ppb - before.unit_ppb) * PPM // before.unit_ppb
        for before, after in pairwise(days)
        if before.unit_ppb > 0
    )
    return max(-changes[len(changes) // 20], 0) if changes else 0


DETECTORS: dict[str, Callable[[Trader], dict[str, int]]] = {
    "OPEN_LOSSES": open_losses,
    "STYLE_DRIFT": style_drift,
    "DORMANT": dormant,
}
"""Flags that are raised and cleared by the review."""


def make_due(state: State, trader: str) -> None:
    """Ask for a review; called by `evolve_*` when a day of the trader has closed."""
    state.integrity.due[trader] = None


def evolve_conduct_reviewed(state: State, event: ConductReviewed) -> None:
    """Forget who was due."""
    for name in list(islice(state.integrity.due, event.count)):
        del state.integrity.due[name]


EVOLVERS: Evolvers = {ConductReviewed: evolve_conduct_reviewed}
