import pytest

from streams.core.limits import DAYS_MAX
from streams.core.performance.track import (
    UNIT_MAX,
    UNIT_PPB,
    close_day,
    has_record,
    record_fill,
    record_flow,
    record_round_trip,
    unit_now,
    unit_ppb,
)
from streams.core.state import Day, Track


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
        Day(9, 1_100_000_000, 110, 1, 1, 0, 10),
        Day(10, UNIT_PPB, 100, 1, 0, 1, 0, 10),
    ]
    assert (track.today_trades, track.trades) == (0, 2)


def test_the_oldest_day_leaves():
    track = funded()
    for day in range(DAYS_MAX + 3):
        close_day(track, day, 100)
    assert len(track.days) == DAYS_MAX
    assert track.days[0].day == 3
