"""A leader's limit orders as the follower's own, written as text tables of steps."""

from __future__ import annotations

import pytest

from streams.core.commands import (
    CancelOrder,
    CloseCopyPosition,
    CloseOnlyCopy,
    EditOrder,
    PauseCopy,
    PlaceOrder,
    ResumeCopy,
    ResyncCopy,
    SetCopy,
    SetKillSwitch,
    SettleInstrument,
    StopCopy,
)
from streams.core.money import MICROS
from tests.unit.core.copying.desk import patch_of, tick
from tests.unit.core.copying.mirrors import deep, happened, limit, mirroring, resting, sol
from tests.unit.core.market import SERVICE, Market


def test_an_order_is_mirrored_at_its_own_size_and_fills_by_itself() -> None:
    market = mirroring()
    limit(market, "buy", 1_000, 9_000)
    assert resting(market) == ["mirror 500 @ 9000"]
    assert market.copied_lots("fay") == 0
    market.quote("BTC", 8_990, 8_995)
    assert market.decisions() == [("open", "LIMIT_MIRRORED", 0), ("mirror", "EXECUTED", 500)]
    assert happened(market) == ["filled 500 @ 8995"]
    assert market.lots("lea") == 1_000
    assert market.copied_lots("fay") == 500
    tick(market, 100)
    assert market.copy("fay").orders == {}
    assert market.state.copy_desk.order_books == {}


def test_a_fill_that_is_mirrored_is_no_skip_of_any_value() -> None:
    market = mirroring()
    limit(market, "buy", 1_000, 9_000)
    market.quote("BTC", 8_990, 8_995)
    assert market.copy("fay").statistics.skipped == {}


def test_edits_and_cancels_follow_and_a_burst_is_one() -> None:
    market = mirroring()
    order = limit(market, "buy", 1_000, 9_000)
    market.do("lea", EditOrder(order, limit_ticks=9_100))
    market.do("lea", EditOrder(order, lots=2_000))
    tick(market, 100)
    assert happened(market) == ["placed mirror 1000 @ 9100"]
    market.do("lea", CancelOrder(order))
    tick(market, 100)
    assert happened(market) == ["ended LEADER_ORDER_ENDED 1000"]
    assert market.copy("fay").orders == {}


def test_an_order_that_is_gone_before_the_tick_is_never_mirrored() -> None:
    market = mirroring()
    market.do("lea", CancelOrder(market.do("lea", PlaceOrder("BTC", "buy", 1_000, 9_000))))
    tick(market, 100)
    assert happened(market) == []
    # one that fills before the tick is copied as a fill
    market.do("lea", PlaceOrder("BTC", "buy", 1_000, 9_000))
    market.quote("BTC", 9_000, 9_000)
    assert market.decisions() == [("open", "EXECUTED", 500)]
    tick(market, 100)
    assert happened(market) == []


def test_a_limit_exit_closes_the_leaders_fraction_at_its_limit() -> None:
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    assert market.copied_lots("fay") == 500
    limit(market, "sell", 400, 11_000)
    assert resting(market) == ["mirror_close -200 @ 11000"]
    market.quote("BTC", 11_000, 11_010)
    assert market.decisions() == [
        ("close", "LIMIT_MIRRORED", 0),
        ("mirror_close", "EXECUTED", -200),
    ]
    assert market.copied_lots("fay") == 300
    tick(market, 100)
    assert market.copy("fay").orders == {}


def test_a_fill_that_leaves_the_leader_flat_closes_all() -> None:
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    limit(market, "sell", 1_000, 11_000)
    market.quote("BTC", 11_000, 11_010)
    assert market.decisions() == [("close", "EXECUTED", -500)]
    assert happened(market) == ["ended MIRROR_VOID 500"]
    assert market.copied_lots("fay") == 0


def test_an_order_through_zero_closes_by_its_limit_and_opens_by_its_fill() -> None:
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    limit(market, "sell", 1_600, 11_000)
    assert resting(market) == ["mirror_close -500 @ 11000"]
    market.quote("BTC", 11_000, 11_010)
    assert market.decisions() == [("close", "EXECUTED", -500), ("open", "EXECUTED", -299)]
    assert happened(market) == ["ended MIRROR_VOID 500"]
    assert market.lots("lea") == -600


