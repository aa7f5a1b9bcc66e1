"""Accounts below their maintenance margin close; others, and recorded ones, do not."""

from __future__ import annotations

import pytest

from streams.core.commands import MoveCash, PlaceOrder, RegisterTrader, SetCopy, Tick
from streams.core.events import (
    AccountLiquidated,
    FillBooked,
    LeaderSuspended,
    OrderCancelled,
)
from streams.core.money import MICROS
from streams.core.valuation import Valuation
from tests.unit.core.market import SERVICE, Market


def second(market: Market) -> None:
    market.do(SERVICE, Tick(market.state.tick_number + 10))


def leveraged(*others: str) -> Market:
    """`ann` has 1,000 and holds BTC for 5,000, bought at 10000."""
    market = Market("ann", *others)
    market.do("ann", PlaceOrder("ETH", "sell", 1, 2_000))
    market.do("ann", PlaceOrder("BTC", "buy", 50_000))
    return market


def test_an_account_is_closed_below_five_percent_of_what_its_positions_cost() -> None:
    market = leveraged()
    market.quote("BTC", 8_500, 8_500)  # equity 250 = 5 % of 5,000
    second(market)
    assert market.lots("ann") == 50_000
    market.quote("BTC", 8_499, 8_499)
    second(market)
    notice, cancelled, fill, *_ = market.events
    assert isinstance(notice, AccountLiquidated)
    assert (notice.equity_micros, notice.margin_micros) == (249_500_000, 250_000_000)
    assert isinstance(cancelled, OrderCancelled)
    assert cancelled.reason == "LIQUIDATED"
    assert isinstance(fill, FillBooked)
    assert (fill.reason, fill.lots, fill.price_ticks) == ("liquidation", -50_000, 8_499)
    second(market)
    assert not [event for event in market.events if isinstance(event, AccountLiquidated)]


def test_a_gap_leaves_a_debt_which_a_deposit_pays() -> None:
    market = leveraged()
    market.quote("BTC", 7_000, 7_000)
    second(market)
    assert market.state.traders["ann"].ledger.cash_micros == -500 * MICROS
    assert market.code("ann", PlaceOrder("BTC", "buy", 1)) == "INSUFFICIENT_FUNDS"
    market.do("ann", MoveCash(1_000 * MICROS))
    assert market.code("ann", PlaceOrder("BTC", "buy", 1)) == "OK"


def test_a_recorded_trader_is_its_own_venues_to_judge() -> None:
    market = Market()
    market.do(SERVICE, RegisterTrader("rec", "rec", "rec", "recorded", 10 * MICROS))
    market.fill("rec", 1_000, 10_000)
    market.quote("BTC", 5_000, 5_000)
    second(market)
    assert market.lots("rec") == 1_000


def test_a_position_without_a_quote_cannot_be_closed() -> None:
    market = Market("ann", cash=1, quoted=False)
    market.fill("ann", 1_000, 10_000)
    second(market)
    assert market.lots("ann") == 1_000


def test_one_command_closes_only_so_many_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.execution.liquidation.EXITS_PER_COMMAND_MAX", 1)
    market = leveraged("bob")
    market.do("bob", PlaceOrder("BTC", "buy", 50_000))
    market.quote("BTC", 8_000, 8_000)
    second(market)
    assert (market.lots("ann"), market.lots("bob")) == (0, 50_000)
    second(market)
    assert market.lots("bob") == 0


def test_the_arrays_follow_entry_values() -> None:
    market = leveraged("bob")
    market.do("bob", PlaceOrder("BTC", "short", 1_000))
    market.do("bob", PlaceOrder("BTC", "cover", 400))
    market.do("bob", PlaceOrder("ETH", "buy", 40))
    market.do("bob", PlaceOrder("ETH", "sell", 40))
    market.quote("BTC", 8_000, 8_000)
    built = Valuation.from_state(market.state)
    assert [0] == built.below_margin() == market.kernel.valuation.below_margin()


def test_a_leader_that_is_liquidated_is_suspended() -> None:
    market = leveraged("fay")
    market.do("fay", SetCopy("ann", allocation_micros=100 * MICROS))
    market.quote("BTC", 8_000, 8_000)
    second(market)
    told = [event for event in market.events if isinstance(event, LeaderSuspended)]
    assert [(event.trader, event.cause) for event in told] == [("ann", "liquidated")]
