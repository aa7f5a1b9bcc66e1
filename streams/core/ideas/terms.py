"""The terms of an idea: which prices make sense, and what they say.

Source: domain.md, section 7, "Immutable terms".
"""

from __future__ import annotations

from itertools import pairwise

from streams.core.books.idea_book import BUY, side_of
from streams.core.context import Refusal
from streams.core.limits import INTEGER_MAX
from streams.core.reasons import Reason
from streams.core.state import Idea, Instrument, State


DRAFT, PUBLISHED, CLOSED = "draft", "published", "closed"


def check_instrument(state: State, symbol: str) -> Refusal | None:
    """Return the refusal of an instrument that no idea can be about, or None.

    Checks in order: UNKNOWN_INSTRUMENT, INSTRUMENT_SETTLED.
    """
    instrument = state.instruments.get(symbol)
    if instrument is None:
        return Refusal(
            Reason.UNKNOWN_INSTRUMENT, f"expected a registered instrument, was {symbol!r}", "symbol"
        )
    if instrument.settled:
        return Refusal(
            Reason.INSTRUMENT_SETTLED, f"expected an open instrument, {symbol} is settled", "symbol"
        )
    return None


def check_levels(
    trade_type: str, entry_ticks: int, target_ticks: int, stop_ticks: int
) -> Refusal | None:
    """Return the refusal of prices that contradict the idea's direction, or None.

    Of the prices that are given (not 0): stop < entry < target for buy and cover, mirrored for
    sell and short.
    """
    named = (("stop", stop_ticks), ("entry", entry_ticks), ("target", target_ticks))
    given = [(name, ticks) for name, ticks in named if ticks]
    for name, ticks in given:
        if not 0 < ticks <= INTEGER_MAX:
            return Refusal(
                Reason.IDEA_LEVELS_INVALID, f"expected a price above 0, was {ticks} ticks", name
            )
    direction = 1 if side_of(trade_type) == BUY else -1
    for (low_name, low), (high_name, high) in pairwise(given):
        if (high - low) * direction <= 0:
            relation = "above" if direction > 0 else "below"
            return Refusal(
                Reason.IDEA_LEVELS_INVALID,
                f"expected the {high_name} {relation} the {low_name}, was {high} and {low} ticks",
                high_name,
            )
    return None


def frozen_entry(
    instrument: Instrument, trade_type: str, entry_ticks: int, target_ticks: int, stop_ticks: int
) -> int:
    """Return the entry price with which an idea is published.

    Args:
        instrument: what the idea is about.
        trade_type: buy, sell, short or cover.
        entry_ticks: the author's entry, 0 = at the market.
        target_ticks: 0 = none.
        stop_ticks: 0 = none.

    Returns:
        The author's entry; else the ask of a buy or the bid of a sell; 0 when there is no quote,
        or when it lies beyond target or stop, where nobody could enter.
    """
    if entry_ticks:
        return entry_ticks
    quote = instrument.ask_ticks if side_of(trade_type) == BUY else instrument.bid_ticks
    if check_levels(trade_type, quote, target_ticks, stop_ticks) is not None:
        return 0
    return quote


def stance_of(idea: Idea) -> int:
    """Return the declared stance, else the direction of the trade: -1 or +1."""
    return idea.stance or (1 if side_of(idea.trade_type) == BUY else -1)


def is_public(idea: Idea) -> bool:
    """Whether the idea was ever published; else only its author may see it."""
    return idea.published_at_us > 0