def test_what_rested_before_the_copy_began_is_mirrored_and_what_rests_is_sized_anew() -> None:
    market = Market("lea", "fay")
    market.do("lea", PlaceOrder("BTC", "buy", 1_000, 9_000))
    market.do("fay", SetCopy("lea", 500 * MICROS, follow_limit_orders="mirror"))
    tick(market)
    tick(market, 100)
    assert resting(market) == ["mirror 500 @ 9000"]
    market.do("fay", SetCopy("lea", multiplier_ppm=2_000_000))
    tick(market, 100)
    assert happened(market) == ["placed mirror 1000 @ 9000"]
    market.do("fay", SetCopy("lea", follow_limit_orders="on_fill"))
    tick(market, 100)
    assert happened(market) == ["ended MIRROR_VOID 1000"]
    market.quote("BTC", 9_000, 9_000)
    assert market.decisions() == [("open", "EXECUTED", 1_000)]


NOT_MIRRORED = """
reverse=1                    | place nothing | -500
symbol_map=BTC:ETH           | place nothing | 0
symbols_deny=BTC             | place SYMBOL_DENIED | 0
sides=short                  | place SIDE_NOT_ALLOWED | 0
quantity_min_nanos=900000000 | place BELOW_MIN_QTY | 0
"""


@pytest.mark.parametrize("line", NOT_MIRRORED.strip().splitlines())
def test_what_is_not_mirrored_is_copied_by_its_fill(line: str) -> None:
    patch, said, lots = (part.strip() for part in line.split("|"))
    market = mirroring(**patch_of(patch))
    limit(market, "buy", 1_000, 9_000)
    code = said.removeprefix("place ")
    expected = [] if code == "nothing" else [("place", code, 0)]
    assert market.decisions() == expected
    assert resting(market) == []
    market.quote("BTC", 9_000, 9_000)
    assert market.copied_lots("fay") == int(lots)


def test_the_gates_are_asked_again_at_the_quote() -> None:
    market = mirroring()
    limit(market, "buy", 1_000, 9_000)
    market.do(SERVICE, SetKillSwitch(True))
    market.quote("BTC", 9_000, 9_000)
    assert market.decisions() == [("open", "LIMIT_MIRRORED", 0), ("mirror", "KILL_SWITCH", 0)]
    assert happened(market) == ["ended KILL_SWITCH 500"]
    assert market.copy("fay").orders == {}
    assert market.copy("fay").statistics.skipped["BTC"].keys() == {"KILL_SWITCH"}


def test_caps_that_are_met_meanwhile_make_the_fill_smaller() -> None:
    market = mirroring(position_max_bps=1_000)
    limit(market, "buy", 1_000, 9_000)
    assert resting(market) == ["mirror 500 @ 9000"]
    market.do("lea", PlaceOrder("BTC", "buy", 200))
    market.quote("BTC", 9_000, 9_000)
    assert market.decisions() == [("open", "LIMIT_MIRRORED", 0), ("mirror", "EXECUTED", 454)]
    assert happened(market) == ["filled 454 @ 9000", "ended CLAMP_MAX_POSITION 46"]


def test_an_order_is_copied_once_however_it_is_filled() -> None:
    market = deep(200)
    sol(market, "buy", 1_000, 900)
    for step, lots in enumerate((100, 200, 300, 400, 500)):
        market.quote("SOL", 890 - step, 890 - step)
        assert market.copied_lots("fay", symbol="SOL") == lots
        tick(market)
    assert market.lots("lea", "SOL") == 1_000
    assert market.copy("fay").orders == {}
    assert market.copy("fay").codes == {"LIMIT_MIRRORED": 5, "EXECUTED": 5}


def test_what_the_leader_got_and_the_copy_did_not_is_a_skip_with_a_value() -> None:
    market = deep(200, copy_ratio_ppm=4_000_000, mode="quantity_ratio")
    order = sol(market, "buy", 400, 900)
    assert resting(market) == ["mirror 1600 @ 900"]
    market.quote("SOL", 890, 890)
    market.do("lea", CancelOrder(order))
    tick(market, 100)
    assert market.decisions() == [("mirror", "LEADER_ORDER_ENDED", 0)]
    assert happened(market) == ["ended LEADER_ORDER_ENDED 1400"]
    missed = market.copy("fay").statistics.skipped["SOL"]["LEADER_ORDER_ENDED"]
    assert missed.lots == 600
    assert missed.cost_micros == 600 * 900 * 10


