from __future__ import annotations

import pytest

from streams.core.commands import (
    CloseOnlyCopy,
    PauseCopy,
    ReportFill,
    ResumeCopy,
    ResyncCopy,
    SetCopy,
    StopCopy,
    UpdateTrader,
)
from streams.core.copying.losses import figure, level_micros
from streams.core.money import MICROS
from tests.unit.core.copying.desk import copying, decided, patch_of, tick, told, told_events
from tests.unit.core.market import SERVICE, Market


LONG = (
    "mode=quantity_ratio position_max_bps=1000000 exposure_max_bps=1000000 "
    "leverage_max_ppm=100000000 slippage_max_bps=9999"
)
"""The follower holds what the leader does: 20 BTC at 100 with 500, so one tick is 0.2."""

HOUR_MS = 3_600_000


def holding(settings: str = "") -> Market:
    market = copying(**patch_of(f"{LONG} {settings}"))
    market.fill("lea", 20_000, 10_000)
    tick(market)
    return market


# settings | quotes, a tick after each | what happens at the last tick
STOPS = """
                          | 9001              |
                          | 9500 9000         | HALTED risk COPY_STOP_HIT
 copy_stop_bps=500        | 9876              |
 copy_stop_bps=500        | 9875              | HALTED risk COPY_STOP_HIT
 copy_stop_bps=9500       | 7626              |
 trailing_stop_bps=1000   | 11000 10651       |
 trailing_stop_bps=1000   | 11000 10650       | HALTED risk TRAILING_STOP_HIT
 trailing_stop_bps=1000   | 9751              |
 trailing_stop_bps=1000   | 9750              | HALTED risk TRAILING_STOP_HIT
 daily_loss_bps=1000      | 9751              |
 daily_loss_bps=1000      | 9750              | DAILY_LOSS 0
 trailing_stop_bps=5000 daily_loss_bps=1000 | 9750 | DAILY_LOSS 0
 daily_loss_bps=1000      | 9750 9740         |
 daily_drawdown_bps=1000  | 11000 10651       |
 daily_drawdown_bps=1000  | 11000 10650       | DAILY_DRAWDOWN 0
 daily_target_bps=1000    | 10249             |
 daily_target_bps=1000    | 10250             | DAILY_TARGET 0
"""


@pytest.mark.parametrize("row", STOPS.strip("\n").splitlines())
def test_limits_are_met_on_ticks(row: str) -> None:
    settings, quotes, expected = (part.strip() for part in row.split("|"))
    market = holding(settings)
    for quote in quotes.split():
        market.quote("BTC", int(quote), int(quote))
        tick(market)
    lines = told_events(market)
    assert ([f"fay {expected}"] if expected else []) == lines[:1]
    # the tick that halts also closes, and flat it cools down
    closed = ["fay halt BTC EXECUTED -20000", "fay COOLDOWN clock halted"]
    assert (closed if "HALTED" in expected else []) == lines[1:]


# settings | quotes and ticks | code of an opening at that moment
GATES = """
                          | 9000        | COPY_STOP_HIT
 trailing_stop_bps=1000   | 9750        | TRAILING_STOP_HIT
 daily_loss_bps=1000      | 9750 tick   | DAILY_LOSS
 daily_drawdown_bps=1000  | 9750 tick   | DAILY_DRAWDOWN
 daily_target_bps=1000    | 10250 tick  | DAILY_TARGET
 trades_day_max=1         | 10000       | MAX_TRADES_DAY
 trades_day_max=2         | 10000       | EXECUTED
 daily_loss_bps=1000      | 9750 tick 10000 | DAILY_LOSS
"""


@pytest.mark.parametrize("row", GATES.strip("\n").splitlines())
def test_limits_stop_an_opening_before_the_tick(row: str) -> None:
    settings, quotes, expected = (part.strip() for part in row.split("|"))
    market = holding(settings)
    for word in quotes.split():
        if word == "tick":
            tick(market)
        else:
            market.quote("BTC", int(word), int(word))
    market.fill("lea", 1, market.state.instruments["BTC"].bid_ticks)
    (decision,) = decided(market)
    assert expected == decision.code


@pytest.mark.parametrize("limit", ["daily_loss_bps=1000", "trades_day_max=1"])
def test_a_daily_limit_ends_with_the_utc_day(limit: str) -> None:
    market = holding(limit)
    market.quote("BTC", 9_750, 9_750)
    tick(market)
    market.fill("lea", 1, 9_750)
    assert decided(market)[0].code in ("DAILY_LOSS", "MAX_TRADES_DAY")
    market.ms += 13 * HOUR_MS
    market.quote("BTC", 9_751, 9_751)
    market.fill("lea", 1, 9_751)
    assert [told(one) for one in decided(market)] == ["EXECUTED 1"]
    tick(market)
    assert told_events(market) == []


def test_a_daily_limit_leaves_closings_to_the_leader() -> None:
    market = holding("daily_loss_bps=1000")
    market.quote("BTC", 9_750, 9_750)
    tick(market)
    market.fill("lea", -20_000, 9_750)
    assert [told(one) for one in decided(market)] == ["EXECUTED -20000"]


