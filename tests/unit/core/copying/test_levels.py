from __future__ import annotations

import pytest

from streams.core.commands import CloseCopyPosition, PlaceOrder, SetCopy, SetExitLevels
from streams.core.events import ExitLevelsSet
from streams.core.money import MICROS
from tests.unit.core.copying.desk import copying, patch_of, tick, told_events
from tests.unit.core.market import Market


def levels(market: Market, symbol: str = "BTC", follower: str = "fay") -> tuple[int, int]:
    position = market.copy(follower).ledger.positions[symbol]
    return position.stop_ticks, position.take_ticks


def led(settings: str) -> Market:
    """`lea` buys 1 BTC at 100.00 with a stop at 90 and a take at 120."""
    market = copying(**patch_of(settings))
    market.do("lea", PlaceOrder("BTC", "buy", 1_000, stop_ticks=9_000, take_ticks=12_000))
    return market


# settings | stop and take of the follower at its opening | after the leader moves them to 95, 110
LEVELS = """
                                              | 9000 12000  | 9500 11000
 copy_stop_loss=0                             | 0 12000     | 0 11000
 reverse=1                                    | 12000 9000  | 11000 9500
 stop_loss_bps=500                            | 9500 12000  | 9500 11000
 take_profit_bps=500                          | 9000 10500  | 9500 10500
 reverse=1 stop_loss_bps=500 take_profit_bps=100 | 10500 9900 | 10500 9900
 exit_levels=distance                         | 9000 12000  | 9500 11000
"""


@pytest.mark.parametrize("row", LEVELS.strip("\n").splitlines())
def test_levels_are_copied_and_follow_edits(row: str) -> None:
    settings, opened, edited = (part.strip() for part in row.split("|"))
    market = led(settings)
    assert opened == "{} {}".format(*levels(market))
    market.do("lea", SetExitLevels("BTC", 9_400, 11_900))
    market.do("lea", SetExitLevels("BTC", 9_500, 11_000))
    tick(market, 100)
    assert edited == "{} {}".format(*levels(market))
    assert market.state.copy_desk.level_edits == {}
    # a burst is coalesced to its last value
    assert sum(isinstance(event, ExitLevelsSet) for event in market.events) <= 1


def test_another_instrument_has_the_same_distance() -> None:
    market = led("symbol_map=BTC:ETH")
    assert levels(market, "ETH") == (900, 1_200)
    market.do("lea", SetExitLevels("BTC", 9_500, 0))
    tick(market, 100)
    assert levels(market, "ETH") == (950, 0)


def test_edits_reach_only_copies_that_hold_the_leg() -> None:
    market = led("")
    market.do("fay", CloseCopyPosition("lea", "BTC"))
    market.do("lea", SetExitLevels("BTC", 9_500, 0))
    tick(market, 100)
    assert [event for event in market.events if isinstance(event, ExitLevelsSet)] == []
    market = copying(symbols_deny=["BTC"])
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    market.do("lea", SetExitLevels("BTC", 9_500, 0))
    tick(market, 100)
    assert market.state.copy_desk.level_edits == {}


def test_edits_are_followed_over_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market("lea", "fay", "gil")
    for follower in ("fay", "gil"):
        market.do(follower, SetCopy("lea", allocation_micros=500 * MICROS))
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    market.do("lea", PlaceOrder("ETH", "buy", 1_000))
    market.do("lea", SetExitLevels("BTC", 9_500, 0))
    market.do("lea", SetExitLevels("ETH", 950, 0))
    monkeypatch.setattr("streams.core.copying.upkeep.COPY_STEPS_PER_TICK_MAX", 1)
    tick(market, 100)
    assert (levels(market), levels(market, follower="gil")) == ((9_500, 0), (0, 0))
    for _ in range(5):
        tick(market, 100)
    assert levels(market, "ETH", "gil") == (950, 0)
    assert market.state.copy_desk.level_edits == {}


def test_an_edit_of_what_was_closed_meanwhile_is_no_more() -> None:
    market = led("")
    market.do("lea", SetExitLevels("BTC", 9_500, 0))
    market.do("lea", PlaceOrder("BTC", "sell", 1_000))
    tick(market, 100)
    assert market.state.copy_desk.level_edits == {}


def test_levels_of_somebody_whom_nobody_copies_are_its_own() -> None:
    market = Market("lea")
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    market.do("lea", SetExitLevels("BTC", 9_500, 0))
    assert market.state.copy_desk.level_edits == {}


def test_a_copied_stop_ends_the_position_where_the_leaders_does() -> None:
    market = led("")
    market.quote("BTC", 9_000, 9_000)
    assert told_events(market) == ["fay close BTC EXECUTED -500"]
