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
from streams.core.ideas.terms import PUBLISHED, WHOLE_BPS, direction_of
from streams.core.ideas.watch import watch
from streams.core.limits import INTEGER_MAX
from streams.core.state import Instrument, State


def freeze(ctx: Context, terms: dict[str, object], at_us: int) -> IdeaFrozen:
    """Return what publishing fixes of an idea with these terms.

    Args:
        ctx: of the command; its state is read only.
        terms: see `fingerprint.terms_text`.
        at_us: market time of publishing.
    """
    state = ctx.state
    instrument = state.instruments[str(terms["symbol"])]
    record = state.author_records.get(str(terms["trader"]))
    reputation = 0
    if record is not None:
        in_class = record.classes.get(instrument.asset_class, record.total)
        reputation = reputation_micronats(in_class, at_us)
    wait_ticks, wait_rises, entry_type = _waits(instrument, terms)
    frozen = IdeaFrozen(
        entry_type=entry_type,
        bid_ticks=instrument.bid_ticks,
        ask_ticks=instrument.ask_ticks,
        quoted_at_us=instrument.marked_at_us,
        expires_at_us=at_us + horizon_us(str(terms["timeframe"])),
        weight_bps=idea_book.weight_bps_of(_integer(terms, "confidence_bps"), reputation),
        record_hash=record_hash(record),
        wait_ticks=wait_ticks,
        wait_rises=wait_rises,
    )
    text = terms_text(terms, frozen, instrument.tick, at_us)
    return msgspec.structs.replace(frozen, terms_hash=terms_hash(text))


def _integer(terms: dict[str, object], name: str) -> int:
    value = terms[name]
    if not isinstance(value, int):
        raise AssertionError(f"expected a whole number as {name}, was {value!r}")
    return value


def _waits(instrument: Instrument, terms: dict[str, object]) -> tuple[int, bool, str]:
    """Return (price, whether it is reached by rising, entry type) that end the stage PUBLISHED.

    Without a quote any quote does. An entry at the market waits until the market is between stop
    and first target; a stated entry waits in stage ARMED, which the present quote begins at once.
    """
    direction = direction_of(str(terms["trade_type"]))
    entry, stop = _integer(terms, "entry_ticks"), _integer(terms, "stop_ticks")
    target = _integer(terms, "target_ticks")
    quote = (instrument.ask_ticks if direction > 0 else instrument.bid_ticks) * direction
    if quote == 0:
        return (INTEGER_MAX, False, "") if direction > 0 else (1, True, "")
    if entry:
        return quote * direction, False, entry_type_of(entry * direction, quote)
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


def terms_of(idea: Idea) -> dict[str, object]:
    """Return the terms that a hash covers."""
    return {
        "trader": idea.trader,
        "symbol": idea.symbol,
        "trade_type": idea.trade_type,
        "entry_ticks": idea.entry_ticks,
        "target_ticks": idea.target_ticks,
        "stop_ticks": idea.stop_ticks,
        "targets": idea.targets or _single(idea.target_ticks),
        "breakeven_after": idea.breakeven_after,
        "timeframe": idea.timeframe,
        "confidence_bps": idea.confidence_bps,
        "stance": idea.stance,
    }


def _single(target_ticks: int) -> list[tuple[int, int]]:
    return [(target_ticks, WHOLE_BPS)] if target_ticks else []
