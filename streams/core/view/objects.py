"""Objects of the state as clients see them: JSON-able, with names as in api.md.

What only its owner may see (drafts, orders, accounts, copies) is rendered all the same: access is
the edge's to check.
"""

from __future__ import annotations

from typing import Any

from streams.core.copying.losses import figure, level_micros
from streams.core.market_clock import day_of
from streams.core.money import BPS, PPM
from streams.core.performance.equity import ledger_equity, position_profit
from streams.core.state import (
    Copy,
    CopyOrder,
    CopyScope,
    Instrument,
    Ledger,
    Order,
    Position,
    State,
    Trader,
    WaitingOpening,
)
from streams.core.view.copy_accounts import fees_view
from streams.core.view.settings import own_settings, settings_view
from streams.core.view.values import (
    entry_price,
    format_time,
    format_time_or_none,
    money,
    price_or_none,
    side_of,
    steps,
)


Data = dict[str, Any]


def instrument_view(instrument: Instrument) -> Data:
    """Return an instrument with its newest quote (null = none yet)."""
    tick = instrument.tick
    return {
        "symbol": instrument.symbol,
        "name": instrument.name,
        "venue": instrument.venue,
        "asset_class": instrument.asset_class,
        "tick_size": tick.text(),
        "lot_size": instrument.lot.text(),
        "fee_rate": instrument.fee_ppm / PPM,
        "bid": price_or_none(instrument.bid_ticks, tick),
        "ask": price_or_none(instrument.ask_ticks, tick),
        "last": _last_price(instrument),
        "marked_at": format_time_or_none(instrument.marked_at_us),
        "settled": instrument.settled,
    }


def mark_row(instrument: Instrument) -> list[str | None]:
    """Return `[symbol, bid, ask, last]`; a price that is not known is null."""
    tick = instrument.tick
    return [
        instrument.symbol,
        price_or_none(instrument.bid_ticks, tick),
        price_or_none(instrument.ask_ticks, tick),
        _last_price(instrument),
    ]


def _last_price(instrument: Instrument) -> str | None:
    """Return the last price; a settlement at 0 is a price, not a missing one."""
    if instrument.settled:
        return steps(instrument.last_ticks, instrument.tick)
    return price_or_none(instrument.last_ticks, instrument.tick)


def order_view(state: State, order: Order) -> Data:
    """Return an order: resting, or ended; `average_price` is of what is filled."""
    instrument = state.instruments[order.symbol]
    tick, filled = instrument.tick, order.filled_lots
    return {
        "order": order.order,
        "trader": order.trader,
        "symbol": order.symbol,
        "side": order.side,
        "type": "limit" if order.limit_ticks else "market",
        "quantity": steps(order.lots, instrument.lot),
        "filled_quantity": steps(filled, instrument.lot),
        "average_price": entry_price(instrument, filled, order.filled_micros),
        "limit_price": price_or_none(order.limit_ticks, tick),
        "stop_loss": price_or_none(order.stop_ticks, tick),
        "take_profit": price_or_none(order.take_ticks, tick),
        "status": order.status,
        "reason": order.reason or None,
        "client_order_id": order.client_order_id or None,
        "idea_id": order.idea or None,
        "placed_at": format_time(order.placed_at_us),
        "expires_at": format_time_or_none(order.expires_at_us),
        "ended_at": format_time_or_none(order.ended_at_us),
    }


def position_view(state: State, symbol: str, position: Position | None) -> Data:
    """Return a position at the present mark, side `flat` for None.

    `realised_pnl` is what the present round trip has realised so far, net of fees.
    """
    instrument = state.instruments[symbol]
    mark = price_or_none(instrument.mark_ticks, instrument.tick)
    if position is None or position.lots == 0:
        return {
            "symbol": symbol,
            "side": "flat",
            "quantity": "0",
            "entry_price": None,
            "mark_price": mark,
            "unrealised_pnl": "0",
            "realised_pnl": "0",
            "opened_at": None,
            "stop_loss": None,
            "take_profit": None,
        }
    return {
        "symbol": symbol,
        "side": "long" if position.lots > 0 else "short",
        "quantity": steps(abs(position.lots), instrument.lot),
        "entry_price": entry_price(instrument, position.lots, position.cost_micros),
        "mark_price": mark,
        "unrealised_pnl": money(position_profit(instrument, position)),
        "realised_pnl": money(position.trip_micros),
        "opened_at": format_time(position.opened_at_us),
        "stop_loss": price_or_none(position.stop_ticks, instrument.tick),
        "take_profit": price_or_none(position.take_ticks, instrument.tick),
    }


