"""Levels: how wide the rows of a crowd book are.

Invariants:
    * A width is 1, 2 or 5 times a power of ten ticks, about a thousandth of the first known price.
    * The width of an instrument is fixed once: by its first mark, fill or idea, whichever is
      first. Entries of a book therefore leave at the level at which they came.

A width that follows the price was discarded: every change would rebuild the book on all nodes.
"""

from __future__ import annotations

from streams.core.money import divide_half_even
from streams.core.state import Instrument


LEVELS_PER_PRICE = 1_000
"""A level is about one part in this many of the price."""


def choose_level_ticks(price_ticks: int) -> int:
    """Return the largest of 1, 2, 5, 10, 20, 50, … ticks within a thousandth of the price.

    Args:
        price_ticks: first known price.

    Returns:
        Width in ticks, at least 1.
    """
    wanted = price_ticks // LEVELS_PER_PRICE
    if wanted < 2:
        return 1
    power: int = 10 ** (len(str(wanted)) - 1)
    leading = wanted // power
    if leading >= 5:
        return 5 * power
    return 2 * power if leading >= 2 else power


def fix_level(instrument: Instrument, price_ticks: int) -> None:
    """Fix the width of the instrument's levels, unless it is fixed. Called by `evolve_*` only.

    Args:
        instrument: changed in place; a width of 0 says that none is fixed.
        price_ticks: a price just learned; 0 tells nothing.
    """
    if instrument.level_ticks == 0 and price_ticks > 0:
        instrument.level_ticks = choose_level_ticks(price_ticks)


def level_of(instrument: Instrument, price_ticks: int) -> int:
    """Return the price rounded down to a level of the instrument, in ticks."""
    width = instrument.level_ticks
    return price_ticks - price_ticks % width if width > 1 else price_ticks


def entry_level(instrument: Instrument, lots: int, cost_micros: int) -> int:
    """Return the level of a position's average entry price; fixes the width of levels if none is.

    Args:
        instrument: what is held; its width is changed in place.
        lots: signed lots, not 0.
        cost_micros: signed cost, of the sign of the lots or 0.
    """
    # `entry_ticks_of` and `level_of` without their calls: this runs for every fill and copy.
    if lots < 0:
        lots, cost_micros = -lots, -cost_micros
    divisor = lots * instrument.value_numerator
    price, rest = divmod(cost_micros * instrument.value_denominator, divisor)
    if rest + rest > divisor or (rest + rest == divisor and price & 1):
        price += 1
    width = instrument.level_ticks
    if width == 0:
        fix_level(instrument, price)
        width = instrument.level_ticks
    return price - price % width if width > 1 else price


def entry_ticks_of(instrument: Instrument, lots: int, cost_micros: int) -> int:
    """Return the average entry price of a position, rounded half to even.

    Args:
        instrument: what is held.
        lots: signed lots, not 0.
        cost_micros: signed cost, of the sign of the lots or 0.

    Returns:
        Price in ticks.
    """
    numerator = abs(cost_micros) * instrument.value_denominator
    return divide_half_even(numerator, abs(lots) * instrument.value_numerator)
