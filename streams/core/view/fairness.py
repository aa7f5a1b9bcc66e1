"""The fairness report of a day as everybody sees it."""

from __future__ import annotations

from datetime import date
from typing import Any

from streams.core.copying.fairness import correlation, jain_index
from streams.core.copying.fees import EPOCH_ORDINAL
from streams.core.copying.seeds import alias_of
from streams.core.events import CopyDecided, SignalDispatched
from streams.core.market_clock import day_of
from streams.core.state import FairnessDay, Seed, State
from streams.core.view.values import side_of, steps


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


def opening_view(state: State, event: CopyDecided, rank: int, seed: Seed | None) -> Data:
    """Return one follower's opening without saying whose it is.

    Args:
        state: knows the instruments.
        event: the decision.
        rank: place in its signal, 0 = served first.
        seed: of the day; without a veil (no seed, or a record of an earlier version) there is no
            alias.
    """
    instrument, lots = state.instruments[event.symbol], event.lots
    own = event.symbol == event.leader_symbol
    reference = event.leader_price_ticks if own else (event.bid_ticks + event.ask_ticks) // 2
    veil = b"" if seed is None else seed.veil
    return {
        "type": "opening",
        "leader": event.leader,
        "signal_seq": event.signal_seq,
        "rank": rank,
        "alias": alias_of(veil, event.leader, event.follower) if veil else None,
        "symbol": event.symbol,
        "leader_symbol": event.leader_symbol,
        "side": side_of(lots or event.wanted_lots),
        "asked": steps(event.block_lots or abs(lots), instrument.lot),
        "quantity": steps(abs(lots), instrument.lot),
        "lot": instrument.lot.text(),
        "price": steps(event.price_ticks, instrument.tick) if lots else None,
        "reference_price": steps(reference, instrument.tick) if lots else None,
        "slippage_bps": event.slippage_bps if lots else None,
    }


def dispatch_view(state: State, event: SignalDispatched) -> Data:
    """Return what the report added up of one signal; it follows its openings."""
    depth = None
    if event.depth_lots:
        depth = steps(event.depth_lots, state.instruments[event.symbol].lot)
    return {
        "type": "signal",
        "leader": event.leader,
        "signal_seq": event.signal_seq,
        "symbol": event.symbol or None,
        "sealed": bool(event.seed_number),
        "followers_asked": event.asked,
        "executions": event.executed,
        "depth": depth,
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
        "veil_commitment": seed.veil_commitment.hex() or None,
        "salt": seed.salt.hex(),
        "opened": bool(seed.key),
        "seed": seed.seed.hex() if shown and seed.seed else None,
    }
