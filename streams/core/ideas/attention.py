"""Shares and views of ideas, and the counters that are streamed once a second.

Invariants:
    * One share and one view a trader and idea, never the author's own: repeating one changes
      nothing and is no error.
    * None of this enters a score or a record (`scores`, `record`).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from streams.core.commands import Command, ShareIdea, ViewIdea
from streams.core.context import Context, Decision, Refusal
from streams.core.events import Event, IdeaEngaged, IdeaShared, IdeaViewed
from streams.core.idea_state import Idea
from streams.core.ideas.reactions import public_idea
from streams.core.ideas.trending import engaged
from streams.core.limits import (
    ENGAGED_IDEAS_PER_SECOND_MAX,
    SHARES_PER_IDEA_MAX,
    VIEWS_PER_IDEA_MAX,
)
from streams.core.reasons import Reason
from streams.core.state import State


def decide_share_idea(ctx: Context, command: ShareIdea) -> Decision:
    """Pass an idea on.

    Checks in order: UNKNOWN_TRADER, UNKNOWN_IDEA, IDEA_NOT_PUBLISHED, LIMIT_REACHED.
    """
    idea = public_idea(ctx, command.idea)
    if isinstance(idea, Refusal):
        return idea
    if _counts(ctx, idea, idea.shares):
        if len(idea.shares) >= SHARES_PER_IDEA_MAX:
            return Refusal(Reason.LIMIT_REACHED, f"expected at most {SHARES_PER_IDEA_MAX} shares")
        ctx.emit(IdeaShared(idea.idea, ctx.principal, ctx.time(0)))
    return idea.idea


def evolve_idea_shared(state: State, event: IdeaShared) -> None:
    """Remember who passed the idea on."""
    idea = state.ideas[event.idea]
    idea.shares[event.trader] = None
    engaged(state, idea)


def decide_view_idea(ctx: Context, command: ViewIdea) -> Decision:
    """Count a view.

    Checks in order: UNKNOWN_TRADER, UNKNOWN_IDEA, IDEA_NOT_PUBLISHED.
    """
    idea = public_idea(ctx, command.idea)
    if isinstance(idea, Refusal):
        return idea
    if _counts(ctx, idea, idea.views) and len(idea.views) < VIEWS_PER_IDEA_MAX:
        ctx.emit(IdeaViewed(idea.idea, ctx.principal, ctx.time(0)))
    return idea.idea


def evolve_idea_viewed(state: State, event: IdeaViewed) -> None:
    """Remember who looked at the idea."""
    idea = state.ideas[event.idea]
    idea.views[event.trader] = None
    engaged(state, idea)


def _counts(ctx: Context, idea: Idea, known: dict[str, None]) -> bool:
    return ctx.principal != idea.trader and ctx.principal not in known


def tell_counters(ctx: Context, at_us: int) -> None:
    """Emit the counters of ideas that changed since they were told last. Call it once a second."""
    state = ctx.state
    for name in list(islice(state.idea_engaged, ENGAGED_IDEAS_PER_SECOND_MAX)):
        idea = state.ideas.get(name)
        counts = (
            (len(idea.likes), len(idea.comments), len(idea.shares), len(idea.views))
            if idea is not None
            else (0, 0, 0, 0)
        )
        symbol = "" if idea is None else idea.symbol
        ctx.emit(IdeaEngaged(name, symbol, *counts, at_us))


def evolve_idea_engaged(state: State, event: IdeaEngaged) -> None:
    """The counters were told."""
    del state.idea_engaged[event.idea]


DECIDERS: dict[type[Command], Callable[..., Decision]] = {
    ShareIdea: decide_share_idea,
    ViewIdea: decide_view_idea,
}

EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    IdeaShared: evolve_idea_shared,
    IdeaViewed: evolve_idea_viewed,
    IdeaEngaged: evolve_idea_engaged,
}
