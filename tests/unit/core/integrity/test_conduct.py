"""Martingale from fills on a real kernel, and what follows from the flag."""

import pytest

from streams.core.commands import SetCopy, Tick
from streams.core.events import FlagCleared, TraderFlagged
from streams.core.integrity.conduct import tells
from streams.core.integrity_state import Conduct
from streams.core.leaderboard import ranks_of
from streams.core.market_clock import DAY_US
from streams.core.money import MICROS
from tests.unit.core.market import SERVICE, Market


def trip(market: Market, trader: str, lots: int, profit_ticks: int) -> None:
    """Open at 100.00 and close so many ticks better."""
    market.fill(trader, lots, 10_000)
    market.fill(trader, -lots, 10_000 + profit_ticks)


def conduct(market: Market, trader: str = "lea") -> Conduct:
    return market.state.integrity.conduct[trader]


def flags(market: Market, trader: str = "lea") -> list[str]:
    return list(market.state.integrity.flags.get(trader, {}))


def doubles_down(market: Market, trader: str = "lea") -> None:
    """Double after each loss, and add at a loss three times."""
    for _ in range(5):
        trip(market, trader, 100, 10)
        trip(market, trader, 100, -10)
        trip(market, trader, 200, -10)
        trip(market, trader, 400, 20)
    market.fill(trader, 100, 10_000)
    for price in (9_900, 9_800, 9_700):
        market.fill(trader, 100, price)
    market.fill(trader, -400, 10_000)


def test_honest_trading_raises_no_flag():
    market = Market("lea")
    for number in range(30):
        trip(market, "lea", 100, 10 if number % 2 else -8)
    market.fill("lea", 100, 10_000)
    market.fill("lea", 100, 10_100)
    market.fill("lea", -200, 10_100)
    assert tells(conduct(market)) == {}
    assert flags(market) == []


def test_martingale_is_a_red_flag_that_followers_hear_of_and_boards_leave_out():
    market = Market("lea", "fay", "ann", cash=100_000)
    market.do("fay", SetCopy("lea", allocation_micros=1_000 * MICROS))
    doubles_down(market)
    raised = [event for event in market.events if isinstance(event, TraderFlagged)]
    assert [(event.flag, event.level) for event in raised] == [("MARTINGALE", "red")]
    assert raised[0].evidence == {"size_after_loss_ppm": 3_000_000, "adds_at_a_loss": 3}
    assert market.state.channel_seqs["notifications:fay"] == 1
    assert market.state.channel_seqs["notifications:lea"] == 1
    trip(market, "ann", 100, 10)
    market.do(SERVICE, Tick(market.ms // 100))
    boards = market.kernel.derived.boards
    assert ranks_of(market.state, boards, "lea") == {}
    assert ranks_of(market.state, boards, "ann")["total_return:all"]["n"] == 1


def test_the_flag_is_cleared_when_a_month_of_trades_tells_nothing():
    market = Market("lea", cash=100_000)
    doubles_down(market)
    for _ in range(40):
        trip(market, "lea", 400, 10)
        trip(market, "lea", 100, -10)
    conduct(market).adds_most = 0
    trip(market, "lea", 100, 10)
    assert flags(market) == ["MARTINGALE"]
    market.ms += 31 * DAY_US // 1_000
    trip(market, "lea", 100, 10)
    assert [type(event) for event in market.events if isinstance(event, FlagCleared)]
    assert flags(market) == []


def test_shorts_are_added_to_at_a_loss_when_the_price_rises():
    market = Market("lea", cash=100_000)
    market.fill("lea", -100, 10_000)
    market.fill("lea", -100, 10_100)
    market.fill("lea", -100, 9_900)
    assert market.state.integrity.adds == {"lea": {"BTC": 1}}
    market.fill("lea", 100, 9_900, "ETH")
    market.fill("lea", 100, 9_800, "ETH")
    market.fill("lea", 400, 10_000)
    assert market.state.integrity.adds == {"lea": {"ETH": 1}}
    market.fill("lea", -200, 10_000, "ETH")
    assert market.state.integrity.adds == {}
    assert market.lots("lea") == 100


ROWS = """
size after a loss   | 5 500 5 751 0 0 0 0 0 0 0   | size_after_loss_ppm
just not larger     | 5 500 5 750 0 0 0 0 0 0 0   |
too few to compare  | 4 400 9 999 0 0 0 0 0 0 0   |
added three times   | 0 0 0 0 3 0 0 0 0 0 0       | adds_at_a_loss
added twice         | 0 0 0 0 2 0 0 0 0 0 0       |
many small wins     | 0 0 0 0 0 18 18 18 2 9 0    | win_rate_ppm
losses are smaller  | 0 0 0 0 0 18 180 18 2 9 0   |
too few trades      | 0 0 0 0 0 17 17 17 2 9 0    |
holds losers        | 0 0 0 0 0 5 50 5 5 5 16     | holding_losers_ppm
holds both alike    | 0 0 0 0 0 5 50 5 5 5 15     |
"""


@pytest.mark.parametrize("line", ROWS.strip().splitlines())
def test_tells(line):
    _, numbers, expected = (part.strip() for part in line.split("|"))
    assert list(tells(Conduct(0, *map(int, numbers.split())))) == expected.split()
