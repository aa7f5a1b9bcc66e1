"""The life of a copy: start and sync, detach, the four ways to stop, scopes, suspension."""

from __future__ import annotations

import pytest

from streams.core.commands import (
    CloseCopyPosition,
    PauseCopy,
    RegisterTrader,
    ReinstateLeader,
    ReportPosition,
    ResumeCopy,
    ResyncCopy,
    SetCopy,
    SetKillSwitch,
    SettleInstrument,
    StopCopy,
    SuspendLeader,
)
from streams.core.copying.suspension import suspend_leader
from streams.core.money import MICROS
from streams.core.snapshots import digest, restore, snapshot
from streams.core.state import Copy, CopySettings
from tests.unit.core.copying.desk import (
    ALLOCATION,
    copying,
    decided,
    patch_of,
    tick,
    told,
    told_events,
)
from tests.unit.core.market import SERVICE, Market


def leading() -> Market:
    """`lea` holds 1 BTC at 100 and is short 2 ETH at 10."""
    market = Market("lea", "fay", "gil")
    market.fill("lea", 1_000, 10_000)
    market.fill("lea", -2_000, 1_000, "ETH")
    return market


def start(market: Market, settings: str = "", follower: str = "fay") -> list[str]:
    market.do(follower, SetCopy("lea", allocation_micros=ALLOCATION, **patch_of(settings)))
    return told_events(market)


def test_a_copy_begins_active_and_with_nothing() -> None:
    assert start(leading()) == ["fay ACTIVE follower started"]


def test_a_copy_may_open_what_the_leader_holds() -> None:
    assert start(leading(), "copy_open_positions=all") == [
        "fay SYNCING follower started",
        "fay sync BTC EXECUTED 500",
        "fay sync ETH EXECUTED -1000",
        "fay ACTIVE clock synced",
    ]


# quote of BTC, which the leader bought at 100.00 | bound in bp | decision
ENTRIES = [
    (10_000, 0, "EXECUTED 500"),
    (9_000, 0, "EXECUTED 505"),
    (10_001, 0, "SLIPPAGE_PRE 0"),
    (10_050, 50, "EXECUTED 499"),
    (10_051, 50, "SLIPPAGE_PRE 0"),
]


@pytest.mark.parametrize(("quote", "bound", "expected"), ENTRIES)
def test_what_is_open_is_taken_only_at_a_price_not_worse(
    quote: int, bound: int, expected: str
) -> None:
    market = leading()
    market.quote("BTC", quote, quote)
    settings = f"copy_open_positions=only_if_not_worse open_worse_bps_max={bound}"
    assert start(market, settings)[1].removeprefix("fay sync BTC ") == expected


def test_a_sync_goes_on_over_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    market = leading()
    monkeypatch.setattr("streams.core.copying.sync.COPY_STEPS_PER_TICK_MAX", 1)
    assert start(market, "copy_open_positions=all")[1:] == ["fay sync BTC EXECUTED 500"]
    market.fill("lea", -1_000, 10_000)
    assert [told(one) for one in decided(market)] == ["EXECUTED -500"]
    market.fill("lea", 2_000, 1_000, "ETH")
    tick(market, 100)
    assert told_events(market) == ["fay ACTIVE clock synced"]


def test_a_resync_closes_what_is_too_much_and_opens_what_is_missing() -> None:
    market = leading()
    start(market, "copy_open_positions=all slippage_max_bps=9999")
    market.do(SERVICE, ReportPosition("lea", "BTC", 500, 10_000))
    market.do(SERVICE, ReportPosition("lea", "ETH", 2_000, 1_000))
    market.do("fay", ResyncCopy("lea"))
    assert told_events(market) == [
        "fay SYNCING follower resync",
        "fay resync BTC EXECUTED -250",
        "fay resync ETH EXECUTED 1000",
        "fay sync ETH EXECUTED 1000",
        "fay ACTIVE clock synced",
    ]
    market.do(SERVICE, ReportPosition("lea", "BTC", 0, 0))
    market.do("fay", ResyncCopy("lea"))
    assert "fay resync BTC EXECUTED -250" in told_events(market)
    market.do("fay", PauseCopy("lea"))
    assert market.code("fay", ResyncCopy("lea")) == "REL_PAUSED"
    assert market.code("gil", ResyncCopy("lea")) == "UNKNOWN_COPY"


