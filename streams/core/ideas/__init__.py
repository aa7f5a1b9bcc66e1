"""Trade ideas: drafted, published, entered, resolved by the market, scored; and what others say.

`DRAFT -> PUBLISHED -> ARMED -> LIVE -> TARGET_HIT | STOPPED | EXPIRED | CLOSED_BY_AUTHOR | VOID`,
or `EXPIRED_UNFILLED` when the market never gave the entry.

Invariants:
    * The terms of an idea (symbol, type, prices, targets, timeframe, confidence, stance) never
      change once it is published; its text may, and every such edit is a new text version.
    * A draft is its author's own: it is in no book, no count and on no channel, and a draft that
      is closed stays private.
    * An open published idea stands in the idea book of its instrument and in its watch, no other
      does.
    * Scores come from the recorded market alone (`resolution`, `endings`), never from likes,
      comments, shares or views.
    * `State.closed_ideas` holds the closed ideas in order of closing: the first leaves when
      `IDEAS_MAX` is reached.

Source: domain.md, sections 0 (mistake 6) and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.commands import Command
from streams.core.context import Decision
from streams.core.events import Event
from streams.core.ideas import attention, lifecycle, reactions, steps, withdrawal
from streams.core.state import State


DECIDERS: dict[type[Command], Callable[..., Decision]] = {
    **lifecycle.DECIDERS,
    **withdrawal.DECIDERS,
    **reactions.DECIDERS,
    **attention.DECIDERS,
}

EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    **lifecycle.EVOLVERS,
    **steps.EVOLVERS,
    **withdrawal.EVOLVERS,
    **reactions.EVOLVERS,
    **attention.EVOLVERS,
}
