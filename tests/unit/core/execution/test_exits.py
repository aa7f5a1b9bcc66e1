"""Stops and takes: set with an order or later, ended by the quote, gone with the position."""

from __future__ import annotations

import pytest

from streams.core.commands import (
    EditOrder,
    PlaceOrder,
    SetCopy,
    SetExitLevels,
    SettleInstrument,
    StopCopy,
    Tick,
)
from streams.core.events import CopyDecided, ExitLevelsSet, FillBooked
from streams.core.kernel import Kernel
from streams.core.money import MICROS
from streams.core.snapshots import digest, restore, snapshot
from tests.unit.core.market import SERVICE, Market


def bought(side: str = "buy", stop: int = 0, take: int = 0) -> Market:
    """`ann` holds 1,000 lots of BTC at 10000 with these levels."""
    market = Market("ann", "bob")
    market.do("ann", PlaceOrder("BTC", side, 1_000, stop_ticks=stop, take_ticks=take))
    return market


def ended(market: Market) -> list[tuple[str, str, int, int]]:
    fills = [event for event in market.events if isinstance(event, FillBooked)]
    return [(fill.trader, fill.reason, fill.lots, fill.price_ticks) for fill in fills]


# side | stop | take | bid | ask | what ends the position, at which price
TOUCHES = """
buy   | 9500  | 0     | 9501  | 9502  |
buy   | 9500  | 0     | 9500  | 9600  | stop_loss 9500
buy   | 9500  | 0     | 9000  | 9100  | stop_loss 9000
buy   | 0     | 11000 | 10999 | 11001 |
buy   | 0     | 11000 | 11000 | 11001 | take_profit 11000
buy   | 9500  | 11000 | 12000 | 12001 | take_profit 12000
short | 10500 | 0     | 10400 | 10499 |
short | 10500 | 0     | 10400 | 10500 | stop_loss 10500
short | 0     | 9000  | 8999  | 9001  |
short | 0     | 9000  | 8999  | 9000  | take_profit 9000
short | 10500 | 9000  | 8000  | 8001  | take_profit 8001
"""


@pytest.mark.parametrize("row", TOUCHES.strip().splitlines())
def test_a_quote_ends_a_position_at_its_level(row: str) -> None:
    side, stop, take, bid, ask, expected = (part.strip() for part in row.split("|"))
    market = bought(side, int(stop), int(take))
    market.quote("BTC", int(bid), int(ask))
    assert expected == " ".join(f"{reason} {price}" for _, reason, _, price in ended(market))
    assert market.lots("ann") == (0 if expected else {"buy": 1_000, "short": -1_000}[side])
    assert bool(market.state.exit_levels) is not bool(expected)


# what is asked of a position long 1,000 at 10000 | the answer
SETTINGS = """
stop_ticks=9000               | OK
stop_ticks=9000 take_ticks=0  | OK
take_ticks=10001              | OK
stop_ticks=-1                 | INVALID_PRICE
take_ticks=-1                 | INVALID_PRICE
stop_ticks=10000              | EXIT_LEVELS_INVALID
take_ticks=10000              | EXIT_LEVELS_INVALID
symbol=ETH                    | UNKNOWN_POSITION
leader=bob                    | UNKNOWN_COPY
"""


@pytest.mark.parametrize("row", SETTINGS.strip().splitlines())
def test_levels_of_a_position_are_set_or_refused(row: str) -> None:
    asked, expected = (part.strip() for part in row.split("|"))
    fields: dict[str, str | int] = {"symbol": "BTC"}
    for pair in asked.split():
        name, value = pair.split("=")
        fields[name] = int(value) if name.endswith("ticks") else value
    assert expected == bought().code("ann", SetExitLevels(**fields))  # type: ignore[arg-type]


def test_levels_ask_for_a_trader_and_a_quote() -> None:
    market = Market("ann", quoted=False)
    assert market.code("nobody", SetExitLevels("BTC", 1)) == "UNKNOWN_TRADER"
    market.fill("ann", 1_000, 10_000)
    assert market.code("ann", SetExitLevels("BTC", 1)) == "NO_QUOTE"


