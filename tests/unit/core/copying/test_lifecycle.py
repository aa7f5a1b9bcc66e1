from __future__ import annotations

import pytest

from streams.core.commands import (
    CloseOnlyCopy,
    FollowTrader,
    PauseCopy,
    RegisterInstrument,
    ReportPosition,
    ResumeCopy,
    SetCopy,
    StopCopy,
    UpdateTrader,
)
from streams.core.copying.settings import BOUNDS
from streams.core.money import MICROS, Step
from tests.unit.core.copying.desk import copying
from tests.unit.core.market import SERVICE, Market


REFUSED = [
    ("nobody", SetCopy("lea", allocation_micros=1), "UNKNOWN_TRADER"),
    ("fay", SetCopy("nobody", allocation_micros=1), "UNKNOWN_TRADER"),
    ("fay", SetCopy("fay", allocation_micros=1), "SELF_COPY"),
    ("fay", SetCopy("lea"), "INVALID_SETTINGS"),
    ("fay", SetCopy("lea", allocation_micros=1, mode="guess"), "INVALID_SETTINGS"),
    ("fay", SetCopy("lea", allocation_micros=1_001 * MICROS), "INSUFFICIENT_FUNDS"),
    ("fay", SetCopy("lea", allocation_micros=1, symbols_allow=["X"] * 501), "INVALID_SETTINGS"),
    ("fay", SetCopy("lea", allocation_micros=1, tiny="x"), "INVALID_SETTINGS"),
    ("fay", SetCopy("lea", allocation_micros=1, mode="fixed_quantity"), "INVALID_SETTINGS"),
    ("fay", SetCopy("lea", allocation_micros=1, expression="x"), "INVALID_SETTINGS"),
    (
        "fay",
        SetCopy("lea", allocation_micros=1, notional_min_micros=2, notional_max_micros=1),
        "INVALID_SETTINGS",
    ),
    ("fay", SetCopy("lea", allocation_micros=1, symbol_multipliers={"X": -1}), "INVALID_SETTINGS"),
    (
        "fay",
        SetCopy("lea", allocation_micros=1, symbol_map={"A": "C", "B": "C"}),
        "INVALID_SETTINGS",
    ),
    ("fay", SetCopy("lea", allocation_micros=1, session_windows=[(0, 0, 1)]), "INVALID_SETTINGS"),
    ("fay", SetCopy("lea", allocation_micros=1, news_windows=[("*", 1, 1)]), "INVALID_SETTINGS"),
    ("fay", SetCopy("lea", allocation_micros=1, notify_loss_bps=[0]), "INVALID_SETTINGS"),
    ("fay", PauseCopy("lea"), "UNKNOWN_COPY"),
    ("fay", StopCopy("lea"), "UNKNOWN_COPY"),
    ("fay", ResumeCopy("lea"), "UNKNOWN_COPY"),
]


@pytest.mark.parametrize(("principal", "command", "expected"), REFUSED)
def test_a_copy_is_refused(principal: str, command: object, expected: str) -> None:
    assert expected == Market("lea", "fay").code(principal, command)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", list(BOUNDS))
def test_each_setting_has_bounds(name: str) -> None:
    least, most = BOUNDS[name]
    for value in (least - 1, most + 1):
        patch = {"allocation_micros": 1, name: value}
        assert Market("lea", "fay").code("fay", SetCopy("lea", **patch)) == "INVALID_SETTINGS"


def test_a_patch_replaces_one_setting_and_keeps_the_rest() -> None:
    market = copying(multiplier_ppm=2_000_000, symbols_deny=["ETH"])
    market.do("fay", SetCopy("lea", slippage_max_bps=10))
    copy = market.copy("fay")
    assert (copy.version, copy.status) == (2, "ACTIVE")
    kept = copy.settings
    assert (kept.multiplier_ppm, kept.symbols_deny, kept.slippage_max_bps) == (
        2_000_000,
        ("ETH",),
        10,
    )
    assert kept.allocation_micros == 500 * MICROS


def test_the_allocation_is_ring_fenced_and_moves_with_a_patch() -> None:
    market = copying()
    follower = market.state.traders["fay"]
    assert follower.ledger.cash_micros == 500 * MICROS
    market.do("fay", SetCopy("lea", allocation_micros=800 * MICROS))
    assert (follower.ledger.cash_micros, market.copy("fay").ledger.cash_micros) == (
        200 * MICROS,
        800 * MICROS,
    )
    market.do("fay", SetCopy("lea", allocation_micros=100 * MICROS))
    assert follower.ledger.cash_micros == 900 * MICROS
    assert follower.track.growth == 1.0


def test_what_a_loss_has_taken_cannot_be_taken_back() -> None:
    market = copying(mode="quantity_ratio", position_max_bps=1_000_000)
    market.fill("lea", 4_000, 10_000)
    market.quote("BTC", 1_000, 1_000)
    market.fill("lea", -4_000, 1_000)
    assert market.copy("fay").ledger.cash_micros == 140 * MICROS
    command = SetCopy("lea", allocation_micros=300 * MICROS)
    assert market.code("fay", command) == "INSUFFICIENT_FUNDS"


