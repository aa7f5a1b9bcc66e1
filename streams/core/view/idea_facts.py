"""Events of ideas as clients see them: the `data` of `ev` frames, and the rows of history.

Invariants as in `facts`: the data depend on the event and on the instrument's tick alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.events import (
    Event,
    IdeaArmed,
    IdeaClosed,
    IdeaCommented,
    IdeaCreated,
    IdeaEdited,
    IdeaEngaged,
    IdeaEntered,
    IdeaHidden,
    IdeaLiked,
    IdeaPublished,
    IdeaResolved,
    IdeaTargetHit,
    IdeaUndone,
    IdeaUnliked,
    IdeaUpdated,
)
from streams.core.ideas.terms import WHOLE_BPS
from streams.core.money import BPS, PPM
from streams.core.state import State
from streams.core.view.idea_objects import resolution_view, targets_view, tick_view
from streams.core.view.values import (
    STANCES,
    confidence,
    format_time,
    format_time_or_none,
    price_or_none,
)


Data = dict[str, Any]


def _idea_published(state: State, event: IdeaCreated | IdeaPublished) -> Data:
    tick = state.instruments[event.symbol].tick
    return {
        "type": "idea_published",
        "idea": event.idea,
        "trader": event.trader,
        "title": event.title,
        "thesis": event.thesis,
        "symbol": event.symbol,
        "trade_type": event.trade_type,
        "entry": price_or_none(event.entry_ticks, tick),
        "target": price_or_none(event.target_ticks, tick),
        "stop": price_or_none(event.stop_ticks, tick),
        "targets": targets_view(event.targets or _single(event.target_ticks), tick),
        "breakeven_after": event.breakeven_after or None,
        "timeframe": event.timeframe,
        "confidence": confidence(event.confidence_bps),
        "sentiment": STANCES.get(event.stance),
        "tags": event.tags,
        "published_at": format_time(event.at_us),
        "expires_at": format_time_or_none(event.frozen.expires_at_us),
        "market": {
            "bid": price_or_none(event.frozen.bid_ticks, tick),
            "ask": price_or_none(event.frozen.ask_ticks, tick),
        },
        "terms_hash": event.frozen.terms_hash or None,
        "author_record": event.frozen.record_hash or None,
    }


def _single(target_ticks: int) -> list[tuple[int, int]]:
    return [(target_ticks, WHOLE_BPS)] if target_ticks else []


def _idea_edited(_: State, event: IdeaEdited) -> Data:
    data: Data = {
        "type": "idea_edited",
        "idea": event.idea,
        "trader": event.trader,
        "symbol": event.symbol_before,
    }
    for name in ("title", "thesis", "tags"):
        value = getattr(event, name)
        if value is not None:
            data[name] = value
    data["text_version"] = event.text_version
    data["edited_at"] = format_time(event.at_us)
    return data


def _idea_closed(state: State, event: IdeaClosed) -> Data:
    return {
        "type": "idea_closed",
        "idea": event.idea,
        "trader": event.trader,
        "symbol": event.symbol,
        "close_reason": event.reason,
        "exit_price": price_or_none(event.exit_ticks, state.instruments[event.symbol].tick),
        "resolution": None
        if event.resolution is None
        else resolution_view(event.resolution, state.instruments[event.symbol].tick),
        "closed_at": format_time(event.at_us),
    }


def _idea_liked(_: State, event: IdeaLiked | IdeaUnliked) -> Data:
    return {
        "type": "idea_liked" if type(event) is IdeaLiked else "idea_unliked",
        "idea": event.idea,
        "symbol": event.symbol,
        "trader": event.trader,
        "likes": event.likes,
        "at": format_time(event.at_us),
    }


def _idea_commented(_: State, event: IdeaCommented) -> Data:
    return {
        "type": "idea_commented",
        "idea": event.idea,
        "symbol": event.symbol,
        "comment": event.comment,
        "trader": event.trader,
        "text": event.text,
        "parent_id": event.parent or None,
        "comments": event.comments,
        "at": format_time(event.at_us),
    }


def _step(event: Any, name: str) -> Data:
    return {
        "type": name,
        "idea": event.idea,
        "trader": event.trader,
        "symbol": event.symbol,
        "at": format_time(event.at_us),
    }


def _idea_armed(_: State, event: IdeaArmed) -> Data:
    return _step(event, "idea_armed") | {"entry_type": event.entry_type}


def _idea_entered(state: State, event: IdeaEntered) -> Data:
    tick = state.instruments[event.symbol].tick
    return _step(event, "idea_entered") | {
        "tick": tick_view(event.tick, tick),
        "odds": event.odds_ppm / PPM if event.odds_ppm else None,
    }


def _idea_target_hit(state: State, event: IdeaTargetHit) -> Data:
    tick = state.instruments[event.symbol].tick
    return _step(event, "idea_target_hit") | {
        "target": event.target,
        "weight": event.weight_bps / BPS,
        "tick": tick_view(event.tick, tick),
        "stop": price_or_none(event.stop_ticks, tick),
    }


def _idea_resolved(state: State, event: IdeaResolved) -> Data:
    tick = state.instruments[event.symbol].tick
    return _step(event, "idea_resolved") | {"resolution": resolution_view(event.resolution, tick)}


def _idea_undone(_: State, event: IdeaUndone) -> Data:
    return _step(event, "idea_undone")


def _idea_hidden(_: State, event: IdeaHidden) -> Data:
    return _step(event, "idea_hidden")


def _idea_updated(state: State, event: IdeaUpdated) -> Data:
    tick = state.instruments[event.symbol].tick
    return _step(event, "idea_updated") | {
        "number": event.number,
        "text": event.text,
        "bid": price_or_none(event.bid_ticks, tick),
        "ask": price_or_none(event.ask_ticks, tick),
    }


def _idea_engaged(_: State, event: IdeaEngaged) -> Data:
    return {
        "type": "idea_engaged",
        "idea": event.idea,
        "symbol": event.symbol,
        "likes": event.likes,
        "comments": event.comments,
        "shares": event.shares,
        "views": event.views,
        "at": format_time(event.at_us),
    }


IDEA_RENDERERS: dict[type[Event], Callable[[State, Any], Data]] = {
    IdeaCreated: _idea_published,
    IdeaPublished: _idea_published,
    IdeaEdited: _idea_edited,
    IdeaClosed: _idea_closed,
    IdeaArmed: _idea_armed,
    IdeaEntered: _idea_entered,
    IdeaTargetHit: _idea_target_hit,
    IdeaResolved: _idea_resolved,
    IdeaUndone: _idea_undone,
    IdeaHidden: _idea_hidden,
    IdeaUpdated: _idea_updated,
    IdeaLiked: _idea_liked,
    IdeaUnliked: _idea_liked,
    IdeaCommented: _idea_commented,
    IdeaEngaged: _idea_engaged,
}
"""How each event of an idea is shown."""