def test_a_resync_looks_through_the_map() -> None:
    market = leading()
    start(market, "symbol_map=BTC:ETH,ETH:BTC copy_open_positions=all position_max_bps=50000")
    assert (market.copied_lots("fay"), market.copied_lots("fay", symbol="ETH")) == (-100, 5_000)
    market.do(SERVICE, ReportPosition("lea", "BTC", 500, 10_000))
    market.do("fay", ResyncCopy("lea"))
    assert "fay resync ETH EXECUTED -2500" in told_events(market)
    market.do("fay", SetCopy("lea", symbol_map={"BTC": "NOWHERE"}))
    market.do("fay", ResyncCopy("lea"))
    assert "fay sync BTC SYMBOL_UNMAPPED 0" in told_events(market)


def test_a_resync_without_equity_changes_nothing() -> None:
    market = leading()
    start(market, "copy_open_positions=all")
    market.copy("fay").ledger.cash_micros = -1_000 * MICROS
    market.do("fay", ResyncCopy("lea"))
    assert [one.code for one in decided(market)] == ["INSUFFICIENT_FUNDS"] * 2


def test_a_position_closed_by_hand_is_left_until_the_leg_ends() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.do("fay", CloseCopyPosition("lea", "BTC"))
    assert told_events(market) == ["fay manual BTC EXECUTED -500"]
    assert market.code("fay", CloseCopyPosition("lea", "BTC")) == "NO_COPIED_POSITION"
    assert market.code("gil", CloseCopyPosition("lea", "BTC")) == "UNKNOWN_COPY"
    market.fill("lea", 100, 10_000)
    assert market.decisions() == [("open", "DETACHED_BY_FOLLOWER", 0)]
    market.fill("lea", -100, 10_000)
    assert market.decisions() == [("close", "DETACHED_BY_FOLLOWER", 0)]
    market.do("fay", ResyncCopy("lea"))
    assert market.copied_lots("fay") == 0
    market.fill("lea", -2_000, 10_000)
    assert market.decisions() == [("close", "DETACHED_BY_FOLLOWER", 0), ("open", "EXECUTED", -500)]
    assert market.copy("fay").detached == {}


def test_a_leg_that_a_venue_ended_is_followed_again() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.do("fay", CloseCopyPosition("lea", "BTC"))
    market.do(SERVICE, ReportPosition("lea", "BTC", 0, 0))
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("open", "EXECUTED", 500)]
    assert market.copy("fay").detached == {}


def test_a_position_that_the_leader_left_is_closed_without_detaching() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.do(SERVICE, ReportPosition("lea", "BTC", 0, 0))
    market.do("fay", CloseCopyPosition("lea", "BTC"))
    assert market.copy("fay").detached == {}


def test_stopping_by_position_follows_closings_until_flat() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.do("fay", StopCopy("lea", "close_by_position"))
    assert told_events(market) == ["fay STOPPING follower close_by_position"]
    assert market.code("fay", PauseCopy("lea")) == "REL_CLOSE_ONLY"
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("open", "REL_CLOSE_ONLY", 0)]
    market.fill("lea", -1_000, 10_000)
    assert market.decisions() == [("close", "EXECUTED", -250)]
    market.fill("lea", -2_000, 10_000)
    assert told_events(market) == ["fay close BTC EXECUTED -250", "fay STOPPED close_by_position"]


def test_stopping_by_symbol_closes_a_position_at_the_first_closing() -> None:
    market = copying(on_stop="close_by_symbol")
    market.fill("lea", 1_000, 10_000)
    market.do("fay", StopCopy("lea"))
    market.fill("lea", -1, 10_000)
    assert told_events(market) == ["fay close BTC EXECUTED -500", "fay STOPPED close_by_symbol"]


