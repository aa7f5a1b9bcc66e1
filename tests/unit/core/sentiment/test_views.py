import pytest

from streams.core.sentiment import record_stance, refresh, row, window_score
from streams.core.sentiment.views import interval, label_of
from streams.core.state import State


HOUR_US = 3_600_000_000
NOW = 20_000 * 24 * HOUR_US


def test_the_row_of_a_symbol():
    state = State(market_at_us=NOW)
    for number in range(10):
        record_stance(state, "BTC", f"t{number}", 1 if number < 8 else -1, NOW)
    assert row(state, "BTC")["n"] == 0
    refresh(state)
    assert row(state, "BTC") == {
        "symbol": "BTC",
        "score": 60.0,
        "unweighted": 60.0,
        "n": 10,
        "n_eff": 10.0,
        "low": 8.16,
        "high": 86.29,
        "label": "bullish",
    }


def test_a_symbol_nobody_speaks_of():
    assert row(State(), "BTC") == {
        "symbol": "BTC",
        "score": 0.0,
        "unweighted": 0.0,
        "n": 0,
        "n_eff": 0.0,
        "low": -100.0,
        "high": 100.0,
        "label": "insufficient",
    }


@pytest.mark.parametrize(
    ("score", "effective", "label"),
    [
        (20.0, 5.0, "bullish"),
        (19.99, 5.0, "neutral"),
        (-19.99, 5.0, "neutral"),
        (-20.0, 5.0, "bearish"),
        (100.0, 4.999, "insufficient"),
    ],
)
def test_labels(score, effective, label):
    assert label_of(score, effective) == label


def test_windows_are_answers_of_their_own():
    state = State(market_at_us=NOW)
    ages = {"a": 0, "b": HOUR_US, "c": HOUR_US + 1, "d": 25 * HOUR_US, "e": 31 * 24 * HOUR_US}
    for trader, age_us in ages.items():
        record_stance(state, "BTC", trader, 1 if trader in "ab" else -1, NOW - age_us)
    counts = [window_score(state, "BTC", hours * HOUR_US)["n"] for hours in (1, 24, 168, 24_000)]
    assert counts == [2, 3, 4, 4]
    assert window_score(state, "BTC", HOUR_US)["score"] == 100.0
    assert window_score(state, "BTC", 24 * HOUR_US)["unweighted"] == 33.33
    assert window_score(state, "ETH", HOUR_US)["label"] == "insufficient"


def test_an_interval_narrows_with_voices_and_holds_the_score():
    widths = []
    for effective in (1.0, 10.0, 100.0, 10_000.0):
        low, high = interval(40.0, effective)
        assert -100.0 <= low <= 40.0 <= high <= 100.0
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert interval(100.0, 5.0)[1] == 100.0
    assert interval(-100.0, 5.0)[0] == -100.0
