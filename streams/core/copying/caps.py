"""Stage 6: what may be opened at most. Caps make an opening smaller before they refuse it.

Source: domain.md, section 4.4. A clamp is logged, never a skip by itself; the skips of this stage
are a full house (`MAX_OPEN_POSITIONS`, `MAX_PER_SYMBOL`) and a budget that buys nothing.
"""

from __future__ import annotations

from streams.core.books.position_book import has_room
from streams.core.copying.sizing import Wish, short_of_minimum
from streams.core.limits import LOTS_MAX
from streams.core.money import BPS, PPM
from streams.core.reasons import Reason
from streams.core.state import Position


Capped = tuple[int, tuple[str, ...], Reason | None]
"""What the caps left: unsigned lots (0 when refused), names of the caps that made it smaller in
order, and why it is refused. A plain tuple, because one is made for each follower."""


def capped(wish: Wish) -> Capped:
    """Hold an opening of `wanted_lots` > 0 at `price_ticks` against the caps of its copy."""
    settings, instrument, wanted = wish.settings, wish.instrument, wish.wanted_lots
    held = wish.copy.ledger.positions.get(instrument.symbol)
    code = _full(wish, held)
    if code is not None:
        return 0, (), code
    equity, exposure = wish.equity_micros, wish.exposure_micros
    leverage = settings.leverage_max_ppm
    margin = equity * leverage // PPM - exposure
    if margin <= 0:
        return 0, (), Reason.INSUFFICIENT_MARGIN
    value = wish.price_ticks * wanted * instrument.value_numerator // instrument.value_denominator
    own = 0
    if held is not None:
        own = instrument.value_micros(instrument.mark_ticks, held.lots) * wish.side
    budget = value
    clamps: tuple[str, ...] = ()
    if settings.notional_max_micros and settings.notional_max_micros < budget:
        budget, clamps = settings.notional_max_micros, (Reason.CLAMP_MAX_NOTIONAL.value,)
    cap = equity * settings.position_max_bps // BPS - own
    if cap < budget:
        budget, clamps = cap, (*clamps, Reason.CLAMP_MAX_POSITION.value)
    cap = equity * settings.exposure_max_bps // BPS - exposure
    if cap < budget:
        budget, clamps = cap, (*clamps, Reason.CLAMP_EXPOSURE.value)
    if margin < budget:
        budget, clamps = margin, (*clamps, Reason.CLAMP_LEVERAGE.value)
    cap = settings.allocation_micros * leverage // PPM - exposure
    if cap < budget:
        budget, clamps = cap, (*clamps, Reason.CLAMP_ALLOCATION.value)
    if not clamps:
        return wanted, clamps, None
    return _reduced(wish, value, budget, clamps)


def _full(wish: Wish, held: Position | None) -> Reason | None:
    settings, wanted = wish.settings, wish.wanted_lots
    if held is None:
        if len(wish.copy.ledger.positions) >= settings.positions_max:
            return Reason.MAX_OPEN_POSITIONS
    elif settings.symbol_entries_max and held.entries >= settings.symbol_entries_max:
        return Reason.MAX_PER_SYMBOL
    if wish.equity_micros <= 0:
        return Reason.INSUFFICIENT_FUNDS
    if wanted > LOTS_MAX or not has_room(wish.state, wish.instrument.symbol, wanted):
        return Reason.LIMIT_REACHED
    return None


def _reduced(wish: Wish, value: int, budget: int, clamps: tuple[str, ...]) -> Capped:
    lots = wish.wanted_lots * max(budget, 0) // value
    if lots == 0:
        return 0, clamps, Reason.INSUFFICIENT_FUNDS
    short = short_of_minimum(wish.settings, wish.instrument, wish.price_ticks, lots)
    return 0 if short else lots, clamps, short