def ledger_view(state: State, ledger: Ledger) -> Data:
    """Return cash, equity and positions of an account or a ring fence."""
    equity = ledger_equity(state, ledger)
    return {
        "cash": money(ledger.cash_micros),
        "equity": money(equity),
        "unrealised_pnl": money(equity - ledger.cash_micros),
        "realised_pnl": money(ledger.realised_micros),
        "fees": money(ledger.fees_micros),
        "positions": [
            position_view(state, symbol, position) for symbol, position in ledger.positions.items()
        ],
    }


def account_view(state: State, trader: Trader) -> Data:
    """Return a trader's own account with its resting orders."""
    return {
        "trader": trader.trader,
        **ledger_view(state, trader.ledger),
        "orders": [order_view(state, state.orders[order]) for order in trader.orders],
        "cancel_at": format_time_or_none(state.cancel_after.get(trader.trader, 0)),
    }


def scope_view(kind: str, scope: CopyScope | None) -> Data:
    """Return what a scope (`platform`, `leader`, `portfolio`) has set, as clients write it."""
    if scope is None:
        return {"scope": kind, "version": 0, "settings": {}}
    shown = settings_view(scope.settings)
    return {
        "scope": kind,
        "version": scope.version,
        "settings": {name: shown[name] for name in own_settings(scope.fields)},
    }


def copy_order_view(state: State, own: CopyOrder) -> Data:
    """Return what rests of a copy's own limit order."""
    instrument = state.instruments[own.symbol]
    return {
        "client_order_id": own.client_order_id,
        "leader_order": own.order,
        "leg": own.leg,
        "symbol": own.symbol,
        "side": side_of(own.side),
        "quantity": steps(own.lots, instrument.lot),
        "filled_quantity": steps(own.filled_lots, instrument.lot),
        "limit_price": steps(own.limit_ticks, instrument.tick),
        "placed_at": format_time(own.placed_at_us),
    }


def waiting_view(state: State, waiting: WaitingOpening) -> Data:
    """Return an opening whose delay is not over: what the leader opened, and when it is decided."""
    instrument = state.instruments[waiting.symbol]
    return {
        "signal_seq": waiting.signal_seq,
        "symbol": waiting.symbol,
        "side": side_of(waiting.lots),
        "leader_quantity": steps(abs(waiting.opened_lots), instrument.lot),
        "leader_price": steps(waiting.price_ticks, instrument.tick),
        "due_at": format_time(waiting.due_us),
    }


def copy_view(state: State, copy: Copy) -> Data:
    """Return a copy relationship with its settings, limits, counts and ring fence.

    `stop_level` is the equity at which a stop closes everything: the higher of both stops.
    """
    figures, settings = state.copy_desk.figures, copy.settings
    peak = figure(figures.peaks, copy.row)
    stop_level = level_micros(copy.stop_base_micros, settings.copy_stop_bps)
    if settings.trailing_stop_bps:
        stop_level = max(stop_level, level_micros(peak, settings.trailing_stop_bps))
    blocked = copy.blocked_code and copy.blocked_day == day_of(state.market_at_us)
    return {
        "leader": copy.leader,
        "follower": copy.follower,
        "status": copy.status,
        "settings_version": copy.version,
        "settings": settings_view(settings),
        "own": own_settings(copy.own_fields),
        "started_at": format_time_or_none(copy.started_at_us),
        "executed": copy.executed,
        "skipped": copy.skipped,
        "codes": dict(copy.codes),
        "stop_level": money(stop_level),
        "peak_equity": money(peak),
        "blocked_today": copy.blocked_code if blocked else None,
        "cooldown_until": format_time_or_none(copy.cooldown_until_us),
        "deviation": None if copy.drift_bps < 0 else copy.drift_bps / BPS,
        "detached": list(copy.detached),
        "orders": [copy_order_view(state, own) for own in copy.orders.values() if own.left_lots],
        "waiting": [waiting_view(state, each) for each in copy.waiting.values()],
        "account": ledger_view(state, copy.ledger),
        "fees": fees_view(copy),
    }
