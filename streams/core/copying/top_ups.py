"""Telling the copiers of a leader who pays in while it holds positions.

Margin that a leader adds keeps its positions alive and changes nothing in a ring fence: followers
may meet their stops while the leader survives. So they are told, a bounded number on each tick, and
at most once in `TOP_UP_NOTICE_AGE_US_MIN`; what is paid in meanwhile is added to the next notice.
Source: domain.md, section 4.5 (`tops up margin`).
"""

from __future__ import annotations

from streams.core.context import Context, Evolvers
from streams.core.events import CashMoved, LeaderToppedUp
from streams.core.limits import TOP_UP_NOTICE_AGE_US_MIN, TOP_UPS_TOLD_PER_TICK_MAX
from streams.core.state import State, TopUp


def note_top_up(state: State, event: CashMoved, open_profit_micros: int) -> None:
    """Remember a payment into a copied account with open positions. Called by `evolve_*` only.

    Args:
        state: after the payment.
        event: the payment.
        open_profit_micros: of the leader's open positions then.
    """
    leader, desk = event.trader, state.copy_desk
    if event.amount_micros <= 0 or not state.copies.get(leader):
        return
    if not state.traders[leader].ledger.positions:
        return
    added, before = event.amount_micros, desk.top_ups.get(leader)
    if before is not None:
        if before.reached >= 0 or event.at_us - before.at_us < TOP_UP_NOTICE_AGE_US_MIN:
            before.more_micros += added
            return
        added += before.more_micros
    desk.top_ups[leader] = TopUp(added, event.equity_before_micros, open_profit_micros, event.at_us)
    desk.untold[leader] = None


def tell_top_ups(ctx: Context) -> None:
    """Tell the next copiers of the first leader that is waiting."""
    desk = ctx.state.copy_desk
    leader = next(iter(desk.untold))
    known = desk.top_ups[leader]
    ctx.emit(
        LeaderToppedUp(
            leader,
            known.reached,
            TOP_UPS_TOLD_PER_TICK_MAX,
            known.added_micros,
            known.equity_micros,
            known.open_profit_micros,
            known.at_us,
        )
    )


def evolve_leader_topped_up(state: State, event: LeaderToppedUp) -> None:
    """Go on from there, or be done."""
    known = state.copy_desk.top_ups[event.leader]
    known.reached += event.count
    if known.reached >= len(state.copies[event.leader]):
        known.reached = -1
        del state.copy_desk.untold[event.leader]


EVOLVERS: Evolvers = {LeaderToppedUp: evolve_leader_topped_up}
