from __future__ import annotations

import pytest

from streams.core import limits
from streams.core.commands import CancelOrder, PlaceOrder, SettleInstrument
from streams.core.events import FillBooked, OrderCancelled
from streams.core.money import MICROS
from tests.unit.core.market import SERVICE, Market


def order(text: str) -> PlaceOrder:
    """`buy BTC 1000`, `sell BTC 1000 @12000`, `buy BTC 1 @9000 #mine`."""
    side, symbol, lots, *rest = text.split()
    limit = next((int(part[1:]) for part in rest if part.startswith("@")), 0)
    client = next((part[1:] for part in rest if part.startswith("#")), "")
    return PlaceOrder(symbol, side, int(lots), limit, client)


REFUSED = """
nobody buy BTC 1            UNKNOWN_TRADER
ann    buy NONE 1           UNKNOWN_INSTRUMENT
ann    buy BTC 0            INVALID_QUANTITY
ann    hold BTC 1           NOT_ALLOWED
ann    buy BTC 1 @-5        INVALID_PRICE
ann    cover BTC 1          NOTHING_TO_CLOSE
ann    buy ETH 100000000000000000 LIMIT_REACHED
ann    buy BTC 50001        INSUFFICIENT_FUNDS
ann    buy BTC 50001 @10000 INSUFFICIENT_FUNDS
"""


@pytest.mark.parametrize("row", REFUSED.strip().splitlines())
def test_orders_are_refused_by_the_first_failing_check(row: str) -> None:
    principal, rest = row.split(maxsplit=1)
    text, expected = rest.rsplit(maxsplit=1)
    assert expected == Market("ann").code(principal, order(text))


def test_a_market_order_without_a_quote_is_refused_and_a_limit_order_rests() -> None:
    market = Market("ann", quoted=False)
    assert market.code("ann", order("buy BTC 1")) == "NO_QUOTE"
    market.do("ann", order("buy BTC 1 @9000"))
    assert len(market.state.orders) == 1


def test_market_orders_fill_at_bid_and_ask() -> None:
    market = Market("ann")
    market.quote("BTC", 9_990, 10_010)
    market.do("ann", order("buy BTC 1000"))
    market.do("ann", order("sell BTC 1000"))
    prices = [e.price_ticks for e in market.events if isinstance(e, FillBooked)]
    assert prices == [9_990]
    assert market.state.traders["ann"].ledger.cash_micros == 1_000 * MICROS - 200_000


def test_a_crossing_limit_order_fills_at_the_better_quote() -> None:
    market = Market("ann")
    market.do("ann", order("buy BTC 1000 @12000"))
    position = market.position("ann")
    assert position is not None
    assert position.cost_micros == 100 * MICROS


def test_a_resting_order_fills_at_the_quote_that_crossed_it() -> None:
    market = Market("ann")
    made = market.do("ann", order("buy BTC 1000 @9500 #mine"))
    assert market.code("ann", order("buy BTC 1 @9400 #mine")) == "CLIENT_ORDER_ID_TAKEN"
    market.quote("BTC", 9_600, 9_600)
    assert market.lots("ann") == 0
    market.quote("BTC", 9_000, 9_100)
    fill = next(e for e in market.events if isinstance(e, FillBooked))
    assert (made, 9_100, "mine") == (fill.order, fill.price_ticks, fill.client_order_id)
    assert market.state.orders == {}


def test_orders_of_one_instrument_fill_in_the_order_in_which_they_were_placed() -> None:
    market = Market("ann", "bob")
    first = market.do("ann", order("sell BTC 1000 @11000"))
    second = market.do("bob", order("sell BTC 1000 @10500"))
    market.quote("BTC", 11_500, 11_500)
    filled = [e.order for e in market.events if isinstance(e, FillBooked)]
    assert [first, second] == filled


def test_a_resting_order_that_cannot_be_afforded_any_more_is_cancelled() -> None:
    market = Market("ann")
    market.do("ann", order("buy BTC 40000 @9000"))
    market.do("ann", order("buy ETH 400000"))
    market.quote("BTC", 8_900, 8_900)
    cancelled = next(e for e in market.events if isinstance(e, OrderCancelled))
    assert cancelled.reason == "INSUFFICIENT_FUNDS"


def test_a_resting_order_that_would_break_a_bound_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = Market("ann")
    market.do("ann", order("buy BTC 40 @9000"))
    monkeypatch.setattr("streams.core.positions.LOTS_MAX", 39)
    market.quote("BTC", 8_900, 8_900)
    cancelled = next(e for e in market.events if isinstance(e, OrderCancelled))
    assert cancelled.reason == "LIMIT_REACHED"


def test_covering() -> None:
    market = Market("ann")
    market.do("ann", order("short BTC 1000"))
    assert market.code("ann", order("cover BTC 1001")) == "INVALID_QUANTITY"
    market.do("ann", order("cover BTC 600 @9000"))
    market.do("ann", order("cover BTC 600"))
    market.quote("BTC", 8_000, 8_000)
    cancelled = next(e for e in market.events if isinstance(e, OrderCancelled))
    assert cancelled.reason == "NOTHING_TO_CLOSE"
    assert market.lots("ann") == -400


def test_what_reduces_a_position_needs_no_funds() -> None:
    market = Market("ann")
    market.do("ann", order("buy BTC 50000"))
    market.quote("BTC", 7_000, 7_000)
    assert market.code("ann", order("buy BTC 1")) == "INSUFFICIENT_FUNDS"
    assert market.code("ann", order("sell BTC 20000")) == "OK"


def test_only_the_owner_cancels() -> None:
    market = Market("ann", "bob")
    made = market.do("ann", order("buy BTC 1 @9000"))
    assert market.code("bob", CancelOrder(made)) == "NOT_OWNER"
    assert market.code("ann", CancelOrder(made)) == "OK"
    assert market.code("ann", CancelOrder(made)) == "ORDER_ENDED"
    assert market.code("ann", CancelOrder("none")) == "UNKNOWN_ORDER"


def test_settlement_cancels_resting_orders_and_refuses_new_ones() -> None:
    market = Market("ann")
    market.do("ann", order("buy BTC 1 @9000"))
    market.do(SERVICE, SettleInstrument("BTC", 10_000))
    assert [e.reason for e in market.events if isinstance(e, OrderCancelled)] == [
        "INSTRUMENT_SETTLED"
    ]
    assert market.code("ann", order("buy BTC 1")) == "INSTRUMENT_SETTLED"


def test_open_orders_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market("ann", "bob")
    monkeypatch.setattr("streams.core.orders.OPEN_ORDERS_MAX", 1)
    market.do("ann", order("buy BTC 1 @9000"))
    assert market.code("ann", order("buy BTC 1 @9001")) == "LIMIT_REACHED"
    monkeypatch.setattr("streams.core.orders.ORDERS_PER_INSTRUMENT_MAX", 1)
    assert market.code("bob", order("buy BTC 1 @9000")) == "LIMIT_REACHED"
    monkeypatch.setattr("streams.core.orders.OPEN_POSITIONS_MAX", 0)
    assert market.code("bob", order("buy ETH 1")) == "LIMIT_REACHED"
    assert limits.OPEN_ORDERS_MAX == 500
