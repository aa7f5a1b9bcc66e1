"""Statistics of a copy: sketch, slippage, value of skips, the gap and its parts, followers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from streams.core.commands import (
    MoveCash,
    PauseCopy,
    ReportFill,
    ResumeCopy,
    SetCopy,
    SetFeeTerms,
    SettleInstrument,
    StopCopy,
    Tick,
)
from streams.core.copying import sketch
from streams.core.copying.gap import exposure_deviation_ppm, gap_of, money_of, returns_of
from streams.core.copying.skipped import value_by_code
from streams.core.copying.statistics import unit_since_first_start
from streams.core.events import CopiesValued
from streams.core.money import MICROS
from streams.core.view import FollowersResult, statistics_view
from tests.unit.core.market import SERVICE, Market


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_buckets_ascend_and_lose_at_most_a_sixteenth(one: int, other: int) -> None:
    assert (sketch.bucket_of(one) <= sketch.bucket_of(other)) or one > other
    near = sketch.value_of(sketch.bucket_of(one))
    assert abs(near) <= abs(one) <= abs(near) * 17 / 16 or near == one


@given(st.lists(st.integers(-64, 64), min_size=1, max_size=60), st.sampled_from([50, 95, 99]))
def test_quantiles_of_small_numbers_are_exact(values: list[int], part: int) -> None:
    counts: dict[int, int] = {}
    for value in values:
        sketch.add(counts, value)
    rank = max(-(-len(values) * part // 100), 1)
    assert sketch.quantile(counts, part) == sorted(values)[rank - 1]


@pytest.mark.parametrize(
    ("value", "near"),
    [(64, 64), (65, 64), (68, 68), (71, 68), (1_000, 992), (-1_000, -992), (2**62, 2**62)],
)
def test_a_large_number_is_told_by_its_sixteenth(value: int, near: int) -> None:
    counts: dict[int, int] = {}
    sketch.add(counts, 0)
    sketch.add(counts, value)
    assert sketch.quantile(counts, 100 if value > 0 else 1) == near


def test_nothing_has_no_quantile() -> None:
    assert sketch.quantile({}, 50) is None


def copied(**patch: object) -> Market:
    """`lea` has 1,000; `fay` copies with 500, `gus` follows nobody."""
    market = Market("lea", "fay", "gus")
    wide = {"position_max_bps": 1_000_000, "allocation_micros": 500 * MICROS}
    market.do("fay", SetCopy("lea", **{**wide, **patch}))  # type: ignore[arg-type]
    return market


def test_a_perfect_copy_has_no_gap() -> None:
    market = copied()
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 11_000, 11_000)
    gap = gap_of(market.state, market.copy("fay"))
    assert gap == (0, 0, 0, 0, 0)
    assert returns_of(market.state, market.copy("fay")) == (100_000_000, 100_000_000)


def test_a_worse_price_is_slippage_and_nothing_else() -> None:
    market = copied()
    market.quote("BTC", 10_040, 10_040)
    market.fill("lea", 10_000, 10_000)
    gap = gap_of(market.state, market.copy("fay"))
    assert gap is not None
    assert (gap.gap, gap.slippage) == (-4_000_000, -4_000_000)
    assert (gap.skipped, gap.sizing, gap.fees) == (0, 0, 0)
    view = statistics_view(market.state, market.copy("fay"))
    assert view["entry_slippage_bps"] == {"p50": 40, "p95": 40, "count": 1}
    assert view["slippage_cost"] == "2"
    assert view["fill_ratio"] == 1.0


def test_a_skip_is_worth_what_it_would_have_made() -> None:
    market = copied()
    market.do("fay", PauseCopy("lea"))
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 11_000, 11_000)
    copy = market.copy("fay")
    assert value_by_code(market.state, copy.statistics) == {"REL_PAUSED": 50 * MICROS}
    gap = gap_of(market.state, copy)
    assert gap is not None
    assert (gap.gap, gap.skipped, gap.sizing) == (-100_000_000, -100_000_000, 0)
    market.fill("lea", -5_000, 11_000)
    market.fill("lea", -5_000, 9_000)
    assert value_by_code(market.state, copy.statistics) == {"REL_PAUSED": 0}
    assert copy.statistics.skipped == {}


def test_skips_by_two_codes_are_kept_apart_and_a_settlement_values_them() -> None:
    market = copied(symbols_deny=["ETH"])
    market.do("fay", PauseCopy("lea"))
    market.fill("lea", 1_000, 10_000)
    market.do("fay", ResumeCopy("lea"))
    market.fill("lea", 1_000, 1_000, "ETH")
    market.fill("lea", 1_000, 1_000, "ETH")
    market.quote("BTC", 9_000, 9_000)
    market.do(SERVICE, SettleInstrument("ETH", 1_100))
    values = value_by_code(market.state, market.copy("fay").statistics)
    assert values == {"REL_PAUSED": -5 * MICROS, "SYMBOL_DENIED": 1 * MICROS}


def test_a_skip_without_equity_or_size_or_quote_is_worth_nothing() -> None:
    market = copied(symbols_deny=["BTC"])
    market.fill("lea", 1, 10_000)
    statistics = market.copy("fay").statistics
    assert statistics.skipped == {}
    market.fill("lea", 10_000, 10_000)
    market.state.instruments["BTC"].bid_ticks = 0
    assert value_by_code(market.state, statistics) == {}
    market.copy("fay").ledger.cash_micros = 0
    market.fill("lea", 10_000, 10_000)
    assert [held.lots for held in statistics.skipped["BTC"].values()] == [5_000]


def test_only_so_many_skips_are_held_in_thought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.copying.skipped.SKIPPED_POSITIONS_MAX", 1)
    market = copied(symbols_deny=["BTC", "ETH"])
    market.fill("lea", 1_000, 10_000)
    market.fill("lea", 1_000, 1_000, "ETH")
    market.do("fay", PauseCopy("lea"))
    market.fill("lea", 1_000, 10_000)
    statistics = market.copy("fay").statistics
    assert (list(statistics.skipped), statistics.unvalued) == (["BTC"], 2)


def test_other_weights_are_sizing() -> None:
    market = copied(multiplier_ppm=500_000)
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 11_000, 11_000)
    gap = gap_of(market.state, market.copy("fay"))
    assert gap is not None
    assert (gap.gap, gap.sizing) == (-50_000_000, -50_000_000)


def test_profit_share_is_a_fee_of_the_gap() -> None:
    market = Market("lea", "fay")
    market.do("lea", SetFeeTerms(performance_ppm=100_000, basis="total", period="daily"))
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS, position_max_bps=1_000_000))
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 11_000, 11_000)
    market.fill("lea", -5_000, 11_000)
    market.ms += 86_400_000
    market.do(SERVICE, Tick(10))
    copy = market.copy("fay")
    gap = gap_of(market.state, copy)
    assert gap is not None
    made = money_of(market.state, copy)
    assert made.leader_fees == copy.fees.performance_micros > 0
    assert made.net == made.gross - made.leader_fees
    assert gap.fees == -made.leader_fees * 1_000_000_000 // (500 * MICROS)


steps = st.lists(
    st.tuples(
        st.sampled_from(["fill", "quote", "pause", "resume", "more", "less", "day"]),
        st.integers(-3_000, 3_000),
    ),
    max_size=14,
)


@given(steps, st.sampled_from([500_000, 1_000_000, 3_000_000]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_parts_sum_to_the_gap_whatever_happens(
    events: list[tuple[str, int]], multiplier: int, reverse: bool
) -> None:
    market = Market("lea", "fay")
    market.do("lea", SetFeeTerms(performance_ppm=100_000, management_ppm=50_000, period="daily"))
    market.do(
        "fay",
        SetCopy("lea", allocation_micros=500 * MICROS, multiplier_ppm=multiplier, reverse=reverse),
    )
    allocation = 500
    for name, number in events:
        _step(market, name, number)
        if name in ("more", "less"):
            wanted = max(allocation + (10 if name == "more" else -10), 1)
            code = market.code("fay", SetCopy("lea", allocation_micros=wanted * MICROS))
            allocation = wanted if code == "OK" else allocation
    copy = market.copy("fay")
    gap = gap_of(market.state, copy)
    if gap is not None:
        assert gap.gap == gap.slippage + gap.skipped + gap.sizing + gap.fees
    statistics_view(market.state, copy)


def _step(market: Market, name: str, number: int) -> None:
    price = market.state.instruments["BTC"].bid_ticks
    if name == "fill" and number:
        market.fill("lea", number, price)
    elif name == "quote":
        market.quote("BTC", max(price + number // 4, 1), max(price + number // 4, 1))
    elif name == "pause":
        market.code("fay", PauseCopy("lea"))
    elif name == "resume":
        market.code("fay", ResumeCopy("lea"))
    elif name == "day":
        market.ms += 86_400_000
        market.do(SERVICE, Tick(market.state.tick_number + 10))


def test_a_stopped_copy_keeps_its_gap_and_a_restart_begins_anew() -> None:
    market = copied()
    market.quote("BTC", 10_040, 10_040)
    market.fill("lea", 10_000, 10_000)
    market.do("fay", StopCopy("lea"))
    copy = market.copy("fay")
    before = gap_of(market.state, copy)
    assert before is not None
    market.quote("BTC", 5_000, 5_000)
    assert gap_of(market.state, copy) == before
    assert copy.statistics.lifetime_micros == 500 * MICROS
    market.do("fay", SetCopy("lea", allocation_micros=100 * MICROS))
    assert copy.statistics.lifetime_micros == 600 * MICROS
    assert copy.statistics.slippage_micros == 0


def test_a_leader_without_equity_has_no_return_to_compare() -> None:
    market = Market("lea", "fay")
    market.do("lea", MoveCash(-1_000 * MICROS))
    market.state.traders["lea"].track.wiped = True
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    copy = market.copy("fay")
    view = statistics_view(market.state, copy)
    assert view["copy_gap"] is None
    assert view["reasons"] == {
        "executed_ratio": "NO_DECISIONS",
        "fill_ratio": "NO_OPENINGS",
        "return": "NO_CAPITAL",
        "leader_return": "NO_CAPITAL",
        "tracking_error": "TOO_FEW_DAYS",
        "exposure_deviation": "NO_EQUITY",
    }


def test_a_leader_whose_equity_went_still_has_a_gap() -> None:
    market = copied()
    market.copy("fay").statistics.leader_equity_micros = 0
    market.fill("lea", 10_000, 10_000)
    assert gap_of(market.state, market.copy("fay")) == (0, 0, 0, 0, 0)


def days(market: Market, *prices: int) -> None:
    for price in prices:
        market.ms += 86_400_000
        market.quote("BTC", price, price)
        market.do(SERVICE, Tick(market.state.tick_number + 10))
        assert [event for event in market.events if isinstance(event, CopiesValued)]


def test_tracking_error_is_the_spread_of_daily_differences() -> None:
    market = copied(multiplier_ppm=500_000)
    market.fill("lea", 1_000, 10_000)
    days(market, 10_100, 10_000, 10_100)
    view = statistics_view(market.state, market.copy("fay"))
    assert view["days_compared"] == 3
    assert view["tracking_error"] == pytest.approx(0.000577, abs=2e-6)


def test_a_day_without_a_unit_is_not_compared() -> None:
    market = copied()
    market.copy("fay").statistics.day_leader_ppb = 0
    days(market, 10_100)
    assert market.copy("fay").statistics.days == 0


def test_the_lowest_equity_is_kept() -> None:
    market = copied()
    market.fill("lea", 10_000, 10_000)
    days(market, 9_000)
    market.quote("BTC", 8_000, 8_000)
    market.fill("lea", -10_000, 8_000)
    view = statistics_view(market.state, market.copy("fay"))
    assert view["max_adverse_excursion"] == -0.2
    assert view["exit_slippage_bps"] == {"p50": 0, "p95": 0, "count": 1}


def test_exposure_deviation_compares_weights() -> None:
    market = copied(multiplier_ppm=500_000, reverse=True)
    market.fill("lea", 5_000, 10_000)
    assert exposure_deviation_ppm(market.state, market.copy("fay")) == 0
    market.fill("fay", 1_000, 10_000)
    market.do("fay", PauseCopy("lea"))
    market.fill("lea", 5_000, 10_000)
    assert exposure_deviation_ppm(market.state, market.copy("fay")) == 250_000


def test_the_return_of_a_follower_is_chained_over_moved_money_and_over_restarts() -> None:
    market = copied()
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 9_000, 9_000)
    copy = market.copy("fay")
    assert unit_since_first_start(market.state, copy) == 900_000_000
    market.do("fay", SetCopy("lea", allocation_micros=900 * MICROS))
    # Money that comes after a loss of a tenth does not make it smaller.
    assert unit_since_first_start(market.state, copy) == 900_000_000
    market.do("fay", StopCopy("lea", "close_now"))
    ended = unit_since_first_start(market.state, copy)
    assert ended == 900_000_000
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    assert copy.statistics.growth_ppb == 1_000_000_000
    assert unit_since_first_start(market.state, copy) == ended


def test_followers_results_are_told_with_losers_and_stopped_ones() -> None:
    market = copied()
    assert FollowersResult(market.state).view()["reason"] == "NO_FOLLOWERS"
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 11_000, 11_000)
    market.do("gus", SetCopy("lea", allocation_micros=100 * MICROS, position_max_bps=1_000_000))
    market.fill("lea", 100, 11_000)
    market.quote("BTC", 10_500, 10_500)
    market.do("fay", StopCopy("lea"))
    result = FollowersResult(market.state)
    for copy in market.state.copies["lea"].values():
        result.add(copy)
    view = result.view()
    assert (view["followers"], view["running"], view["profitable_share"]) == (2, 1, 0.5)
    assert view["median_return"] < 0 < view["quartile_high"]
    assert view["codes"] == {"EXECUTED": 4}


def test_money_that_came_late_and_money_that_left_change_no_followers_return() -> None:
    market = copied(position_max_bps=1_000_000)
    market.fill("lea", 5_000, 10_000)
    market.quote("BTC", 12_000, 12_000)
    market.fill("lea", -5_000, 12_000)
    before = unit_since_first_start(market.state, market.copy("fay"))
    market.do("fay", SetCopy("lea", allocation_micros=900 * MICROS))
    market.do("fay", SetCopy("lea", allocation_micros=100 * MICROS))
    market.do("fay", StopCopy("lea"))
    result = FollowersResult(market.state)
    result.add(market.copy("fay"))
    assert result.view()["median_return"] == (before - 1_000_000_000) / 1_000_000_000 == 0.1


def test_a_closing_elsewhere_leaves_what_is_held_in_thought() -> None:
    market = copied(symbols_deny=["ETH"])
    market.fill("lea", 1_000, 1_000, "ETH")
    market.fill("lea", 1_000, 10_000)
    market.fill("lea", -1_000, 10_000)
    assert list(market.copy("fay").statistics.skipped) == ["ETH"]


def test_a_delay_of_hours_is_a_recordings_age_and_no_delay() -> None:
    market = copied()
    market.fill("lea", 1_000, 10_000)
    old = market.ms * 1000 - 2 * 3_600_000_000
    market.do(SERVICE, ReportFill("BTC", -1_000, 10_000, 0, "venue", "", "lea", old))
    statistics = market.copy("fay").statistics
    assert (sum(statistics.delays_ms.values()), sum(statistics.exit_slippage.values())) == (1, 1)


def test_a_follower_that_never_moved_cash_has_no_return() -> None:
    market = copied()
    copy = market.copy("fay")
    copy.statistics.lifetime_micros = 0
    result = FollowersResult(market.state)
    result.add(copy)
    assert result.view()["followers"] == 0


def test_a_leader_whose_copies_all_stopped_closes_no_day_for_them() -> None:
    market = copied()
    market.do("fay", StopCopy("lea"))
    market.ms += 86_400_000
    market.do(SERVICE, Tick(market.state.tick_number + 10))
    assert not [event for event in market.events if isinstance(event, CopiesValued)]
