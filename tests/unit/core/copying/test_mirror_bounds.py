"""Mirrored limit orders at their bounds: many, edited, refused, voided, shown."""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256

import pytest

from streams.core.commands import (
    CancelOrder,
    EditOrder,
    PauseCopy,
    PlaceOrder,
    ReportPosition,
    ResumeCopy,
    SetCopy,
    StopCopy,
)
from streams.core.copying import copy_orders, mirror, upkeep
from streams.core.copying.copy_orders import client_order_id, due_lots, order_breaches
from streams.core.events import CopyOrderEnded, CopyOrderFilled, CopyOrderPlaced
from streams.core.money import MICROS
from streams.core.view import copy_view, event_data
from streams.core.view.values import format_time
from tests.unit.core.copying.desk import tick
from tests.unit.core.copying.mirrors import deep, happened, limit, mirroring, resting, sol
from tests.unit.core.market import SERVICE, Market, keys_of


def test_a_copy_has_at_most_so_many_orders_and_a_leader_so_many_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirror, "COPY_ORDERS_MAX", 1)
    monkeypatch.setattr(copy_orders, "LEADER_ORDERS_NOTED_MAX", 1)
    market = mirroring()
    limit(market, "buy", 200, 9_000)
    limit(market, "buy", 200, 8_900)
    assert market.decisions() == [("place", "LIMIT_REACHED", 0)]
    market.do("lea", PlaceOrder("BTC", "buy", 200, 8_800))
    market.do("lea", PlaceOrder("BTC", "buy", 200, 8_700))
    tick(market, 100)
    assert market.decisions() == [("place", "LIMIT_REACHED", 0)]
    assert market.state.copy_desk.order_edits == {}
    market.quote("BTC", 8_700, 8_700)
    assert market.copied_lots("fay") == 400


def test_closings_beyond_the_most_orders_are_copied_by_their_fills(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirror, "COPY_ORDERS_MAX", 0)
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    limit(market, "sell", 400, 11_000)
    assert resting(market) == []
    market.quote("BTC", 11_000, 11_000)
    assert market.decisions() == [("close", "EXECUTED", -200)]


def test_many_copies_follow_over_ticks_and_meet_a_quote_over_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep, "COPY_STEPS_PER_TICK_MAX", 2)
    monkeypatch.setattr(mirror, "COPY_ORDERS_MET_MAX", 2)
    followers = ("fay", "gil", "hal")
    market = Market("lea", *followers)
    for follower in followers:
        market.do(follower, SetCopy("lea", 500 * MICROS, follow_limit_orders="mirror"))
    tick(market)
    order = market.do("lea", PlaceOrder("BTC", "buy", 1_000, 9_000))
    tick(market, 100)
    assert happened(market) == ["placed mirror 500 @ 9000"] * 2
    # edited while the third has yet to follow
    market.do("lea", EditOrder(order, limit_ticks=9_100))
    for _ in range(2):
        tick(market, 100)
    assert [market.copy(name).orders[order].limit_ticks for name in followers] == [9_100] * 3
    market.quote("BTC", 9_000, 9_000)
    assert happened(market) == ["filled 500 @ 9000"] * 2
    tick(market)
    assert happened(market) == ["filled 500 @ 9000"]
    assert [market.copied_lots(name) for name in followers] == [500] * 3


def test_a_cancelled_order_is_followed_by_those_who_had_followed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep, "COPY_STEPS_PER_TICK_MAX", 1)
    market = Market("lea", "fay", "gil")
    for follower in ("fay", "gil"):
        market.do(follower, SetCopy("lea", 500 * MICROS, follow_limit_orders="mirror"))
    tick(market)
    tick(market)
    order = market.do("lea", PlaceOrder("BTC", "buy", 1_000, 9_000))
    tick(market, 100)
    assert resting(market) == ["mirror 500 @ 9000"]
    market.do("lea", CancelOrder(order))
    for _ in range(3):
        tick(market, 100)
    assert market.state.copy_desk.order_edits == {}
    assert market.state.copy_desk.order_books == {}


def test_ids_are_equal_whenever_they_are_asked_and_differ_by_leg_and_try() -> None:
    copy = mirroring().copy("fay")
    asked = [("o_1", "mirror", 0), ("o_2", "mirror", 0), ("o_1", "mirror_close", 0)]
    ids = [client_order_id(copy, *each) for each in [*asked, ("o_1", "mirror", 1)]]
    assert len(dict.fromkeys(ids)) == 4
    text = f"lea\nfay\n{copy.started_at_us}\no_1\nmirror\n0"
    assert ids[0] == b32encode(sha256(text.encode()).digest()).decode()[:32].lower()


def test_an_edited_exit_closes_the_fraction_that_is_left_and_what_was_added() -> None:
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    order = limit(market, "sell", 400, 11_000)
    market.do("lea", PlaceOrder("BTC", "sell", 500))
    market.do("lea", EditOrder(order, limit_ticks=10_900))
    tick(market, 100)
    assert resting(market) == ["mirror_close -200 @ 10900"]
    market.do("lea", EditOrder(order, lots=300))
    tick(market, 100)
    assert resting(market) == ["mirror_close -150 @ 10900"]
    market.do("lea", EditOrder(order, lots=900))
    tick(market, 100)
    assert resting(market) == ["mirror_close -250 @ 10900"]


def test_an_order_that_turns_against_the_leader_is_void() -> None:
    market = mirroring()
    limit(market, "buy", 400, 9_000)
    market.do("lea", PlaceOrder("BTC", "sell", 1_000))
    market.quote("BTC", 9_000, 9_000)
    assert market.decisions() == [("close", "EXECUTED", 200)]
    assert happened(market) == ["ended MIRROR_VOID 200"]


