"""Ideas as clients see them: terms, stage, the prints that decided, scores.

Prices are decimal strings, ratios numbers, what is not defined null. Of a deleted idea, and
of the ideas of a closed account, the text is null; everything else stays.
"""

from __future__ import annotations

from typing import Any

from streams.core.idea_state import Comment, Idea, IdeaResolution, IdeaTick, IdeaUpdate
from streams.core.ideas.terms import targets_of
from streams.core.money import BPS, MICROS, PPM, Step
from streams.core.state import State
from streams.core.view.values import (
    STANCES,
    confidence,
    format_time,
    format_time_or_none,
    price_or_none,
)


Data = dict[str, Any]


def idea_view(state: State, idea: Idea) -> Data:
    """Return an idea; `likes`, `comments`, `shares`, `views` and `updates` are counts."""
    tick, frozen = state.instruments[idea.symbol].tick, idea.frozen
    shown = not idea.hidden and idea.trader not in state.closed_traders
    return {
        "idea": idea.idea,
        "trader": idea.trader,
        "title": idea.title if shown else None,
        "thesis": idea.thesis if shown else None,
        "symbol": idea.symbol,
        "trade_type": idea.trade_type,
        "entry": price_or_none(idea.entry_ticks, tick),
        "target": price_or_none(idea.target_ticks, tick),
        "stop": price_or_none(idea.stop_ticks, tick),
        "targets": targets_view(targets_of(idea), tick),
        "breakeven_after": idea.breakeven_after or None,
        "timeframe": idea.timeframe,
        "confidence": confidence(idea.confidence_bps),
        "sentiment": STANCES.get(idea.stance),
        "tags": idea.tags if shown else [],
        "status": idea.status,
        "stage": idea.stage,
        "hidden": idea.hidden,
        "text_version": idea.text_version,
        "likes": len(idea.likes),
        "comments": len(idea.comments),
        "shares": len(idea.shares),
        "views": len(idea.views),
        "updates": len(idea.updates),
        "created_at": format_time(idea.created_at_us),
        "published_at": format_time_or_none(idea.published_at_us),
        "expires_at": format_time_or_none(frozen.expires_at_us),
        "closed_at": format_time_or_none(idea.closed_at_us),
        "close_reason": idea.close_reason or None,
        "exit_price": price_or_none(_exit_ticks(idea), tick),
        "entry_type": idea.entry_type or None,
        "market": {
            "bid": price_or_none(frozen.bid_ticks, tick),
            "ask": price_or_none(frozen.ask_ticks, tick),
            "quoted_at": format_time_or_none(frozen.quoted_at_us),
        },
        "weight": frozen.weight_bps / BPS,
        "terms_hash": frozen.terms_hash or None,
        "author_record": frozen.record_hash or None,
        "stop_now": price_or_none(idea.stop_now_ticks, tick),
        "odds": idea.odds_ppm / PPM if idea.odds_ppm else None,
        "entered": None if idea.entry is None else tick_view(idea.entry, tick),
        "targets_hit": [tick_view(hit, tick) for hit in idea.targets_hit],
        "resolution": None if idea.resolution is None else resolution_view(idea.resolution, tick),
        "external_id": idea.external_id or None,
    }


def _exit_ticks(idea: Idea) -> int:
    """Return the exit as the author stated it, else where the idea left the market."""
    if idea.exit_ticks or idea.resolution is None or idea.entry is None:
        return idea.exit_ticks
    return idea.resolution.tick.price_ticks


def targets_view(targets: list[tuple[int, int]], tick: Step) -> list[Data]:
    """Return targets with their weights, 1 = the whole."""
    return [
        {"price": price_or_none(ticks, tick), "weight": weight_bps / BPS}
        for ticks, weight_bps in targets
    ]


def tick_view(decided: IdeaTick, tick: Step) -> Data:
    """Return a deciding print: `price` is where the step filled, `log_offset` where it is found."""
    return {
        "price": price_or_none(decided.price_ticks, tick),
        "bid": price_or_none(decided.bid_ticks, tick),
        "ask": price_or_none(decided.ask_ticks, tick),
        "high": price_or_none(decided.high_ticks, tick),
        "low": price_or_none(decided.low_ticks, tick),
        "at": format_time(decided.at_us),
        "source": decided.source,
        "log_offset": decided.offset,
        "flags": list(decided.flags),
    }


def resolution_view(resolution: IdeaResolution, tick: Step) -> Data:
    """Return how an idea ended and its scores; null = not defined for its terms."""
    hit, odds = resolution.hit_ppm, resolution.odds_ppm
    return {
        "stage": resolution.stage,
        "reason": resolution.reason or None,
        "tick": tick_view(resolution.tick, tick),
        "hit": _ratio(hit, PPM),
        "odds": _ratio(odds, PPM),
        "edge": None if hit is None or odds is None else (hit - odds) / PPM,
        "score": _ratio(resolution.score_micronats, MICROS),
        "brier": _ratio(resolution.brier_ppm, PPM),
        "r_multiple": _ratio(resolution.r_milli, 1_000),
        "duration_seconds": resolution.duration_us / MICROS,
        "max_favourable": _ratio(resolution.favourable_ppm, PPM),
        "max_adverse": _ratio(resolution.adverse_ppm, PPM),
    }


def _ratio(parts: int | None, whole: int) -> float | None:
    return None if parts is None else parts / whole


def comment_view(state: State, comment: Comment) -> Data:
    """Return a comment; `parent_id` is null on the top level, `text` of a closed account."""
    return {
        "comment": comment.comment,
        "trader": comment.trader,
        "text": None if comment.trader in state.closed_traders else comment.text,
        "parent_id": comment.parent or None,
        "at": format_time(comment.at_us),
    }


def update_view(update: IdeaUpdate, number: int, tick: Step) -> Data:
    """Return an appended update with the quote of its time."""
    return {
        "number": number,
        "text": update.text,
        "bid": price_or_none(update.bid_ticks, tick),
        "ask": price_or_none(update.ask_ticks, tick),
        "at": format_time(update.at_us),
    }