def test_a_patch_keeps_what_it_does_not_name_and_0_removes() -> None:
    market = bought(stop=9_000, take=11_000)
    market.do("ann", SetExitLevels("BTC", stop_ticks=9_500))
    (event,) = market.events
    assert isinstance(event, ExitLevelsSet)
    assert (event.stop_ticks, event.take_ticks) == (9_500, 11_000)
    market.do("ann", SetExitLevels("BTC", stop_ticks=0))
    market.do("ann", SetExitLevels("BTC", take_ticks=0))
    assert market.state.exit_levels == {}
    market.quote("BTC", 1, 1)
    assert ended(market) == []


def test_an_addition_moves_only_the_level_that_it_names() -> None:
    market = bought(stop=9_000, take=11_000)
    market.do("ann", PlaceOrder("BTC", "buy", 500, stop_ticks=9_200))
    market.do("ann", PlaceOrder("BTC", "sell", 200))
    position = market.position("ann")
    assert position is not None
    assert (position.stop_ticks, position.take_ticks, position.lots) == (9_200, 11_000, 1_300)


def test_a_flip_loses_the_levels() -> None:
    market = bought(stop=9_000, take=11_000)
    market.do("ann", PlaceOrder("BTC", "sell", 1_500))
    assert market.state.exit_levels == {}
    market.do("ann", PlaceOrder("BTC", "buy", 1_500, stop_ticks=9_000))
    assert [row[0] for row in market.state.exit_levels["BTC"].long_stops] == [9_000]


# an order of ann, who is long 1,000 at 10000 | the answer
ORDERS = """
buy 1 stop=10000          | EXIT_LEVELS_INVALID
buy 1 take=10000          | EXIT_LEVELS_INVALID
sell 1000 stop=10100      | EXIT_LEVELS_INVALID
sell 1000 take=9000       | EXIT_LEVELS_INVALID
sell 1001 stop=10100      | OK
buy 1 limit=9000 stop=9000 | EXIT_LEVELS_INVALID
buy 1 limit=9000 stop=8999 | OK
"""


@pytest.mark.parametrize("row", ORDERS.strip().splitlines())
def test_levels_of_an_order_stand_on_the_right_side(row: str) -> None:
    text, expected = (part.strip() for part in row.split("|"))
    side, lots, *rest = text.split()
    more = {"limit": 0, "stop": 0, "take": 0}
    more |= {name: int(value) for name, value in (pair.split("=") for pair in rest)}
    order = PlaceOrder(
        "BTC", side, int(lots), more["limit"], stop_ticks=more["stop"], take_ticks=more["take"]
    )
    assert expected == bought().code("ann", order)


def test_a_resting_order_brings_its_levels_and_a_gap_through_both_ends_it_at_once() -> None:
    market = Market("ann")
    market.do("ann", PlaceOrder("BTC", "buy", 1_000, 9_500, stop_ticks=9_000))
    market.quote("BTC", 8_900, 8_910)
    assert ended(market) == [("ann", "", 1_000, 8_910), ("ann", "stop_loss", -1_000, 8_900)]


def test_a_resting_order_that_only_reduces_by_then_brings_no_levels() -> None:
    market = Market("ann")
    market.do("ann", PlaceOrder("BTC", "sell", 1_000, 10_500, stop_ticks=11_000))
    market.do("ann", PlaceOrder("BTC", "buy", 2_000))
    market.quote("BTC", 10_500, 10_500)
    assert market.lots("ann") == 1_000
    assert market.state.exit_levels == {}


def test_levels_are_reached_in_order_of_price_and_the_highest_stop_goes_first() -> None:
    market = Market("ann", "bob", "cat")
    for trader, stop in (("bob", 9_000), ("cat", 9_500), ("ann", 9_000)):
        market.do(trader, PlaceOrder("BTC", "buy", 1_000, stop_ticks=stop))
    market.quote("BTC", 8_000, 8_000)
    assert [trader for trader, *_ in ended(market)] == ["cat", "ann", "bob"]


