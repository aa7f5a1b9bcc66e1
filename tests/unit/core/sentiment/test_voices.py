import pytest
from hypothesis import given, strategies as st

from streams.core import channels
from streams.core.limits import STANCE_AGE_DAYS_MAX
from streams.core.sentiment import record_stance, refresh, voices as module
from streams.core.sentiment.voices import AGE_US_MAX, REFRESH_US, Tally, published, tally
from streams.core.sentiment.weights import HALF_LIFE_US
from streams.core.state import State, Voice


NOW = 20_000 * 86_400_000_000


def crowd(*stances: int, at_us: int = NOW) -> State:
    state = State(market_at_us=NOW)
    for number, stance in enumerate(stances):
        record_stance(state, "BTC", f"t{number}", stance, at_us)
    return state


def touched(state: State) -> list[str]:
    names = list(channels.pending(state, channels.RAW))
    for interval in (channels.RAW, channels.TENTHS, channels.SECONDS):
        channels.cut(state, interval)
    return names


def test_the_score_is_the_balance_of_voices():
    state = crowd(1, 1, 1, -1)
    refresh(state)
    assert published(state.sentiment["BTC"]) == Tally(5_000, 5_000, 4, 4_000)
    assert list(state.conflated["sentiment:BTC"].pending[0]) == ["BTC"]


def test_one_voice_a_trader_and_the_latest_counts():
    state = crowd(1)
    record_stance(state, "BTC", "t0", -1, NOW + 1)
    refresh(state)
    assert state.sentiment["BTC"].voices == {"t0": Voice(-1, NOW + 1)}
    assert published(state.sentiment["BTC"]) == Tally(-10_000, -10_000, 1, 1_000)


def test_an_earlier_declaration_that_arrives_later_is_ignored():
    state = crowd(1)
    refresh(state)
    record_stance(state, "BTC", "t0", -1, NOW - 1)
    assert state.sentiment["BTC"].voices == {"t0": Voice(1, NOW)}
    assert not state.sentiment["BTC"].changed


def test_stance_zero_withdraws():
    state = crowd(1, -1)
    record_stance(state, "BTC", "t1", 0, NOW)
    refresh(state)
    assert published(state.sentiment["BTC"]) == Tally(10_000, 10_000, 1, 1_000)
    record_stance(state, "BTC", "t0", 0, NOW)
    refresh(state)
    assert published(state.sentiment["BTC"]) == Tally(0, 0, 0, 0)


def test_withdrawing_what_was_never_said_makes_nothing():
    state = crowd(0)
    assert state.sentiment == {}
    state = crowd(1)
    state.sentiment["BTC"].changed = False
    record_stance(state, "BTC", "t9", 0, NOW)
    assert not state.sentiment["BTC"].changed


def test_recent_voices_weigh_more():
    state = crowd(-1, at_us=NOW - HALF_LIFE_US)
    record_stance(state, "BTC", "new", 1, NOW)
    refresh(state)
    # weights 1 and 1/2: score (1 - 1/2) / (3/2), effective number (3/2)^2 / (5/4)
    assert published(state.sentiment["BTC"]) == Tally(3_333, 0, 2, 1_800)


def test_voices_leave_with_age():
    state = crowd(1, at_us=NOW - AGE_US_MAX)
    record_stance(state, "BTC", "new", -1, NOW)
    refresh(state)
    assert state.sentiment["BTC"].voices_counted == 2
    state.market_at_us += REFRESH_US
    refresh(state)
    assert list(state.sentiment["BTC"].voices) == ["new"]
    assert AGE_US_MAX == STANCE_AGE_DAYS_MAX * 24 * 3600 * 1_000_000


def test_only_changed_numbers_are_published():
    state = crowd(1, 1)
    refresh(state)
    assert touched(state) == ["sentiment:BTC"]
    record_stance(state, "BTC", "t0", 1, NOW)
    refresh(state)
    assert touched(state) == []


def test_weights_age_once_a_minute_though_nobody_speaks():
    state = crowd(-1, at_us=NOW - HALF_LIFE_US)
    record_stance(state, "BTC", "new", 1, NOW)
    refresh(state)
    touched(state)
    state.market_at_us += REFRESH_US - 1
    refresh(state)
    assert state.sentiment["BTC"].computed_at_us == NOW
    state.market_at_us = NOW + 2 * HALF_LIFE_US
    refresh(state)
    assert state.sentiment["BTC"].computed_at_us == NOW + 2 * HALF_LIFE_US
    assert touched(state) == []
    # Ages differ by the same half-life: equal weights as before, as shares.
    assert state.sentiment["BTC"].score_centi == 3_333


def test_the_oldest_voice_leaves_a_full_symbol(monkeypatch):
    monkeypatch.setattr(module, "VOICES_PER_SYMBOL_MAX", 3)
    state = crowd(1, 1, 1)
    record_stance(state, "BTC", "t0", -1, NOW)
    assert list(state.sentiment["BTC"].voices) == ["t1", "t2", "t0"]
    record_stance(state, "BTC", "t9", -1, NOW)
    assert list(state.sentiment["BTC"].voices) == ["t2", "t0", "t9"]


def test_ageing_is_spread_over_refreshes(monkeypatch):
    monkeypatch.setattr(module, "VOICES_PER_REFRESH_MAX", 3)
    state = State(market_at_us=NOW)
    for symbol in "ABC":
        for number in range(2):
            record_stance(state, symbol, f"t{number}", 1, NOW)
    refresh(state)
    state.market_at_us += REFRESH_US
    ages = []
    for _ in range(3):
        refresh(state)
        ages.append([state.sentiment[symbol].computed_at_us - NOW for symbol in "ABC"])
    assert ages == [[REFRESH_US, REFRESH_US, 0], [REFRESH_US] * 3, [REFRESH_US] * 3]


@given(
    st.lists(st.tuples(st.sampled_from([-1, 1]), st.integers(0, 40 * 86_400_000_000)), max_size=30),
    st.randoms(use_true_random=False),
)
def test_a_tally_is_bounded_and_does_not_depend_on_order(stances, random):
    voices = {str(number): Voice(s, NOW - age) for number, (s, age) in enumerate(stances)}
    shuffled = list(voices.items())
    random.shuffle(shuffled)
    result = tally(voices, NOW, AGE_US_MAX)
    assert result == tally(dict(shuffled), NOW, AGE_US_MAX)
    assert -10_000 <= result.score_centi <= 10_000
    assert result.voices == sum(1 for _, age in stances if age <= AGE_US_MAX)
    assert min(result.voices, 1) * 999 <= result.effective_milli <= 1_000 * result.voices


@given(st.lists(st.tuples(st.sampled_from([-1, 1]), st.floats(0, 29)), min_size=1, max_size=30))
def test_a_tally_is_the_formula(stances):
    voices = {
        str(number): Voice(s, NOW - int(days * 86_400_000_000))
        for number, (s, days) in enumerate(stances)
    }
    weights = [2.0 ** (-days / 3) for _, days in stances]
    bullish = sum(w for w, (s, _) in zip(weights, stances, strict=True) if s > 0)
    score = 100 * (2 * bullish / sum(weights) - 1)
    effective = sum(weights) ** 2 / sum(w * w for w in weights)
    result = tally(voices, NOW, AGE_US_MAX)
    assert result.score_centi / 100 == pytest.approx(score, abs=0.05)
    assert result.effective_milli / 1000 == pytest.approx(effective, rel=1e-3, abs=2e-3)
