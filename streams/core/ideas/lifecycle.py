"""The life of an idea: created, edited, published, closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streams.core.commands import CloseIdea, Command, EditIdea, PublishDraft, PublishIdea
from streams.core.context import Context, Decision, Refusal
from streams.core.events import Event, IdeaClosed, IdeaCreated, IdeaEdited, IdeaPublished
from streams.core.idea_state import Idea
from streams.core.ideas.endings import end, ended, put_away, quote_tick
from streams.core.ideas.publication import freeze, meet_market, publish
from streams.core.ideas.terms import (
    CLOSED,
    DRAFT,
    PUBLISHED,
    WITHDRAWN,
    check_instrument,
    check_levels,
    check_targets,
)
from streams.core.limits import IDEAS_MAX, OPEN_IDEAS_PER_TRADER_MAX, TEXT_VERSIONS_MAX
from streams.core.reasons import Reason
from streams.core.social import unknown_trader
from streams.core.state import State


TERM_FIELDS = (
    "symbol",
    "trade_type",
    "entry_ticks",
    "target_ticks",
    "stop_ticks",
    "timeframe",
    "confidence_bps",
    "stance",
    "targets",
    "breakeven_after",
)
"""Fields that never change once the idea is published."""

TEXT_FIELDS = ("title", "thesis", "tags")
"""Fields that an author may edit while the idea is open."""


def decide_publish_idea(ctx: Context, command: PublishIdea) -> Decision:
    """Create an idea, as a draft or published at once.

    Checks in order: UNKNOWN_TRADER, UNKNOWN_INSTRUMENT, INSTRUMENT_SETTLED, IDEA_LEVELS_INVALID,
    LIMIT_REACHED (of the trader, then of the network).
    """
    state = ctx.state
    trader = ctx.actor(command.trader)
    refusal = _check_new(state, trader, command)
    if refusal is not None:
        return refusal
    idea, at_us = ctx.new_id("i"), ctx.time(command.at_us)
    created = IdeaCreated(
        idea=idea,
        trader=trader,
        title=command.title,
        thesis=command.thesis,
        symbol=command.symbol,
        trade_type=command.trade_type,
        entry_ticks=command.entry_ticks,
        target_ticks=command.target_ticks,
        stop_ticks=command.stop_ticks,
        timeframe=command.timeframe,
        confidence_bps=command.confidence_bps,
        stance=command.stance,
        tags=command.tags,
        published=command.publish,
        external_id=command.external_id,
        at_us=at_us,
        targets=command.targets,
        breakeven_after=command.breakeven_after,
    )
    if not command.publish:
        ctx.emit(created)
        return idea
    frozen = freeze(ctx, _idea_of(created), at_us)
    ctx.emit(msgspec.structs.replace(created, frozen=frozen))
    meet_market(ctx, idea, at_us)
    return idea


def _check_new(state: State, trader: str, command: PublishIdea) -> Refusal | None:
    author = state.traders.get(trader)
    if author is None:
        return unknown_trader(trader)
    refusal = (
        check_instrument(state, command.symbol)
        or check_levels(
            command.trade_type, command.entry_ticks, command.target_ticks, command.stop_ticks
        )
        or check_targets(
            command.trade_type, command.target_ticks, command.targets, command.breakeven_after
        )
    )
    if refusal is not None:
        return refusal
    if author.open_ideas >= OPEN_IDEAS_PER_TRADER_MAX:
        return Refusal(
            Reason.LIMIT_REACHED, f"expected at most {OPEN_IDEAS_PER_TRADER_MAX} open ideas"
        )
    if len(state.ideas) >= IDEAS_MAX and not state.closed_ideas:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {IDEAS_MAX} open ideas in all")
    return None


def evolve_idea_created(state: State, event: IdeaCreated) -> None:
    """Add the idea; the idea closed first leaves when memory is full."""
    if len(state.ideas) >= IDEAS_MAX and state.closed_ideas:
        oldest = next(iter(state.closed_ideas))
        del state.closed_ideas[oldest]
        del state.ideas[oldest]
    idea = state.ideas[event.idea] = _idea_of(event)
    state.traders[event.trader].open_ideas += 1
    if event.published:
        publish(state, idea, event.frozen, event.at_us)


def _idea_of(event: IdeaCreated) -> Idea:
    return Idea(
        idea=event.idea,
        trader=event.trader,
        title=event.title,
        thesis=event.thesis,
        symbol=event.symbol,
        trade_type=event.trade_type,
        entry_ticks=event.entry_ticks,
        target_ticks=event.target_ticks,
        stop_ticks=event.stop_ticks,
        timeframe=event.timeframe,
        confidence_bps=event.confidence_bps,
        stance=event.stance,
        tags=event.tags,
        status=DRAFT,
        created_at_us=event.at_us,
        external_id=event.external_id,
        targets=event.targets,
        breakeven_after=event.breakeven_after,
    )


def owned(ctx: Context, idea_id: str, trader: str) -> Idea | Refusal:
    """Check UNKNOWN_IDEA and NOT_OWNER in this order."""
    idea = ctx.state.ideas.get(idea_id)
    if idea is None:
        return Refusal(Reason.UNKNOWN_IDEA, f"expected an idea, was {idea_id!r}", "idea")
    if idea.trader != trader:
        return Refusal(Reason.NOT_OWNER, "expected an idea of your own", "idea")
    return idea


def decide_edit_idea(ctx: Context, command: EditIdea) -> Decision:
    """Change a draft in any field, a published idea in its text.

    A draft that moves to another instrument loses the prices that are not given with it: they
    were counted in the old one's ticks. An edit that gives nothing changes nothing.

    Checks in order: UNKNOWN_IDEA, NOT_OWNER, IDEA_NOT_PUBLISHED (closed), IDEA_TERMS_IMMUTABLE,
    UNKNOWN_INSTRUMENT, INSTRUMENT_SETTLED, IDEA_LEVELS_INVALID, LIMIT_REACHED.
    """
    idea = owned(ctx, command.idea, ctx.actor(command.trader))
    if isinstance(idea, Refusal):
        return idea
    if idea.status == CLOSED:
        return Refusal(Reason.IDEA_NOT_PUBLISHED, "expected an open idea, was closed", "idea")
    given = {name: getattr(command, name) for name in (*TEXT_FIELDS, *TERM_FIELDS)}
    terms = [name for name in TERM_FIELDS if given[name] is not None]
    if terms and idea.status == PUBLISHED:
        return Refusal(
            Reason.IDEA_TERMS_IMMUTABLE, f"expected no new {terms[0]} once published", terms[0]
        )
    if terms:
        refusal = _check_draft(ctx.state, idea, given)
        if refusal is not None:
            return refusal
    if all(value is None for value in given.values()):
        return idea.idea
    if idea.text_version >= TEXT_VERSIONS_MAX:
        return Refusal(
            Reason.LIMIT_REACHED, f"expected at most {TEXT_VERSIONS_MAX} versions of a text"
        )
    ctx.emit(
        IdeaEdited(
            idea=idea.idea,
            trader=idea.trader,
            symbol_before=idea.symbol,
            at_us=ctx.time(0),
            text_version=idea.text_version + (idea.status == PUBLISHED),
            **given,
        )
    )
    return idea.idea


def _check_draft(state: State, idea: Idea, given: dict[str, Any]) -> Refusal | None:
    """Check the terms a draft would have; complete `given` when the instrument changes."""
    symbol = given["symbol"]
    if symbol is not None and symbol != idea.symbol:
        refusal = check_instrument(state, symbol)
        if refusal is not None:
            return refusal
        for name in ("entry_ticks", "target_ticks", "stop_ticks", "breakeven_after"):
            given[name] = given[name] or 0
        given["targets"] = given["targets"] or []
    elif given["target_ticks"] is not None and given["targets"] is None:
        # One target in place of several: the weights went with them.
        given["targets"], given["breakeven_after"] = [], given["breakeven_after"] or 0
    after = {
        name: getattr(idea, name) if given[name] is None else given[name]
        for name in ("trade_type", "entry_ticks", "target_ticks", "stop_ticks")
    }
    targets, breakeven = (
        getattr(idea, name) if given[name] is None else given[name]
        for name in ("targets", "breakeven_after")
    )
    return check_levels(**after) or check_targets(
        after["trade_type"], after["target_ticks"], targets, breakeven
    )


def evolve_idea_edited(state: State, event: IdeaEdited) -> None:
    """Set the fields that are given; an edit of a published idea is a new text version."""
    idea = state.ideas[event.idea]
    for name in (*TEXT_FIELDS, *TERM_FIELDS):
        value = getattr(event, name)
        if value is not None:
            setattr(idea, name, value)
    if idea.status == PUBLISHED:
        idea.text_version = event.text_version


def decide_publish_draft(ctx: Context, command: PublishDraft) -> Decision:
    """Publish a draft.

    Checks in order: UNKNOWN_IDEA, NOT_OWNER, IDEA_NOT_DRAFT, INSTRUMENT_SETTLED.
    """
    idea = owned(ctx, command.idea, ctx.principal)
    if isinstance(idea, Refusal):
        return idea
    if idea.status != DRAFT:
        return Refusal(Reason.IDEA_NOT_DRAFT, f"expected a draft, was {idea.status}", "idea")
    refusal = check_instrument(ctx.state, idea.symbol)
    if refusal is not None:
        return refusal
    at_us = ctx.time(0)
    ctx.emit(
        IdeaPublished(
            idea=idea.idea,
            trader=idea.trader,
            title=idea.title,
            thesis=idea.thesis,
            symbol=idea.symbol,
            trade_type=idea.trade_type,
            entry_ticks=idea.entry_ticks,
            target_ticks=idea.target_ticks,
            stop_ticks=idea.stop_ticks,
            timeframe=idea.timeframe,
            confidence_bps=idea.confidence_bps,
            stance=idea.stance,
            tags=idea.tags,
            at_us=at_us,
            targets=idea.targets,
            breakeven_after=idea.breakeven_after,
            frozen=freeze(ctx, idea, at_us),
        )
    )
    meet_market(ctx, idea.idea, at_us)
    return idea.idea


def evolve_idea_published(state: State, event: IdeaPublished) -> None:
    """Make the draft public."""
    publish(state, state.ideas[event.idea], event.frozen, event.at_us)


def decide_close_idea(ctx: Context, command: CloseIdea) -> Decision:
    """End an idea; a draft that is closed is withdrawn and stays private.

    A live idea is scored at the present quote: closing early neither loses nor saves anything.

    Checks in order: UNKNOWN_IDEA, NOT_OWNER, IDEA_NOT_PUBLISHED (closed before), IDEA_RESOLVING,
    INVALID_PRICE.
    """
    idea = owned(ctx, command.idea, ctx.actor(command.trader))
    if isinstance(idea, Refusal):
        return idea
    if idea.status == CLOSED:
        return Refusal(Reason.IDEA_NOT_PUBLISHED, "expected an open idea, was closed", "idea")
    if idea.idea in ctx.state.idea_touches:
        return Refusal(
            Reason.IDEA_RESOLVING, "expected an idea whose end is open, it is being decided", "idea"
        )
    if command.exit_ticks < 0:
        return Refusal(
            Reason.INVALID_PRICE,
            f"expected a price of 0 or more, was {command.exit_ticks} ticks",
            "exit_price",
        )
    at_us, resolution = ctx.time(command.at_us), None
    if idea.status == PUBLISHED:
        tick = quote_tick(ctx, idea, at_us, "author")
        resolution = ended(ctx.state, idea, "CLOSED_BY_AUTHOR", tick, command.reason)
    ctx.emit(
        IdeaClosed(
            idea=idea.idea,
            trader=idea.trader,
            symbol=idea.symbol,
            reason=command.reason,
            exit_ticks=command.exit_ticks,
            at_us=at_us,
            resolution=resolution,
        )
    )
    return idea.idea


def evolve_idea_closed(state: State, event: IdeaClosed) -> None:
    """End the idea; a draft is only put away."""
    idea = state.ideas[event.idea]
    idea.close_reason, idea.exit_ticks = event.reason, event.exit_ticks
    if event.resolution is not None:
        end(state, idea, event.resolution, event.at_us)
        return
    idea.status, idea.stage, idea.closed_at_us = CLOSED, WITHDRAWN, event.at_us
    put_away(state, idea)


DECIDERS: dict[type[Command], Callable[..., Decision]] = {
    PublishIdea: decide_publish_idea,
    EditIdea: decide_edit_idea,
    PublishDraft: decide_publish_draft,
    CloseIdea: decide_close_idea,
}

EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    IdeaCreated: evolve_idea_created,
    IdeaEdited: evolve_idea_edited,
    IdeaPublished: evolve_idea_published,
    IdeaClosed: evolve_idea_closed,
}