def test_more_than_one_command_may_end_waits_for_the_next_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.core.execution.exits.EXITS_PER_COMMAND_MAX", 1)
    market = Market("ann", "bob", "cat")
    for trader in ("ann", "bob", "cat"):
        market.do(trader, PlaceOrder("BTC", "buy", 1_000, stop_ticks=9_000))
    market.quote("BTC", 8_000, 8_000)
    assert [trader for trader, *_ in ended(market)] == ["ann"]
    market.do(SERVICE, Tick(10))
    assert [trader for trader, *_ in ended(market)] == ["bob"]
    market.do(SERVICE, Tick(11))
    assert ended(market) == []
    market.do(SERVICE, Tick(20))
    assert [trader for trader, *_ in ended(market)] == ["cat"]


def test_levels_in_an_instrument_without_a_quote_wait() -> None:
    market = bought(stop=9_000)
    market.state.instruments["BTC"].bid_ticks = 0
    market.do(SERVICE, Tick(10))
    assert market.lots("ann") == 1_000


def copied() -> Market:
    market = Market("lea", "fay")
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    market.fill("lea", 1_000, 10_000)
    return market


def test_a_follower_sets_levels_of_a_copied_position() -> None:
    market = copied()
    market.do("fay", SetExitLevels("BTC", stop_ticks=9_000, leader="lea"))
    market.quote("BTC", 9_000, 9_001)
    (decision,) = [event for event in market.events if isinstance(event, CopyDecided)]
    assert (
        decision.leg,
        decision.code,
        decision.lots,
        decision.price_ticks,
    ) == ("stop_loss", "EXECUTED", -500, 9_000)
    assert market.lots("lea") == 1_000


def test_a_leader_that_is_stopped_out_is_followed() -> None:
    market = copied()
    market.do("lea", SetExitLevels("BTC", stop_ticks=9_000))
    market.quote("BTC", 9_000, 9_001)
    assert ended(market) == [("lea", "stop_loss", -1_000, 9_000)]
    assert market.decisions() == [("close", "EXECUTED", -500)]


def test_short_takes_of_one_price_end_own_accounts_before_copies() -> None:
    market = Market("lea", "fay")
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    market.do("lea", PlaceOrder("BTC", "short", 1_000, take_ticks=9_000))
    market.do("fay", SetExitLevels("BTC", take_ticks=9_000, leader="lea"))
    market.quote("BTC", 9_000, 9_000)
    assert market.decisions() == [("close", "EXECUTED", 500)]


def test_settlement_and_stopping_a_copy_take_levels_along() -> None:
    market = copied()
    market.do("fay", SetExitLevels("BTC", stop_ticks=9_000, leader="lea"))
    market.do("fay", StopCopy("lea"))
    assert market.state.exit_levels == {}
    market.do("lea", SetExitLevels("BTC", stop_ticks=9_000))
    market.do(SERVICE, SettleInstrument("BTC", 10_000))
    assert market.state.exit_levels == {}


def test_levels_survive_a_snapshot_and_a_fold() -> None:
    market = bought(stop=9_000, take=11_000)
    kernel = Kernel(restore(snapshot(market.state)))
    market.quote("BTC", 8_000, 8_000)
    applied = [(0, event) for event in market.events]
    folded = kernel.fold(market.ms, 0, f"b{market.ms}", [], applied)
    assert digest(kernel.state) == market.digest()
    assert folded.chain == market.state.chain


def test_an_edit_moves_the_levels_of_a_resting_order() -> None:
    market = Market("ann")
    made = market.do("ann", PlaceOrder("BTC", "buy", 1_000, 9_000, stop_ticks=8_000))
    market.do("ann", EditOrder(made, stop_ticks=8_500, take_ticks=12_000))
    market.quote("BTC", 9_000, 9_000)
    position = market.position("ann")
    assert position is not None
    assert (position.stop_ticks, position.take_ticks) == (8_500, 12_000)
