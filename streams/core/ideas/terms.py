"""The terms of an idea: which prices make sense, and what they say.

Source: domain.md, section 7, "Immutable terms".
"""

from __future__ import annotations

from itertools import pairwise

from streams.core.books.idea_book import BUY, side_of
from streams.core.context import Refusal
from streams.core.idea_state import Idea
from streams.core.limits import INTEGER_MAX
from streams.core.reasons import Reason
from streams.core.state import State


DRAFT, PUBLISHED, CLOSED = "draft", "published", "closed"
"""What `Idea.status` says: not yet public, open, ended."""

OPEN_STAGES = ("PUBLISHED", "ARMED", "LIVE")
"""Stages of a published idea: waits for a usable quote, for its entry, for its end."""

END_STAGES = (
    "TARGET_HIT",
    "STOPPED",
    "EXPIRED",
    "EXPIRED_UNFILLED",
    "CLOSED_BY_AUTHOR",
    "VOID",
)
"""How a published idea may end."""

WITHDRAWN = "WITHDRAWN"
"""Stage of a draft that was discarded."""

WHOLE_BPS = 10_000
"""Weights of the targets of an idea add up to this."""


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


def check_targets(
    trade_type: str, target_ticks: int, targets: list[tuple[int, int]], breakeven_after: int
) -> Refusal | None:
    """Return the refusal of several targets that make no sense, or None.

    The first is `target_ticks`, each next one lies farther, weights are above 0 and add up to
    the whole; a move to breakeven is declared for a target before the last.
    """
    direction = direction_of(trade_type)
    prices = [ticks for ticks, _ in targets]
    if prices[:1] != [target_ticks] and targets:
        return Refusal(
            Reason.IDEA_LEVELS_INVALID,
            f"expected the first target at {target_ticks} ticks, was {prices[0]}",
            "targets",
        )
    for near, far in pairwise(prices):
        if (far - near) * direction <= 0 or not 0 < far <= INTEGER_MAX:
            return Refusal(
                Reason.IDEA_LEVELS_INVALID,
                f"expected each target farther than the one before, was {near} and {far} ticks",
                "targets",
            )
    whole = sum(weight for _, weight in targets)
    if targets and (whole != WHOLE_BPS or min(weight for _, weight in targets) <= 0):
        return Refusal(
            Reason.IDEA_LEVELS_INVALID,
            f"expected weights above 0 that add up to {WHOLE_BPS}, was {whole}",
            "targets",
        )
    if not 0 <= breakeven_after < max(len(targets), 1):
        return Refusal(
            Reason.IDEA_LEVELS_INVALID,
            f"expected breakeven after a target before the last, was {breakeven_after}",
            "breakeven_after",
        )
    return None


def direction_of(trade_type: str) -> int:
    """Return +1 for an idea that gains when the price rises, else -1."""
    return 1 if side_of(trade_type) == BUY else -1


def targets_of(idea: Idea) -> list[tuple[int, int]]:
    """Return all targets as (price, weight), nearest first."""
    if idea.targets or not idea.target_ticks:
        return idea.targets
    return [(idea.target_ticks, WHOLE_BPS)]


def stance_of(idea: Idea) -> int:
    """Return the declared stance, else the direction of the trade: -1 or +1."""
    return idea.stance or (1 if side_of(idea.trade_type) == BUY else -1)


def is_public(idea: Idea) -> bool:
    """Whether the idea was ever published; else only its author may see it."""
    return idea.published_at_us > 0
