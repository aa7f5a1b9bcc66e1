"""What a decision on a copy changes: counts, the ring fence, what was waiting for it."""

from __future__ import annotations

from streams.core.context import Evolvers
from streams.core.copying.delays import DELAYED, forget_waiting
from streams.core.copying.statistics import count_decision
from streams.core.events import CopyDecided
from streams.core.execution.exit_levels import set_levels
from streams.core.market_clock import DAY_US
from streams.core.positions import evolve_ledger_fill
from streams.core.reasons import Reason
from streams.core.state import Copy, State


OPENING_LEGS = ("open", "sync", "mirror", "place", DELAYED)

FAILURES = (Reason.INSUFFICIENT_FUNDS.value, Reason.INSUFFICIENT_MARGIN.value)
"""Codes of an opening that count as a failure in a row."""


def evolve_copy_decided(state: State, event: CopyDecided) -> None:
    """Count the decision; when executed, change the ring fence."""
    copy = state.copies[event.leader][event.follower]
    if copy.waiting:
        forget_waiting(state, copy, event.signal_seq)
    codes = copy.codes
    codes[event.code] = codes.get(event.code, 0) + 1
    totals = state.totals
    result = event.result
    count_decision(copy, event, state.instruments[event.symbol])
    if result is None:
        copy.skipped += 1
        totals.copies_skipped += 1
    else:
        copy.executed += 1
        totals.copies_executed += 1
        evolve_ledger_fill(state, copy.ledger, event.symbol, result, event.fee_micros, event.at_us)
    if event.stop_ticks or event.take_ticks:
        opened = copy.ledger.positions[event.symbol]
        stop, take = event.stop_ticks or opened.stop_ticks, event.take_ticks or opened.take_ticks
        set_levels(state, event.symbol, opened, (copy.leader, copy.follower), stop, take)
    if event.leg in OPENING_LEGS:
        _evolve_opening(copy, event)
    else:
        _evolve_closing(state, copy, event)


def _evolve_opening(copy: Copy, event: CopyDecided) -> None:
    if copy.sync_left and event.leg in ("open", "sync"):
        copy.sync_left.pop(event.leader_symbol, None)
    if copy.detached and event.code != Reason.DETACHED_BY_FOLLOWER.value:
        copy.detached.pop(event.leader_symbol, None)
    if event.result is None:
        if event.code in FAILURES:
            copy.failures += 1
        return
    copy.failures = 0
    position = copy.ledger.positions.get(event.symbol)
    if position is not None:  # after a change of direction an opening may have closed it
        position.entries += 1
    if event.leader_symbol != event.symbol:
        copy.mapped[event.leader_symbol] = event.symbol
    day = event.at_us // DAY_US
    if copy.trades_day == day:
        copy.trades_today += 1
    else:
        copy.trades_day, copy.trades_today = day, 1


def _evolve_closing(state: State, copy: Copy, event: CopyDecided) -> None:
    position = copy.ledger.positions.get(event.symbol)
    if position is not None:
        if event.leg == "close":
            position.close_carry_ppb = event.carry_ppb
    elif copy.mapped:
        copy.mapped = {name: held for name, held in copy.mapped.items() if held != event.symbol}
    if copy.sync_left:
        copy.sync_left.pop(event.leader_symbol, None)
    if event.leg == "manual":
        if event.leader_symbol in state.traders[event.leader].ledger.positions:
            copy.detached[event.leader_symbol] = None
    elif event.leg_ended and copy.detached:
        copy.detached.pop(event.leader_symbol, None)


EVOLVERS: Evolvers = {CopyDecided: evolve_copy_decided}