def test_an_order_too_old_to_be_remembered_is_due_in_full() -> None:
    market = mirroring()
    order = limit(market, "buy", 1_000, 9_000)
    own = market.copy("fay").orders[order]
    assert due_lots(market.state, own) == 0
    del market.state.orders[order]
    assert due_lots(market.state, own) == 500


def test_an_exit_whose_leader_turns_by_a_venues_word_is_void() -> None:
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    order = limit(market, "sell", 400, 11_000)
    market.do(SERVICE, ReportPosition("lea", "BTC", -100, 10_000))
    market.do("lea", EditOrder(order, lots=500))
    tick(market, 100)
    assert happened(market) == ["ended MIRROR_VOID 200"]


def test_an_edit_that_the_gates_refuse_or_that_leaves_nothing_ends_the_order() -> None:
    market = mirroring(notional_min_micros=5 * MICROS)
    order = limit(market, "buy", 1_000, 9_000)
    market.do("lea", EditOrder(order, lots=100))
    tick(market, 100)
    assert market.decisions() == [("place", "BELOW_MIN_NOTIONAL", 0)]
    assert happened(market) == ["ended BELOW_MIN_NOTIONAL 500"]
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    order = limit(market, "sell", 400, 11_000)
    market.do("lea", EditOrder(order, lots=1))
    tick(market, 100)
    assert happened(market) == ["ended ZERO_AFTER_ROUNDING 200"]


def test_a_copy_that_is_full_asks_only_for_what_the_leader_adds() -> None:
    market = deep(200)
    order = sol(market, "buy", 400, 900)
    market.quote("SOL", 890, 890)
    market.do("fay", PauseCopy("lea"))
    market.do("fay", ResumeCopy("lea"))
    tick(market, 100)
    shown = copy_view(market.state, market.copy("fay"))
    assert shown["orders"] == []
    market.do("lea", EditOrder(order, limit_ticks=880))
    tick(market, 100)
    assert resting(market) == []
    market.do("lea", EditOrder(order, lots=600))
    tick(market, 100)
    assert resting(market) == ["mirror 100 @ 880"]


def test_what_the_leader_closed_before_the_copy_could_follow_is_not_opened() -> None:
    for sold, lots, said in ((100, 50, "EXECUTED"), (200, 0, "MIRROR_VOID")):
        market = deep(200)
        order = sol(market, "buy", 1_000, 900)
        market.do("lea", EditOrder(order, limit_ticks=1_000))
        market.do("lea", PlaceOrder("SOL", "sell", sold))
        tick(market, 100)
        assert market.decisions() == [("mirror", said, lots)]
        assert market.copied_lots("fay", symbol="SOL") == lots


def test_an_exit_that_met_no_quote_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "COPY_ORDERS_MET_MAX", 0)
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    limit(market, "sell", 400, 11_000)
    market.quote("BTC", 11_000, 11_000)
    assert market.decisions() == [("close", "LIMIT_MIRRORED", 0)]
    market.quote("BTC", 10_500, 10_500)
    tick(market, 100)
    assert market.decisions() == [("mirror_close", "EXECUTED", -200)]
    assert happened(market) == ["filled 200 @ 10500"]
    assert market.copy("fay").orders == {}


def test_a_copy_that_ends_by_a_fill_has_no_second_one() -> None:
    market = mirroring(on_stop="close_by_symbol")
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    limit(market, "sell", 300, 11_000)
    limit(market, "sell", 300, 11_000)
    market.do("fay", StopCopy("lea"))
    market.quote("BTC", 11_000, 11_010)
    assert market.copy("fay").status == "STOPPED"
    assert market.state.copy_desk.order_books == {}


def test_what_rounds_to_nothing_is_copied_by_its_fill() -> None:
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    limit(market, "sell", 1, 11_000)
    assert resting(market) == []


def test_wrong_books_are_breaches() -> None:
    market = mirroring()
    limit(market, "buy", 1_000, 9_000)
    copy, desk = market.copy("fay"), market.state.copy_desk
    copy.status = "PAUSED"
    assert list(order_breaches(market.state)) == ["copy orders: fay is PAUSED, an opening rests"]
    desk.order_books.clear()
    assert "copy orders: 1 rest, 0 are in books" in list(order_breaches(market.state))


def test_orders_as_clients_see_them() -> None:
    market = mirroring()
    order = limit(market, "buy", 1_000, 9_000)
    placed, ended = market.events[1], "copy_order_ended"
    shown = copy_view(market.state, market.copy("fay"))["orders"]
    assert [(row["leader_order"], row["quantity"]) for row in shown] == [(order, "0.5")]
    for event in market.events:
        if isinstance(event, CopyOrderPlaced):
            placed = event
    assert event_data(market.state, placed) == {
        "type": "copy_order_placed",
        "leader": "lea",
        "follower": "fay",
        "client_order_id": client_order_id(market.copy("fay"), order, "mirror", 0),
        "leader_order": order,
        "leg": "mirror",
        "symbol": "BTC",
        "side": "buy",
        "quantity": "0.5",
        "limit_price": "90",
        "settings_version": 1,
        "at": format_time(market.state.market_at_us),
    }
    market.quote("BTC", 9_000, 9_000)
    filled = next(each for each in market.events if isinstance(each, CopyOrderFilled))
    assert event_data(market.state, filled)["price"] == "90"
    gone = CopyOrderEnded("fay", "lea", "x", order, "BTC", "MIRROR_VOID", 0, 0)
    assert event_data(market.state, gone)["type"] == ended
    assert keys_of(market.state, gone) == ()
