"""The gates before a copied opening, in their written order; the first that fails names itself.

Order: intake (staleness), state, filters, sizing, caps, price. Caps make an opening smaller
(`CLAMP_*`) before they refuse it. A closing passes no gate at all: risk-reducing orders are never
blocked. Source: domain.md, section 4.4.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.books.position_book import has_room
from streams.core.limits import LOTS_MAX
from streams.core.money import BPS, PPM
from streams.core.reasons import Reason
from streams.core.state import Copy, CopySettings, Instrument, Position, State


class Opening(NamedTuple):
    """A leader's opening as one follower would copy it.

    Attributes:
        side: +1 or -1, the follower's direction.
        leader_lots: unsigned lots the leader opened.
        leader_price_ticks: the leader's price.
        leader_equity_micros: the leader's equity before the fill.
        age_ms: age of the signal.
    """

    side: int
    leader_lots: int
    leader_price_ticks: int
    leader_equity_micros: int
    age_ms: int


class Verdict(NamedTuple):
    """Outcome of the gates.

    Attributes:
        code: `EXECUTED` or the first failing gate.
        lots: unsigned lots to execute (0 when skipped).
        wanted_lots: unsigned lots before caps.
        price_ticks: the quote the follower would trade at (0 when unknown).
        slippage_bps: signed, + = worse than the leader's price.
        clamps: what made the opening smaller.
    """

    code: Reason
    lots: int
    wanted_lots: int
    price_ticks: int
    slippage_bps: int
    clamps: tuple[str, ...]


def quote_ticks(instrument: Instrument, side: int) -> int:
    """Return the price at which a paper order of this side fills (0 = no quote)."""
    return instrument.ask_ticks if side > 0 else instrument.bid_ticks


def slippage_bps(side: int, price_ticks: int, leader_price_ticks: int) -> int:
    """Return how much worse a price is than the leader's, in basis points, rounded away from 0."""
    worse = (price_ticks - leader_price_ticks) * side * BPS
    if worse >= 0:
        return -(-worse // leader_price_ticks)
    return worse // leader_price_ticks


def judge_opening(
    state: State, copy: Copy, instrument: Instrument, opening: Opening, equity_micros: int
) -> Verdict:
    """Pass one opening through all gates.

    Args:
        state: read only.
        copy: the relationship; its ledger is the follower's ring fence.
        instrument: what the leader traded.
        opening: the signal.
        equity_micros: equity of the ring fence now.
    """
    settings = copy.settings
    code = _intake_and_filters(copy, settings, instrument.symbol, opening.age_ms)
    if code is not None:
        return Verdict(code, 0, 0, 0, 0, ())
    wanted, code = wanted_lots(settings, opening, equity_micros)
    price = quote_ticks(instrument, opening.side)
    if code is not None:
        return Verdict(code, 0, wanted, price, 0, ())
    reference = price or opening.leader_price_ticks
    lots, clamps, code = _capped(
        state, copy, instrument, opening.side, wanted, reference, equity_micros
    )
    if code is not None:
        return Verdict(code, 0, wanted, price, 0, clamps)
    if price == 0:
        return Verdict(Reason.NO_QUOTE, 0, wanted, 0, 0, clamps)
    worse = slippage_bps(opening.side, price, opening.leader_price_ticks)
    if worse > settings.slippage_max_bps:
        return Verdict(Reason.SLIPPAGE_PRE, 0, wanted, price, worse, clamps)
    return Verdict(Reason.EXECUTED, lots, wanted, price, worse, clamps)


def _intake_and_filters(
    copy: Copy, settings: CopySettings, symbol: str, age_ms: int
) -> Reason | None:
    if age_ms > settings.stale_ms_max:
        return Reason.STALE_SIGNAL
    if copy.status == "PAUSED":
        return Reason.REL_PAUSED
    if copy.status == "CLOSE_ONLY":
        return Reason.REL_CLOSE_ONLY
    if settings.symbols_allow and symbol not in settings.symbols_allow:
        return Reason.SYMBOL_NOT_ALLOWED
    if symbol in settings.symbols_deny:
        return Reason.SYMBOL_DENIED
    return None


def wanted_lots(
    settings: CopySettings, opening: Opening, equity_micros: int
) -> tuple[int, Reason | None]:
    """Size an opening before caps; lots round toward zero.

    Source: domain.md, section 4.2 (`equity_ratio`, `quantity_ratio`).
    """
    if settings.mode == "quantity_ratio":
        ratio = settings.copy_ratio_ppm * settings.multiplier_ppm
        lots = opening.leader_lots * ratio // (PPM * PPM)
    else:
        if opening.leader_equity_micros <= 0:
            return 0, Reason.NO_LEADER_EQUITY
        if equity_micros <= 0:
            return 0, Reason.INSUFFICIENT_FUNDS
        share = opening.leader_lots * equity_micros * settings.multiplier_ppm
        lots = share // (opening.leader_equity_micros * PPM)
    return lots, None if lots > 0 else Reason.ZERO_AFTER_ROUNDING


def _capped(
    state: State,
    copy: Copy,
    instrument: Instrument,
    side: int,
    wanted: int,
    price_ticks: int,
    equity_micros: int,
) -> tuple[int, tuple[str, ...], Reason | None]:
    settings, positions = copy.settings, copy.ledger.positions
    held = positions.get(instrument.symbol)
    if held is None and len(positions) >= settings.positions_max:
        return 0, (), Reason.MAX_OPEN_POSITIONS
    if equity_micros <= 0:
        return 0, (), Reason.INSUFFICIENT_FUNDS
    value = instrument.value_micros(price_ticks, wanted)
    if value < settings.notional_min_micros:
        return 0, (), Reason.BELOW_MIN_NOTIONAL
    if wanted > LOTS_MAX or not has_room(state, instrument.symbol, wanted):
        return 0, (), Reason.LIMIT_REACHED
    budget, clamps = _budget(state, copy, held, instrument, side, value, equity_micros)
    if budget >= value:
        return wanted, clamps, None
    lots = wanted * max(budget, 0) // value
    if lots == 0:
        return 0, clamps, Reason.INSUFFICIENT_FUNDS
    if instrument.value_micros(price_ticks, lots) < settings.notional_min_micros:
        return 0, clamps, Reason.BELOW_MIN_NOTIONAL
    return lots, clamps, None


def _budget(
    state: State,
    copy: Copy,
    held: Position | None,
    instrument: Instrument,
    side: int,
    value: int,
    equity: int,
) -> tuple[int, tuple[str, ...]]:
    """Return the value that may be opened and the clamps that made it less than wanted."""
    settings = copy.settings
    own = 0
    if held is not None:
        own = instrument.value_micros(instrument.mark_ticks, held.lots) * side
    exposure = exposure_micros(state, copy)
    caps = (
        (Reason.CLAMP_MAX_NOTIONAL, settings.notional_max_micros or value),
        (Reason.CLAMP_MAX_POSITION, equity * settings.position_max_bps // BPS - own),
        (Reason.CLAMP_EXPOSURE, equity * settings.exposure_max_bps // BPS - exposure),
        (Reason.CLAMP_LEVERAGE, equity * settings.leverage_max_ppm // PPM - exposure),
    )
    budget = value
    clamps: tuple[str, ...] = ()
    for code, cap in caps:
        if cap < budget:
            budget = cap
            clamps = (*clamps, code.value)
    return budget, clamps


def exposure_micros(state: State, copy: Copy) -> int:
    """Return the value of all open positions of a ring fence, long and short added up."""
    total = 0
    for symbol, position in copy.ledger.positions.items():
        instrument = state.instruments[symbol]
        # `value_micros` of `mark_ticks`: calling both would cost more than all else here
        product = (instrument.bid_ticks + instrument.ask_ticks) // 2 * position.lots
        total += abs(product * instrument.value_numerator) // instrument.value_denominator
    return total