def test_stopping_ends_with_the_settlement_of_the_last_position() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.do("fay", StopCopy("lea", "close_by_position"))
    market.do(SERVICE, SettleInstrument("BTC", 10_000))
    assert told_events(market)[-1] == "fay STOPPED close_by_position"


def test_stopping_now_goes_on_over_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    market = leading()
    start(market, "copy_open_positions=all")
    monkeypatch.setattr("streams.core.copying.lifecycle.COPY_STEPS_PER_TICK_MAX", 1)
    market.do("fay", StopCopy("lea"))
    assert told_events(market) == ["fay stop BTC EXECUTED -500", "fay STOPPING follower close_now"]
    tick(market, 100)
    assert told_events(market) == ["fay stop ETH EXECUTED 1000", "fay STOPPED close_now"]
    assert market.state.traders["fay"].ledger.cash_micros == 1_000 * MICROS


def test_nobody_copies_a_copier_and_no_leader_copies() -> None:
    market = Market("lea", "fay", "gil")
    start(market)
    assert market.code("gil", SetCopy("fay", allocation_micros=1)) == "LEADER_IS_COPY"
    assert market.code("lea", SetCopy("gil", allocation_micros=1)) == "LEADER_IS_COPY"
    assert market.code("lea", SetCopy("fay", allocation_micros=1)) == "LEADER_IS_COPY"
    market.do("fay", StopCopy("lea"))
    market.do("lea", SetCopy("gil", allocation_micros=1))


def test_a_leader_that_copied_before_chains_were_refused_opens_nothing() -> None:
    market = copying()
    leader = market.state.traders["lea"]
    leader.copying["old"] = None
    market.state.copies["old"] = {"lea": Copy("lea", "old", "PAUSED", CopySettings(1), 1, 0)}
    market.state.totals.copies_active += 1
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("open", "LEADER_IS_COPY", 0)]


def test_the_kill_switch_stops_openings_and_holds_new_copies_back() -> None:
    market = leading()
    start(market, follower="gil")
    market.fill("lea", 1_000, 10_000)
    assert market.code("fay", SetKillSwitch(True)) == "NOT_ALLOWED"
    market.do(SERVICE, SetKillSwitch(True, "drill"))
    market.do(SERVICE, SetKillSwitch(True, "drill"))
    assert market.events == []
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("open", "KILL_SWITCH", 0)]
    assert start(market) == []
    assert market.copy("fay").status == "PENDING"
    market.fill("lea", -3_000, 10_000)
    assert [code for _, code, _ in market.decisions()] == ["EXECUTED", "NO_FOLLOWER_POSITION"]
    market.do(SERVICE, SetKillSwitch(False))
    tick(market, 100)
    assert told_events(market) == ["fay ACTIVE follower started"]


def test_a_pending_copy_opens_nothing() -> None:
    market = leading()
    market.do(SERVICE, SetKillSwitch(True))
    start(market)
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("open", "REL_PAUSED", 0)]
    assert market.code("fay", PauseCopy("lea")) == "REL_PAUSED"


SUSPENSIONS = [
    ("fay", SuspendLeader("lea", "suspended"), "NOT_ALLOWED"),
    (SERVICE, SuspendLeader("no", "suspended"), "UNKNOWN_TRADER"),
    (SERVICE, SuspendLeader("lea", "perhaps"), "INVALID_SETTINGS"),
    ("fay", ReinstateLeader("lea"), "NOT_ALLOWED"),
    (SERVICE, ReinstateLeader("lea"), "NOT_SUSPENDED"),
]


@pytest.mark.parametrize(("principal", "command", "expected"), SUSPENSIONS)
def test_a_suspension_is_refused(principal: str, command: object, expected: str) -> None:
    assert expected == copying().code(principal, command)  # type: ignore[arg-type]


