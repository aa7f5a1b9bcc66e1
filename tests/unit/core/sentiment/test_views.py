import msgspec
import pytest

from streams.core.events import SentimentMeasured
from streams.core.sentiment import count_message, record_stance, refresh, sentiment_of
from streams.core.sentiment.labels import label_of
from streams.core.sentiment.lists import list_symbols, trader_sentiment
from streams.core.sentiment.views import calibration_view, row, window_score
from streams.core.sentiment_state import Calibration, SentimentPoint
from streams.core.state import State
from streams.core.view import event_data
from streams.core.view.sentiment_point import point_view
from tests.unit.core.market import keys_of
from tests.unit.core.sentiment.crowd import DAY_US, HOUR_US, NOW, add_trader, crowd, empty


NO_FORECASTS = {
    "forecasts": 0,
    "brier": None,
    "brier_unweighted": None,
    "skill": None,
    "reason": "no_forecast_due",
}
SILENT = {"score": 0.0, "n": 0, "n_eff": 0.0, "label": "insufficient"}


def test_the_row_of_a_symbol():
    state = crowd(*[1] * 8, -1, -1)
    assert (row(state, "BTC")["n"], row(state, "BTC")["as_of"]) == (0, None)
    refresh(state)
    swing = {"score": 57.78, "n": 10, "n_eff": 10.0, "label": "bullish"}
    assert row(state, "BTC") == {
        "symbol": "BTC",
        "as_of": "2024-10-04T00:00:00.000000Z",
        **swing,
        "unweighted": 57.78,
        "low": 3.79,
        "high": 83.08,
        "distribution": {"bullish": 8, "bearish": 2},
        "disagreement": 0.6661,
        "concentration": 0.1,
        "median": 0.9,
        "median_recent": 0.9,
        "horizons": {"intraday": SILENT, "swing": swing, "position": SILENT},
        "text": SILENT,
        "volume": 0,
        "volume_z": None,
        "volume_z_reason": "short_baseline",
        "baseline_days": 0,
        "change": {"1h": None, "24h": None},
        "manipulation": {
            "suspected": 0,
            "score_with_suspected": 57.78,
            "new_account_share": 0.0,
            "burst_z": 0.0,
        },
        "calibration": NO_FORECASTS,
    }


def test_a_symbol_nobody_speaks_of():
    shown = row(State(), "BTC")
    assert (shown["score"], shown["low"], shown["high"]) == (0.0, -90.0, 90.0)
    assert (shown["label"], shown["median"], shown["as_of"]) == ("insufficient", None, None)
    assert shown["manipulation"]["new_account_share"] is None


@pytest.mark.parametrize(
    ("score_centi", "effective_milli", "label"),
    [
        (2_000, 5_000, "bullish"),
        (1_999, 5_000, "neutral"),
        (-1_999, 5_000, "neutral"),
        (-2_000, 5_000, "bearish"),
        (8_000, 4_999, "insufficient"),
    ],
)
def test_labels(score_centi, effective_milli, label):
    assert label_of(score_centi, effective_milli) == label


def test_windows_are_answers_of_their_own_and_as_of_now():
    state = empty()
    ages = {"a": 0, "b": HOUR_US, "c": HOUR_US + 1, "d": 25 * HOUR_US, "e": 31 * DAY_US}
    for trader, age_us in ages.items():
        record_stance(state, "BTC", trader, 1 if trader in "ab" else -1, NOW - age_us)
    counts = [window_score(state, "BTC", hours)["n"] for hours in (1, 24, 168, 24_000)]
    assert counts == [2, 3, 4, 5]
    assert window_score(state, "BTC", 1)["score"] == 80.0
    assert window_score(state, "ETH", 1)["label"] == "insufficient"
    state.market_at_us += 2 * DAY_US
    stale = window_score(state, "BTC", 24)
    assert (stale["n"], stale["as_of"]) == (0, "2024-10-06T00:00:00.000000Z")


def test_changes_are_against_points_that_are_old_enough():
    state = crowd(*[1] * 6)
    refresh(state)
    hour = NOW // HOUR_US
    state.sentiment["BTC"].points = [
        SentimentPoint(hour - 25, -2_000, 0, 5, 5_000, 5),
        SentimentPoint(hour - 1, 7_000, 0, 5, 5_000, 5),
        SentimentPoint(hour, 8_000, 0, 5, 5_000, 5),
    ]
    assert row(state, "BTC")["change"] == {"1h": 10.0, "24h": 100.0}


