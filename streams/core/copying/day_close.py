"""The close of a copy's day: fees are charged and the day's returns compared, a few at a time.

Closing a UTC day puts every running copy into a queue (`state.copies_due`); each tick takes at
most `COPIES_CLOSED_PER_TICK_MAX` from it, so that no day close holds up the loop. A copy that is
stopped meanwhile is charged by its stop.

Source: domain.md, sections 4.8 and 4.9; reliability: nothing above 5 ms in one entry.
"""

from __future__ import annotations

from streams.core.context import Context, Evolvers
from streams.core.copying.charging import charge_copy
from streams.core.copying.fees import period_of
from streams.core.copying.statistics import observe_day
from streams.core.events import CopiesValued, CopyValue
from streams.core.limits import COPIES_CLOSED_PER_TICK_MAX
from streams.core.market_clock import day_of
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import unit_ppb
from streams.core.state import State


def queue_copies(state: State, day: int) -> None:
    """Queue every running copy for the close of a day; called by `evolve_day_closed`."""
    state.closed_day = day
    due = state.copies_due
    for leader, copies in state.copies.items():
        running = {name: None for name, copy in copies.items() if copy.status != "STOPPED"}
        if running:
            due[leader] = running


def close_due_copies(ctx: Context) -> None:
    """Close the day of the copies that are next in the queue."""
    state = ctx.state
    left = COPIES_CLOSED_PER_TICK_MAX
    while state.copies_due and left > 0:
        leader = next(iter(state.copies_due))
        names = list(state.copies_due[leader])[:left]
        left -= len(names)
        _close(ctx, leader, names)


def _close(ctx: Context, leader_id: str, names: list[str]) -> None:
    state = ctx.state
    copies = state.copies[leader_id]
    # days without a market are not closed one by one, but they are charged for
    day = max(state.closed_day + 1, day_of(ctx.time(0)))
    values = []
    for name in names:
        copy = copies[name]
        if copy.status != "STOPPED":
            period = copy.fee_terms.period
            ended = period_of(copy.fees.charged_day, period) != period_of(day, period)
            if ended or copy.fee_terms.management_ppm:
                charge_copy(ctx, copy, "period" if ended else "day", day)
        values.append(CopyValue(name, ledger_equity(state, copy.ledger)))
    leader = state.traders[leader_id]
    unit = unit_ppb(leader.track, ledger_equity(state, leader.ledger))
    ctx.emit(CopiesValued(leader_id, state.closed_day, unit, values, ctx.time(0)))


def evolve_copies_valued(state: State, event: CopiesValued) -> None:
    """Compare each copy's day with its leader's and take it from the queue."""
    copies, due = state.copies[event.leader], state.copies_due[event.leader]
    for value in event.values:
        del due[value.follower]
        copy = copies[value.follower]
        if copy.status != "STOPPED":
            observe_day(copy, value.equity_micros, event.leader_unit_ppb)
    if not due:
        del state.copies_due[event.leader]


EVOLVERS: Evolvers = {CopiesValued: evolve_copies_valued}