@pytest.mark.parametrize("cause", ["suspended", "liquidated", "closed"])
def test_copies_of_a_suspended_leader_become_close_only(cause: str) -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.do(SERVICE, SuspendLeader("lea", cause))
    assert market.code(SERVICE, SuspendLeader("lea", cause)) == "ALREADY_SUSPENDED"
    market.fill("lea", 1_000, 10_000)
    assert market.decisions() == [("open", "LEADER_SUSPENDED", 0)]
    tick(market, 100)
    assert told_events(market) == [f"fay CLOSE_ONLY leader leader_{cause}"]
    assert market.state.copy_desk.reviews == {}
    market.fill("lea", -2_000, 10_000)
    assert market.decisions() == [("close", "EXECUTED", -500)]
    assert market.code("fay", ResumeCopy("lea")) == "LEADER_SUSPENDED"
    assert market.code("gil", SetCopy("lea", allocation_micros=1)) == "UNKNOWN_TRADER"
    market.do(SERVICE, RegisterTrader("gil", "gil", "gil", "account", 10 * MICROS))
    assert market.code("gil", SetCopy("lea", allocation_micros=1)) == "LEADER_SUSPENDED"
    market.do(SERVICE, ReinstateLeader("lea"))
    market.do("fay", ResumeCopy("lea"))


def test_a_suspended_leader_is_not_suspended_again() -> None:
    market = copying()
    market.do(SERVICE, SuspendLeader("lea", "suspended"))
    suspend_leader(market.kernel, "lea", "liquidated", 1)
    assert market.state.copy_desk.suspended == {"lea": "suspended"}


def test_a_review_goes_on_over_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market("lea", "fay", "gil", "hal")
    for follower in ("fay", "gil", "hal"):
        start(market, follower=follower)
    market.do("hal", StopCopy("lea"))
    market.do(SERVICE, SuspendLeader("lea", "closed"))
    monkeypatch.setattr("streams.core.copying.upkeep.COPY_STEPS_PER_TICK_MAX", 1)
    said = []
    for _ in range(4):
        tick(market, 100)
        said.append(told_events(market))
    assert said == [
        ["fay CLOSE_ONLY leader leader_closed"],
        ["gil CLOSE_ONLY leader leader_closed"],
        [],
        [],
    ]
    assert market.state.copy_desk.reviews == {}


def test_a_drift_beyond_the_band_is_told_once() -> None:
    market = copying(drift_band_bps=100)
    tick(market)
    assert told_events(market) == []
    market.do(SERVICE, ReportPosition("lea", "BTC", 200, 10_000))
    tick(market)
    assert told_events(market) == ["fay DRIFT 100"]
    assert market.copy("fay").drift_bps == 200
    tick(market)
    assert told_events(market) == []
    market.do("fay", ResyncCopy("lea"))
    tick(market)
    assert market.copy("fay").drift_bps == 0
    market.do("fay", StopCopy("lea"))
    tick(market)
    assert market.copy("fay").drift_bps == -1


def test_a_deviation_counts_both_sides_and_no_leg_that_was_left() -> None:
    market = leading()
    start(market, "copy_open_positions=all symbol_multipliers=ETH:500000")
    tick(market)
    assert market.copy("fay").drift_bps == 0
    market.do("fay", CloseCopyPosition("lea", "BTC"))
    tick(market)
    assert market.copy("fay").drift_bps == 0
    market.do(SERVICE, ReportPosition("lea", "ETH", 0, 0))
    tick(market)
    assert market.copy("fay").drift_bps == 100


def test_a_restored_node_watches_the_same() -> None:
    market = copying(trailing_stop_bps=1_000, mode="quantity_ratio", position_max_bps=1_000_000)
    market.fill("lea", 20_000, 10_000)
    market.quote("BTC", 11_000, 11_000)
    tick(market)
    other = Market()
    other.kernel = type(other.kernel)(restore(snapshot(market.state)))
    other.ms = market.ms
    for each in (market, other):
        each.quote("BTC", 10_650, 10_650)
        tick(each)
        assert "fay HALTED risk TRAILING_STOP_HIT" in told_events(each)
    assert digest(other.state) == digest(market.state)
