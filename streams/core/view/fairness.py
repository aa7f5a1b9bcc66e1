"""The fairness report of a day as everybody sees it."""

from __future__ import annotations

from datetime import date
from typing import Any

from streams.core.copying.fairness import correlation, jain_index
from streams.core.copying.fees import EPOCH_ORDINAL
from streams.core.market_clock import day_of
from streams.core.state import FairnessDay, Seed, State


Data = dict[str, Any]


def date_of(day: int) -> str:
    """Return a UTC day as `2026-02-01`."""
    return date.fromordinal(day + EPOCH_ORDINAL).isoformat()


def fairness_view(state: State, day: int) -> Data | None:
    """Return the report of a day, the present one included; None for a day without one.

    The seed of the present day is not shown; the sums are, so that the ratios can be checked.
    """
    today = day == day_of(state.market_at_us)
    report = state.fairness if today else state.fairness_days.get(day)
    if report is None:
        return None
    signals = report.signals_executed
    return {
        "day": date_of(day),
        "closed": not today,
        "signals": report.signals,
        "signals_executed": signals,
        "signals_unsealed": report.unsealed,
        "followers_asked": report.asked,
        "executions": report.executed,
        "rank_slippage_correlation": correlation(report),
        "jain_index": jain_index(report),
        "leader_better_share": report.leader_better / signals if signals else None,
        "reason": None if signals else "NO_EXECUTIONS",
        "sums": _sums(report),
        "seed": _seed(state.seed_now if today else report.seed, shown=not today),
        "next_commitment": state.seed_next.commitment.hex() if today and state.seed_next else None,
    }


def _sums(report: FairnessDay) -> Data:
    return {
        "leader_better": report.leader_better,
        "place": report.place,
        "place_squares": report.place_squares,
        "slippage": report.slippage,
        "slippage_squares": report.slippage_squares,
        "products": report.products,
    }


def _seed(seed: Seed | None, *, shown: bool) -> Data | None:
    if seed is None:
        return None
    return {
        "number": seed.number,
        "commitment": seed.commitment.hex(),
        "salt": seed.salt.hex(),
        "opened": bool(seed.key),
        "seed": seed.seed.hex() if shown and seed.seed else None,
    }
