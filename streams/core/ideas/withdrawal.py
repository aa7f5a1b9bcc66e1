"""What an author may still do with a published idea, and what only a service may.

Invariants:
    * A publication can be undone for a minute of market time, if no quote moved by more than its
      spread and nobody reacted: nobody can take back what the market has begun to judge.
    * Deletion hides the text; terms, resolution and record stay.
    * Updates are appended and never change a score.

Source: domain.md, section 7, "Immutable terms".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.commands import Command, HideIdea, UndoIdea, UpdateIdea, VoidIdea
from streams.core.context import Context, Decision, Refusal
from streams.core.events import (
    Event,
    IdeaClosed,
    IdeaHidden,
    IdeaResolved,
    IdeaUndone,
    IdeaUpdated,
)
from streams.core.idea_state import Idea, IdeaFrozen, IdeaUpdate
from streams.core.ideas.endings import ended, leave, quote_tick
from streams.core.ideas.excursions import since
from streams.core.ideas.lifecycle import owned
from streams.core.ideas.terms import CLOSED, DRAFT, PUBLISHED, is_public
from streams.core.limits import IDEA_UNDO_US_MAX, UPDATES_PER_IDEA_MAX
from streams.core.reasons import Reason
from streams.core.state import State


def decide_undo_idea(ctx: Context, command: UndoIdea) -> Decision:
    """Make a publication a draft again.

    Checks in order: UNKNOWN_IDEA, NOT_OWNER, IDEA_NOT_PUBLISHED (draft or ended), IDEA_UNDO_LATE,
    IDEA_UNDO_REACTED, IDEA_UNDO_MOVED.
    """
    idea = owned(ctx, command.idea, ctx.principal)
    if isinstance(idea, Refusal):
        return idea
    if idea.status != PUBLISHED:
        return Refusal(
            Reason.IDEA_NOT_PUBLISHED, f"expected an open idea, was {idea.status}", "idea"
        )
    at_us = ctx.time(0)
    age_us = at_us - idea.published_at_us
    if age_us > IDEA_UNDO_US_MAX:
        return Refusal(
            Reason.IDEA_UNDO_LATE,
            f"expected at most {IDEA_UNDO_US_MAX} us since publishing, was {age_us}",
            "idea",
        )
    reactions = len(idea.likes) + len(idea.comments) + len(idea.shares)
    if reactions:
        return Refusal(
            Reason.IDEA_UNDO_REACTED, f"expected no reaction yet, was {reactions}", "idea"
        )
    moved = _moved_ticks(ctx.state, idea)
    spread = idea.frozen.ask_ticks - idea.frozen.bid_ticks
    if moved > spread:
        return Refusal(
            Reason.IDEA_UNDO_MOVED,
            f"expected a quote that moved by at most the spread of {spread} ticks, was {moved}",
            "idea",
        )
    ctx.emit(IdeaUndone(idea.idea, idea.trader, idea.symbol, at_us))
    return idea.idea


def _moved_ticks(state: State, idea: Idea) -> int:
    """Return the farthest that bid or ask went from where they were at publishing."""
    instrument, frozen = state.instruments[idea.symbol], idea.frozen
    bids, asks = [instrument.bid_ticks], [instrument.ask_ticks]
    seen = since(state.idea_watches[idea.symbol], idea.published_at_us)
    if seen is not None:
        bids += [seen.bid_high, seen.bid_low]
        asks += [seen.ask_high, seen.ask_low]
    return max(
        *(abs(bid - frozen.bid_ticks) for bid in bids),
        *(abs(ask - frozen.ask_ticks) for ask in asks),
    )


def evolve_idea_undone(state: State, event: IdeaUndone) -> None:
    """Take the idea out of everything that publishing put it in."""
    idea = state.ideas[event.idea]
    leave(state, idea)
    if idea.entry_type == "market":
        idea.entry_ticks = 0
    idea.status, idea.stage, idea.published_at_us = DRAFT, "DRAFT", 0
    idea.frozen, idea.entry_type = IdeaFrozen(), ""
    idea.entry, idea.odds_ppm, idea.stop_now_ticks = None, 0, 0
    idea.views.clear()
    state.trending.candidates.pop(idea.idea, None)
    state.totals.ideas -= 1
    state.author_records[idea.trader].published -= 1


def decide_hide_idea(ctx: Context, command: HideIdea) -> Decision:
    """Delete: discard a draft, hide the text of a published idea.

    Checks in order: UNKNOWN_IDEA, NOT_OWNER, IDEA_NOT_PUBLISHED (deleted before).
    """
    idea = owned(ctx, command.idea, ctx.principal)
    if isinstance(idea, Refusal):
        return idea
    if idea.hidden or (idea.status == CLOSED and not is_public(idea)):
        return Refusal(
            Reason.IDEA_NOT_PUBLISHED, "expected an idea that is shown, was deleted", "idea"
        )
    at_us = ctx.time(0)
    if idea.status == DRAFT:
        ctx.emit(IdeaClosed(idea.idea, idea.trader, idea.symbol, "deleted", 0, at_us))
    else:
        ctx.emit(IdeaHidden(idea.idea, idea.trader, idea.symbol, at_us))
    return idea.idea


def evolve_idea_hidden(state: State, event: IdeaHidden) -> None:
    """Show the text no more."""
    state.ideas[event.idea].hidden = True


def decide_void_idea(ctx: Context, command: VoidIdea) -> Decision:
    """Declare an open idea void, in public.

    Checks in order: NOT_ALLOWED, UNKNOWN_IDEA, IDEA_NOT_PUBLISHED (draft or ended).
    """
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "expected a service to declare an idea void")
    idea = ctx.state.ideas.get(command.idea)
    if idea is None:
        return Refusal(Reason.UNKNOWN_IDEA, f"expected an idea, was {command.idea!r}", "idea")
    if idea.status != PUBLISHED:
        return Refusal(
            Reason.IDEA_NOT_PUBLISHED, f"expected an open idea, was {idea.status}", "idea"
        )
    tick = quote_tick(ctx, idea, ctx.time(0), "void")
    resolution = ended(ctx.state, idea, "VOID", tick, command.reason)
    ctx.emit(IdeaResolved(idea.idea, idea.trader, idea.symbol, resolution, tick.at_us))
    return idea.idea


def decide_update_idea(ctx: Context, command: UpdateIdea) -> Decision:
    """Append advice to a published idea, also after its end.

    Checks in order: UNKNOWN_IDEA, NOT_OWNER, IDEA_NOT_PUBLISHED (a draft), LIMIT_REACHED.
    """
    idea = owned(ctx, command.idea, ctx.principal)
    if isinstance(idea, Refusal):
        return idea
    if not is_public(idea):
        return Refusal(Reason.IDEA_NOT_PUBLISHED, "expected a published idea, was a draft", "idea")
    number = len(idea.updates) + 1
    if number > UPDATES_PER_IDEA_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {UPDATES_PER_IDEA_MAX} updates")
    instrument = ctx.state.instruments[idea.symbol]
    ctx.emit(
        IdeaUpdated(
            idea=idea.idea,
            trader=idea.trader,
            symbol=idea.symbol,
            number=number,
            text=command.text,
            bid_ticks=instrument.bid_ticks,
            ask_ticks=instrument.ask_ticks,
            at_us=ctx.time(0),
        )
    )
    return idea.idea


def evolve_idea_updated(state: State, event: IdeaUpdated) -> None:
    """Keep the update."""
    state.ideas[event.idea].updates.append(
        IdeaUpdate(event.text, event.bid_ticks, event.ask_ticks, event.at_us)
    )


DECIDERS: dict[type[Command], Callable[..., Decision]] = {
    UndoIdea: decide_undo_idea,
    HideIdea: decide_hide_idea,
    VoidIdea: decide_void_idea,
    UpdateIdea: decide_update_idea,
}

EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    IdeaUndone: evolve_idea_undone,
    IdeaHidden: evolve_idea_hidden,
    IdeaUpdated: evolve_idea_updated,
}
