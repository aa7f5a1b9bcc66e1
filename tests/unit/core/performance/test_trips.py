"""Sums over days against the plain results of all trips."""

from math import isclose

from streams.core.performance.track import close_day, record_round_trip
from streams.core.performance.trades import Results
from streams.core.performance.trading import results_of, risk_of, trading_metrics
from streams.core.performance.trips import SHARE_MAX, add_day, add_return, add_risk, share_ppm
from streams.core.state import Day, Track, Trading, Trips
from tests.unit.core.performance.vectors import RESULTS, reason


def added_up(*days):
    track, trading = Track(), Trading()
    for number, results in enumerate(days):
        for result in results:
            record_round_trip(track, result, 1_000, 60_000_000, 10)
        close_day(track, number, 0)
    for day in track.days:
        add_day(trading, day)
    return trading


def test_days_add_up_to_what_all_trips_say():
    results = [int(result) for result in RESULTS]
    trading = added_up(results[:2], [], results[2:3], results[3:])
    expected, actual = Results.of(RESULTS), results_of(trading)
    assert isclose(expected.squares, actual.squares)
    assert expected._replace(squares=0.0) == actual._replace(squares=0.0)
    assert trading.trips.duration_us == 7 * 60_000_000
    risk = risk_of(trading)
    assert risk is not None
    assert isclose(expected.squares * 10**10, risk.squares)
    assert (risk.trades, risk.won) == (7, 19_000_000)
    assert trading.trips.best_return_ppb == 200_000_000
    assert trading.trips.worst_return_ppb == -100_000_000


def test_without_a_trip_there_are_no_results():
    trading = added_up([])
    assert results_of(trading) == Results()
    assert risk_of(trading) is None
    numbers = trading_metrics(trading, 0)
    assert reason(numbers["exposure"]) == "NO_RECORD"
    for name in ("best_trade", "average_duration_s", "average_risk_multiple", "stopless_share"):
        assert reason(numbers[name]) == "NO_CLOSED_TRADES"
    assert numbers["average_leverage"] == 0.0


def test_a_trip_without_a_stop_has_no_multiple():
    trading = Trading()
    add_day(trading, Day(0, 1, 1, 1, 1, 0, 5, trips=Trips(best_micros=5, worst_micros=5)))
    assert reason(trading_metrics(trading, 1)["average_risk_multiple"]) == "NO_INITIAL_STOP"


def test_shares_are_bounded():
    assert share_ppm(1, 0) == share_ppm(-1, 5) == 0
    assert share_ppm(10**18, 1) == SHARE_MAX
    trips = Trips()
    add_return(trips, 0, -(10**18), 1)
    assert trips.worst_return_ppb == -SHARE_MAX
    add_risk(trips, 10**18, 1)
    assert trips.risk_ppm == SHARE_MAX
