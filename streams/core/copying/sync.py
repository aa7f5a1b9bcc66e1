"""Bringing a copy to the leader's weights: at its start, or when the follower asks.

Each symbol that the leader or the copy holds is looked at once: what is too much is closed, what
is missing is opened by target weight through the same gates as any opening. The price gate of
`copy_open_positions` = `only_if_not_worse` compares with the leader's average entry.
Source: domain.md, sections 4.1 (state check), 4.2 (`target_weight`), 4.3 and 4.6.
"""

from __future__ import annotations

from streams.core.books.levels import entry_ticks_of
from streams.core.context import Context
from streams.core.copying.holdings import instrument_of, position_of
from streams.core.copying.pipeline import close_at_quote, decide_opening
from streams.core.copying.signal import Signal, quote_ticks, standing_of
from streams.core.copying.sizing import Wish, wanted_size
from streams.core.copying.status import change_status
from streams.core.events import CopyStatusChanged, FillBooked, PositionResult
from streams.core.limits import COPY_STEPS_PER_TICK_MAX
from streams.core.money import BPS
from streams.core.reasons import Reason
from streams.core.state import Copy, Position, State


def begin(ctx: Context, copy: Copy) -> None:
    """Let a pending copy run, unless the kill switch holds it back."""
    if ctx.state.copy_desk.kill_switch:
        return
    if copy.settings.copy_open_positions == "no":
        change_status(ctx, copy, "ACTIVE", "follower", "started")
    else:
        begin_sync(ctx, copy, "follower", "started")


def begin_sync(ctx: Context, copy: Copy, actor: str, cause: str) -> None:
    """Note what must be looked at and do the first part of it at once."""
    leader = ctx.state.traders[copy.leader]
    back = {held: leaders for leaders, held in copy.mapped.items()}
    own = [back.get(symbol, symbol) for symbol in copy.ledger.positions]
    symbols = list(dict.fromkeys([*leader.ledger.positions, *own]))
    ctx.emit(
        CopyStatusChanged(
            copy.follower, copy.leader, "SYNCING", cause, ctx.time(0), actor, symbols=symbols
        )
    )
    sync_some(ctx, copy, COPY_STEPS_PER_TICK_MAX)


def sync_some(ctx: Context, copy: Copy, budget: int) -> int:
    """Look at symbols until the budget is used up; return how many were looked at."""
    waiting = [symbol for symbol in copy.sync_left if _is_due(ctx.state, copy, symbol)]
    for symbol in waiting[:budget]:
        _sync(ctx, copy, symbol)
    if len(waiting) <= budget:
        change_status(ctx, copy, "ACTIVE", "clock", "synced")
    return min(len(waiting), budget)


def _is_due(state: State, copy: Copy, symbol: str) -> bool:
    """Whether there is anything to open or to close: both sides may have become flat meanwhile."""
    leads = symbol in state.traders[copy.leader].ledger.positions
    return symbol not in copy.detached and (leads or position_of(copy, symbol) is not None)


def sync_signal(state: State, copy: Copy, symbol: str, position: Position, at_us: int) -> Signal:
    """Return the leader's whole position as if it were opened now."""
    leader = state.traders[copy.leader]
    instrument = state.instruments[symbol]
    entry = entry_ticks_of(instrument, position.lots, position.cost_micros)
    gated = copy.settings.copy_open_positions == "only_if_not_worse"
    side = 1 if position.lots > 0 else -1
    quote = quote_ticks(instrument, -side if copy.settings.reverse else side)
    price = max(entry if gated else quote or entry, 1)
    result = PositionResult(position.lots, position.cost_micros, 0, 0, 0, 0)
    fill = FillBooked(
        "", copy.leader, symbol, position.lots, price, 0, 0, "sync", "", "", 0, result, at_us
    )
    standing = standing_of(state, leader.ledger)
    signal = Signal(state, fill, standing, at_us)
    signal.mode = "target_weight"
    signal.slippage_max_bps = copy.settings.open_worse_bps_max if gated else BPS
    return signal


def _sync(ctx: Context, copy: Copy, symbol: str) -> None:
    state = ctx.state
    position = state.traders[copy.leader].ledger.positions.get(symbol)
    held = copy.mapped.get(symbol, symbol)
    if position is None:
        close_at_quote(ctx, copy, held, "resync")
        return
    signal = sync_signal(state, copy, symbol, position, ctx.time(0))
    excess = _excess(ctx, copy, signal)
    if excess:
        close_at_quote(ctx, copy, held, "resync", excess)
    if not excess or position_of(copy, symbol) is None:
        decide_opening(ctx, signal, copy, "sync", Wish(state, signal, copy))


def _excess(ctx: Context, copy: Copy, signal: Signal) -> int:
    """Return how many unsigned lots of the copy's position are too many."""
    held = position_of(copy, signal.fill.symbol)
    instrument = instrument_of(ctx.state, signal, copy)
    if held is None or instrument is None:
        return 0
    wish = Wish(ctx.state, signal, copy)
    wish.begin(copy, instrument)
    if (held.lots > 0) != (wish.side > 0):
        return abs(held.lots)
    wish.price_ticks = quote_ticks(instrument, wish.side) or signal.fill.price_ticks
    size = wanted_size(wish)
    if isinstance(size, Reason) or size[0] >= 0:
        return 0
    return min(-size[0] // size[1], abs(held.lots))
