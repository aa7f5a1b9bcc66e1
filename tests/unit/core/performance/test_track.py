from math import isclose

import pytest

from streams.core.limits import DAYS_MAX
from streams.core.market_clock import DAY_US
from streams.core.performance.track import (
    UNIT_MAX,
    UNIT_PPB,
    close_day,
    has_record,
    record_exposure,
    record_fill,
    record_flow,
    record_round_trip,
    today_of,
    unit_now,
    unit_ppb,
)
from streams.core.state import Day, Track, Trips


def funded(equity: int = 100) -> Track:
    track = Track()
    record_flow(track, 0, equity)
    return track


def test_a_curve_starts_at_one_with_the_first_funding():
    track = Track()
    assert not has_record(track)
    assert unit_now(track, 5) == 1.0
    record_flow(track, 0, 100)
    assert has_record(track)
    assert unit_now(track, 100) == 1.0
    assert unit_now(track, 150) == 1.5


def test_what_was_earned_before_the_first_funding_is_no_return():
    track = Track()
    record_flow(track, 70, 100)
    assert unit_now(track, 100) == 1.0


def test_half_gained_then_half_lost_is_a_quarter_lost():
    track = funded()
    close_day(track, 1, 150)
    close_day(track, 2, 75)
    assert [day.unit_ppb for day in track.days] == [1_500_000_000, 750_000_000]


@pytest.mark.parametrize("after", [1, 150, 10_000])
def test_flows_make_no_return(after):
    track = funded()
    record_flow(track, 150, after)
    assert unit_now(track, after) == 1.5
    assert unit_now(track, 2 * after) == 3.0


def test_withdrawing_everything_stops_the_curve_until_the_next_flow():
    track = funded()
    record_flow(track, 120, 0)
    assert unit_now(track, 0) == unit_now(track, 500) == 1.2
    assert has_record(track)
    record_flow(track, 500, 1_000)
    assert unit_now(track, 2_000) == 2.4


def test_a_flow_after_everything_was_lost_does_not_bring_the_record_back():
    track = funded()
    record_flow(track, 0, 100)
    assert track.wiped
    record_flow(track, 100, 200)
    assert unit_now(track, 200) == 0.0
    assert has_record(track)


def test_equity_below_zero_during_a_day_is_only_shown():
    track = funded()
    assert unit_now(track, -5) == 0.0
    assert unit_now(track, 50) == 0.5
    assert not track.wiped


def test_a_day_that_closes_without_equity_wipes():
    track = funded()
    close_day(track, 1, 0)
    close_day(track, 2, 500)
    assert [day.unit_ppb for day in track.days] == [0, 0]
    assert track.wiped


def test_the_unit_is_bounded():
    track = funded(1)
    assert unit_now(track, 2**62) == UNIT_MAX
    assert unit_ppb(track, 2**62) < 2**63
    for _ in range(5):
        record_flow(track, 2**62, 1)
    assert unit_now(track, 2**62) == UNIT_MAX


def test_fills_and_round_trips_are_counted():
    track = Track()
    record_fill(track, 7)
    record_fill(track, 5)
    for trip in (10, -3, 0, 4):
        record_round_trip(track, trip)
    assert (track.fills, track.first_fill_us) == (2, 7)
    assert (track.trades, track.wins, track.losses) == (4, 2, 1)
    assert (track.today_trades, track.today_wins, track.today_losses) == (4, 2, 1)


def test_closing_a_day_writes_it_down_and_begins_the_next():
    track = funded()
    record_round_trip(track, 10)
    close_day(track, 9, 110)
    record_round_trip(track, -10)
    close_day(track, 10, 100)
    assert track.days == [
        Day(9, 1_100_000_000, 110, 1, 1, 0, 10, trips=Trips(best_micros=10, worst_micros=10)),
        Day(10, UNIT_PPB, 100, 1, 0, 1, 0, 10, trips=Trips(best_micros=-10, worst_micros=-10)),
    ]
    assert (track.today_trades, track.trades, track.today_trips) == (0, 2, None)


def test_round_trips_of_a_day_are_added_up():
    track = Track()
    record_round_trip(track, 10, entered_micros=100, duration_us=7, risk_micros=5)
    record_round_trip(track, -30, entered_micros=100, duration_us=-1)
    record_round_trip(track, 2, entered_micros=0, risk_micros=2)
    trips = track.today_trips
    assert trips is not None
    assert (track.today_won_micros, track.today_lost_micros) == (12, 30)
    assert (trips.best_micros, trips.worst_micros, trips.duration_us) == (10, -30, 7)
    assert isclose((10 + 6) ** 2 + (-30 + 6) ** 2 + (2 + 6) ** 2, trips.squares)
    assert trips.best_return_ppb == 100_000_000
    assert (trips.returns_ppb, trips.worst_return_ppb) == (-200_000_000, -300_000_000)
    assert (trips.risked, trips.risk_ppm) == (2, 3_000_000)
    assert isclose(2 * 500_000**2, trips.risk_squares)


def test_exposure_is_the_time_with_an_open_position():
    track = funded()
    record_exposure(track, 10, is_open=False)
    record_exposure(track, 20, is_open=True)
    record_exposure(track, 50, is_open=True)
    record_exposure(track, 70, is_open=False)
    record_exposure(track, DAY_US - 100, is_open=True)
    assert today_of(track, 0, DAY_US - 60, 100, 0, 100).exposed_us == 50 + 40
    close_day(track, 0, 100)
    record_exposure(track, DAY_US + 5, is_open=False)
    close_day(track, 1, 100)
    assert [day.exposed_us for day in track.days] == [150, 5]
    record_exposure(track, 2 * DAY_US + 9, is_open=True)
    record_exposure(track, 2 * DAY_US + 1, is_open=False)
    assert track.today_exposed_us == 0


def test_a_closed_day_says_how_much_was_traded_held_and_lost_on_paper():
    track = funded()
    track.today_traded_micros = 250
    close_day(track, 5, 80, gross_micros=160, balance_micros=100)
    day = track.days[0]
    assert (day.traded_ppm, day.gross_ppm, day.open_loss_ppm) == (3_125_000, 2_000_000, 200_000)
    assert track.today_traded_micros == 0
    assert today_of(track, 6, 0, -1, 5, 5).gross_ppm == 0
    assert today_of(track, 6, 0, 10, 5, 5).open_loss_ppm == 0


def test_the_oldest_day_leaves_its_numbers_behind():
    track = funded()
    for day in range(DAYS_MAX + 3):
        record_round_trip(track, 5)
        close_day(track, day, 100 + day)
    assert len(track.days) == DAYS_MAX
    assert track.days[0].day == 3
    earlier = track.earlier
    assert earlier is not None
    assert (earlier.first_day, earlier.unit_ppb) == (0, 1_020_000_000)
    assert (earlier.moments.count, earlier.trading.days, earlier.trading.trades) == (3, 3, 3)
    assert earlier.drawdown.peak_day == 2
    assert earlier.line.count == 3
