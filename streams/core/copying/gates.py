"""The gates before a copied opening, in their written order; the first that fails names itself.

Order: intake, state, filters, mapping, sizing, caps, loss, price. Caps make an opening smaller
(`CLAMP_*`) before they refuse it. A closing passes none of these: risk-reducing orders are never
blocked by them. Source: domain.md, section 4.4.
"""

from __future__ import annotations

from streams.core.copying.caps import capped
from streams.core.copying.copy_orders import OPENING
from streams.core.copying.filters import PASSED, RANKED, failing_rank
from streams.core.copying.losses import opening_code
from streams.core.copying.scopes import scopes_rank
from streams.core.copying.signal import Signal, slippage_bps
from streams.core.copying.sizing import Wish, settled_lots, wanted_size
from streams.core.limits import INTEGER_MAX
from streams.core.reasons import Reason
from streams.core.state import Copy, Instrument


STATUS_CODES = {
    "PENDING": Reason.REL_PAUSED,
    "PAUSED": Reason.REL_PAUSED,
    "CLOSE_ONLY": Reason.REL_CLOSE_ONLY,
    "STOPPING": Reason.REL_CLOSE_ONLY,
    "HALTED": Reason.REL_HALTED,
    "COOLDOWN": Reason.REL_COOLDOWN,
}
"""What a relationship that is neither ACTIVE nor SYNCING answers to openings."""


def judge_opening(wish: Wish, instrument: Instrument | None) -> Reason:
    """Pass one opening through all gates, and leave on the wish what each of them found.

    Args:
        wish: begun with the follower; its `lots` are executed when the answer is `EXECUTED`.
        instrument: what the follower would trade; None = the leader's symbol leads nowhere.
    """
    signal, copy = wish.signal, wish.copy
    code = _intake_and_state(signal, copy) or _filtered(wish, instrument)
    if code is None and copy.detached:
        code = _left(signal, copy)
    if code is not None or instrument is None:
        return code or Reason.SYMBOL_UNMAPPED
    quote = instrument.ask_ticks if wish.side > 0 else instrument.bid_ticks
    wish.quote_ticks = quote = signal.limit_ticks or quote
    own = instrument is signal.instrument
    wish.price_ticks = quote or (signal.fill.price_ticks if own else 0)
    if wish.price_ticks == 0:
        return Reason.NO_QUOTE
    size = (signal.ordered_lots, 1) if signal.ordered_lots else wanted_size(wish)
    if isinstance(size, Reason):
        return size
    # Bounded, because the record holds 64 bits; what is beyond meets `LIMIT_REACHED`.
    wish.sized_millilots = min(max(size[0], 0) * 1000 // size[1], INTEGER_MAX)
    wanted, code = settled_lots(wish.settings, instrument, wish.price_ticks, size)
    wish.wanted_lots = min(wanted, INTEGER_MAX)
    if code is not None:
        return code
    lots, wish.clamps, code = capped(wish)
    code = code or opening_code(wish.state, copy, wish.equity_micros, signal.at_us) or _price(wish)
    if code is None:
        wish.lots = lots
        return Reason.EXECUTED
    return code


def _intake_and_state(signal: Signal, copy: Copy) -> Reason | None:
    settings = copy.settings
    most = settings.stale_pending_ms_max if signal.pending else settings.stale_ms_max
    if signal.age_ms > most:
        return Reason.STALE_SIGNAL
    whole = signal.pending and settings.follow_limit_orders == "on_full_fill"
    if whole and signal.fill.left_lots:
        return Reason.LIMIT_NOT_FULL
    if copy.orders:
        own = copy.orders.get(signal.fill.order)
        if own is not None and own.leg == OPENING:
            return Reason.LIMIT_MIRRORED
    code = signal.code
    if code is Reason.LEADER_TEST_TRADE:
        return code
    status = copy.status
    if status != "ACTIVE" and status != "SYNCING":
        return STATUS_CODES[status]
    return code


def _filtered(wish: Wish, instrument: Instrument | None) -> Reason | None:
    traded, signal = instrument or wish.signal.instrument, wish.signal
    rank = failing_rank(wish.settings, traded, wish.side, signal)
    if wish.state.copy_desk.scopes:
        rank = min(rank, scopes_rank(wish.state, signal, wish.copy, traded, wish.side))
    return None if rank == PASSED else RANKED[rank]


def _left(signal: Signal, copy: Copy) -> Reason | None:
    """Ask stage 4: a leg that the follower left stays left until the leader's ends."""
    adding = signal.held and not signal.closed
    if adding and signal.fill.symbol in copy.detached:
        return Reason.DETACHED_BY_FOLLOWER
    return None


def _price(wish: Wish) -> Reason | None:
    signal, instrument, quote = wish.signal, wish.instrument, wish.quote_ticks
    if quote == 0:
        return Reason.NO_QUOTE
    most = wish.settings.quote_age_ms_max
    if most and signal.at_us - instrument.marked_at_us > most * 1000:
        return Reason.QUOTE_STALE
    if instrument is signal.instrument:
        worse = signal.slippage(wish.side, quote)
    else:
        # Another instrument has no leader's price: what is lost is half the spread.
        worse = slippage_bps(wish.side, quote, instrument.mark_ticks)
    wish.slippage_bps = worse
    bound = signal.slippage_max_bps
    if bound is None:
        bound = wish.settings.slippage_max_bps
    return Reason.SLIPPAGE_PRE if worse > bound else None
