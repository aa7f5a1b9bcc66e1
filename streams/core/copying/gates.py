"""The gates before a copied opening, in their written order; the first that fails names itself.

Order: intake, state, filters, mapping, sizing, caps, loss, price. Caps make an opening smaller
(`CLAMP_*`) before they refuse it. A closing passes none of these: risk-reducing orders are never
blocked by them. Source: domain.md, section 4.4.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.copying.caps import capped
from streams.core.copying.filters import PASSED, RANKED, failing_rank
from streams.core.copying.losses import opening_code
from streams.core.copying.scopes import scopes_rank
from streams.core.copying.signal import Signal, quote_ticks, slippage_bps
from streams.core.copying.sizing import Wish, settled_lots, wanted_size
from streams.core.limits import INTEGER_MAX
from streams.core.reasons import Reason
from streams.core.state import Copy, Instrument, State


STATUS_CODES = {
    "PENDING": Reason.REL_PAUSED,
    "PAUSED": Reason.REL_PAUSED,
    "CLOSE_ONLY": Reason.REL_CLOSE_ONLY,
    "STOPPING": Reason.REL_CLOSE_ONLY,
    "HALTED": Reason.REL_HALTED,
    "COOLDOWN": Reason.REL_COOLDOWN,
}
"""What a relationship that is neither ACTIVE nor SYNCING answers to openings."""


class Verdict(NamedTuple):
    """Outcome of the gates.

    Attributes:
        code: `EXECUTED` or the first failing gate.
        lots: unsigned lots to execute (0 when skipped).
        sized_millilots: size before rounding, in thousandths of a lot.
        wanted_lots: unsigned lots after rounding and minimum, before caps.
        price_ticks: the quote the follower would trade at (0 when unknown).
        slippage_bps: signed, + = worse than the leader's price.
        clamps: what made the opening smaller.
    """

    code: Reason
    lots: int = 0
    sized_millilots: int = 0
    wanted_lots: int = 0
    price_ticks: int = 0
    slippage_bps: int = 0
    clamps: tuple[str, ...] = ()


def judge_opening(
    state: State,
    signal: Signal,
    copy: Copy,
    instrument: Instrument | None,
    side: int,
    equity_micros: int,
) -> Verdict:
    """Pass one opening through all gates.

    Args:
        state: read only.
        signal: the leader's fill; `opened` lots of it are judged.
        copy: the relationship; its ledger is the follower's ring fence.
        instrument: what the follower would trade; None = the leader's symbol leads nowhere.
        side: +1 or -1, the follower's direction.
        equity_micros: equity of the ring fence now.
    """
    code = (
        _intake_and_state(signal, copy)
        or _filtered(state, signal, copy, instrument, side)
        or _mapped(signal, copy, instrument)
    )
    if code is not None or instrument is None:
        return Verdict(code or Reason.SYMBOL_UNMAPPED)
    price = quote_ticks(instrument, side)
    own = instrument is signal.instrument
    reference = price or (signal.fill.price_ticks if own else 0)
    if reference == 0:
        return Verdict(Reason.NO_QUOTE)
    wish = Wish(state, signal, copy, instrument, side, reference, equity_micros)
    size = wanted_size(wish)
    if isinstance(size, Reason):
        return Verdict(size, 0, 0, 0, price)
    # Bounded, because the record holds 64 bits; what is beyond meets `LIMIT_REACHED`.
    sized = min(max(size[0], 0) * 1000 // size[1], INTEGER_MAX)
    wanted, code = settled_lots(copy.settings, instrument, reference, size)
    wanted = min(wanted, INTEGER_MAX)
    if code is not None:
        return Verdict(code, 0, sized, wanted, price)
    lots, clamps, code = capped(state, copy, instrument, side, wanted, reference, equity_micros)
    worse = 0
    if code is None:
        code = opening_code(state, copy, equity_micros, signal.at_us)
    if code is None:
        code, worse = _price(signal, copy, instrument, side, price)
    if code is not None:
        return Verdict(code, 0, sized, wanted, price, worse, clamps)
    return Verdict(Reason.EXECUTED, lots, sized, wanted, price, worse, clamps)


def _intake_and_state(signal: Signal, copy: Copy) -> Reason | None:
    settings = copy.settings
    most = settings.stale_pending_ms_max if signal.pending else settings.stale_ms_max
    if signal.age_ms > most:
        return Reason.STALE_SIGNAL
    code = signal.code
    if code is Reason.LEADER_TEST_TRADE:
        return code
    status = copy.status
    if status != "ACTIVE" and status != "SYNCING":
        return STATUS_CODES[status]
    return code


def _filtered(
    state: State, signal: Signal, copy: Copy, instrument: Instrument | None, side: int
) -> Reason | None:
    traded = instrument or signal.instrument
    rank = failing_rank(copy.settings, traded, side, signal)
    if state.copy_desk.scopes:
        rank = min(rank, scopes_rank(state, signal, copy, traded, side))
    return None if rank == PASSED else RANKED[rank]


def _mapped(signal: Signal, copy: Copy, instrument: Instrument | None) -> Reason | None:
    """Ask stage 4: a leg that the follower left stays left until the leader's ends."""
    if copy.detached and signal.fill.symbol in copy.detached:
        adding = signal.held and not signal.closed
        if adding:
            return Reason.DETACHED_BY_FOLLOWER
    return Reason.SYMBOL_UNMAPPED if instrument is None else None


def _price(
    signal: Signal, copy: Copy, instrument: Instrument, side: int, price_ticks: int
) -> tuple[Reason | None, int]:
    settings = copy.settings
    if price_ticks == 0:
        return Reason.NO_QUOTE, 0
    most = settings.quote_age_ms_max
    if most and signal.at_us - instrument.marked_at_us > most * 1000:
        return Reason.QUOTE_STALE, 0
    if instrument is signal.instrument:
        worse = signal.slippage(side, price_ticks)
    else:
        # Another instrument has no leader's price: what is lost is half the spread.
        worse = slippage_bps(side, price_ticks, instrument.mark_ticks)
    bound = signal.slippage_max_bps
    if bound is None:
        bound = settings.slippage_max_bps
    return (Reason.SLIPPAGE_PRE if worse > bound else None), worse
