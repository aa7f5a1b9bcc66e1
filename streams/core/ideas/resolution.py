"""The resolution engine: marks, time and settlements move open ideas on, by first touch.

`PUBLISHED -> ARMED -> LIVE -> TARGET_HIT | STOPPED | EXPIRED`, or `EXPIRED_UNFILLED` or `VOID`.

Invariants:
    * A mark looks only at ideas for whose prices it reaches (ideas.watch).
    * One print moves at most `IDEA_STEPS_PER_ENTRY_MAX` ideas on; the others are noted with that
      print (`State.idea_touches`) and follow on the ticks, decided by it and not by a later one.
    * Every step stores the print that decided it.
    * Ideas that are due are expired before the mark that comes after their end is seen.

Source: domain.md, section 7, "Resolution engine".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from streams.core.commands import MarkRow
from streams.core.context import Context
from streams.core.events import (
    IdeaArmed,
    IdeaEntered,
    IdeaResolved,
    IdeasDeferred,
    IdeaTargetHit,
)
from streams.core.idea_state import Idea, IdeaTick
from streams.core.ideas.endings import ended, quote_tick
from streams.core.ideas.geometry import (
    AMBIGUOUS_BAR,
    GAP,
    Turned,
    fall_to,
    filled,
    rise_to,
    turned,
)
from streams.core.ideas.scores import odds_ppm
from streams.core.ideas.terms import PUBLISHED, direction_of, targets_of
from streams.core.ideas.watch import is_reached, reached_by
from streams.core.limits import IDEA_QUOTE_AGE_DAYS_MAX, IDEA_STEPS_PER_ENTRY_MAX
from streams.core.market_clock import DAY_US


MARKET_UNSEEN = "MARKET_UNSEEN"
"""Public reason of a void: no quotes came, so nobody knows what was touched before the end."""

QUOTE_AGE_US_MAX = IDEA_QUOTE_AGE_DAYS_MAX * DAY_US

ENTRY_GAPPED = "ENTRY_GAPPED"
"""Public reason of a void: the market jumped from before the entry to beyond stop or target."""


def meet_marks(ctx: Context, rows: Mapping[str, MarkRow], at_us: int, candle_us: int) -> None:
    """Let open ideas meet new quotes. Call it after the quotes are in the state."""
    watches = ctx.state.idea_watches
    if not watches:
        return
    for symbol, row in rows.items():
        watched = watches.get(symbol)
        if watched is None or not is_reached(watched, row):
            continue
        tick = IdeaTick(
            row.last_ticks,
            row.bid_ticks,
            row.ask_ticks,
            at_us,
            "candle" if row.high_ticks else "mark",
            ctx.offset,
            row.high_ticks,
            row.low_ticks,
            candle_us,
        )
        _move_all(ctx, reached_by(watched, tick), tick)


def meet_settlement(ctx: Context, symbol: str, price_ticks: int, at_us: int) -> None:
    """End all open ideas of an instrument at its settlement price."""
    watched = ctx.state.idea_watches.get(symbol)
    if watched is not None:
        price = price_ticks
        tick = IdeaTick(price, price, price, at_us, "settlement", ctx.offset)
        _move_all(ctx, watched.open, tick)


def _move_all(ctx: Context, reached: Iterable[str], tick: IdeaTick) -> None:
    waiting = ctx.state.idea_touches
    names = [name for name in reached if name not in waiting]
    later = names[IDEA_STEPS_PER_ENTRY_MAX:]
    if later:
        ctx.emit(IdeasDeferred(later, tick, tick.at_us))
    for name in names[:IDEA_STEPS_PER_ENTRY_MAX]:
        move(ctx, ctx.state.ideas[name], tick)


def take_up_touches(ctx: Context) -> None:
    """Move on the ideas that were left for later, as many as one tick may (see `ticks`)."""
    state = ctx.state
    if state.idea_touches:
        for name, tick in list(islice(state.idea_touches.items(), IDEA_STEPS_PER_ENTRY_MAX)):
            idea = state.ideas.get(name)
            if idea is not None:
                move(ctx, idea, tick)


def expire_due(ctx: Context, at_us: int) -> None:
    """Expire the ideas whose time is over, at the present quote, as many as one entry may.

    Args:
        ctx: of a command that tells the time; call it before its own event.
        at_us: market time to come.
    """
    expiries = ctx.state.idea_expiries
    for _ in range(IDEA_STEPS_PER_ENTRY_MAX):
        if not expiries or -expiries[-1][0] > at_us:
            return
        _expire(ctx, ctx.state.ideas[expiries[-1][1]], -expiries[-1][0])


def _expire(ctx: Context, idea: Idea, at_us: int) -> None:
    tick = quote_tick(ctx, idea, at_us, "expiry")
    if idea.stage != "LIVE":
        _end(ctx, idea, "EXPIRED_UNFILLED", tick)
    elif at_us - ctx.state.instruments[idea.symbol].marked_at_us > QUOTE_AGE_US_MAX:
        _end(ctx, idea, "VOID", tick, MARKET_UNSEEN)
    else:
        _end(ctx, idea, "EXPIRED", tick)


def move(ctx: Context, idea: Idea, tick: IdeaTick) -> None:
    """Move one idea on by one print, as far as that print goes."""
    direction = direction_of(idea.trade_type)
    if idea.stage == "PUBLISHED" and tick.source != "settlement":
        _arm(ctx, idea, tick, direction)
    if idea.stage == "ARMED" and tick.source != "settlement":
        _enter_if_reached(ctx, idea, tick, direction)
    elif idea.stage == "LIVE" and idea.entry is not None and idea.entry.offset != tick.offset:
        whole = _lived_through(tick, idea.entry.at_us)
        _leave(ctx, idea, tick, _exit_side(tick, direction, whole_candle=whole), direction)
    if tick.source == "settlement" and idea.status == PUBLISHED:
        stage = "EXPIRED" if idea.stage == "LIVE" else "EXPIRED_UNFILLED"
        _end(ctx, idea, stage, tick)


def _lived_through(tick: IdeaTick, since_us: int) -> bool:
    return tick.candle_us > 0 and tick.at_us - tick.candle_us >= since_us


def _entry_side(tick: IdeaTick, direction: int, *, whole_candle: bool) -> Turned:
    quote = tick.ask_ticks if direction > 0 else tick.bid_ticks
    return turned(tick, direction, quote, whole_candle=whole_candle)


def _exit_side(tick: IdeaTick, direction: int, *, whole_candle: bool) -> Turned:
    quote = tick.bid_ticks if direction > 0 else tick.ask_ticks
    return turned(tick, direction, quote, whole_candle=whole_candle)


def _arm(ctx: Context, idea: Idea, tick: IdeaTick, direction: int) -> None:
    """Leave PUBLISHED: toward a stated entry, or in at the market when it is between the levels."""
    last = _entry_side(tick, direction, whole_candle=False).last
    if idea.entry_ticks:
        entry_type = entry_type_of(idea.entry_ticks * direction, last)
        ctx.emit(IdeaArmed(idea.idea, idea.trader, idea.symbol, entry_type, tick.at_us))
    elif _between(idea, last, direction):
        _enter(ctx, idea, filled(tick, last * direction))


def entry_type_of(entry: int, quote: int) -> str:
    """Return limit for an entry at or below the quote, stop for one above; prices turned."""
    return "limit" if quote >= entry else "stop"


def _between(idea: Idea, price: int, direction: int) -> bool:
    """Whether somebody who enters at a price, turned, is inside stop and first target."""
    stop, target = idea.stop_ticks, idea.target_ticks
    return (not stop or price > stop * direction) and (not target or price < target * direction)


def _enter_if_reached(ctx: Context, idea: Idea, tick: IdeaTick, direction: int) -> None:
    whole = _lived_through(tick, idea.published_at_us)
    seen = _entry_side(tick, direction, whole_candle=whole)
    reach = fall_to if idea.entry_type == "limit" else rise_to
    touch = reach(seen, idea.entry_ticks * direction)
    if touch is None:
        return
    deciding = filled(tick, touch.price_ticks * direction, *([GAP] if touch.gap else []))
    if not _between(idea, touch.price_ticks, direction):
        _end(ctx, idea, "VOID", deciding, ENTRY_GAPPED)
        return
    _enter(ctx, idea, deciding)
    if whole:
        _leave_entry_candle(ctx, idea, tick, direction)


def _enter(ctx: Context, idea: Idea, deciding: IdeaTick) -> None:
    odds = odds_ppm(deciding.price_ticks, idea.target_ticks, idea.stop_ticks)
    ctx.emit(IdeaEntered(idea.idea, idea.trader, idea.symbol, deciding, odds, deciding.at_us))


def _leave_entry_candle(ctx: Context, idea: Idea, tick: IdeaTick, direction: int) -> None:
    """End an idea in the bar of its entry: the stop wherever it lies, the target at the close."""
    candle = _exit_side(tick, direction, whole_candle=True)
    stop = idea.stop_ticks * direction
    if idea.stop_ticks and candle.low <= stop:
        _end(ctx, idea, "STOPPED", filled(tick, idea.stop_ticks, AMBIGUOUS_BAR))
        return
    _leave(ctx, idea, tick, _exit_side(tick, direction, whole_candle=False), direction)


def _leave(ctx: Context, idea: Idea, tick: IdeaTick, seen: Turned, direction: int) -> None:
    """End a live idea, or take its next targets off, when the print reached one of its levels."""
    targets = targets_of(idea)
    stop = fall_to(seen, idea.stop_now_ticks * direction) if idea.stop_now_ticks else None
    first = len(idea.targets_hit)
    if stop is not None:
        both = first < len(targets) and seen.high >= targets[first][0] * direction
        flags = ([AMBIGUOUS_BAR] if both else []) + ([GAP] if stop.gap else [])
        _end(ctx, idea, "STOPPED", filled(tick, stop.price_ticks * direction, *flags))
        return
    for index in range(first, len(targets)):
        price, weight_bps = targets[index]
        touch = rise_to(seen, price * direction)
        if touch is None:
            return
        deciding = filled(tick, touch.price_ticks * direction, *([GAP] if touch.gap else []))
        if index == len(targets) - 1:
            _end(ctx, idea, "TARGET_HIT", deciding)
            return
        _take_target(ctx, idea, index + 1, weight_bps, deciding)


def _take_target(
    ctx: Context, idea: Idea, number: int, weight_bps: int, deciding: IdeaTick
) -> None:
    stop_ticks = idea.stop_now_ticks
    if number == idea.breakeven_after and idea.entry is not None:
        stop_ticks = idea.entry.price_ticks
    ctx.emit(
        IdeaTargetHit(
            idea.idea,
            idea.trader,
            idea.symbol,
            number,
            weight_bps,
            deciding,
            stop_ticks,
            deciding.at_us,
        )
    )


def _end(ctx: Context, idea: Idea, stage: str, tick: IdeaTick, reason: str = "") -> None:
    resolution = ended(ctx.state, idea, stage, tick, reason)
    ctx.emit(IdeaResolved(idea.idea, idea.trader, idea.symbol, resolution, tick.at_us))
