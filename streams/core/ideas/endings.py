"""The end of an idea: what it is worth, and how the state takes note of it.

Invariants:
    * Only ideas that were entered are scored; a void one is not, but it is counted.
    * What the author says of the exit never enters a score: the quote of that moment does.

Source: domain.md, section 7; docs/adr/0021-scores-of-ideas.md.
"""

from __future__ import annotations

from bisect import bisect_left

from streams.core.books import idea_book
from streams.core.context import Context
from streams.core.idea_state import Idea, IdeaResolution, IdeaTick
from streams.core.ideas.excursions import since
from streams.core.ideas.logarithm import MICRO
from streams.core.ideas.record import record_end
from streams.core.ideas.scores import hit_between_ppm, scores
from streams.core.ideas.terms import CLOSED, WHOLE_BPS, direction_of, targets_of
from streams.core.ideas.watch import stop_watching
from streams.core.money import divide_half_even
from streams.core.sentiment import withdraw_source
from streams.core.state import State


def quote_tick(ctx: Context, idea: Idea, at_us: int, source: str) -> IdeaTick:
    """Return the present quote as a print at which the idea leaves: a long at the bid.

    The price is 0 when there is no quote.
    """
    instrument = ctx.state.instruments[idea.symbol]
    bid, ask = instrument.bid_ticks, instrument.ask_ticks
    price = bid if direction_of(idea.trade_type) > 0 else ask
    return IdeaTick(price, bid, ask, at_us, source, ctx.offset)


def ended(state: State, idea: Idea, stage: str, tick: IdeaTick, reason: str = "") -> IdeaResolution:
    """Return the resolution of an idea that ends at a print.

    Args:
        state: read only.
        idea: still open.
        stage: one of `terms.END_STAGES`.
        tick: the deciding print; its price is where the rest of the idea left.
        reason: in words, for a void or an author's close.
    """
    entry = idea.entry
    if entry is None or stage == "VOID":
        return IdeaResolution(stage, tick, reason)
    hit = _hit_ppm(idea, stage, tick)
    scored = scores(idea.confidence_bps, idea.odds_ppm, hit) if hit is not None else None
    if not idea.confidence_bps:
        scored = None
    favourable, adverse = _excursions(state, idea, entry, tick)
    return IdeaResolution(
        stage=stage,
        tick=tick,
        reason=reason,
        odds_ppm=None if hit is None else idea.odds_ppm,
        hit_ppm=hit,
        score_micronats=None if scored is None else scored.score_micronats,
        brier_ppm=None if scored is None else scored.brier_ppm,
        r_milli=_result_r_milli(idea, entry, tick),
        duration_us=tick.at_us - entry.at_us,
        favourable_ppm=favourable,
        adverse_ppm=adverse,
    )


def _hit_ppm(idea: Idea, stage: str, tick: IdeaTick) -> int | None:
    if not idea.odds_ppm:
        return None
    if idea.targets_hit or stage == "TARGET_HIT":
        return MICRO
    direction = direction_of(idea.trade_type)
    price = tick.price_ticks * direction
    if stage == "STOPPED" or price <= idea.stop_ticks * direction:
        return 0
    if price >= idea.target_ticks * direction:
        return MICRO
    return hit_between_ppm(tick.price_ticks, idea.target_ticks, idea.stop_ticks)


def _result_r_milli(idea: Idea, entry: IdeaTick, tick: IdeaTick) -> int | None:
    """Return the R-multiple of all parts by weight, None without an initial stop."""
    risk = abs(entry.price_ticks - idea.stop_ticks)
    if not idea.stop_ticks or risk == 0:
        return None
    left_bps, result = WHOLE_BPS, 0
    for (_, weight_bps), hit in zip(targets_of(idea), idea.targets_hit, strict=False):
        result += weight_bps * (hit.price_ticks - entry.price_ticks)
        left_bps -= weight_bps
    result += left_bps * (tick.price_ticks - entry.price_ticks)
    direction = direction_of(idea.trade_type)
    return divide_half_even(1_000 * result * direction, WHOLE_BPS * risk)


def _excursions(state: State, idea: Idea, entry: IdeaTick, tick: IdeaTick) -> tuple[int, int]:
    """Return the best and worst excursion from the entry in millionths of its price."""
    direction = direction_of(idea.trade_type)
    prices = [entry.price_ticks, tick.price_ticks]
    seen = since(state.idea_watches[idea.symbol], entry.at_us)
    if seen is not None:
        prices += [seen.bid_high, seen.bid_low] if direction > 0 else [seen.ask_high, seen.ask_low]
    moves = [(price - entry.price_ticks) * direction for price in prices]
    return (
        divide_half_even(MICRO * max(moves), entry.price_ticks),
        divide_half_even(-MICRO * min(moves), entry.price_ticks),
    )


def leave(state: State, idea: Idea) -> None:
    """Take an open idea out of the watch, the book, the crowd and the list of expiries."""
    stop_watching(state, idea)
    idea_book.remove(state, idea)
    withdraw_source(state, idea.symbol, idea.trader, idea.idea)
    if idea.frozen.expires_at_us:
        entry = -idea.frozen.expires_at_us, idea.idea
        index = bisect_left(state.idea_expiries, entry)
        if state.idea_expiries[index : index + 1] != [entry]:
            raise AssertionError(f"expected {idea.idea} among the expiries, was not there")
        del state.idea_expiries[index]


def end(state: State, idea: Idea, resolution: IdeaResolution, at_us: int) -> None:
    """End an open idea and enter it in its author's record. Called by `evolve_*` only."""
    leave(state, idea)
    idea.status, idea.stage = CLOSED, resolution.stage
    idea.resolution = resolution
    idea.closed_at_us = at_us
    asset_class = state.instruments[idea.symbol].asset_class
    record_end(state, idea.trader, asset_class, idea.idea, resolution)
    put_away(state, idea)


def put_away(state: State, idea: Idea) -> None:
    """Count an ended idea no longer among the open ones; it may leave memory now."""
    state.traders[idea.trader].open_ideas -= 1
    state.closed_ideas[idea.idea] = None
