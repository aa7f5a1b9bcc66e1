"""Fees: the printed vector, withdrawals, carry, lower-only terms, statements that replay."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from streams.core.commands import (
    MoveCash,
    PublishMarks,
    SetCopy,
    SetFeeTerms,
    StopCopy,
    Tick,
)
from streams.core.copying.fees import (
    Basis,
    book,
    charge,
    lowered,
    owed_micros,
    period_of,
    replay,
)
from streams.core.events import CopiesValued, CopyFeeCharged
from streams.core.market_clock import DAY_US, day_of
from streams.core.money import MICROS
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import unit_ppb
from streams.core.state import FeeAccount, FeeTerms
from tests.unit.core.market import SERVICE, START_MS, Market


TENTH = FeeTerms(performance_ppm=100_000, basis="total")
FIRST_DAY = 20_486
"""A Monday."""


def account() -> FeeAccount:
    return FeeAccount(charged_day=FIRST_DAY)


def test_the_printed_vector_of_weekly_profit_shares() -> None:
    kept, realised, shares = account(), 0, []
    for week, made in enumerate([200, -150, 100, 150], 1):
        realised += made * MICROS
        basis = Basis(1_000 * MICROS + realised, 1_000 * MICROS, realised, 0)
        at = charge(TENTH, kept, basis, cause="period", day=FIRST_DAY + 7 * week, at_us=0)
        book(kept, at)
        shares.append(at.performance_micros // MICROS)
    assert shares == [20, 0, 0, 10]
    assert kept.high_water_micros == 300 * MICROS


# basis | realised | open profit | what 10 % of new profit is
BASES = """
total |  100 |   50 | 15
min   |  100 |   50 | 10
min   |  100 |  -60 | 4
total |  100 |  -60 | 4
min   | -100 |  500 | 0
total | -100 |  500 | 40
"""


@pytest.mark.parametrize("row", BASES.strip().splitlines())
def test_the_basis_min_never_pays_on_open_profit_nor_while_open_losses_exceed_it(row: str) -> None:
    basis, realised, opened, expected = (part.strip() for part in row.split("|"))
    terms = msgspec.structs.replace(TENTH, basis=basis)
    now = Basis(10_000 * MICROS, 10_000 * MICROS, int(realised) * MICROS, int(opened) * MICROS)
    made = charge(terms, account(), now, cause="period", day=FIRST_DAY + 7, at_us=0)
    assert made.performance_micros == int(expected) * MICROS


def test_management_is_equity_times_rate_over_365_a_day() -> None:
    terms = FeeTerms(management_ppm=73_000)
    basis = Basis(1_000 * MICROS, 1_000 * MICROS, 0, 0)
    made = charge(terms, account(), basis, cause="day", day=FIRST_DAY + 3, at_us=0)
    assert (made.management_micros, made.performance_micros) == (600_000, 0)
    assert made.result_micros == -600_000


def test_a_flat_fee_and_management_come_before_the_share() -> None:
    terms = FeeTerms(performance_ppm=100_000, management_ppm=36_500, flat_micros=3 * MICROS)
    basis = Basis(1_000 * MICROS, 1_000 * MICROS, 100 * MICROS, 0)
    made = charge(terms, account(), basis, cause="period", day=FIRST_DAY + 7, at_us=0)
    assert made.management_micros == 700_000
    assert made.result_micros == 100 * MICROS - 3_700_000
    assert made.performance_micros == 9_630_000


def test_a_withdrawal_pays_for_the_part_that_leaves_and_scales_result_and_mark() -> None:
    kept = account()
    kept.high_water_micros = 100 * MICROS
    basis = Basis(1_000 * MICROS, 1_000 * MICROS, 300 * MICROS, 0)
    made = charge(
        TENTH,
        kept,
        basis,
        cause="withdrawal",
        day=FIRST_DAY,
        at_us=0,
        withdrawn_micros=250 * MICROS,
    )
    assert made.performance_micros == 5 * MICROS
    assert made.high_water_micros == 75 * MICROS
    assert made.offset_micros == 75 * MICROS  # result 300 became 225
    book(kept, made)
    rest = Basis(745 * MICROS, 745 * MICROS, 300 * MICROS, 0)
    stopped = charge(TENTH, kept, rest, cause="stop", day=FIRST_DAY, at_us=0)
    assert made.performance_micros + stopped.performance_micros == 20 * MICROS


def test_a_loss_carried_forward_shrinks_with_a_withdrawal() -> None:
    kept = account()
    basis = Basis(500 * MICROS, 500 * MICROS, -400 * MICROS, 0)
    half = charge(
        TENTH,
        kept,
        basis,
        cause="withdrawal",
        day=FIRST_DAY,
        at_us=0,
        withdrawn_micros=250 * MICROS,
    )
    book(kept, half)
    won = Basis(500 * MICROS, 500 * MICROS, -150 * MICROS, 0)
    made = charge(TENTH, kept, won, cause="period", day=FIRST_DAY + 7, at_us=0)
    assert (half.performance_micros, made.performance_micros) == (0, 5 * MICROS)


def test_what_the_cash_cannot_pay_is_owed_and_paid_later() -> None:
    kept = account()
    short = Basis(1_000 * MICROS, 5 * MICROS, 200 * MICROS, 0)
    made = charge(TENTH, kept, short, cause="period", day=FIRST_DAY + 7, at_us=0)
    book(kept, made)
    assert (made.performance_micros, made.paid_micros) == (20 * MICROS, 5 * MICROS)
    assert owed_micros(kept) == made.owed_micros == 15 * MICROS
    later = Basis(1_000 * MICROS, 100 * MICROS, 200 * MICROS, 0)
    made = charge(TENTH, kept, later, cause="period", day=FIRST_DAY + 14, at_us=0)
    assert (made.performance_micros, made.paid_micros, made.owed_micros) == (0, 15 * MICROS, 0)


def test_periods() -> None:
    weeks = [period_of(FIRST_DAY + day, "weekly") for day in (-1, 0, 6, 7)]
    assert [week - weeks[1] for week in weeks] == [-1, 0, 0, 1]
    assert period_of(FIRST_DAY, "daily") == FIRST_DAY
    # 2026-01-31 and 2026-02-01
    assert [period_of(day, "monthly") for day in (20_484, 20_485)] == [24_313, 24_314]


def test_new_terms_reach_existing_followers_only_where_they_are_lower() -> None:
    agreed = FeeTerms(100_000, 20_000, 5, "total", "monthly")
    offered = FeeTerms(200_000, 10_000, 9, "min", "daily")
    assert lowered(agreed, offered) == FeeTerms(100_000, 10_000, 5, "min", "monthly")
    assert lowered(agreed, FeeTerms(0, 0, 0, "total")) == FeeTerms(0, 0, 0, "total", "monthly")


made_amounts = st.tuples(
    st.integers(-500, 500), st.integers(-300, 300), st.sampled_from(["period", "day", "withdrawal"])
)


@given(
    st.lists(made_amounts, min_size=1, max_size=12),
    st.integers(0, 300_000),
    st.integers(0, 100_000),
    st.sampled_from(["min", "total"]),
)
@settings(max_examples=80, deadline=None)
def test_statements_replay_and_never_pay_twice_for_the_same_profit(
    steps: list[tuple[int, int, str]], performance: int, management: int, basis: str
) -> None:
    terms = FeeTerms(performance, management, 1_000, basis)
    kept, realised, day, flow = account(), 0, FIRST_DAY, 0
    for made, opened, cause in steps:
        realised += made * MICROS
        day += 7
        paid = kept.paid_micros
        equity = 10_000 * MICROS + flow + realised - paid + opened * MICROS
        now = Basis(equity, equity - opened * MICROS, realised, opened * MICROS)
        withdrawn = MICROS if cause == "withdrawal" else 0
        book(
            kept,
            charge(terms, kept, now, cause=cause, day=day, at_us=day, withdrawn_micros=withdrawn),
        )
        flow -= withdrawn
        assert kept.high_water_micros >= 0
        assert kept.paid_micros >= 0
    assert replay(FIRST_DAY, kept.statements) is None
    most = max(kept.high_water_micros, 0) * performance // MICROS
    withdrawals = sum(step[2] == "withdrawal" for step in steps)
    # scaling rounds the mark down, a micro-unit for each withdrawal
    assert withdrawals or kept.performance_micros <= most + 1


def test_a_statement_that_was_tampered_with_is_found() -> None:
    kept = account()
    for week in (1, 2):
        basis = Basis(2_000 * MICROS, 2_000 * MICROS, week * 100 * MICROS, 0)
        book(kept, charge(TENTH, kept, basis, cause="period", day=FIRST_DAY + 7 * week, at_us=0))
    forged = msgspec.structs.replace(kept.statements[1], performance_micros=11 * MICROS)
    assert replay(FIRST_DAY, kept.statements) is None
    assert replay(FIRST_DAY, [kept.statements[0], forged]) == 2


def test_only_the_newest_statements_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.copying.fees.STATEMENTS_MAX", 2)
    kept = account()
    for day in range(1, 5):
        book(
            kept,
            charge(TENTH, kept, Basis(1, 1, 0, 0), cause="day", day=FIRST_DAY + day, at_us=0),
        )
    assert [each.number for each in kept.statements] == [3, 4]


# a command of a leader | the answer
TERMS = """
performance_ppm=300000      | OK
performance_ppm=300001      | INVALID_SETTINGS
performance_ppm=-1          | INVALID_SETTINGS
management_ppm=100001       | INVALID_SETTINGS
flat_micros=1000000001      | INVALID_SETTINGS
basis=total                 | OK
basis=best                  | INVALID_SETTINGS
period=monthly              | OK
period=hourly               | INVALID_SETTINGS
"""


@pytest.mark.parametrize("row", TERMS.strip().splitlines())
def test_terms_are_bounded(row: str) -> None:
    text, expected = (part.strip() for part in row.split("|"))
    name, value = text.split("=")
    given_value = value if name in ("basis", "period") else int(value)
    market = Market("lea")
    assert expected == market.code("lea", SetFeeTerms(**{name: given_value}))  # type: ignore[arg-type]


def test_only_a_trader_sets_terms() -> None:
    assert Market().code("nobody", SetFeeTerms()) == "UNKNOWN_TRADER"


def copied(**terms: int | str) -> Market:
    market = Market("lea", "fay", "gus")
    market.do("lea", SetFeeTerms(**terms))  # type: ignore[arg-type]
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    return market


def a_day(market: Market, days: int = 1) -> list[CopyFeeCharged]:
    """Let days pass and return what was charged."""
    market.ms += days * 86_400_000
    market.do(SERVICE, Tick(market.state.tick_number + 10))
    return [event for event in market.events if isinstance(event, CopyFeeCharged)]


def test_a_week_ends_and_the_share_goes_to_the_leader_as_a_flow() -> None:
    market = copied(performance_ppm=100_000)
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 12_000, 12_000)
    market.fill("lea", -10_000, 12_000)
    made = market.copy("fay").ledger.realised_micros
    leader = market.state.traders["lea"]
    cash = leader.ledger.cash_micros
    unit = unit_ppb(leader.track, cash)
    assert made > 0
    (charged,) = a_day(market, 8)
    share = made // 10
    assert charged.statement.paid_micros == share
    assert leader.ledger.cash_micros == cash + share
    assert unit_ppb(leader.track, ledger_equity(market.state, leader.ledger)) == unit
    assert market.copy("fay").ledger.cash_micros == 500 * MICROS + made - share
    assert a_day(market) == []
    assert replay(day_of(START_MS * 1000), market.copy("fay").fees.statements) is None


def test_management_is_charged_each_day_and_days_without_a_market_count() -> None:
    market = copied(management_ppm=36_500)
    (first,) = a_day(market)
    (second,) = a_day(market, 3)
    assert first.statement.management_micros == 50_000
    assert second.statement.management_micros == (500 * MICROS - 50_000) * 3 // 10_000


def test_a_stop_charges_and_a_restart_resumes_the_same_mark() -> None:
    market = copied(performance_ppm=100_000)
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 12_000, 12_000)
    market.do("fay", StopCopy("lea"))
    copy = market.copy("fay")
    mark, paid = copy.fees.high_water_micros, copy.fees.paid_micros
    assert paid == mark // 10 > 0
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    assert (copy.fees.high_water_micros, copy.fees.paid_micros) == (mark, paid)
    market.do("fay", StopCopy("lea"))
    assert copy.fees.paid_micros == paid


def test_taking_allocation_back_is_a_withdrawal() -> None:
    market = copied(performance_ppm=100_000, basis="total")
    market.fill("lea", 5_000, 10_000)
    market.quote("BTC", 11_000, 11_000)
    market.do("fay", SetCopy("lea", allocation_micros=400 * MICROS))
    (charged,) = [event for event in market.events if isinstance(event, CopyFeeCharged)]
    statement = charged.statement
    expected = (
        statement.result_micros * 100_000 * 100 * MICROS // (MICROS * statement.equity_micros)
    )
    assert statement.performance_micros == expected > 0


def test_a_withdrawal_from_a_fence_with_less_equity_charges_nothing() -> None:
    market = copied(performance_ppm=100_000)
    market.fill("lea", 10_000, 10_000)
    market.quote("BTC", 1, 1)
    market.do("fay", SetCopy("lea", allocation_micros=1 * MICROS))
    assert not [event for event in market.events if isinstance(event, CopyFeeCharged)]


def test_a_leader_lowers_fees_for_existing_followers_and_raises_them_for_new_ones() -> None:
    market = copied(performance_ppm=100_000)
    market.do("lea", SetFeeTerms(performance_ppm=200_000))
    market.do("gus", SetCopy("lea", allocation_micros=500 * MICROS))
    assert market.copy("fay").fee_terms.performance_ppm == 100_000
    assert market.copy("gus").fee_terms.performance_ppm == 200_000
    market.do("lea", SetFeeTerms(performance_ppm=50_000))
    terms = [market.copy(name).fee_terms.performance_ppm for name in ("fay", "gus")]
    assert terms == [50_000, 50_000]


def test_closing_a_day_is_spread_over_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.copying.day_close.COPIES_CLOSED_PER_TICK_MAX", 1)
    market = copied(management_ppm=36_500)
    market.do("gus", SetCopy("lea", allocation_micros=500 * MICROS))
    charged = []
    market.ms += 86_400_000
    market.quote("BTC", 10_001, 10_001)
    for _ in range(4):
        market.do(SERVICE, Tick(market.state.tick_number + 10))
        charged.append([e.follower for e in market.events if isinstance(e, CopyFeeCharged)])
    assert charged == [["fay"], ["gus"], [], []]
    assert market.state.copies_due == {}


def test_a_copy_that_stops_in_the_queue_is_charged_once() -> None:
    market = copied(management_ppm=36_500)
    market.ms += 86_400_000
    market.do(SERVICE, PublishMarks([]))
    market.do("fay", StopCopy("lea"))
    assert len([event for event in market.events if isinstance(event, CopyFeeCharged)]) == 1
    market.do(SERVICE, Tick(market.state.tick_number + 10))
    assert not [event for event in market.events if isinstance(event, CopyFeeCharged)]
    assert [event for event in market.events if isinstance(event, CopiesValued)]


def test_deposits_of_the_follower_do_not_move_the_mark() -> None:
    market = copied(performance_ppm=100_000)
    market.do("fay", MoveCash(100 * MICROS))
    market.do("fay", SetCopy("lea", allocation_micros=600 * MICROS))
    market.ms += 8 * DAY_US // 1000
    market.do(SERVICE, Tick(market.state.tick_number + 10))
    assert market.copy("fay").fees.performance_micros == 0
