"""Openings that wait: `delay_ms`."""

from __future__ import annotations

from typing import Any

import pytest

from streams.core.commands import (
    PauseCopy,
    PlaceOrder,
    RegisterInstrument,
    ReportFill,
    SetCopy,
    SettleInstrument,
    StopCopy,
)
from streams.core.copying import delays
from streams.core.copying.delays import delay_breaches
from streams.core.events import CopyDelayed
from streams.core.money import Step
from streams.core.view import copy_view, event_data, statistics_view
from streams.core.view.values import format_time
from tests.unit.core.copying.desk import copying, decided, tick
from tests.unit.core.market import SERVICE, Market, keys_of


def waiting(**patch: Any) -> Market:
    """`fay` lets openings wait for 5 s."""
    return copying(delay_ms=5_000, **patch)


def later(market: Market, ms: int = 5_000) -> None:
    """Let time pass, and have a new quote of the same price so that it is not old."""
    market.ms += ms
    tick(market)


def test_an_opening_is_decided_once_at_the_quote_when_its_time_has_come() -> None:
    market = waiting()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    assert decided(market) == []
    (delayed,) = (event for event in market.events if isinstance(event, CopyDelayed))
    assert keys_of(market.state, delayed) == ("account:fay",)
    due = format_time(delayed.waiting.due_us)
    shown = {
        "signal_seq": 1,
        "symbol": "BTC",
        "side": "buy",
        "leader_quantity": "1",
        "leader_price": "100",
        "due_at": due,
    }
    assert copy_view(market.state, market.copy("fay"))["waiting"] == [shown]
    data = event_data(market.state, delayed)
    assert {name: data[name] for name in shown} == shown
    market.quote("BTC", 10_020, 10_020)
    tick(market)
    assert decided(market) == []
    later(market)
    (row,) = decided(market)
    assert (row.leg, row.code, row.signal_seq) == ("delayed", "EXECUTED", 1)
    assert (row.lots, row.price_ticks, row.leader_price_ticks) == (500, 10_020, 10_000)
    assert row.slippage_bps == 20
    assert market.copy("fay").waiting == {}
    assert statistics_view(market.state, market.copy("fay"))["entry_slippage_bps"]["count"] == 1


REFUSED = """
quote 10060 10060 | SLIPPAGE_PRE
pause             | REL_PAUSED
deny              | SYMBOL_DENIED
"""


@pytest.mark.parametrize("line", REFUSED.strip().splitlines())
def test_all_gates_are_asked_again(line: str) -> None:
    what, code = (part.strip() for part in line.split("|"))
    market = waiting()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    if what.startswith("quote"):
        _, bid, ask = what.split()
        market.quote("BTC", int(bid), int(ask))
    elif what == "pause":
        market.do("fay", PauseCopy("lea"))
    else:
        market.do("fay", SetCopy("lea", symbols_deny=["BTC"]))
    later(market)
    assert market.decisions() == [("delayed", code, 0)]
    assert market.copy("fay").statistics.skipped["BTC"].keys() == {code}


def test_what_the_gates_refuse_now_does_not_wait() -> None:
    market = waiting(symbols_deny=["BTC"])
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    assert market.decisions() == [("open", "SYMBOL_DENIED", 0)]


def test_a_closing_of_the_leader_cancels_what_waits_and_is_never_delayed() -> None:
    market = waiting()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    later(market)
    market.do("lea", PlaceOrder("BTC", "buy", 200))
    market.do("lea", PlaceOrder("ETH", "buy", 100))
    market.do("lea", PlaceOrder("BTC", "sell", 600))
    assert market.decisions() == [("delayed", "LEADER_CLOSED", 0), ("close", "EXECUTED", -250)]
    assert [each.symbol for each in market.copy("fay").waiting.values()] == ["ETH"]


def test_a_turn_closes_at_once_and_opens_later() -> None:
    market = waiting()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    later(market)
    market.do("lea", PlaceOrder("BTC", "sell", 1_600))
    assert market.decisions() == [("close", "EXECUTED", -500)]
    assert [each.opened_lots for each in market.copy("fay").waiting.values()] == [-600]
    later(market)
    assert market.decisions() == [("delayed", "EXECUTED", -300)]


def test_what_the_leader_no_longer_holds_is_not_opened() -> None:
    market = waiting()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    market.do(SERVICE, SettleInstrument("BTC", 10_000))
    later(market)
    assert market.decisions() == [("delayed", "LEADER_CLOSED", 0)]


def test_the_end_of_a_copy_ends_what_waits() -> None:
    market = waiting()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    market.do("fay", StopCopy("lea"))
    assert market.decisions() == [("delayed", "COPY_STOPPED", 0)]
    assert market.state.copy_desk.delays == []


def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delays, "WAITING_OPENINGS_MAX", 1)
    market = waiting()
    market.do("lea", PlaceOrder("BTC", "buy", 100))
    market.do("lea", PlaceOrder("BTC", "buy", 100))
    assert market.decisions() == [("delayed", "LIMIT_REACHED", 0)]
    later(market)
    assert market.decisions() == [("delayed", "EXECUTED", 50)]


def test_at_a_venue_with_a_depth_it_gets_its_own_share_of_it() -> None:
    market = waiting()
    market.do(
        SERVICE,
        RegisterInstrument("SOL", "SOL", "x", "spot", Step(1, 2), Step(1, 3), depth_lots=40),
    )
    market.quote("SOL", 1_000, 1_000)
    market.fill("lea", 100, 1_000, "SOL")
    later(market)
    (row,) = decided(market)
    assert (row.lots, row.block_lots, row.clamps) == (40, 50, ("PARTIAL_FILL",))


def test_a_venues_old_fill_is_stale_at_once_and_a_fresh_one_does_not_age_by_waiting() -> None:
    market = waiting()
    market.do(SERVICE, ReportFill("BTC", 1_000, 10_000, 0, "venue", "", "lea", market.ms * 1_000))
    assert decided(market) == []
    later(market)
    assert market.decisions() == [("delayed", "EXECUTED", 500)]


def test_exits_of_a_copy_that_waits_are_never_delayed() -> None:
    market = waiting()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    later(market)
    market.do("lea", PlaceOrder("BTC", "sell", 1_000))
    assert market.decisions() == [("close", "EXECUTED", -500)]


def test_a_list_that_is_not_what_waits_is_a_breach() -> None:
    market = waiting()
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    market.state.copy_desk.delays.clear()
    assert list(delay_breaches(market.state)) == ["delays: 1 wait, 0 are listed"]
