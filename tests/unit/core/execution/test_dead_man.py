"""Whoever falls silent loses its resting orders, and nobody else does."""

from __future__ import annotations

import pytest

from streams.core.commands import (
    CancelAfter,
    CloseTrader,
    MarkRow,
    PlaceOrder,
    PublishMarks,
    Tick,
)
from streams.core.events import CancelAfterMet, CancelAfterSet, OrderCancelled
from streams.core.limits import CANCEL_AFTER_MS_MAX
from streams.core.view import account_view
from tests.unit.core.market import SERVICE, Market
from tests.unit.core.support import START_US


def resting(market: Market, *traders: str) -> Market:
    for trader in traders:
        market.do(trader, PlaceOrder("BTC", "buy", 1, 9_000))
        market.do(trader, PlaceOrder("ETH", "buy", 1, 900))
    return market


def tick_after(market: Market, ms: int) -> None:
    """Let an entry with a tick come so long after the last entry."""
    market.ms += ms - 1
    market.do(SERVICE, Tick(market.state.tick_number + 1))


def orders(market: Market) -> dict[str, int]:
    return {name: len(each.orders) for name, each in market.state.traders.items()}


def test_orders_end_when_the_time_is_over_and_not_before() -> None:
    market = resting(Market("ann", "bob"), "ann", "bob")
    market.do("ann", CancelAfter(1_000))
    tick_after(market, 999)
    assert orders(market) == {"ann": 2, "bob": 2}
    tick_after(market, 1)
    assert orders(market) == {"ann": 0, "bob": 2}
    first, second, met = market.events[:3]
    assert isinstance(first, OrderCancelled)
    assert isinstance(second, OrderCancelled)
    assert [first.reason, second.reason] == ["CANCEL_AFTER", "CANCEL_AFTER"]
    assert isinstance(met, CancelAfterMet)
    ended = market.state.ended_orders[first.order]
    assert (ended.status, ended.reason) == ("canceled", "CANCEL_AFTER")


def test_setting_it_again_in_time_keeps_the_orders() -> None:
    market = resting(Market("ann"), "ann")
    for _ in range(3):
        market.do("ann", CancelAfter(1_000))
        tick_after(market, 900)
    assert orders(market) == {"ann": 2}


def test_it_is_met_once_and_says_nothing_of_later_orders() -> None:
    market = Market("ann")
    market.do("ann", CancelAfter(1_000))
    tick_after(market, 1_000)
    assert isinstance(market.events[0], CancelAfterMet)
    resting(market, "ann")
    tick_after(market, 5_000)
    assert orders(market) == {"ann": 2}


def test_zero_turns_it_off() -> None:
    market = resting(Market("ann"), "ann")
    market.do("ann", CancelAfter(0))
    assert market.events == []
    market.do("ann", CancelAfter(1_000))
    assert account_view(market.state, market.state.traders["ann"])["cancel_at"] is not None
    market.do("ann", CancelAfter(0))
    assert market.events == [CancelAfterSet("ann", 0, market.ms * 1_000)]
    assert account_view(market.state, market.state.traders["ann"])["cancel_at"] is None
    tick_after(market, 2_000)
    assert orders(market) == {"ann": 2}


@pytest.mark.parametrize(
    "minute_us", [pytest.param(0, id="stands-still"), pytest.param(60_000_000, id="runs-ahead")]
)
def test_the_silence_is_the_senders_whatever_a_recorded_market_shows(minute_us: int) -> None:
    market, recorded_at_us = Market("ann"), START_US - 86_400_000_000
    rows = [MarkRow("BTC", 10_000, 10_000, 10_000)]
    market.do(SERVICE, PublishMarks(rows, recorded_at_us, recorded=True))
    resting(market, "ann")
    market.do("ann", CancelAfter(1_000))
    market.do(SERVICE, PublishMarks(rows, recorded_at_us + minute_us, recorded=True))
    tick_after(market, 900)
    assert orders(market) == {"ann": 2}
    tick_after(market, 100)
    assert orders(market) == {"ann": 0}


@pytest.mark.parametrize(
    ("principal", "ms", "code"),
    [
        ("nobody", 1_000, "UNKNOWN_TRADER"),
        ("gone", 1_000, "TRADER_CLOSED"),
        ("ann", -1, "LIMIT_REACHED"),
        ("ann", 999, "LIMIT_REACHED"),
        ("ann", CANCEL_AFTER_MS_MAX + 1, "LIMIT_REACHED"),
        ("ann", 1_000, "OK"),
        ("ann", CANCEL_AFTER_MS_MAX, "OK"),
    ],
)
def test_rules_of_setting_it(principal: str, ms: int, code: str) -> None:
    market = Market("ann", "gone")
    market.do("gone", CloseTrader("gone"))
    assert market.code(principal, CancelAfter(ms)) == code


def test_one_tick_cancels_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.execution.dead_man.EXITS_PER_COMMAND_MAX", 3)
    market = resting(Market("ann", "bob", "cid"), "ann", "bob")
    for trader in ("ann", "bob", "cid"):
        market.do(trader, CancelAfter(1_000))
    tick_after(market, 1_100)
    assert orders(market) == {"ann": 0, "bob": 1, "cid": 0}
    assert list(market.state.cancel_after) == ["bob", "cid"]
    tick_after(market, 100)
    assert orders(market) == {"ann": 0, "bob": 0, "cid": 0}
    assert market.state.cancel_after == {}
