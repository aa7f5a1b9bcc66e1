"""Fast and incremental metrics against plain ones that look at every number again."""

from __future__ import annotations

from math import fsum, isclose, log

from hypothesis import given, strategies as st

from streams.core.limits import DAYS_MAX
from streams.core.performance import stability, tails
from streams.core.performance.drawdown import Drawdown, days_max
from streams.core.performance.moments import Moments
from streams.core.performance.period import Record, period_metrics
from streams.core.performance.returns import total_return
from streams.core.performance.stability import Line
from streams.core.performance.track import close_day, record_flow, record_round_trip
from streams.core.performance.trades import Results, wilson_lower_bound
from streams.core.performance.trading import results_of
from streams.core.performance.trips import add_day
from streams.core.performance.undefined import Undefined
from streams.core.state import Track, Trading


returns = st.floats(-0.9, 2.0).map(lambda value: round(value, 6))
records = st.lists(returns, max_size=60)


@given(st.lists(records, max_size=6))
def test_merged_moments_are_those_of_all_numbers(parts):
    merged = Moments()
    for part in parts:
        merged = merged.merged(Moments.of(part))
    values = [value for part in parts for value in part]
    whole = Moments.of(values)
    scale = max((abs(value) for value in values), default=0.0)
    for power, name in enumerate(("mean", "m2", "m3", "m4"), 1):
        noise = 1e-12 * (len(values) + 1) * scale**power
        assert isclose(getattr(whole, name), getattr(merged, name), rel_tol=1e-9, abs_tol=noise)
    for name in ("count", "low", "high", "ups", "downs"):
        assert getattr(whole, name) == getattr(merged, name)
    for name in ("below", "gained", "lost"):
        assert isclose(getattr(whole, name), getattr(merged, name), rel_tol=1e-9, abs_tol=1e-15)


def units_of(values: list[float]) -> list[float]:
    units = [1.0]
    for value in values:
        units.append(units[-1] * (1.0 + value))
    return units


@given(records, st.integers(0, 60))
def test_a_followed_drawdown_is_the_one_of_the_whole_curve(values, cut):
    followed = Drawdown.of(values[:cut], range(1, len(values[:cut]) + 1))
    for day, value in enumerate(values[cut:], len(values[:cut]) + 1):
        followed.add(value, day)
    units = units_of(values)
    depths = [1.0 - unit / max(units[: day + 1]) for day, unit in enumerate(units)]
    assert max(depths) == followed.deepest
    assert sum(1 for depth in depths[1:] if depth > 0.0) == followed.below
    assert isclose(fsum(depth * depth for depth in depths[1:]), followed.squares, abs_tol=1e-12)
    longest = 0
    for day in range(len(units)):
        peak_day = max(
            before for before in range(day + 1) if units[before] == max(units[: day + 1])
        )
        longest = max(longest, day - peak_day)
        if depths[day] == 0.0 and day and depths[day - 1] > 0.0:
            before = max(start for start in range(day) if units[start] == max(units[:day]))
            longest = max(longest, day - before)
    assert longest == days_max(followed, len(values))
    assert followed.is_open == (depths[-1] > 0.0)


@given(st.lists(returns, min_size=20, max_size=60))
def test_a_fitted_line_is_the_least_squares_one(values):
    logs = [log(unit) for unit in units_of(values)[1:]]
    numbers = range(1, len(logs) + 1)
    mean, middle = fsum(logs) / len(logs), fsum(numbers) / len(logs)
    across = fsum((number - middle) ** 2 for number in numbers)
    along = fsum((value - mean) ** 2 for value in logs)
    both = fsum((n - middle) * (value - mean) for n, value in zip(numbers, logs, strict=True))
    line = Line.of(units_of(values)[1:])
    if along > 1e-12:
        fit = stability.stability(line)
        assert isclose(both * both / across / along, fit, rel_tol=1e-6, abs_tol=1e-9)


@given(st.lists(st.lists(st.integers(-(10**12), 10**12), max_size=5), max_size=8))
def test_days_of_trips_add_up_to_all_trips(days):
    track, trading = Track(), Trading()
    for number, results in enumerate(days):
        for result in results:
            record_round_trip(track, result, abs(result) + 1)
        close_day(track, number, 0)
        add_day(trading, track.days[-1])
    expected = Results.of([result for results in days for result in results])
    actual = results_of(trading)
    assert isclose(expected.squares, actual.squares, rel_tol=1e-9, abs_tol=1e-3)
    assert expected._replace(squares=0.0) == actual._replace(squares=0.0)


@given(st.lists(returns, min_size=60, max_size=120))
def test_what_is_lost_in_the_tail_is_never_less_than_its_edge(values):
    ordered = sorted(values)
    shortfall, at_risk = tails.expected_shortfall_95(ordered), tails.value_at_risk_95(ordered)
    assert isinstance(shortfall, float)
    assert isinstance(at_risk, float)
    assert ordered[0] <= shortfall <= at_risk + 1e-12


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_lower_bound_of_a_win_rate_is_below_it_and_rises_with_proof(wins, losses):
    bound = wilson_lower_bound(wins, losses)
    assert 0.0 <= bound <= wins / max(wins + losses, 1)
    assert wilson_lower_bound(wins * 2, losses * 2) >= bound


@given(records)
def test_no_metric_is_ever_infinite_or_no_number(values):
    record = Record(
        returns=values,
        days=range(1, len(values) + 1),
        start_day=0,
        total=total_return(values),
        years=len(values) / 365.25,
        length_days=len(values),
    )
    for name, value in period_metrics(record).items():
        if not isinstance(value, Undefined):
            assert abs(value) < float("inf"), name


@given(st.lists(st.integers(50, 200), min_size=1, max_size=40), st.integers(0, 3))
def test_what_a_track_forgets_is_what_its_days_said(factors, more):
    long, short = Track(), Track()
    for track in (long, short):
        record_flow(track, 0, 10**9)
    equity, days = 10**9, []
    for number in range(DAYS_MAX + len(factors) + more):
        equity = max(equity * factors[number % len(factors)] // 100, 10**6)
        equity = min(equity, 10**12)
        close_day(long, number, equity)
        days.append(long.days[-1])
    earlier = long.earlier
    if earlier is None:
        assert len(days) <= DAYS_MAX
        return
    forgotten = days[: len(days) - DAYS_MAX]
    before = [10**9, *[day.unit_ppb for day in forgotten]]
    gains = [day.unit_ppb / unit - 1.0 for day, unit in zip(forgotten, before, strict=False)]
    whole = Moments.of(gains)
    assert earlier.moments.count == whole.count == len(forgotten)
    assert isclose(whole.mean, earlier.moments.mean, rel_tol=1e-9, abs_tol=1e-12)
    assert isclose(whole.m2, earlier.moments.m2, rel_tol=1e-9, abs_tol=1e-12)
    assert earlier.unit_ppb == forgotten[-1].unit_ppb
    assert Drawdown.of(gains, range(len(gains)), -1) == earlier.drawdown
