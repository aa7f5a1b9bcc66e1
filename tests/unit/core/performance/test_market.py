from streams.core.limits import DAYS_MAX
from streams.core.market_clock import DAY_US
from streams.core.performance.market import close_marks, market_returns
from tests.unit.core.records import TODAY, market


def test_only_instruments_with_a_quote_on_the_day_close_it():
    state = market(A=100, B=50)
    state.instruments["A"].marked_at_us = TODAY * DAY_US
    state.instruments["B"].marked_at_us = TODAY * DAY_US - 1
    close_marks(state, TODAY)
    assert state.instruments["A"].closes == {TODAY: 100}
    assert state.instruments["B"].closes == {}


def test_the_oldest_close_leaves():
    state = market(A=100)
    state.instruments["A"].marked_at_us = (TODAY + DAYS_MAX + 2) * DAY_US
    for day in range(DAYS_MAX + 2):
        close_marks(state, day)
    assert list(state.instruments["A"].closes) == list(range(2, DAYS_MAX + 2))


def test_returns_of_a_market_over_the_stretches_of_a_record():
    instrument = market(A=120).instruments["A"]
    instrument.closes = {1: 100, 2: 110, 4: 100, 5: 80}
    assert market_returns(instrument, 1, [2, 3, 4, 5, 6], 6) == [
        110 / 100 - 1,
        None,
        None,
        80 / 100 - 1,
        120 / 80 - 1,
    ]
    assert market_returns(instrument, 0, [1, 2], 6) == [None, 110 / 100 - 1]
    instrument.bid_ticks = 0
    assert market_returns(instrument, 5, [6], 6) == [None]
