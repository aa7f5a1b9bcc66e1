from streams.core import channels
from streams.core.limits import STANCE_AGE_DAYS_MAX
from streams.core.sentiment import (
    TEXT,
    count_message,
    publishing as module,
    record_stance,
    refresh,
    sentiment_of,
)
from streams.core.sentiment.publishing import AGE_US_MAX, MINUTE_US
from tests.unit.core.sentiment.crowd import DAY_US, HOUR_US, NOW, crowd, empty


def touched(state):
    names = list(channels.pending(state, channels.RAW))
    for interval in (channels.RAW, channels.TENTHS, channels.SECONDS):
        channels.cut(state, interval)
    return names


def test_what_was_said_is_published_on_the_next_second():
    state = crowd(1, 1)
    refresh(state)
    sentiment = state.sentiment["BTC"]
    assert touched(state) == ["sentiment:BTC"]
    assert [reading.voices for reading in sentiment.readings] == [2, 0, 2, 0, 0]
    assert (sentiment.score_centi, sentiment.voices_counted) == (8_000, 2)
    assert sentiment.computed_at_us == NOW
    assert (sentiment.changed, state.sentiment_due) == (False, {})
    refresh(state)
    assert touched(state) == []


def test_weights_age_once_a_minute_though_nobody_speaks():
    state = crowd(-1, at_us=NOW - 3 * DAY_US)
    record_stance(state, "BTC", "new", 1, NOW, crowd=0)
    refresh(state)
    touched(state)
    state.market_at_us += MINUTE_US - 1
    refresh(state)
    assert state.sentiment["BTC"].computed_at_us == NOW
    state.market_at_us = NOW + 6 * HOUR_US
    refresh(state)
    assert state.sentiment["BTC"].computed_at_us == NOW + 6 * HOUR_US
    # the intraday voice has halved and the swing voice has not
    assert touched(state) == ["sentiment:BTC"]


def test_a_minute_that_changes_nothing_publishes_nothing():
    state = crowd(1, 1)
    refresh(state)
    touched(state)
    state.market_at_us += MINUTE_US
    refresh(state)
    assert state.sentiment["BTC"].computed_at_us == NOW + MINUTE_US
    assert touched(state) == []


def test_voices_leave_with_age():
    state = crowd(1, at_us=NOW - AGE_US_MAX)
    record_stance(state, "BTC", "new", -1, NOW)
    record_stance(state, "BTC", "old", -1, NOW - AGE_US_MAX, crowd=TEXT)
    refresh(state)
    assert state.sentiment["BTC"].voices_counted == 2
    state.market_at_us += MINUTE_US
    refresh(state)
    assert list(state.sentiment["BTC"].voices) == ["new"]
    assert state.sentiment["BTC"].text_voices == {}
    assert list(state.spoken) == ["new"]
    assert AGE_US_MAX == STANCE_AGE_DAYS_MAX * DAY_US


def test_work_is_spread_over_seconds_and_what_was_said_goes_first(monkeypatch):
    monkeypatch.setattr(module, "VOICES_PER_REFRESH_MAX", 2 * module.SYMBOL_COST)
    state = empty("A", "B", "C")
    state.sentiment_minute = NOW // MINUTE_US
    for symbol in "ABC":
        record_stance(state, symbol, "t0", 1, NOW)
    refresh(state)
    assert list(state.sentiment_due) == ["C"]
    refresh(state)
    state.market_at_us += MINUTE_US
    record_stance(state, "C", "t0", -1, state.market_at_us)
    refresh(state)
    ages = [state.sentiment[symbol].computed_at_us - NOW for symbol in "ABC"]
    assert ages == [MINUTE_US, 0, MINUTE_US]
    assert list(state.sentiment_ageing) == ["B", "C"]


def test_symbols_people_speak_of_are_due_for_measuring_each_hour():
    state = empty("A", "B", "C", "D")
    record_stance(state, "A", "t0", 1, NOW)
    count_message(sentiment_of(state, "B"), NOW)
    count_message(sentiment_of(state, "C"), NOW - DAY_US)
    sentiment_of(state, "D")
    state.sentiment_hour = NOW // HOUR_US
    refresh(state)
    assert state.sentiment_unmeasured == {}
    state.market_at_us += HOUR_US
    refresh(state)
    assert list(state.sentiment_unmeasured) == ["A", "B"]
    assert state.sentiment_hour == NOW // HOUR_US + 1
