"""The composite score against the performance functions for one record."""

from math import exp, isclose, log

import numpy as np
import pytest
from hypothesis import given, strategies as st

from streams.core.leaderboard import Boards, close_boards, composite, page
from streams.core.leaderboard.composite import Moments, Numbers, Sums, percentiles, scores
from streams.core.leaderboard.eligibility import Missing, eligibility
from streams.core.leaderboard.followers import follower_numbers
from streams.core.leaderboard.steady import exponentials, logarithms
from streams.core.leaderboard.trials import crowd
from streams.core.market_clock import DAY_US
from streams.core.performance import moments as performance_moments, sharpe
from streams.core.performance.drawdown import Drawdown
from streams.core.performance.stability import Line, slope_sign, stability
from streams.core.performance.tails import expected_shortfall_95
from streams.core.performance.track import close_day, record_round_trip
from streams.core.state import Copy, CopySettings, CopyStatistics, Ledger, State, Trader
from streams.core.valuation import Valuation
from tests.unit.core.records import CASH, TODAY, add, market, next_day


def columns(*records: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return records that end on one day as columns."""
    days = max(map(len, records))
    returns, valid = np.zeros((days, len(records))), np.zeros((days, len(records)), np.bool_)
    for place, record in enumerate(records):
        if record:
            returns[-len(record) :, place] = record
            valid[-len(record) :, place] = True
    return returns, valid


def sums_of(returns: np.ndarray, valid: np.ndarray) -> tuple[Sums, Moments]:
    sums = Sums(returns.shape[1])
    for day in range(len(returns)):
        sums.add(returns[day], valid[day], month_ends=(len(returns) - 1 - day) % 30 == 0)
    moments = Moments(sums)
    for day in range(len(returns)):
        moments.add(returns[day], valid[day])
    return sums, moments


def wave(days: int, rise: float = 0.001, swing: float = 0.01) -> list[float]:
    return [rise + swing * ((day * 7919 % 13) / 6 - 1) for day in range(days)]


def test_numbers_are_those_of_the_performance_functions():
    records = [wave(200), wave(100, -0.001), wave(61, 0.002, 0.002), [0.001] * 30, []]
    returns, valid = columns(*records)
    sums, moments = sums_of(returns, valid)
    bound, straight = moments.lower_bound(), composite._stability(sums)
    short = composite._shortfall(returns, valid, sums.count)
    for place, record in enumerate(records):
        expected = sharpe.lower_bound(performance_moments.Moments.of(record))
        assert bound.defined[place] == isinstance(expected, float)
        if isinstance(expected, float):
            assert isclose(expected, bound.values[place], rel_tol=1e-9)
        units = np.cumprod([1.0 + value for value in record]).tolist()
        line = Line.of(units)
        fit = stability(line)
        assert straight.defined[place] == isinstance(fit, float)
        if isinstance(fit, float):
            rising = slope_sign(line) == 1.0
            assert isclose(fit if rising else 0.0, straight.values[place], abs_tol=1e-9)
        tail = expected_shortfall_95(sorted(record))
        assert short.defined[place] == isinstance(tail, float)
        if isinstance(tail, float):
            assert isclose(tail, short.values[place], rel_tol=1e-9)
        deepest = Drawdown.of(record, range(len(record))).deepest
        assert isclose(deepest, sums.deepest[place], abs_tol=1e-12)


def test_months_are_credited_with_a_tenth_and_calmar_is_shrunk_by_days():
    record = [0.02] * 29 + [-0.1] + [0.0005] * 60
    returns, valid = columns(record)
    sums, _ = sums_of(returns, valid)
    credited = 1.02**29 * 0.9 > 1.1
    assert credited
    grown = 1.1 * 1.0005**60
    calmar = composite._calmar(sums)
    expected = (grown ** (365.25 / 90) - 1.0) / 0.1 * 90 / 210
    assert isclose(expected, calmar.values[0], rel_tol=1e-9)
    assert calmar.defined.tolist() == [True]
    assert not composite._calmar(sums_of(*columns(record[1:]))[0]).defined[0]
    unscathed = composite._calmar(sums_of(*columns([0.001] * 90, [0.0] * 90))[0])
    assert unscathed.values.tolist() == [composite.UNSCATHED, 0.0]


def test_an_account_that_lost_everything_has_the_worst_calmar():
    sums, _ = sums_of(*columns([0.01] * 89 + [-1.0]))
    assert isclose(-90 / 210, composite._calmar(sums).values[0])


def test_percentiles_share_places_and_put_the_undefined_last():
    values, defined = np.array([3.0, 1.0, 3.0, 9.0, 2.0]), np.array([1, 1, 1, 0, 1], np.bool_)
    assert percentiles(values, defined).tolist() == [875_000, 250_000, 875_000, 0, 500_000]
    one = np.array([5.0])
    assert percentiles(one, np.array([True])).tolist() == [1_000_000]
    assert percentiles(one, np.array([False])).tolist() == [0]


def test_who_is_first_in_everything_scores_a_hundred():
    returns, valid = columns(wave(120, 0.004, 0.001), wave(120, 0.001, 0.01), wave(120, -0.002))
    followers = Numbers(np.array([0.2, 0.1, 0.0]), np.array([True, True, True]))
    *steps, found = list(scores(returns, valid, followers))
    assert set(steps) == {None}
    assert found is not None
    assert found.tolist()[0] == 100_000_000
    assert sorted(found.tolist(), reverse=True) == found.tolist()


def follower(name: str, base: int, equity: int, **curve: int) -> Copy:
    statistics = CopyStatistics(base_micros=base, **curve)
    copied = Copy(name, "lea", "ACTIVE", CopySettings(1_000), 1, 0, Ledger(equity))
    copied.statistics = statistics
    return copied


def test_followers_count_by_their_median_net_return_shrunk_by_their_number():
    state = market()
    copies = {
        "f0": follower("f0", 1_000, 1_100),
        # Stopped: its curve stands where it ended, whatever the ledger holds now.
        "f1": follower("f1", 0, 0, growth_ppb=950_000_000),
        "f2": follower("f2", 1_000, 1_300),
    }
    state.copies = {"lea": copies, "two": dict(list(copies.items())[:2])}
    found = follower_numbers(state, ["lea", "none", "two"])
    assert found.defined.tolist() == [True, False, True]
    assert np.allclose(found.values, [0.1 * 3 / 23, 0.0, 0.025 * 2 / 22])


def test_a_follower_that_restarts_keeps_what_was_lost_and_owes_what_is_charged():
    state = market()
    copied = follower("f0", 1_000, 1_300, growth_ppb=1_000_000_000, earlier_ppb=500_000_000)
    copied.fees.flat_micros = 100
    state.copies = {"lea": {"f0": copied}}
    # Half was lost in the run before, a fifth is gained in this one after what is owed.
    assert np.allclose(follower_numbers(state, ["lea"]).values, [-0.4 / 21])


@given(st.floats(1e-9, 1e9))
def test_logarithms_and_exponentials_are_right(value):
    assert isclose(log(value), logarithms(np.array([value]))[0], rel_tol=1e-14, abs_tol=1e-15)
    power = log(value)
    assert isclose(exp(power), exponentials(np.array([power]))[0], rel_tol=1e-13)


def proven(state: State, name: str, record: list[float]) -> Trader:
    """Add a trader with a record that ends yesterday, and enough of everything."""
    trader = add(state, name, first_fill_us=(TODAY - len(record)) * DAY_US)
    trader.verified = True
    equity = float(CASH)
    for number, value in enumerate(record):
        record_round_trip(trader.track, 1 if value > 0 else -1)
        equity *= 1.0 + value
        close_day(trader.track, TODAY - len(record) + number, round(equity))
    trader.ledger.cash_micros = round(equity)
    return trader


def test_what_the_composite_board_asks_for():
    state = market()
    assert eligibility(state, proven(state, "good", wave(90))).missing == ()
    assert eligibility(state, add(state, "new")).missing == (
        Missing.NO_RECORD,
        Missing.TOO_FEW_DAYS,
        Missing.TOO_FEW_ACTIVE_DAYS,
        Missing.TOO_FEW_TRADES,
        Missing.EQUITY_TOO_SMALL,
        Missing.NOT_VERIFIED,
    )
    young = eligibility(state, proven(state, "young", wave(89)))
    assert (young.days, young.missing) == (89, (Missing.TOO_FEW_DAYS,))
    fallen = proven(state, "fallen", [0.0] * 45 + [-0.5] + [0.0] * 50)
    assert eligibility(state, fallen).missing == (Missing.DRAWDOWN_TOO_DEEP,)
    idle = proven(state, "idle", wave(100))
    for day in idle.track.days[:41]:
        day.trades = 0
    assert eligibility(state, idle).missing == (Missing.TOO_FEW_ACTIVE_DAYS,)


def closed(state: State) -> Boards:
    boards = Boards(state, Valuation.from_state(state))
    for trader in state.traders.values():
        close_day(trader.track, TODAY, trader.ledger.cash_micros)
    close_boards(state, boards, TODAY)
    next_day(state)
    return boards


def test_the_composite_board_ranks_the_eligible_by_their_score():
    state = market()
    proven(state, "best", wave(120, 0.004, 0.001))
    proven(state, "good", wave(120, 0.001, 0.01))
    proven(state, "lucky", [0.9] * 20)
    boards = closed(state)
    rows = page(state, boards, "composite", "all")["rows"]
    assert [row[0] for row in rows] == ["best", "good"]
    # Nobody has followers, so nobody is ahead of anybody in them.
    assert [row[2] for row in rows] == [80.0, 0.0]
    assert [row[4] for row in rows] == [1, 2]
    assert list(boards.prepare(state))
    again = Boards(state, Valuation.from_state(state))
    assert (
        page(state, again, "composite", "1m")["rows"]
        == page(state, boards, "composite", "1m")["rows"]
    )


def test_every_account_ever_opened_is_a_trial():
    state = market()
    for number in range(6):
        proven(state, f"t{number}", wave(60, 0.0005 * number, 0.01))
    boards = closed(state)
    before = boards.crowd
    assert before.accounts == 6
    assert before.trials is not None
    # They all swing alike, so they are hardly more than one trial.
    assert before.correlation > 0.9
    assert before.trials.records <= 2
    apart = proven(state, "serial", [0.01 * (-1) ** number for number in range(60)])
    apart.track.wiped = True
    after = Boards(state, Valuation.from_state(state)).crowd
    assert after.accounts == 7
    assert after.trials is not None
    assert after.trials.records > before.trials.records


@pytest.mark.parametrize("names", [[], ["one"]])
def test_one_record_is_no_crowd(names):
    state = market()
    for name in names:
        proven(state, name, wave(30))
    found = Boards(state, Valuation.from_state(state)).crowd
    assert (found.accounts, found.trials) == (len(names), None)
    assert crowd is not None
