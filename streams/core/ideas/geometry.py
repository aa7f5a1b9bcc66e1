"""What one print does to one idea: entered, exited, at which price. Pure arithmetic.

Prices are turned by the idea's direction, so that up is always good: a short is a long on the
negative price. A bar tells only where the price was, not when: what it leaves open is decided
against the author and flagged.

Rules:
    * First touch. A plain quote fills at itself, so a gap through a level fills at the first
      print; a bar that contains the level fills at the level, one that lies beyond it at its close.
    * A bar in which both stop and target lie: the stop came first, `AMBIGUOUS_BAR`.
    * In the bar of the entry the stop counts (`AMBIGUOUS_BAR`), the target only at the close.
    * A bar that began before the idea lived counts by its close alone.

Source: domain.md, section 7, "Resolution engine".
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streams.core.idea_state import IdeaTick


AMBIGUOUS_BAR, GAP = "AMBIGUOUS_BAR", "GAP"


class Turned(NamedTuple):
    """A quote by the direction of an idea: `last` is the print, `low` and `high` its range."""

    last: int
    low: int
    high: int


class Touch(NamedTuple):
    """A level was reached: where it filled, and whether the market jumped over it."""

    price_ticks: int
    gap: bool


def turned(tick: IdeaTick, direction: int, quote_ticks: int, *, whole_candle: bool) -> Turned:
    """Return one side of a print as the idea sees it.

    Args:
        tick: the print.
        direction: +1 long, -1 short.
        quote_ticks: its bid or ask.
        whole_candle: whether high and low count.
    """
    high = low = quote_ticks
    if whole_candle and tick.high_ticks:
        high, low = max(high, tick.high_ticks), min(low, tick.low_ticks)
    if direction > 0:
        return Turned(quote_ticks, low, high)
    return Turned(-quote_ticks, -high, -low)


def fall_to(seen: Turned, level: int) -> Touch | None:
    """Return the touch of a level from above, prices turned; None when it was not reached."""
    if seen.low > level:
        return None
    return Touch(level, gap=False) if seen.high >= level else Touch(seen.last, gap=True)


def rise_to(seen: Turned, level: int) -> Touch | None:
    """Return the touch of a level from below, prices turned; None when it was not reached."""
    if seen.high < level:
        return None
    return Touch(level, gap=False) if seen.low <= level else Touch(seen.last, gap=True)


def filled(tick: IdeaTick, price_ticks: int, *flags: str) -> IdeaTick:
    """Return the print as the one that decided a step at a price."""
    return msgspec.structs.replace(tick, price_ticks=price_ticks, flags=flags)
