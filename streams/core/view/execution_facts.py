"""Events of the paper venue as clients see them: see `facts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.events import (
    AccountLiquidated,
    CancelAfterMet,
    CancelAfterSet,
    CashMoved,
    Event,
    ExitLevelsSet,
    OrderCancelled,
    OrderEdited,
    OrderPlaced,
)
from streams.core.state import State
from streams.core.view.values import (
    format_time,
    format_time_or_none,
    money,
    price_or_none,
    steps,
)


Data = dict[str, Any]


def _order_placed(state: State, event: OrderPlaced) -> Data:
    instrument = state.instruments[event.symbol]
    tick = instrument.tick
    return {
        "type": "order_placed",
        "order": event.order,
        "trader": event.trader,
        "symbol": event.symbol,
        "side": event.side,
        "quantity": steps(event.lots, instrument.lot),
        "limit_price": steps(event.limit_ticks, tick),
        "stop_loss": price_or_none(event.stop_ticks, tick),
        "take_profit": price_or_none(event.take_ticks, tick),
        "idea": event.idea or None,
        "placed_at": format_time(event.at_us),
        "expires_at": format_time_or_none(event.expires_at_us),
    }


def _order_edited(state: State, event: OrderEdited) -> Data:
    instrument = state.instruments[event.symbol]
    tick = instrument.tick
    return {
        "type": "order_edited",
        "order": event.order,
        "trader": event.trader,
        "symbol": event.symbol,
        "quantity": steps(event.lots, instrument.lot),
        "limit_price": steps(event.limit_ticks, tick),
        "stop_loss": price_or_none(event.stop_ticks, tick),
        "take_profit": price_or_none(event.take_ticks, tick),
        "edited_at": format_time(event.at_us),
    }


def _order_cancelled(_: State, event: OrderCancelled) -> Data:
    return {
        "type": "order_cancelled",
        "order": event.order,
        "trader": event.trader,
        "symbol": event.symbol,
        "reason": event.reason,
        "cancelled_at": format_time(event.at_us),
    }


def _exit_levels_set(state: State, event: ExitLevelsSet) -> Data:
    tick = state.instruments[event.symbol].tick
    return {
        "type": "exit_levels_set",
        "trader": event.trader,
        "leader": event.leader or None,
        "symbol": event.symbol,
        "stop_loss": price_or_none(event.stop_ticks, tick),
        "take_profit": price_or_none(event.take_ticks, tick),
        "at": format_time(event.at_us),
    }


def _cancel_after_set(_: State, event: CancelAfterSet) -> Data:
    return {
        "type": "cancel_after_set",
        "trader": event.trader,
        "cancel_at": format_time_or_none(event.due_us),
        "at": format_time(event.at_us),
    }


def _cancel_after_met(_: State, event: CancelAfterMet) -> Data:
    return {"type": "cancel_after_met", "trader": event.trader, "at": format_time(event.at_us)}


def _cash_moved(_: State, event: CashMoved) -> Data:
    return {
        "type": "cash_moved",
        "trader": event.trader,
        "amount": money(event.amount_micros),
        "equity_before": money(event.equity_before_micros),
        "at": format_time(event.at_us),
    }


def _account_liquidated(_: State, event: AccountLiquidated) -> Data:
    return {
        "type": "account_liquidated",
        "trader": event.trader,
        "equity": money(event.equity_micros),
        "margin": money(event.margin_micros),
        "at": format_time(event.at_us),
    }


RENDERERS: dict[type[Event], Callable[[State, Any], Data]] = {
    OrderPlaced: _order_placed,
    OrderEdited: _order_edited,
    OrderCancelled: _order_cancelled,
    ExitLevelsSet: _exit_levels_set,
    CancelAfterSet: _cancel_after_set,
    CancelAfterMet: _cancel_after_met,
    CashMoved: _cash_moved,
    AccountLiquidated: _account_liquidated,
}
