"""Events of copying as clients see them; see `facts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.events import (
    CopyDecided,
    CopyDelayed,
    CopyLimitReached,
    CopyOrderEnded,
    CopyOrderFilled,
    CopyOrderPlaced,
    CopyScopeSet,
    CopySet,
    CopyStatusChanged,
    CopyStopped,
    Event,
    FillHeld,
    KillSwitchSet,
    LeaderReinstated,
    LeaderSuspended,
    LeaderToppedUp,
)
from streams.core.money import BPS
from streams.core.reasons import Reason
from streams.core.state import CopyScope, State
from streams.core.view.gates import gate_of
from streams.core.view.objects import scope_view, waiting_view
from streams.core.view.settings import own_settings, settings_view
from streams.core.view.values import (
    format_time,
    format_time_or_none,
    money,
    scaled,
    side_of,
    steps,
)


Data = dict[str, Any]


def _copy_set(_: State, event: CopySet) -> Data:
    return {
        "type": "copy_set",
        "leader": event.leader,
        "follower": event.follower,
        "settings_version": event.version,
        "settings": settings_view(event.settings),
        "own": own_settings(event.fields),
        "cause": event.cause,
        "moved": money(event.moved_micros),
        "at": format_time(event.at_us),
    }


def _copy_status_changed(_: State, event: CopyStatusChanged) -> Data:
    return {
        "type": "copy_status_changed",
        "leader": event.leader,
        "follower": event.follower,
        "status": event.status,
        "actor": event.actor,
        "cause": event.cause,
        "until": format_time_or_none(event.until_us),
        "on_stop": event.on_stop or None,
        "at": format_time(event.at_us),
    }


def _copy_stopped(_: State, event: CopyStopped) -> Data:
    return {
        "type": "copy_stopped",
        "leader": event.leader,
        "follower": event.follower,
        "on_stop": event.on_stop,
        "moved": money(event.moved_micros),
        "kept": event.kept,
        "at": format_time(event.at_us),
    }


def _copy_decided(state: State, event: CopyDecided) -> Data:
    """Render one decision. Hot: a thousand follow one fill, so helpers are inlined."""
    instrument = state.instruments[event.symbol]
    tick, tick_places = instrument.tick
    lot, lot_places = instrument.lot
    lots, wanted, result = event.lots, event.wanted_lots, event.result
    leaders = instrument
    if event.leader_symbol != event.symbol:
        leaders = state.instruments[event.leader_symbol]
    return {
        "type": "copy_decided",
        "signal_seq": event.signal_seq or None,
        "leader": event.leader,
        "follower": event.follower,
        "leg": event.leg,
        "symbol": event.symbol,
        "leader_symbol": event.leader_symbol,
        "side": side_of(lots or wanted),
        "gate": gate_of(event.code),
        "code": event.code,
        "clamps": event.clamps,
        "quantity": scaled(abs(lots) * lot, lot_places),
        "price": scaled(event.price_ticks * tick, tick_places) if result else None,
        "fee": scaled(event.fee_micros, 6),
        "slippage_bps": event.slippage_bps,
        "realised_pnl": scaled(result.realised_micros, 6) if result else "0",
        "inputs": {
            "leader_equity": scaled(event.leader_equity_micros, 6),
            "follower_equity": scaled(event.follower_equity_micros, 6),
            "leader_quantity": steps(event.leader_lots, leaders.lot),
            "leader_price": steps(event.leader_price_ticks, leaders.tick),
            "sized_quantity": scaled(event.sized_millilots * lot, lot_places + 3),
            "wanted_quantity": scaled(wanted * lot, lot_places),
            "bid": scaled(event.bid_ticks * tick, tick_places) if event.bid_ticks else None,
            "ask": scaled(event.ask_ticks * tick, tick_places) if event.ask_ticks else None,
            "settings_version": event.version,
        },
        "signaled_at": format_time(event.at_us),
        "decided_at": format_time(event.decided_at_us),
    }


def _copy_limit_reached(_: State, event: CopyLimitReached) -> Data:
    """Render a notice; drift is a deviation of weights, anything else an equity."""
    drift = event.code == Reason.DRIFT.value
    return {
        "type": "copy_limit_reached",
        "leader": event.leader,
        "follower": event.follower,
        "code": event.code,
        "equity": None if drift else money(event.value),
        "deviation": event.value / BPS if drift else None,
        "level": event.level_bps / BPS if event.level_bps else None,
        "remedy": "resync" if drift else None,
        "at": format_time(event.at_us),
    }


def _copy_delayed(state: State, event: CopyDelayed) -> Data:
    return {
        "type": "copy_delayed",
        "leader": event.leader,
        "follower": event.follower,
        **waiting_view(state, event.waiting),
        "at": format_time(event.at_us),
    }


def _copy_order_placed(state: State, event: CopyOrderPlaced) -> Data:
    instrument = state.instruments[event.symbol]
    return {
        "type": "copy_order_placed",
        "leader": event.leader,
        "follower": event.follower,
        "client_order_id": event.client_order_id,
        "leader_order": event.order,
        "leg": event.leg,
        "symbol": event.symbol,
        "side": side_of(event.side),
        "quantity": steps(event.lots, instrument.lot),
        "limit_price": steps(event.limit_ticks, instrument.tick),
        "settings_version": event.version,
        "at": format_time(event.at_us),
    }


def _copy_order_filled(state: State, event: CopyOrderFilled) -> Data:
    instrument = state.instruments[event.symbol]
    return {
        "type": "copy_order_filled",
        "leader": event.leader,
        "follower": event.follower,
        "client_order_id": event.client_order_id,
        "leader_order": event.order,
        "symbol": event.symbol,
        "quantity": steps(event.lots, instrument.lot),
        "price": steps(event.price_ticks, instrument.tick),
        "at": format_time(event.at_us),
    }


def _copy_order_ended(state: State, event: CopyOrderEnded) -> Data:
    return {
        "type": "copy_order_ended",
        "leader": event.leader,
        "follower": event.follower,
        "client_order_id": event.client_order_id,
        "leader_order": event.order,
        "symbol": event.symbol,
        "code": event.code,
        "cancelled_quantity": steps(event.lots, state.instruments[event.symbol].lot),
        "at": format_time(event.at_us),
    }


def _copy_scope_set(_: State, event: CopyScopeSet) -> Data:
    scope = CopyScope(event.version, event.settings, dict.fromkeys(event.fields))
    return {
        "type": "copy_scope_set",
        **scope_view(event.scope.partition(":")[0], scope),
        "at": format_time(event.at_us),
    }


def _kill_switch_set(_: State, event: KillSwitchSet) -> Data:
    return {
        "type": "kill_switch_set",
        "on": bool(event.cause),
        "cause": event.cause or None,
        "at": format_time(event.at_us),
    }


def _leader_topped_up(_: State, event: LeaderToppedUp) -> Data:
    equity = event.equity_micros
    return {
        "type": "leader_topped_up",
        "leader": event.leader,
        "added": event.added_micros * BPS // equity / BPS if equity > 0 else None,
        "open_profit": event.open_profit_micros * BPS // equity / BPS if equity > 0 else None,
        "losing": event.open_profit_micros < 0,
        "at": format_time(event.at_us),
    }


def _leader_suspended(_: State, event: LeaderSuspended) -> Data:
    return {
        "type": "leader_suspended",
        "leader": event.trader,
        "cause": event.cause,
        "at": format_time(event.at_us),
    }


def _leader_reinstated(_: State, event: LeaderReinstated) -> Data:
    return {"type": "leader_reinstated", "leader": event.trader, "at": format_time(event.at_us)}


def _fill_held(state: State, event: FillHeld) -> Data:
    instrument = state.instruments[event.symbol]
    return {
        "type": "fill_held",
        "trader": event.trader,
        "sequence": event.sequence,
        "symbol": event.symbol,
        "side": side_of(event.lots),
        "quantity": steps(abs(event.lots), instrument.lot),
        "price": steps(event.price_ticks, instrument.tick),
        "code": event.code,
        "executed_at": format_time(event.at_us),
    }


COPY_RENDERERS: dict[type[Event], Callable[[State, Any], Data]] = {
    CopySet: _copy_set,
    CopyStatusChanged: _copy_status_changed,
    CopyStopped: _copy_stopped,
    CopyDecided: _copy_decided,
    CopyLimitReached: _copy_limit_reached,
    CopyDelayed: _copy_delayed,
    CopyOrderPlaced: _copy_order_placed,
    CopyOrderFilled: _copy_order_filled,
    CopyOrderEnded: _copy_order_ended,
    CopyScopeSet: _copy_scope_set,
    KillSwitchSet: _kill_switch_set,
    LeaderSuspended: _leader_suspended,
    LeaderToppedUp: _leader_topped_up,
    LeaderReinstated: _leader_reinstated,
    FillHeld: _fill_held,
}
"""How each event of copying is shown."""
