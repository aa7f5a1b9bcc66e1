"""Copiers are told when a leader pays in while it holds positions."""

from __future__ import annotations

import pytest

from streams.core.commands import MoveCash, PlaceOrder, SetCopy, StopCopy
from streams.core.copying import top_ups
from streams.core.events import LeaderToppedUp
from streams.core.money import MICROS
from streams.core.view import event_data
from streams.core.view.notifications import notification_data
from streams.core.view.values import format_time
from tests.unit.core.copying.desk import copying, tick
from tests.unit.core.market import Market, keys_of


def told(market: Market) -> list[LeaderToppedUp]:
    """Return the notices of the last entry."""
    return [event for event in market.events if isinstance(event, LeaderToppedUp)]


def losing() -> Market:
    """`lea` has lost 50 of 1,000 on what she still holds."""
    market = copying()
    market.do("lea", PlaceOrder("BTC", "buy", 5_000))
    market.quote("BTC", 9_900, 9_900)
    return market


def test_copiers_are_told_what_part_was_added_and_that_the_leader_loses() -> None:
    market = losing()
    market.do("lea", MoveCash(199 * MICROS))
    tick(market, 100)
    (event,) = told(market)
    assert keys_of(market.state, event) == ("notifications:fay",)
    data = event_data(market.state, event)
    assert data == {
        "type": "leader_topped_up",
        "leader": "lea",
        "added": 0.2,
        "open_profit": -0.0051,
        "losing": True,
        "at": format_time(event.at_us),
    }
    notice = notification_data(event, data)
    assert (notice["kind"], notice["important"]) == ("leader_topped_up", True)
    tick(market, 100)
    assert told(market) == []


def test_nobody_is_told_of_payments_that_hold_nothing_up() -> None:
    market = losing()
    market.do("lea", MoveCash(-1))
    market.do("fay", MoveCash(1))
    tick(market)
    assert told(market) == []
    market.do("lea", PlaceOrder("BTC", "sell", 5_000))
    market.do("lea", MoveCash(1))
    tick(market)
    assert told(market) == []


def test_one_notice_an_hour_has_what_came_meanwhile() -> None:
    market = losing()
    for _ in range(3):
        market.do("lea", MoveCash(10 * MICROS))
    tick(market)
    assert [event.added_micros for event in told(market)] == [10 * MICROS]
    market.ms += 3_600_000
    market.do("lea", MoveCash(10 * MICROS))
    tick(market)
    assert [event.added_micros for event in told(market)] == [30 * MICROS]


def test_many_copiers_are_told_over_ticks_and_stopped_ones_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(top_ups, "TOP_UPS_TOLD_PER_TICK_MAX", 2)
    market = Market("lea", "fay", "gil", "hal")
    for follower in ("fay", "gil", "hal"):
        market.do(follower, SetCopy("lea", 100 * MICROS))
    tick(market)
    market.do("gil", StopCopy("lea"))
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    market.do("lea", MoveCash(MICROS))
    readers = []
    for _ in range(3):
        tick(market, 100)
        readers += [keys_of(market.state, event) for event in told(market)]
    assert readers == [("notifications:fay",), ("notifications:hal",)]


def test_a_leader_without_equity_has_no_ratio() -> None:
    data = event_data(copying().state, LeaderToppedUp("lea", 0, 1, 5, 0, -5, 0))
    assert (data["added"], data["open_profit"], data["losing"]) == (None, None, True)
