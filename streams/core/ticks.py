"""Ticks: how time passes in a core that has no clock.

Any node may append ticks; the number makes repeats harmless. Boards are ranked and sentiment is
refreshed on the first tick of each second, and conflatable channels are cut on ticks (kernel).
"""

from __future__ import annotations

from streams.core.commands import Tick
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.day_close import close_due_copies
from streams.core.copying.seeds import reveal_seed
from streams.core.copying.upkeep import look_after_copies
from streams.core.events import DigestTaken, Ticked
from streams.core.execution.dead_man import cancel_due
from streams.core.execution.exits import end_at_levels
from streams.core.execution.liquidation import liquidate
from streams.core.fills import book_held_fills
from streams.core.ideas.attention import tell_counters
from streams.core.ideas.resolution import expire_due, take_up_touches
from streams.core.ideas.steps import forget_touches
from streams.core.integrity.review import review_conduct
from streams.core.leaderboard.seasons import advance_seasons
from streams.core.market_clock import TICKS_PER_SECOND, advance_market
from streams.core.network.winding import wind_down
from streams.core.orders import expire_orders
from streams.core.reasons import Reason
from streams.core.sentiment import measure
from streams.core.state import State


TICKS_PER_DIGEST = 50
"""Ticks between two digests on the `system` channel: five seconds."""


def decide_tick(ctx: Context, command: Tick) -> Decision:
    """Let time pass, unless another node's tick of this number already did."""
    state = ctx.state
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services append ticks")
    if command.number <= state.tick_number:
        return Refusal(Reason.DUPLICATE_TICK, f"expected a number above {state.tick_number}")
    at_us = ctx.time(0)
    advance_market(ctx, at_us)
    wind_down(ctx)
    take_up_touches(ctx)
    expire_due(ctx, at_us)
    review_conduct(ctx)
    advance_seasons(ctx)
    second = command.number // TICKS_PER_SECOND > state.tick_number // TICKS_PER_SECOND
    close_due_copies(ctx)
    if state.reveal_day:
        reveal_seed(ctx)
    expire_orders(ctx, max(at_us, state.market_at_us))
    if state.cancel_after_due:
        cancel_due(ctx)
    if second:
        end_at_levels(ctx, list(state.exit_levels))
        liquidate(ctx)
        tell_counters(ctx, at_us)
    if command.number // TICKS_PER_DIGEST > state.tick_number // TICKS_PER_DIGEST:
        ctx.emit(DigestTaken(state.chain_entry, state.chain.hex(), at_us))
    if state.sentiment_unmeasured:
        measure(ctx, max(at_us, state.market_at_us))
    ctx.emit(Ticked(command.number, second, max(at_us, state.market_at_us)))
    look_after_copies(ctx, second=second)
    if second and state.copy_desk.held:
        for trader in list(state.copy_desk.held):
            book_held_fills(ctx, trader)
    return ""


def evolve_digest_taken(state: State, event: DigestTaken) -> None:
    """Change nothing: the digest is of what was there before."""
    del state, event


def evolve_ticked(state: State, event: Ticked) -> None:
    """Move the tick number and, in a live market, the market clock."""
    if state.idea_touches:
        forget_touches(state)
    state.tick_number = event.number
    state.market_at_us = event.at_us


DECIDERS: Deciders = {Tick: decide_tick}
EVOLVERS: Evolvers = {Ticked: evolve_ticked, DigestTaken: evolve_digest_taken}
