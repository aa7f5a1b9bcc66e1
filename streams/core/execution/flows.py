"""Cash that comes into a paper account from outside, or leaves it: never profit or loss."""

from __future__ import annotations

from streams.core.commands import MoveCash
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.signal import equity_and_exposure
from streams.core.copying.top_ups import note_top_up
from streams.core.events import CashMoved
from streams.core.limits import CASH_MICROS_MAX, CASH_MOVE_MICROS_MAX, LEVERAGE_MAX
from streams.core.money import divide_up, format_money
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import record_flow
from streams.core.reasons import Reason
from streams.core.state import State, Trader


def decide_move_cash(ctx: Context, command: MoveCash) -> Decision:
    """Pay in or out; what is paid out must be cash that no open position leans on.

    Checks in order: UNKNOWN_TRADER, INVALID_QUANTITY, LIMIT_REACHED, INSUFFICIENT_FUNDS.
    """
    state = ctx.state
    trader = state.traders.get(ctx.principal)
    if trader is None:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {ctx.principal}")
    amount = command.amount_micros
    if amount == 0:
        return Refusal(Reason.INVALID_QUANTITY, "expected an amount above 0, was 0", "amount")
    after = trader.ledger.cash_micros + amount
    if abs(amount) > CASH_MOVE_MICROS_MAX or abs(after) > CASH_MICROS_MAX:
        most = format_money(CASH_MOVE_MICROS_MAX)
        return Refusal(Reason.LIMIT_REACHED, f"expected an amount of at most {most}", "amount")
    if amount < 0:
        free = free_micros(state, trader)
        if -amount > free:
            return Refusal(
                Reason.INSUFFICIENT_FUNDS,
                f"expected at most {format_money(free)}, was {format_money(-amount)}",
                "amount",
            )
    equity = ledger_equity(state, trader.ledger)
    ctx.emit(CashMoved(trader.trader, amount, equity, ctx.time(0)))
    return ""


def free_micros(state: State, trader: Trader) -> int:
    """Return what may leave an account: cash, less what its exposure asks of its equity."""
    ledger = trader.ledger
    asked = divide_up(equity_and_exposure(state, ledger)[1], LEVERAGE_MAX)
    return max(min(ledger.cash_micros, ledger_equity(state, ledger) - asked), 0)


def evolve_cash_moved(state: State, event: CashMoved) -> None:
    """Change the cash and chain the curve over the flow."""
    trader = state.traders[event.trader]
    before = event.equity_before_micros
    note_top_up(state, event, before - trader.ledger.cash_micros)
    trader.ledger.cash_micros += event.amount_micros
    record_flow(trader.track, before, before + event.amount_micros)


DECIDERS: Deciders = {MoveCash: decide_move_cash}
EVOLVERS: Evolvers = {CashMoved: evolve_cash_moved}