def test_stopping_now_closes_and_returns_the_cash() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.quote("BTC", 11_000, 11_000)
    market.do("fay", StopCopy("lea", "close_now"))
    copy, follower = market.copy("fay"), market.state.traders["fay"]
    assert (copy.status, copy.ledger.positions, copy.ledger.cash_micros) == ("STOPPED", {}, 0)
    assert follower.ledger.cash_micros == 1_005 * MICROS
    assert "lea" not in follower.copying
    for command in (PauseCopy("lea"), CloseOnlyCopy("lea"), ResumeCopy("lea"), StopCopy("lea")):
        assert market.code("fay", command) == "COPY_STOPPED"
    market.fill("lea", 1_000, 11_000)
    assert market.decisions() == []


def test_stopping_with_keep_hands_positions_over_at_their_cost() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    market.do(SERVICE, ReportPosition("fay", "BTC", 500, 9_000))
    market.do("fay", StopCopy("lea", "keep"))
    position = market.position("fay")
    assert position is not None
    assert (position.lots, position.cost_micros) == (1_000, 95 * MICROS)
    assert market.state.traders["fay"].ledger.cash_micros == 1_000 * MICROS


def test_a_way_to_stop_that_is_none_is_refused() -> None:
    market = copying()
    assert market.code("fay", StopCopy("lea", "perhaps")) == "INVALID_SETTINGS"


def test_an_instrument_that_lost_its_quote_is_closed_at_cost() -> None:
    market = copying()
    market.fill("lea", 1_000, 10_000)
    instrument = market.state.instruments["BTC"]
    instrument.bid_ticks = instrument.ask_ticks = 0
    market.do("fay", StopCopy("lea"))
    assert market.state.traders["fay"].ledger.cash_micros == 1_000 * MICROS


def test_a_stopped_copy_starts_again_as_its_next_version() -> None:
    market = copying(multiplier_ppm=2_000_000)
    market.do("fay", StopCopy("lea"))
    market.do("fay", SetCopy("lea"))
    copy = market.copy("fay")
    assert (copy.status, copy.version, copy.settings.multiplier_ppm) == ("ACTIVE", 2, 2_000_000)
    assert market.state.totals.copies_active == 1


def test_pausing_twice_changes_nothing_and_resuming_what_runs_is_refused() -> None:
    market = copying()
    assert market.code("fay", ResumeCopy("lea")) == "COPY_NOT_PAUSED"
    market.do("fay", PauseCopy("lea"))
    market.do("fay", PauseCopy("lea"))
    assert market.events == []
    market.do("fay", ResumeCopy("lea"))
    assert market.copy("fay").status == "ACTIVE"


def test_copies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market("lea", "fay", "gil")
    monkeypatch.setattr("streams.core.copying.lifecycle.COPIES_PER_FOLLOWER_MAX", 1)
    monkeypatch.setattr("streams.core.copying.lifecycle.COPIERS_PER_LEADER_MAX", 1)
    market.do("fay", SetCopy("lea", allocation_micros=1))
    assert market.code("gil", SetCopy("lea", allocation_micros=1)) == "LIMIT_REACHED"
    assert market.code("fay", SetCopy("gil", allocation_micros=1)) == "LIMIT_REACHED"


def test_a_copied_instrument_may_be_registered_later() -> None:
    market = copying()
    market.do(SERVICE, RegisterInstrument("NEW", "NEW", "x", "spot", Step(1, 0), Step(1, 0)))
    market.quote("NEW", 5, 5)
    market.fill("lea", 10, 5, "NEW")
    assert market.copied_lots("fay", symbol="NEW") == 5


def test_a_leader_whose_signals_are_for_followers_is_copied_by_followers_only() -> None:
    market = Market("lea", "fay")
    market.do("lea", UpdateTrader(signals_access="followers"))
    command = SetCopy("lea", allocation_micros=1)
    assert market.code("fay", command) == "NOT_ALLOWED"
    market.do("fay", FollowTrader("lea"))
    assert market.code("fay", command) == "OK"


def test_a_patch_is_held_against_what_was_set_before() -> None:
    market = copying(notional_max_micros=10 * MICROS)
    before = market.digest()
    assert market.code("fay", SetCopy("lea", notional_min_micros=20 * MICROS)) == "INVALID_SETTINGS"
    assert market.outcome is not None
    assert market.outcome.field == "notional_min"
    assert market.outcome.message == "expected at most notional_max 10, was 20"
    market.do("fay", SetCopy("lea", notional_min_micros=5 * MICROS))
    assert market.code("fay", SetCopy("lea", notional_max_micros=4 * MICROS)) == "INVALID_SETTINGS"
    assert market.copy("fay").settings.notional_max_micros == 10 * MICROS
    assert market.digest() != before
