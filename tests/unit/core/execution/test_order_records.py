"""Orders from new to their end: states, client ids, ideas, expiry, edits."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from streams.core.commands import CancelOrder, EditOrder, PlaceOrder, PublishIdea, Tick
from streams.core.events import FillBooked, OrderCancelled
from streams.core.execution.order_states import TERMINAL, next_status
from streams.core.state import Order
from tests.unit.core.market import SERVICE, Market


WAYS = """
pending_new      accept    new
pending_new      reject    rejected
new              fill_part partially_filled
new              fill_rest filled
new              cancel    canceled
new              expire    expired
partially_filled fill_part partially_filled
partially_filled fill_rest filled
partially_filled cancel    canceled
partially_filled expire    expired
"""


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_an_end_is_left_by_no_step(status: str) -> None:
    assert next_status(status, "fill_rest") == status


@pytest.mark.parametrize("row", WAYS.strip().splitlines())
def test_the_ways_between_states(row: str) -> None:
    status, step, expected = row.split()
    assert expected == next_status(status, step)


@given(st.lists(st.sampled_from(["fill_part", "fill_rest", "cancel", "expire"]), max_size=8))
def test_terminal_states_absorb(steps: list[str]) -> None:
    status = "new"
    for step in steps:
        after = next_status(status, step)
        assert after == status or status not in TERMINAL
        status = after


def ended(market: Market, order: str) -> Order:
    assert order not in market.state.orders
    return market.state.ended_orders[order]


def test_a_market_order_is_kept_as_filled() -> None:
    market = Market("ann")
    order = ended(market, market.do("ann", PlaceOrder("BTC", "short", 100, client_order_id="c")))
    assert (
        order.status,
        order.side,
        order.filled_lots,
        order.filled_micros,
    ) == ("filled", "sell", 100, 10_000_000)
    assert order.ended_at_us > 0


def test_a_part_of_an_order_may_be_filled_before_the_rest() -> None:
    market = Market("ann")
    made = market.do("ann", PlaceOrder("BTC", "buy", 100, 9_000))
    order = market.state.orders[made]
    order.filled_lots, order.status = 40, "partially_filled"
    assert market.code("ann", EditOrder(made, lots=40)) == "INVALID_QUANTITY"
    market.quote("BTC", 8_990, 8_990)
    (fill,) = [event for event in market.events if isinstance(event, FillBooked)]
    assert (fill.lots, ended(market, made).status) == (60, "filled")


def test_a_client_order_id_stays_taken_after_the_order_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.core.execution.order_records.CLIENT_ORDER_IDS_MAX", 2)
    market = Market("ann", "bob")
    for name in ("a", "b"):
        market.do("ann", PlaceOrder("BTC", "buy", 1, client_order_id=name))
    again = PlaceOrder("BTC", "buy", 1, client_order_id="a")
    assert market.code("ann", again) == "CLIENT_ORDER_ID_TAKEN"
    assert market.code("bob", again) == "OK"
    market.do("ann", PlaceOrder("BTC", "buy", 1, 9_000, client_order_id="c"))
    assert market.code("ann", again) == "OK"


def test_an_order_may_name_an_idea_that_the_trader_can_see() -> None:
    market = Market("ann", "bob")

    def publish(published: bool) -> str:
        return market.do(
            "ann",
            PublishIdea("A title", "a long thesis", "BTC", "buy", 0, 0, 0, "", 0, 0, [], published),
        )

    idea, draft = publish(True), publish(False)
    assert market.code("bob", PlaceOrder("BTC", "buy", 1, idea="none")) == "UNKNOWN_IDEA"
    assert market.code("bob", PlaceOrder("BTC", "buy", 1, idea=draft)) == "UNKNOWN_IDEA"
    assert market.code("ann", PlaceOrder("BTC", "buy", 1, idea=draft)) == "OK"
    assert market.code("bob", PlaceOrder("BTC", "buy", 1, idea=idea)) == "OK"


def test_an_order_expires_on_the_first_tick_after_its_time() -> None:
    market = Market("ann")
    now_us = market.ms * 1000
    late = PlaceOrder("BTC", "buy", 1, 9_000, expires_at_us=now_us)
    assert market.code("ann", late) == "ORDER_ENDED"
    far = PlaceOrder("BTC", "buy", 1, 9_000, expires_at_us=now_us + 91 * 86_400_000_000)
    assert market.code("ann", far) == "LIMIT_REACHED"
    made = market.do("ann", PlaceOrder("BTC", "buy", 1, 9_000, expires_at_us=now_us + 9_000))
    other = market.do("ann", PlaceOrder("BTC", "buy", 1, 9_000, expires_at_us=now_us + 50_000))
    market.do("ann", CancelOrder(other))
    market.do(SERVICE, Tick(1))
    assert made in market.state.orders
    market.ms += 10
    market.do(SERVICE, Tick(2))
    order = ended(market, made)
    assert (order.status, order.reason) == ("expired", "EXPIRED")
    assert market.state.expiring == []


def test_an_order_does_not_fill_after_its_time() -> None:
    market = Market("ann")
    made = market.do(
        "ann", PlaceOrder("BTC", "buy", 1, 9_000, expires_at_us=market.ms * 1000 + 1_500)
    )
    market.ms += 10
    market.quote("BTC", 8_000, 8_000)
    (event,) = [event for event in market.events if isinstance(event, OrderCancelled)]
    assert (event.reason, ended(market, made).status) == ("EXPIRED", "expired")


def test_only_so_many_orders_expire_in_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.orders.EXITS_PER_COMMAND_MAX", 2)
    market = Market("ann")
    for _ in range(3):
        until = market.ms * 1000 + 20_000
        market.do("ann", PlaceOrder("BTC", "buy", 1, 9_000, expires_at_us=until))
    market.ms += 30
    market.do(SERVICE, Tick(1))
    assert len(market.state.orders) == 1
    market.do(SERVICE, Tick(2))
    assert market.state.orders == {}


def test_the_oldest_ended_orders_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.execution.order_records.ENDED_ORDERS_MAX", 4)
    monkeypatch.setattr("streams.core.execution.order_records.LEAVING", 3)
    market = Market("ann")
    made = [market.do("ann", PlaceOrder("BTC", "buy", 1)) for _ in range(5)]
    assert made[3:] == list(market.state.ended_orders)
    assert market.code("ann", CancelOrder(made[0])) == "UNKNOWN_ORDER"


# an edit of `buy 1000 @9000` | the answer
EDITS = """
lots=2000          | OK
limit_ticks=9500   | OK
lots=0             | INVALID_QUANTITY
limit_ticks=0      | INVALID_PRICE
lots=100000        | INSUFFICIENT_FUNDS
stop_ticks=9000    | EXIT_LEVELS_INVALID
take_ticks=8000    | EXIT_LEVELS_INVALID
"""


@pytest.mark.parametrize("row", EDITS.strip().splitlines())
def test_a_resting_order_is_edited_or_keeps_its_terms(row: str) -> None:
    field, expected = (part.strip() for part in row.split("|"))
    name, value = field.split("=")
    market = Market("ann")
    made = market.do("ann", PlaceOrder("BTC", "buy", 1_000, 9_000))
    assert expected == market.code("ann", EditOrder(made, **{name: int(value)}))  # type: ignore[arg-type]
    order = market.state.orders[made]
    changed = getattr(order, name) == int(value)
    assert changed is (expected == "OK")


def test_an_edit_that_crosses_fills_at_the_quote() -> None:
    market = Market("ann")
    made = market.do("ann", PlaceOrder("BTC", "buy", 1_000, 9_000))
    market.do("ann", EditOrder(made, limit_ticks=10_100))
    (fill,) = [event for event in market.events if isinstance(event, FillBooked)]
    assert (10_000, made) == (fill.price_ticks, fill.order)
    assert market.code("ann", EditOrder(made, lots=5)) == "ORDER_ENDED"
