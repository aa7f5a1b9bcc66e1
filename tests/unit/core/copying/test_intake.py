from __future__ import annotations

import pytest

from streams.core.commands import ReportFill
from tests.unit.core.copying.desk import copying, tick
from tests.unit.core.market import SERVICE


def test_a_venues_fills_are_booked_once_and_in_order() -> None:
    market = copying()

    def fill(number: int, lots: int) -> str:
        command = ReportFill("BTC", lots, 10_000, 0, "venue", "", "lea", 0, number)
        return market.code(SERVICE, command)

    assert fill(7, 100) == "OK"
    assert market.decisions() == [("open", "EXECUTED", 50)]
    assert fill(7, 100) == "DUPLICATE_SIGNAL"
    assert fill(9, -300) == "OK"
    assert [type(event).__name__ for event in market.events] == ["FillHeld"]
    assert market.events[0].code == "OUT_OF_ORDER"  # type: ignore[attr-defined]
    assert fill(9, -300) == "DUPLICATE_SIGNAL"
    assert fill(8, 200) == "OK"
    assert market.decisions() == [("open", "EXECUTED", 100), ("close", "EXECUTED", -150)]
    assert market.state.copy_desk.held == {}
    assert market.state.copy_desk.sequences == {"lea": 9}


def test_a_fill_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    market = copying()
    for number in (1, 3, 4):
        market.do(SERVICE, ReportFill("BTC", 100, 10_000, 0, "venue", "", "lea", 0, number))
    monkeypatch.setattr("streams.core.copying.intake.HELD_FILLS_MAX", 2)
    command = ReportFill("BTC", 100, 10_000, 0, "venue", "", "lea", 0, 6)
    assert market.code(SERVICE, command) == "LIMIT_REACHED"
    tick(market)
    assert market.decisions() == []
    tick(market, 61_000)
    assert market.decisions() == [("open", "STALE_SIGNAL", 0)] * 2
    assert (market.lots("lea"), market.state.copy_desk.held) == (300, {})


def test_a_test_trade_is_copied_by_nobody() -> None:
    market = copying()
    market.do(SERVICE, ReportFill("BTC", 100, 10_000, 0, "venue", "", "lea", 0, 0, True))
    assert market.decisions() == [("open", "LEADER_TEST_TRADE", 0)]
    market.do(SERVICE, ReportFill("BTC", -200, 10_000, 0, "venue", "", "lea", 0, 0, True))
    assert market.decisions() == [
        ("close", "LEADER_TEST_TRADE", 0),
        ("open", "LEADER_TEST_TRADE", 0),
    ]
