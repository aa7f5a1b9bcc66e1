"""The dead-man switch of an account: its resting orders end unless it says in time that it lives.

A program that trades arms it with a time, and again and again before that is over. When it falls
silent (killed, cut off, stuck) nobody is left to withdraw its orders, so the first tick after the
time does. The time is the log's, not the market's: it is the sender that is waited for.

Invariants:
    * `state.cancel_after_due` has each time of `state.cancel_after` once, sorted.
    * A switch that was met is off: it says nothing about orders placed afterwards.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from streams.core.commands import CancelAfter
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import CancelAfterMet, CancelAfterSet, OrderCancelled
from streams.core.limits import CANCEL_AFTER_MS_MAX, CANCEL_AFTER_MS_MIN, EXITS_PER_COMMAND_MAX
from streams.core.reasons import Reason
from streams.core.state import State


ORDER_REASON = "CANCEL_AFTER"
"""Why an order says that it ended."""


def decide_cancel_after(ctx: Context, command: CancelAfter) -> Decision:
    """Arm the switch of the principal, set it later, or turn it off with 0.

    Checks in order: UNKNOWN_TRADER, LIMIT_REACHED.
    """
    trader = ctx.state.traders.get(ctx.principal)
    if trader is None:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {ctx.principal}")
    ms = command.ms
    if ms and not CANCEL_AFTER_MS_MIN <= ms <= CANCEL_AFTER_MS_MAX:
        span = f"{CANCEL_AFTER_MS_MIN} to {CANCEL_AFTER_MS_MAX}"
        return Refusal(Reason.LIMIT_REACHED, f"expected 0 or {span} ms, was {ms}", "ms")
    if ms or trader.trader in ctx.state.cancel_after:
        due_us = ctx.at_us + ms * 1_000 if ms else 0
        ctx.emit(CancelAfterSet(trader.trader, due_us, ctx.time(0)))
    return trader.trader


def cancel_due(ctx: Context) -> None:
    """Cancel the orders of whoever fell silent, at most `EXITS_PER_COMMAND_MAX` at once."""
    state, at_us = ctx.state, ctx.time(0)
    left = EXITS_PER_COMMAND_MAX
    while left > 0 and state.cancel_after_due and state.cancel_after_due[0][0] <= ctx.at_us:
        trader = state.cancel_after_due[0][1]
        orders = list(state.traders[trader].orders)
        for order in orders[:left]:
            symbol = state.orders[order].symbol
            ctx.emit(OrderCancelled(order, trader, symbol, ORDER_REASON, at_us))
        if len(orders) > left:  # the next tick goes on: the switch stays
            return
        left -= max(len(orders), 1)
        ctx.emit(CancelAfterMet(trader, at_us))


def evolve_cancel_after_set(state: State, event: CancelAfterSet) -> None:
    """Take the new time in place of the old one."""
    _forget(state, event.trader)
    if event.due_us:
        state.cancel_after[event.trader] = event.due_us
        insort(state.cancel_after_due, (event.due_us, event.trader))


def evolve_cancel_after_met(state: State, event: CancelAfterMet) -> None:
    """Turn the switch off."""
    _forget(state, event.trader)


def _forget(state: State, trader: str) -> None:
    due_us = state.cancel_after.pop(trader, 0)
    if due_us:
        due = state.cancel_after_due
        del due[bisect_left(due, (due_us, trader))]


DECIDERS: Deciders = {CancelAfter: decide_cancel_after}
EVOLVERS: Evolvers = {
    CancelAfterSet: evolve_cancel_after_set,
    CancelAfterMet: evolve_cancel_after_met,
}