def test_calibration_stands_next_to_the_number():
    measured = Calibration(4, 400_000, 1_000_000)
    measured.counts[6], measured.said_ppm[6], measured.rises[6] = 4, 2_600_000, 3
    expected = {
        "forecasts": 4,
        "brier": 0.1,
        "brier_unweighted": 0.25,
        "skill": 0.6,
        "reason": None,
    }
    assert calibration_view(measured) == expected
    state = crowd(1)
    state.calibration[1] = measured
    state.sentiment["BTC"].calibration = [Calibration(), measured, Calibration()]
    refresh(state)
    assert row(state, "BTC")["calibration"] == expected
    shown = window_score(state, "BTC", 24)
    bins = {**expected, "bins": [[4, 0.65, 0.75]]}
    assert shown["calibration"] == bins
    assert shown["horizons"]["swing"]["calibration"] == bins
    assert shown["horizons"]["swing"]["calibration_of_symbol"] == bins
    assert shown["horizons"]["intraday"]["calibration_of_symbol"] == {**NO_FORECASTS, "bins": []}


def test_perfect_forecasts_of_the_plain_crowd_leave_no_skill_to_measure():
    assert calibration_view(Calibration(1))["skill"] is None


def talked_about(*stances_of_symbols, messages=5):
    state = empty("A", "B", "C", "D")
    for symbol, stance, voices in stances_of_symbols:
        for number in range(voices):
            record_stance(state, symbol, f"t{number}", stance, NOW)
        for _ in range(messages):
            count_message(sentiment_of(state, symbol), NOW)
    refresh(state)
    return state


def names(rows):
    return [each["symbol"] for each in rows]


def test_lists_hold_what_is_spoken_of_enough():
    state = talked_about(("A", 1, 6), ("B", -1, 6), ("C", 1, 4), ("D", 1, 9))
    record_stance(state, "D", "t9", -1, NOW)
    refresh(state)
    assert names(list_symbols(state, "bullish", 9)) == ["A", "D"]
    assert names(list_symbols(state, "bullish", 1)) == ["A"]
    assert names(list_symbols(state, "bearish", 9)) == ["B"]
    quiet = talked_about(("A", 1, 6), messages=4)
    assert list_symbols(quiet, "bullish", 9) == list_symbols(quiet, "trending", 9) == []


def test_trending_is_by_what_is_unusual():
    state = talked_about(("A", 1, 1), ("B", 1, 1))
    for _ in range(3):
        count_message(state.sentiment["B"], NOW)
    rows = list_symbols(state, "trending", 9)
    assert [(each["symbol"], each["trend"]) for each in rows] == [("B", 8.0), ("A", 5.0)]


def test_what_a_trader_thinks():
    state = empty()
    trader = add_trader(state, "alice")
    assert trader_sentiment(state, trader) == {
        "trader": "alice",
        "score": None,
        "reason": "no_declared_stance",
        "voices": [],
    }
    record_stance(state, "BTC", "alice", 1, NOW - 3 * DAY_US, percent=75, source="i_1")
    record_stance(state, "ETH", "alice", -1, NOW, crowd=3, percent=80)
    shown = trader_sentiment(state, trader)
    assert (shown["score"], shown["reason"]) == (50.0, None)
    assert shown["voices"] == [
        {
            "symbol": "ETH",
            "sentiment": "bearish",
            "probability": 0.2,
            "horizon": None,
            "read_from_text": True,
            "idea": None,
            "recency": 1.0,
            "accuracy": 0.1,
            "suspected": False,
            "at": "2024-10-04T00:00:00.000000Z",
        },
        {
            "symbol": "BTC",
            "sentiment": "bullish",
            "probability": 0.75,
            "horizon": "swing",
            "read_from_text": False,
            "idea": "i_1",
            "recency": 0.5,
            "accuracy": 0.1,
            "suspected": False,
            "at": "2024-10-01T00:00:00.000000Z",
        },
    ]


def test_a_point_of_history_is_what_was_measured():
    point = SentimentPoint(NOW // HOUR_US, 2_500, 1_000, 7, 6_500, 40)
    event = SentimentMeasured("BTC", *msgspec.structs.astuple(point), [], [], NOW)
    assert keys_of(State(), event) == ("sentiment_points:BTC",)
    assert event_data(State(), event) == point_view(point)
    assert point_view(point) == {
        "at": "2024-10-04T00:00:00.000000Z",
        "score": 25.0,
        "unweighted": 10.0,
        "n": 7,
        "n_eff": 6.5,
        "volume": 40,
        "label": "bullish",
    }
