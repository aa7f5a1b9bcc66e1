"""Stage 6: what may be opened at most. Caps make an opening smaller before they refuse it.

Source: domain.md, section 4.4. A clamp is logged, never a skip by itself; the skips of this stage
are a full house (`MAX_OPEN_POSITIONS`, `MAX_PER_SYMBOL`) and a budget that buys nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.books.position_book import has_room
from streams.core.copying.signal import exposure_micros
from streams.core.copying.sizing import short_of_minimum
from streams.core.limits import LOTS_MAX
from streams.core.money import BPS, PPM
from streams.core.reasons import Reason
from streams.core.state import Copy, Instrument, State


class Capped(NamedTuple):
    """What the caps left.

    Attributes:
        lots: unsigned lots, 0 when refused.
        clamps: names of the caps that made it smaller, in order.
        code: why it is refused, or None.
    """

    lots: int
    clamps: tuple[str, ...]
    code: Reason | None


def capped(
    state: State,
    copy: Copy,
    instrument: Instrument,
    side: int,
    wanted: int,
    price_ticks: int,
    equity_micros: int,
) -> Capped:
    """Hold an opening against the caps of a copy.

    Args:
        state: read only.
        copy: the relationship.
        instrument: what would be traded.
        side: +1 or -1.
        wanted: unsigned lots, > 0.
        price_ticks: price of the opening.
        equity_micros: of the ring fence.
    """
    code = _full(state, copy, instrument.symbol, wanted, equity_micros)
    if code is not None:
        return Capped(0, (), code)
    exposure = exposure_micros(state, copy.ledger)
    settings = copy.settings
    margin = equity_micros * settings.leverage_max_ppm // PPM - exposure
    if margin <= 0:
        return Capped(0, (), Reason.INSUFFICIENT_MARGIN)
    value = price_ticks * wanted * instrument.value_numerator // instrument.value_denominator
    own = 0
    held = copy.ledger.positions.get(instrument.symbol)
    if held is not None:
        own = instrument.value_micros(instrument.mark_ticks, held.lots) * side
    budget = value
    clamps: tuple[str, ...] = ()
    if settings.notional_max_micros and settings.notional_max_micros < budget:
        budget, clamps = settings.notional_max_micros, (Reason.CLAMP_MAX_NOTIONAL.value,)
    cap = equity_micros * settings.position_max_bps // BPS - own
    if cap < budget:
        budget, clamps = cap, (*clamps, Reason.CLAMP_MAX_POSITION.value)
    cap = equity_micros * settings.exposure_max_bps // BPS - exposure
    if cap < budget:
        budget, clamps = cap, (*clamps, Reason.CLAMP_EXPOSURE.value)
    if margin < budget:
        budget, clamps = margin, (*clamps, Reason.CLAMP_LEVERAGE.value)
    cap = settings.allocation_micros * settings.leverage_max_ppm // PPM - exposure
    if cap < budget:
        budget, clamps = cap, (*clamps, Reason.CLAMP_ALLOCATION.value)
    if not clamps:
        return Capped(wanted, clamps, None)
    return _reduced(copy, instrument, wanted, price_ticks, value, budget, clamps)


def _full(state: State, copy: Copy, symbol: str, wanted: int, equity_micros: int) -> Reason | None:
    settings, positions = copy.settings, copy.ledger.positions
    held = positions.get(symbol)
    if held is None:
        if len(positions) >= settings.positions_max:
            return Reason.MAX_OPEN_POSITIONS
    elif settings.symbol_entries_max and held.entries >= settings.symbol_entries_max:
        return Reason.MAX_PER_SYMBOL
    if equity_micros <= 0:
        return Reason.INSUFFICIENT_FUNDS
    if wanted > LOTS_MAX or not has_room(state, symbol, wanted):
        return Reason.LIMIT_REACHED
    return None


def _reduced(
    copy: Copy,
    instrument: Instrument,
    wanted: int,
    price_ticks: int,
    value: int,
    budget: int,
    clamps: tuple[str, ...],
) -> Capped:
    lots = wanted * max(budget, 0) // value
    if lots == 0:
        return Capped(0, clamps, Reason.INSUFFICIENT_FUNDS)
    short = short_of_minimum(copy.settings, instrument, price_ticks, lots)
    return Capped(0 if short else lots, clamps, short)
