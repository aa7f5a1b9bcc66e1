import msgspec
import pytest

from streams.core.events import SentimentMeasured
from streams.core.sentiment import calibration as module, measure, record_stance, refresh
from streams.core.sentiment.calibration import enter, evolve_sentiment_measured
from streams.core.sentiment.horizons import FORECASTS_US
from streams.core.sentiment_state import Calibration, Forecast
from tests.unit.core.sentiment.crowd import HOUR_US, NOW, crowd
from tests.unit.core.support import Desk


def market(*stances):
    """Return a desk whose crowd has been refreshed at the beginning of an hour."""
    state = crowd(*stances)
    refresh(state)
    return Desk(state)


def let_pass(at, hours=0.0, mark_ticks=None):
    """Let time pass, move the price, and measure."""
    state = at.state
    state.market_at_us += int(hours * HOUR_US)
    if mark_ticks is not None:
        instrument = state.instruments["BTC"]
        instrument.bid_ticks = instrument.ask_ticks = instrument.last_ticks = mark_ticks
    refresh(state)
    at.events.clear()
    measure(at, state.market_at_us)
    return at.events


def test_each_hour_becomes_a_point():
    at = market(*[1] * 6)
    (event,) = let_pass(at)
    assert isinstance(event, SentimentMeasured)
    assert (event.symbol, event.hour, event.score_centi) == ("BTC", NOW // HOUR_US, 8_000)
    assert let_pass(at, 0.5) == []
    assert len(let_pass(at, 0.5)) == 1
    assert [point.hour - NOW // HOUR_US for point in at.state.sentiment["BTC"].points] == [0, 1]


def test_points_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "SENTIMENT_POINTS_MAX", 2)
    at = market(1)
    for _ in range(4):
        let_pass(at, 1)
    assert [point.hour - NOW // HOUR_US for point in at.state.sentiment["BTC"].points] == [3, 4]


def test_symbols_are_measured_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(module, "SYMBOLS_PER_TICK_MAX", 1)
    at = market(1)
    record_stance(at.state, "ETH", "t0", 1, NOW)
    assert [event.symbol for event in let_pass(at, 1)] == ["BTC"]
    assert [event.symbol for event in let_pass(at)] == ["ETH"]
    assert let_pass(at) == []


def forecasts(at):
    return at.state.sentiment["BTC"].forecasts


def test_a_crowd_that_is_large_enough_forecasts_once_a_horizon():
    at = market(*[1] * 5, -1)
    let_pass(at)
    assert list(forecasts(at)) == [1]
    forecast = forecasts(at)[1]
    assert (forecast.due_us, forecast.mark_ticks) == (NOW + FORECASTS_US[1], 100)
    let_pass(at, 71)
    assert forecasts(at)[1] == forecast
    let_pass(at, 1, 101)
    assert forecasts(at)[1].due_us == NOW + 2 * FORECASTS_US[1]
    assert at.state.calibration[1].forecasts == 1


@pytest.mark.parametrize("change", ["few", "unquoted", "settled"])
def test_no_forecast_without_voices_or_price(change):
    at = market(*[1] * (4 if change == "few" else 6))
    instrument = at.state.instruments["BTC"]
    if change == "unquoted":
        instrument.bid_ticks = instrument.ask_ticks = 0
    instrument.settled = change == "settled"
    let_pass(at)
    assert forecasts(at) == {}


OUTCOMES = """
# mark  settled  forecasts  rises
120     no       1          1
80      no       1          0
100     no       0          0
90      yes      1          0
"""


@pytest.mark.parametrize("row", OUTCOMES.strip().splitlines()[1:])
def test_a_forecast_that_is_due_is_compared_with_the_price(row):
    mark, settled, count, rises = row.split()
    at = market(*[1] * 5)
    let_pass(at)
    at.state.instruments["BTC"].settled = settled == "yes"
    let_pass(at, 72, int(mark))
    for measured in (at.state.calibration[1], *at.state.sentiment["BTC"].calibration[1:2]):
        assert measured.forecasts == int(count)
        assert sum(measured.rises) == int(rises)


def test_errors_are_squared_for_the_weighted_and_the_plain_crowd():
    measured = Calibration()
    enter(measured, Forecast(0, 900_000, 600_000, 100), rose=True)
    enter(measured, Forecast(0, 1_000_000, 500_000, 100), rose=False)
    assert (measured.forecasts, measured.squares_ppm) == (2, 10_000 + 1_000_000)
    assert measured.unweighted_squares_ppm == 160_000 + 250_000
    assert (measured.counts[9], measured.said_ppm[9], measured.rises[9]) == (2, 1_900_000, 1)


def test_events_alone_rebuild_what_was_measured():
    at = market(*[1] * 5)
    other = market(*[1] * 5)
    for hours, mark in ((0, 100), (72, 110), (72, 90)):
        events = let_pass(at, hours, mark)
        other.state.market_at_us = at.state.market_at_us
        refresh(other.state)
        for event in events:
            evolve_sentiment_measured(
                other.state, msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=type(event))
            )
    ours, theirs = at.state.sentiment["BTC"], other.state.sentiment["BTC"]
    assert (ours.points, ours.forecasts, ours.calibration) == (
        theirs.points,
        theirs.forecasts,
        theirs.calibration,
    )
    assert at.state.calibration[1].forecasts == 2
