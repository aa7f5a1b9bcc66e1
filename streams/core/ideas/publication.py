"""Publishing: what it fixes for ever, and how an idea enters the world and leaves it again.

Source: domain.md, section 7, "Immutable terms".
"""

from __future__ import annotations

from bisect import insort

import msgspec

from streams.core.books import idea_book
from streams.core.context import Context
from streams.core.idea_state import Idea, IdeaFrozen
from streams.core.ideas.endings import quote_tick
from streams.core.ideas.fingerprint import record_hash, terms_hash, terms_text
from streams.core.ideas.horizon import horizon_us
from streams.core.ideas.record import record_published, reputation_micronats
from streams.core.ideas.resolution import entry_type_of, move
from streams.core.ideas.stances import hear_idea
from streams.core.ideas.terms import PUBLISHED, direction_of
from streams.core.ideas.watch import watch
from streams.core.limits import INTEGER_MAX
from streams.core.state import Instrument, State


def freeze(ctx: Context, idea: Idea, at_us: int) -> IdeaFrozen:
    """Return what publishing fixes of an idea.

    Args:
        ctx: of the command; its state is read only.
        idea: a draft, which need not be in the state.
        at_us: market time of publishing.
    """
    state = ctx.state
    instrument = state.instruments[idea.symbol]
    record = state.author_records.get(idea.trader)
    reputation = 0
    if record is not None:
        in_class = record.classes.get(instrument.asset_class, record.total)
        reputation = reputation_micronats(in_class, at_us)
    wait_ticks, wait_rises, entry_type = _waits(instrument, idea)
    frozen = IdeaFrozen(
        entry_type=entry_type,
        bid_ticks=instrument.bid_ticks,
        ask_ticks=instrument.ask_ticks,
        quoted_at_us=instrument.marked_at_us,
        expires_at_us=at_us + horizon_us(idea.timeframe),
        weight_bps=idea_book.weight_bps_of(idea.confidence_bps, reputation),
        record_hash=record_hash(record),
        wait_ticks=wait_ticks,
        wait_rises=wait_rises,
    )
    text = terms_text(idea, frozen, instrument.tick, at_us)
    return msgspec.structs.replace(frozen, terms_hash=terms_hash(text))


def _waits(instrument: Instrument, idea: Idea) -> tuple[int, bool, str]:
    """Return (price, whether it is reached by rising, entry type) that end the stage PUBLISHED.

    Without a quote any quote does. An entry at the market waits until the market is between stop
    and first target; a stated entry waits in stage ARMED, which the present quote begins at once.
    """
    direction = direction_of(idea.trade_type)
    stop, target = idea.stop_ticks, idea.target_ticks
    quote = (instrument.ask_ticks if direction > 0 else instrument.bid_ticks) * direction
    if quote == 0:
        return (INTEGER_MAX, False, "") if direction > 0 else (1, True, "")
    if idea.entry_ticks:
        return quote * direction, False, entry_type_of(idea.entry_ticks * direction, quote)
    if stop and quote <= stop * direction:
        return stop + direction, direction > 0, "market"
    if target and quote >= target * direction:
        return target - direction, direction < 0, "market"
    return quote * direction, False, "market"


def publish(state: State, idea: Idea, frozen: IdeaFrozen, at_us: int) -> None:
    """Make an idea public. Called by `evolve_*` only."""
    idea.status, idea.stage = PUBLISHED, "PUBLISHED"
    idea.published_at_us = at_us
    idea.frozen = frozen
    state.totals.ideas += 1
    record_published(state, idea.trader)
    idea_book.add(state, idea)
    watch(state, idea)
    if frozen.expires_at_us:
        insort(state.idea_expiries, (-frozen.expires_at_us, idea.idea))
    hear_idea(state, idea, at_us)


def meet_market(ctx: Context, idea_id: str, at_us: int) -> None:
    """Let an idea that was just published meet the present quote."""
    state = ctx.state
    idea = state.ideas[idea_id]
    if state.instruments[idea.symbol].quoted:
        move(ctx, idea, quote_tick(ctx, idea, at_us, "mark"))
