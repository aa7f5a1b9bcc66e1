from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from streams.core.commands import (
    CloseOnlyCopy,
    Command,
    PauseCopy,
    PlaceOrder,
    RegisterInstrument,
    ReportEquity,
    ReportFill,
    ResumeCopy,
    SetCopy,
    SetCopyScope,
    SetKillSwitch,
    SettleInstrument,
    StopCopy,
    SuspendLeader,
)
from streams.core.events import CopyDecided
from streams.core.fills import book_fill
from streams.core.money import MICROS, Step
from tests.unit.core.copying.desk import copying
from tests.unit.core.market import SERVICE, Market


def test_without_a_quote_nothing_is_opened() -> None:
    market = copying()
    market.do(SERVICE, RegisterInstrument("NEW", "NEW", "x", "spot", Step(1, 2), Step(1, 3)))
    market.fill("lea", 100, 10_000, "NEW")
    assert market.decisions() == [("open", "NO_QUOTE", 0)]


def test_a_quote_past_the_cap_is_skipped_and_a_better_one_taken() -> None:
    market = copying(slippage_max_bps=50)
    market.quote("BTC", 10_051, 10_051)
    market.fill("lea", 100, 10_000)
    assert market.decisions() == [("open", "SLIPPAGE_PRE", 0)]
    market.quote("BTC", 9_000, 9_000)
    market.fill("lea", 100, 10_000)
    (decision,) = [event for event in market.events if isinstance(event, CopyDecided)]
    assert (decision.code, decision.slippage_bps) == ("EXECUTED", -1_000)


def test_an_old_signal_is_stale_for_openings_only() -> None:
    market = copying(stale_ms_max=1_000)
    market.fill("lea", 1_000, 10_000)
    old = market.ms * 1000 - 5_000_000
    market.do(SERVICE, ReportFill("BTC", 100, 10_000, 0, "venue", "", "lea", old))
    assert market.decisions() == [("open", "STALE_SIGNAL", 0)]
    market.do(SERVICE, ReportFill("BTC", -1_100, 10_000, 0, "venue", "", "lea", old))
    assert market.decisions() == [("close", "EXECUTED", -500)]


def test_a_leader_without_equity_gives_no_ratio() -> None:
    market = copying()
    market.do(SERVICE, ReportEquity("lea", 0))
    market.fill("lea", 100, 10_000)
    assert market.decisions() == [("open", "NO_LEADER_EQUITY", 0)]


@pytest.mark.parametrize("mode", ["equity_ratio", "quantity_ratio"])
def test_a_follower_without_equity_opens_nothing(mode: str) -> None:
    market = copying(mode=mode, multiplier_ppm=3_000_000, position_max_bps=1_000_000)
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 1, 1)
    market.fill("lea", 10_000, 10_000, "ETH")
    assert market.copy("fay").ledger.cash_micros == 500 * MICROS
    assert [code for _, code, _ in market.decisions()] == ["INSUFFICIENT_FUNDS"]


def test_a_closing_takes_the_leaders_fraction_of_what_the_follower_holds() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.fill("lea", -250, 10_000)
    assert market.decisions() == [("close", "EXECUTED", -125)]
    market.fill("lea", -750, 10_000)
    assert market.decisions() == [("close", "EXECUTED", -375)]
    assert market.copied_lots("fay") == 0


def test_what_a_closing_rounds_away_is_carried_to_the_next() -> None:
    market = copying(mode="quantity_ratio", copy_ratio_ppm=1_000)
    market.fill("lea", 3_000, 10_000)
    assert market.copied_lots("fay") == 3
    for expected in (
        ("close", "ZERO_AFTER_ROUNDING", 0),
        ("close", "EXECUTED", -1),
    ):
        market.fill("lea", -600, 10_000)
        assert market.decisions() == [expected]


def test_a_flip_is_a_closing_and_an_opening_each_decided_alone() -> None:
    market = copying(symbols_deny=["ETH"])
    market.fill("lea", 1_000, 10_000)
    market.fill("lea", -3_000, 10_000)
    assert market.decisions() == [("close", "EXECUTED", -500), ("open", "EXECUTED", -1_000)]


def test_the_reverse_of_short_is_long_and_its_closing_sells() -> None:
    market = copying(reverse=True)
    market.fill("lea", -1_000, 10_000)
    assert market.copied_lots("fay") == 500
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("close", "EXECUTED", -500)]


def test_a_leaders_close_is_never_copied_as_an_opening() -> None:
    market = Market("lea", "fay")
    market.fill("lea", 1_000, 10_000)
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    market.fill("lea", -1_000, 10_000)
    assert market.decisions() == [("close", "NO_FOLLOWER_POSITION", 0)]
    assert market.copied_lots("fay") == 0


@pytest.mark.parametrize(
    ("command", "code"),
    [(PauseCopy("lea"), "REL_PAUSED"), (CloseOnlyCopy("lea"), "REL_CLOSE_ONLY")],
)
def test_paused_and_close_only_copies_follow_closings_only(command: object, code: str) -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.do("fay", command)  # type: ignore[arg-type]
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("open", code, 0)]
    market.fill("lea", -2_000, 10_000)
    assert market.decisions() == [("close", "EXECUTED", -500)]
    market.do("fay", ResumeCopy("lea"))
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("open", "EXECUTED", 500)]


