"""Events as clients see them: the `data` of `ev` frames, and the rows of history.

Invariants:
    * The data depend on the event and on what never changes of its instrument (tick and lot), so
      that history from the archive renders to the same bytes as the live frame did.
    * `type` is the event's name in snake case; a draft's publication reads like any other.
    * Quantities are unsigned where a side stands beside them, signed (buy > 0) where none does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.events import (
    CopyDecided,
    CopySet,
    CopyStatusChanged,
    CopyStopped,
    DigestTaken,
    EquityReported,
    Event,
    FillBooked,
    InstrumentRegistered,
    InstrumentSettled,
    PositionReported,
    TraderFollowed,
    TraderVerified,
)
from streams.core.money import PPM
from streams.core.state import State
from streams.core.view.execution_facts import RENDERERS as EXECUTION_RENDERERS
from streams.core.view.gates import gate_of
from streams.core.view.idea_facts import IDEA_RENDERERS
from streams.core.view.notifications import notification_data
from streams.core.view.settings import settings_view
from streams.core.view.values import (
    entry_price,
    format_time,
    money,
    price_or_none,
    scaled,
    side_of,
    steps,
)


Data = dict[str, Any]


def channel_data(state: State, key: str, event: Event) -> Data:
    """Return an event as a channel shows it: notifications say why they concern their reader.

    Args:
        state: see `event_data`.
        key: key of the lossless channel.
        event: see `event_data`.
    """
    data = event_data(state, event)
    return notification_data(event, data) if key.startswith("notifications:") else data


def event_data(state: State, event: Event) -> Data:
    """Return an event of a lossless channel as JSON-able data.

    Args:
        state: read only; only tick and lot of the event's instrument are looked up.
        event: one that `lossless_keys` sends somewhere.

    Raises:
        KeyError: the event reaches no lossless channel.
    """
    return _RENDERERS[type(event)](state, event)


def _fill_booked(state: State, event: FillBooked) -> Data:
    instrument = state.instruments[event.symbol]
    result, lot = event.result, instrument.lot
    return {
        "type": "fill_booked",
        "fill": event.fill,
        "trader": event.trader,
        "symbol": event.symbol,
        "side": side_of(event.lots),
        "quantity": steps(abs(event.lots), lot),
        "price": steps(event.price_ticks, instrument.tick),
        "fee": money(event.fee_micros),
        "notional": money(event.notional_micros),
        "realised_pnl": money(result.realised_micros),
        "source": event.source,
        "reason": event.reason or None,
        "order": event.order or None,
        "idea": event.idea or None,
        "signal_seq": event.signal_seq or None,
        "executed_at": format_time(event.at_us),
        "position": {
            "quantity": steps(result.lots, lot),
            "entry_price": entry_price(instrument, result.lots, result.cost_micros),
        },
        "stop_loss": price_or_none(event.stop_ticks, instrument.tick),
        "take_profit": price_or_none(event.take_ticks, instrument.tick),
    }


def _position_reported(state: State, event: PositionReported) -> Data:
    instrument = state.instruments[event.symbol]
    return {
        "type": "position_reported",
        "trader": event.trader,
        "symbol": event.symbol,
        "quantity": steps(event.lots, instrument.lot),
        "entry_price": entry_price(instrument, event.lots, event.cost_micros),
        "at": format_time(event.at_us),
    }


def _equity_reported(_: State, event: EquityReported) -> Data:
    return {
        "type": "equity_reported",
        "trader": event.trader,
        "cash": money(event.cash_micros),
        "equity": money(event.equity_micros),
        "equity_before": money(event.equity_before_micros),
        "at": format_time(event.at_us),
    }


def _copy_set(_: State, event: CopySet) -> Data:
    return {
        "type": "copy_set",
        "leader": event.leader,
        "follower": event.follower,
        "settings_version": event.version,
        "settings": settings_view(event.settings),
        "moved": money(event.moved_micros),
        "at": format_time(event.at_us),
    }


def _copy_status_changed(_: State, event: CopyStatusChanged) -> Data:
    return {
        "type": "copy_status_changed",
        "leader": event.leader,
        "follower": event.follower,
        "status": event.status,
        "cause": event.cause,
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
    leaders = state.instruments[event.leader_symbol] if event.leader_symbol else instrument
    return {
        "type": "copy_decided",
        "signal_seq": event.signal_seq or None,
        "leader": event.leader,
        "follower": event.follower,
        "leg": event.leg,
        "symbol": event.symbol,
        "leader_symbol": event.leader_symbol or event.symbol,
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


def _instrument_registered(_: State, event: InstrumentRegistered) -> Data:
    return {
        "type": "instrument_registered",
        "symbol": event.symbol,
        "name": event.name,
        "venue": event.venue,
        "asset_class": event.asset_class,
        "tick_size": event.tick.text(),
        "lot_size": event.lot.text(),
        "fee_rate": event.fee_ppm / PPM,
    }


def _instrument_settled(state: State, event: InstrumentSettled) -> Data:
    return {
        "type": "instrument_settled",
        "symbol": event.symbol,
        "price": steps(event.price_ticks, state.instruments[event.symbol].tick),
        "settled_at": format_time(event.at_us),
    }


def _digest_taken(_: State, event: DigestTaken) -> Data:
    return {"type": "digest_taken", "offset": event.entry, "digest": event.digest}


def _trader_followed(_: State, event: TraderFollowed) -> Data:
    return {
        "type": "trader_followed",
        "trader": event.trader,
        "target": event.target,
        "at": format_time(event.at_us),
    }


def _trader_verified(_: State, event: TraderVerified) -> Data:
    return {
        "type": "trader_verified",
        "trader": event.trader,
        "verified": event.verified,
        "reason": event.reason,
        "at": format_time(event.at_us),
    }


_RENDERERS: dict[type[Event], Callable[[State, Any], Data]] = {
    **IDEA_RENDERERS,
    FillBooked: _fill_booked,
    **EXECUTION_RENDERERS,
    PositionReported: _position_reported,
    EquityReported: _equity_reported,
    CopySet: _copy_set,
    CopyStatusChanged: _copy_status_changed,
    CopyStopped: _copy_stopped,
    CopyDecided: _copy_decided,
    InstrumentRegistered: _instrument_registered,
    InstrumentSettled: _instrument_settled,
    DigestTaken: _digest_taken,
    TraderFollowed: _trader_followed,
    TraderVerified: _trader_verified,
}