def test_after_a_halt_it_cools_down_and_measures_anew() -> None:
    market = holding()
    market.quote("BTC", 9_000, 9_000)
    tick(market)
    copy = market.copy("fay")
    assert (copy.status, copy.ledger.positions) == ("COOLDOWN", {})
    equity = copy.ledger.cash_micros
    market.fill("lea", 1, 9_000)
    assert [one.code for one in decided(market)] == ["REL_COOLDOWN"]
    for command in (PauseCopy("lea"), ResumeCopy("lea"), CloseOnlyCopy("lea"), ResyncCopy("lea")):
        assert market.code("fay", command) == "REL_COOLDOWN"
    tick(market, 23 * HOUR_MS)
    assert told_events(market) == []
    tick(market, HOUR_MS)
    assert told_events(market) == ["fay ACTIVE clock cooldown_over"]
    assert (copy.stop_base_micros, market.state.copy_desk.cooldowns) == (equity, {})
    market.quote("BTC", 9_001, 9_001)
    market.fill("lea", 1, 9_001)
    assert [one.code for one in decided(market)] == ["EXECUTED"]


def test_a_cooldown_ends_close_only_when_the_leader_is_not_to_be_copied() -> None:
    market = holding()
    market.quote("BTC", 9_000, 9_000)
    tick(market)
    market.do("lea", UpdateTrader(signals_access="followers"))
    tick(market, 24 * HOUR_MS)
    assert told_events(market) == ["fay CLOSE_ONLY clock cooldown_over"]


def test_a_halt_closes_some_positions_in_each_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    market = copying(**patch_of(f"{LONG} copy_stop_bps=500"))
    market.fill("lea", 1_000, 10_000)
    market.fill("lea", 10_000, 1_000, "ETH")
    monkeypatch.setattr("streams.core.copying.upkeep.COPY_STEPS_PER_TICK_MAX", 2)
    market.quote("BTC", 5_000, 5_000)
    tick(market)
    assert told_events(market) == ["fay HALTED risk COPY_STOP_HIT", "fay halt BTC EXECUTED -1000"]
    market.fill("lea", 1, 5_000)
    assert [one.code for one in decided(market)] == ["REL_HALTED"]
    tick(market, 100)
    assert told_events(market) == ["fay halt ETH EXECUTED -10000", "fay COOLDOWN clock halted"]


def test_a_halted_copy_can_be_stopped() -> None:
    market = holding()
    market.quote("BTC", 9_000, 9_000)
    tick(market)
    market.do("fay", StopCopy("lea"))
    assert told_events(market) == ["fay STOPPED close_now"]
    assert market.state.copy_desk.cooldowns == {}


def test_levels_of_loss_are_told_once_each() -> None:
    market = holding()
    market.do("fay", SetCopy("lea", notify_loss_bps=[500, 1_000, 2_000]))
    said = []
    for quote in (9_900, 9_874, 9_800, 9_500, 9_700, 9_490, 9_010):
        market.quote("BTC", quote, quote)
        tick(market)
        said += told_events(market)
    assert said == ["fay LOSS_LEVEL 500", "fay LOSS_LEVEL 2000"]


def test_a_level_of_loss_is_told_on_a_day_that_is_blocked() -> None:
    market = holding("daily_loss_bps=1000")
    market.do("fay", SetCopy("lea", notify_loss_bps=[1_500]))
    market.quote("BTC", 9_750, 9_750)
    tick(market)
    assert told_events(market) == ["fay DAILY_LOSS 0"]
    market.quote("BTC", 9_600, 9_600)
    tick(market)
    assert told_events(market) == ["fay LOSS_LEVEL 1500"]


def test_a_place_in_the_arrays_is_used_again() -> None:
    market = holding()
    market.fill("lea", -20_000, 10_000)
    tick(market)
    market.fill("lea", 30_000, 1_000, "ETH")
    tick(market)
    market.quote("ETH", 1, 1)
    tick(market)
    assert told_events(market)[0] == "fay HALTED risk COPY_STOP_HIT"


def test_a_flow_is_neither_loss_nor_gain() -> None:
    market = holding("trailing_stop_bps=1000 daily_loss_bps=1000")
    market.do("fay", SetCopy("lea", allocation_micros=300 * MICROS))
    tick(market)
    assert told_events(market) == []
    copy = market.copy("fay")
    assert copy.stop_base_micros == 300 * MICROS
    assert figure(market.state.copy_desk.figures.peaks, copy.row) == 300 * MICROS
    assert level_micros(300 * MICROS, 4_000) == 180 * MICROS


def test_failures_in_a_row_pause_a_copy() -> None:
    market = copying(**patch_of("failures_max=2 notional_max_micros=1"))
    market.fill("lea", 100, 10_000)
    assert told_events(market) == ["fay open BTC INSUFFICIENT_FUNDS 0 CLAMP_MAX_NOTIONAL"]
    market.fill("lea", 100, 10_000)
    assert told_events(market)[1:] == ["fay PAUSED risk consecutive_failures"]
    market.do("fay", ResumeCopy("lea"))
    market.do("fay", SetCopy("lea", notional_max_micros=0))
    market.fill("lea", 100, 10_000)
    assert market.copy("fay").failures == 0


def test_a_stopping_copy_is_still_protected() -> None:
    market = holding()
    market.do("fay", StopCopy("lea", "close_by_position"))
    market.quote("BTC", 9_000, 9_000)
    tick(market)
    assert market.copy("fay").status == "COOLDOWN"


def test_nothing_is_watched_without_copies() -> None:
    market = Market("lea")
    market.do(SERVICE, ReportFill("BTC", 1, 10_000, 0, "venue", "", "lea"))
    tick(market)
    assert market.kernel.derived.copies.touched == {}
    assert market.state.copy_desk.figures.day == 0
