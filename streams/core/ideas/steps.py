"""How the steps of the resolution engine change the state."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from streams.core.books import idea_book
from streams.core.events import (
    Event,
    IdeaArmed,
    IdeaEntered,
    IdeaResolved,
    IdeasDeferred,
    IdeaTargetHit,
)
from streams.core.ideas.endings import end
from streams.core.ideas.watch import stop_watching, watch
from streams.core.limits import IDEA_STEPS_PER_ENTRY_MAX
from streams.core.state import State


def evolve_idea_armed(state: State, event: IdeaArmed) -> None:
    """Wait for the entry."""
    idea = state.ideas[event.idea]
    stop_watching(state, idea)
    idea.stage, idea.entry_type = "ARMED", event.entry_type
    watch(state, idea)


def evolve_idea_entered(state: State, event: IdeaEntered) -> None:
    """Wait for target and stop; an entry at the market gets its price, also in the book."""
    idea = state.ideas[event.idea]
    stop_watching(state, idea)
    if not idea.entry_ticks:
        idea_book.remove(state, idea)
        idea.entry_ticks, idea.entry_type = event.tick.price_ticks, "market"
        idea_book.add(state, idea)
    idea.stage, idea.entry, idea.odds_ppm = "LIVE", event.tick, event.odds_ppm
    idea.stop_now_ticks = idea.stop_ticks
    watch(state, idea)


def evolve_idea_target_hit(state: State, event: IdeaTargetHit) -> None:
    """Take the target off the book and wait for the next; the stop may have moved as declared."""
    idea = state.ideas[event.idea]
    stop_watching(state, idea)
    idea_book.remove(state, idea)
    idea.targets_hit.append(event.tick)
    idea.stop_now_ticks = event.stop_ticks
    idea_book.add(state, idea)
    watch(state, idea)


def evolve_idea_resolved(state: State, event: IdeaResolved) -> None:
    """End the idea."""
    idea = state.ideas[event.idea]
    idea.close_reason = event.resolution.reason
    end(state, idea, event.resolution, event.at_us)


def evolve_ideas_deferred(state: State, event: IdeasDeferred) -> None:
    """Note the print by which these ideas will be decided."""
    for name in event.ideas:
        state.idea_touches[name] = event.tick


def forget_touches(state: State) -> None:
    """Forget the prints that `take_up_touches` has dealt with: part of evolving a tick."""
    for name in list(islice(state.idea_touches, IDEA_STEPS_PER_ENTRY_MAX)):
        del state.idea_touches[name]


EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    IdeaArmed: evolve_idea_armed,
    IdeaEntered: evolve_idea_entered,
    IdeaTargetHit: evolve_idea_target_hit,
    IdeaResolved: evolve_idea_resolved,
    IdeasDeferred: evolve_ideas_deferred,
}