def test_an_opening_rests_on_until_the_leader_has_closed_what_it_was_for() -> None:
    market = deep(200, copy_ratio_ppm=4_000_000, mode="quantity_ratio")
    sol(market, "buy", 200, 900)
    market.quote("SOL", 890, 890)
    tick(market, 100)
    assert resting(market) == ["mirror 600 @ 900"]
    market.do("lea", PlaceOrder("SOL", "sell", 200))
    assert market.decisions() == [("close", "EXECUTED", -200), ("mirror", "MIRROR_VOID", 0)]
    assert happened(market) == ["ended MIRROR_VOID 600"]


def test_a_closing_that_falls_behind_is_made_up_for_on_the_next_tick() -> None:
    market = deep(200, copy_ratio_ppm=4_000_000, mode="quantity_ratio")
    for _ in range(4):
        sol(market, "buy", 200)
    held = market.copied_lots("fay", symbol="SOL")
    order = sol(market, "sell", 400, 1_100)
    assert resting(market) == [f"mirror_close -{held // 2} @ 1100"]
    market.quote("SOL", 1_100, 1_100)
    market.quote("SOL", 1_050, 1_060)
    tick(market, 100)
    assert market.copied_lots("fay", symbol="SOL") == held * 3 // 4
    market.do("lea", CancelOrder(order))
    tick(market, 100)
    assert resting(market) == []
    assert market.copied_lots("fay", symbol="SOL") == held * 3 // 4


LEAVING = """
pause      | mirror_close -150 @ 11000
close_only | mirror_close -150 @ 11000
stop       | mirror_close -150 @ 11000
"""


@pytest.mark.parametrize("line", LEAVING.strip().splitlines())
def test_whoever_leaves_keeps_exits_and_loses_openings(line: str) -> None:
    how, expected = (part.strip() for part in line.split("|"))
    market = mirroring(on_stop="close_by_position")
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    limit(market, "sell", 300, 11_000)
    limit(market, "buy", 1_000, 9_000)
    assert len(resting(market)) == 2
    commands = {"pause": PauseCopy, "close_only": CloseOnlyCopy, "stop": StopCopy}
    market.do("fay", commands[how]("lea"))
    assert resting(market) == [expected]
    market.quote("BTC", 11_000, 11_010)
    assert market.decisions() == [
        ("close", "LIMIT_MIRRORED", 0),
        ("mirror_close", "EXECUTED", -150),
    ]


def test_a_copy_that_stops_by_symbol_closes_all_at_the_limit() -> None:
    market = mirroring(on_stop="close_by_symbol")
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    limit(market, "sell", 300, 11_000)
    market.do("fay", StopCopy("lea"))
    market.quote("BTC", 11_000, 11_010)
    assert market.decisions() == [
        ("close", "LIMIT_MIRRORED", 0),
        ("mirror_close", "EXECUTED", -500),
    ]
    assert market.copy("fay").status == "STOPPED"
    assert market.copy("fay").orders == {}


def test_a_resumed_copy_mirrors_what_still_rests() -> None:
    market = mirroring()
    limit(market, "buy", 1_000, 9_000)
    market.do("fay", PauseCopy("lea"))
    assert resting(market) == []
    market.do("fay", ResumeCopy("lea"))
    tick(market, 100)
    assert resting(market) == ["mirror 500 @ 9000"]
    market.do("fay", ResyncCopy("lea"))
    tick(market, 100)
    assert resting(market) == ["mirror 500 @ 9000"]


def test_a_position_closed_by_hand_ends_its_orders() -> None:
    market = mirroring()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    limit(market, "sell", 300, 11_000)
    limit(market, "buy", 1_000, 9_000)
    market.do("lea", PlaceOrder("ETH", "buy", 100, 900))
    tick(market, 100)
    market.do("fay", CloseCopyPosition("lea", "BTC"))
    assert happened(market) == ["ended MIRROR_VOID 150", "ended DETACHED_BY_FOLLOWER 500"]
    limit(market, "buy", 500, 8_000)
    assert market.decisions() == []
    assert resting(market) == ["mirror 50 @ 900"]


def test_orders_of_a_settled_instrument_and_of_a_stopped_copy_are_gone() -> None:
    market = mirroring()
    limit(market, "buy", 1_000, 9_000)
    market.do("lea", PlaceOrder("ETH", "buy", 1_000, 900))
    tick(market, 100)
    market.do(SERVICE, SettleInstrument("BTC", 10_000))
    assert happened(market) == ["ended INSTRUMENT_SETTLED 500"]
    assert resting(market) == ["mirror 500 @ 900"]
    market.do("fay", StopCopy("lea"))
    assert market.state.copy_desk.order_books == {}
    tick(market, 100)
    assert market.state.copy_desk.order_edits == {}
