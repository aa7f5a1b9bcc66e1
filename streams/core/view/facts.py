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
    DigestTaken,
    EquityReported,
    Event,
    FillBooked,
    InstrumentRegistered,
    InstrumentSettled,
    PositionReported,
    SentimentMeasured,
    TraderFollowed,
    TraderVerified,
)
from streams.core.money import PPM
from streams.core.sentiment_state import SentimentPoint
from streams.core.state import State
from streams.core.view.board_facts import RENDERERS as BOARD_RENDERERS
from streams.core.view.copy_accounts import RENDERERS as ACCOUNT_RENDERERS
from streams.core.view.copy_facts import COPY_RENDERERS
from streams.core.view.execution_facts import RENDERERS as EXECUTION_RENDERERS
from streams.core.view.idea_facts import IDEA_RENDERERS
from streams.core.view.notifications import notification_data
from streams.core.view.sentiment_point import point_view
from streams.core.view.values import (
    entry_price,
    format_time,
    money,
    price_or_none,
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
        event: one that `ROUTES` sends somewhere.

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


def _sentiment_measured(_: State, event: SentimentMeasured) -> Data:
    return point_view(
        SentimentPoint(
            event.hour,
            event.score_centi,
            event.unweighted_centi,
            event.voices,
            event.effective_milli,
            event.messages,
        )
    )


_RENDERERS: dict[type[Event], Callable[[State, Any], Data]] = {
    **IDEA_RENDERERS,
    FillBooked: _fill_booked,
    **EXECUTION_RENDERERS,
    **ACCOUNT_RENDERERS,
    **BOARD_RENDERERS,
    PositionReported: _position_reported,
    EquityReported: _equity_reported,
    **COPY_RENDERERS,
    SentimentMeasured: _sentiment_measured,
    InstrumentRegistered: _instrument_registered,
    InstrumentSettled: _instrument_settled,
    DigestTaken: _digest_taken,
    TraderFollowed: _trader_followed,
    TraderVerified: _trader_verified,
}
