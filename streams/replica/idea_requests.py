"""Requests about ideas as commands (see `building`)."""

from __future__ import annotations

from streams.core import commands, limits
from streams.core.money import BPS, parse_parts
from streams.core.state import Instrument, State
from streams.ports import CommandError
from streams.replica.arguments import (
    instrument_argument,
    invalid,
    parsed_argument,
    price_argument,
)
from streams.replica.message_building import STANCES
from streams.replica.requests import (
    CloseIdea,
    CommentIdea,
    CreateIdea,
    EditIdea,
    IdeaTarget,
    UpdateIdea,
)
from streams.replica.texts import clean, clean_each, clean_or_none


TITLE_LENGTHS = limits.TITLE_LENGTH_MIN, limits.TITLE_LENGTH_MAX
THESIS_LENGTHS = limits.THESIS_LENGTH_MIN, limits.THESIS_LENGTH_MAX
COMMENT_LENGTHS = 1, limits.COMMENT_LENGTH_MAX


def create_idea(state: State, request: CreateIdea) -> commands.Command:
    """Build the command that creates an idea."""
    instrument = instrument_argument(state, request.symbol)
    targets = _targets(instrument, request.targets)
    target = price_argument(instrument, "target", request.target)
    return commands.PublishIdea(
        title=clean("title", request.title, TITLE_LENGTHS),
        thesis=clean("thesis", request.thesis, THESIS_LENGTHS, lines=True),
        symbol=request.symbol,
        trade_type=request.trade_type,
        entry_ticks=price_argument(instrument, "entry", request.entry),
        target_ticks=target or (targets[0][0] if targets else 0),
        stop_ticks=price_argument(instrument, "stop", request.stop),
        timeframe=request.timeframe,
        confidence_bps=round((request.confidence or 0) * 100),
        stance=STANCES[request.sentiment] if request.sentiment else 0,
        tags=clean_each("tags", request.tags, limits.TAG_LENGTH_MAX),
        publish=request.publish,
        targets=targets,
        breakeven_after=request.breakeven_after,
    )


def edit_idea(state: State, request: EditIdea) -> commands.Command:
    """Build the command that edits an idea."""
    idea = state.ideas.get(request.idea)
    if idea is None:
        raise CommandError("UNKNOWN_IDEA", f"no idea {request.idea}", field="idea")
    instrument = instrument_argument(state, request.symbol or idea.symbol)

    def price(field: str, text: str | None) -> int | None:
        return None if text is None else price_argument(instrument, field, text)

    confidence, tags = request.confidence, request.tags
    target = price("target", request.target)
    targets = None if request.targets is None else _targets(instrument, request.targets)
    if targets and target is None:
        target = targets[0][0]
    return commands.EditIdea(
        idea=request.idea,
        title=clean_or_none("title", request.title, TITLE_LENGTHS),
        thesis=clean_or_none("thesis", request.thesis, THESIS_LENGTHS, lines=True),
        tags=None if tags is None else clean_each("tags", tags, limits.TAG_LENGTH_MAX),
        symbol=request.symbol,
        trade_type=request.trade_type,
        timeframe=request.timeframe,
        confidence_bps=None if confidence is None else round(confidence * 100),
        stance=None if request.sentiment is None else STANCES[request.sentiment],
        entry_ticks=price("entry", request.entry),
        target_ticks=target,
        stop_ticks=price("stop", request.stop),
        targets=targets,
        breakeven_after=request.breakeven_after,
    )


def close_idea(state: State, request: CloseIdea) -> commands.Command:
    """Build the command that closes an idea."""
    idea = state.ideas.get(request.idea)
    if idea is None:
        raise CommandError("UNKNOWN_IDEA", f"no idea {request.idea}", field="idea")
    exit_ticks = price_argument(
        instrument_argument(state, idea.symbol), "exit_price", request.exit_price
    )
    reason = clean("reason", request.reason, (0, limits.COMMENT_LENGTH_MAX), lines=True)
    return commands.CloseIdea(request.idea, reason, exit_ticks)


def comment_idea(_: State, request: CommentIdea) -> commands.Command:
    """Build the command that comments an idea."""
    text = clean("text", request.text, COMMENT_LENGTHS, lines=True)
    return commands.CommentIdea(request.idea, text, request.parent_id or "")


def update_idea(_: State, request: UpdateIdea) -> commands.Command:
    """Build the command that appends advice."""
    return commands.UpdateIdea(
        request.idea, clean("text", request.text, COMMENT_LENGTHS, lines=True)
    )


def _targets(instrument: Instrument, given: list[IdeaTarget]) -> list[tuple[int, int]]:
    """Return targets as (ticks, weight in ten-thousandths).

    Without weights all count the same, and the last takes what division leaves over.
    """
    stated = [target.weight for target in given if target.weight is not None]
    if stated and len(stated) < len(given):
        raise invalid("targets", f"expected a weight for each or none, was {len(stated)} of them")
    weights = [parsed_argument("targets", parse_parts, str(weight), BPS) for weight in stated]
    if given and not weights:
        weights = [BPS // len(given)] * len(given)
        weights[-1] += BPS - sum(weights)
    prices = [price_argument(instrument, "targets", target.price) for target in given]
    return list(zip(prices, weights, strict=True))
