"""Liquidation: an account that has too little left closes, before it loses what it has not.

The margin rule: an account of the paper venue must keep equity of `MAINTENANCE_PPM` of what its
open positions cost (the sum of their entry values). Each second the accounts below it are found
by the arrays of `valuation` and asked exactly; then their resting orders are cancelled and their
positions closed at the quotes. What a gap has taken beyond the cash stays a debt of the account.

A recorded trader's margin is its own venue's to judge: it is never liquidated here. A copy's ring
fence has a copy stop instead. Who copies a liquidated leader follows closings only from then on.
"""

from __future__ import annotations

from streams.core.context import Context, Evolvers
from streams.core.copying.suspension import suspend_leader
from streams.core.events import AccountLiquidated, OrderCancelled
from streams.core.execution.exits import close_own_position
from streams.core.limits import EXITS_PER_COMMAND_MAX, MAINTENANCE_PPM
from streams.core.money import PPM
from streams.core.performance.equity import ledger_equity
from streams.core.state import State, Trader


def liquidate(ctx: Context) -> None:
    """Close the accounts that are below their maintenance margin, as many as one command may."""
    state, valuation = ctx.state, ctx.valuation
    left = EXITS_PER_COMMAND_MAX
    for row in valuation.below_margin():
        if left <= 0:
            return
        left -= _liquidate(ctx, state.traders[valuation.traders[row]], left)


def margin_micros(trader: Trader) -> int:
    """Return the equity that the open positions of an account ask for."""
    held = sum(abs(position.cost_micros) for position in trader.ledger.positions.values())
    return held * MAINTENANCE_PPM // PPM


def _quoted(state: State, trader: Trader) -> list[str]:
    instruments = state.instruments
    return [symbol for symbol in trader.ledger.positions if instruments[symbol].quoted]


def _liquidate(ctx: Context, trader: Trader, most: int) -> int:
    """Close an account if it is below its margin; return how many positions it closed."""
    equity, margin = ledger_equity(ctx.state, trader.ledger), margin_micros(trader)
    symbols = _quoted(ctx.state, trader)[:most]
    if equity >= margin or not symbols:
        return 0
    at_us = ctx.time(0)
    ctx.emit(AccountLiquidated(trader.trader, equity, margin, at_us))
    if trader.trader in ctx.state.copies:
        suspend_leader(ctx, trader.trader, "liquidated", at_us)
    for order_id in list(trader.orders):
        symbol = ctx.state.orders[order_id].symbol
        ctx.emit(OrderCancelled(order_id, trader.trader, symbol, "LIQUIDATED", at_us))
    for symbol in symbols:
        close_own_position(ctx, trader.trader, symbol, "liquidation", at_us)
    return len(symbols)


def evolve_account_liquidated(state: State, event: AccountLiquidated) -> None:
    """Change nothing: the fills that follow do. The event says why they happen."""
    del state, event


EVOLVERS: Evolvers = {AccountLiquidated: evolve_account_liquidated}