def test_every_signal_gets_one_decision_from_every_follower() -> None:
    market = Market("lea", "fay", "gil", "hal")
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    market.do("gil", SetCopy("lea", allocation_micros=1, mode="quantity_ratio"))
    market.do("hal", SetCopy("lea", allocation_micros=500 * MICROS, symbols_allow=["ETH"]))
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    decided = [event for event in market.events if isinstance(event, CopyDecided)]
    assert [(d.follower, d.code) for d in decided] == [
        ("fay", "EXECUTED"),
        ("gil", "INSUFFICIENT_FUNDS"),
        ("hal", "SYMBOL_NOT_ALLOWED"),
    ]
    assert {d.signal_seq for d in decided} == {1}
    totals = market.state.totals
    assert (totals.copies_active, totals.copies_executed, totals.copies_skipped) == (3, 1, 2)


def test_a_self_reported_fill_is_no_signal() -> None:
    market = copying()
    market.do("lea", ReportFill("BTC", 1_000, 10_000, 0, "self_reported", ""))
    assert market.decisions() == []


def test_settlement_closes_copies_too() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.do(SERVICE, SettleInstrument("BTC", 20_000))
    assert ("settle", "EXECUTED", -500) in market.decisions()
    assert market.copy("fay").ledger.cash_micros == 550 * MICROS


def test_the_fee_of_the_paper_venue_is_paid_from_the_ring_fence() -> None:
    market = Market("lea", "fay")
    market.do(SERVICE, RegisterInstrument("FEE", "FEE", "x", "spot", Step(1, 2), Step(1, 3), 1_000))
    market.quote("FEE", 10_000, 10_000)
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    market.fill("lea", 1_000, 10_000, "FEE")
    assert market.copy("fay").ledger.cash_micros == 500 * MICROS - 50_000
    market.do("fay", StopCopy("lea"))
    assert market.state.traders["fay"].ledger.cash_micros == 1_000 * MICROS - 100_000


legs = st.lists(
    st.tuples(st.integers(-3_000, 3_000).filter(bool), st.integers(5_000, 20_000)), max_size=25
)


BLOCKED: dict[str, list[tuple[str, Command]]] = {
    "ACTIVE": [],
    "PAUSED": [("fay", PauseCopy("lea"))],
    "CLOSE_ONLY": [("fay", CloseOnlyCopy("lea"))],
    "STOPPING": [("fay", StopCopy("lea", "close_by_position"))],
    "KILL_SWITCH": [(SERVICE, SetKillSwitch(True))],
    "SUSPENDED": [(SERVICE, SuspendLeader("lea", "suspended"))],
    "SCOPE": [(SERVICE, SetCopyScope("platform", SetCopy("", symbols_allow=["ETH"])))],
    "LIMITS": [("fay", SetCopy("lea", trades_day_max=1, positions_max=1, leverage_max_ppm=1))],
}
"""What stops every opening, by its name."""


@settings(deadline=None, max_examples=60)
@given(legs, st.booleans(), st.sampled_from(list(BLOCKED)))
def test_risk_reducing_orders_are_never_blocked(
    fills: list[tuple[int, int]], reverse: bool, status: str
) -> None:
    market = copying(reverse=reverse, slippage_max_bps=0, symbols_deny=[], stale_ms_max=0)
    market.fill("lea", 1_000, 10_000)
    for principal, command in BLOCKED[status]:
        market.do(principal, command)
    market.do("fay", SetCopy("lea", symbols_deny=["BTC"]))
    for lots, price in fills:
        before = abs(market.copied_lots("fay"))
        market.quote("BTC", price, price)
        market.fill("lea", lots, price)
        for leg, code, executed in market.decisions():
            if leg == "close" and before:
                assert code in ("EXECUTED", "ZERO_AFTER_ROUNDING")
            if leg == "open":
                assert executed == 0
        if market.lots("lea") == 0:
            assert market.copied_lots("fay") == 0


def test_a_limit_order_may_be_followed_when_it_is_full() -> None:
    market = Market("lea", "fay", "gil")
    for follower, how in (("fay", "on_fill"), ("gil", "on_full_fill")):
        market.do(
            follower,
            SetCopy("lea", allocation_micros=500 * MICROS, follow_limit_orders=how),
        )
    order = market.do("lea", PlaceOrder("BTC", "buy", 1_000, 9_000))
    told = []
    for lots, left in ((400, 600), (600, 0)):
        kernel = market.kernel
        kernel._begin(market.ms + 1, 0)
        book_fill(
            kernel,
            "lea",
            "BTC",
            lots,
            10_000,
            0,
            source="paper",
            at_us=1,
            of=market.state.orders[order],
            left_lots=left,
        )
        market.ms += 1
        market.events = [event for _, event in kernel._events]
        kernel._end(f"b{market.ms}", [])
        told.append(market.decisions())
    assert told == [
        [("open", "EXECUTED", 200), ("open", "LIMIT_NOT_FULL", 0)],
        [("open", "EXECUTED", 300), ("open", "EXECUTED", 500)],
    ]


def test_an_opening_that_flattens_what_was_copied_the_other_way_leaves_nothing() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    held = market.copied_lots("fay")
    assert held > 0
    market.do("fay", SetCopy("lea", reverse=True))
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("open", "EXECUTED", -held)]
    assert market.copied_lots("fay") == 0
