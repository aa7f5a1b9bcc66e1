import pytest
from hypothesis import given, strategies as st

from streams.core.sentiment import SWING, TEXT, record_stance
from streams.core.sentiment.tally import Sums, _repeats, add_up, read_crowds
from streams.core.sentiment_state import Reading, Sentiment, Voice
from tests.unit.core.sentiment.crowd import DAY_US, NOW, add_trader, crowd, empty, plain_score


def reading(state, part=0, since_us=0):
    return read_crowds(state, "BTC", state.sentiment["BTC"], since_us)[part]


def test_a_crowd_pools_log_odds():
    found = reading(crowd(1, 1, 1, -1))
    # mean log-odds ln(9) / 2 gives odds of 3 to 1
    assert (found.score_centi, found.unweighted_centi, found.probability_ppm) == (
        5_000,
        5_000,
        750_000,
    )
    assert (found.voices, found.effective_milli, found.bullish) == (4, 4_000, 3)
    assert (found.median_percent, found.recent_median_percent) == (90, 90)
    assert found.concentration_ppm == 250_000


def test_sixty_against_forty_is_bullish():
    assert reading(crowd(*[1] * 6, *[-1] * 4)).score_centi == 2_163


def test_recent_voices_weigh_more():
    state = crowd(-1, at_us=NOW - 3 * DAY_US)
    record_stance(state, "BTC", "new", 1, NOW)
    found = reading(state)
    # weights 1 and 1/2: log-odds ln(9) / 3, effective number (3/2)^2 / (5/4)
    assert found.score_centi == round(10_000 * (2 / (1 + 9 ** (-1 / 3)) - 1))
    assert (found.unweighted_centi, found.effective_milli) == (0, 1_800)


def test_horizons_add_up_to_the_whole():
    state = crowd(1, 1)
    record_stance(state, "BTC", "t0", -1, NOW, crowd=0)
    record_stance(state, "BTC", "t1", 1, NOW, crowd=2)
    record_stance(state, "BTC", "t2", -1, NOW, crowd=TEXT)
    whole, intraday, swing, long, text = read_crowds(state, "BTC", state.sentiment["BTC"], 0)
    assert [each.voices for each in (whole, intraday, swing, long, text)] == [4, 1, 2, 1, 1]
    assert whole.score_centi == reading(crowd(1, 1, 1, -1)).score_centi
    assert [each.score_centi for each in (intraday, swing, long)] == [-8_000, 8_000, 8_000]
    assert text.score_centi == -8_000


def test_texts_alone_are_no_declared_stance():
    state = empty()
    record_stance(state, "BTC", "t0", 1, NOW, crowd=TEXT, percent=70)
    assert reading(state) == Reading()
    assert reading(state, 1 + TEXT).score_centi == 4_000


def test_a_cluster_counts_as_one_voice():
    state = crowd(1, 1, -1)
    voices = state.sentiment["BTC"].voices
    voices["t0"].cluster = voices["t1"].cluster = 7
    found = reading(state)
    assert (found.score_centi, found.unweighted_centi) == (0, 3_507)
    assert found.effective_milli == 2_667


def test_accounts_of_one_person_count_as_one_voice():
    state = crowd(1, 1, -1)
    identity = state.integrity.identity
    identity["t0"] = identity["t1"] = "person"
    identity["t2"] = "another"
    found = reading(state)
    assert (found.score_centi, found.unweighted_centi, found.voices) == (0, 3_507, 3)
    # The same two also say the same words: nobody is divided by twice.
    voices = state.sentiment["BTC"].voices
    voices["t0"].cluster = voices["t1"].cluster = 7
    assert reading(state) == found
    # A third one repeats t1 only: t1 has two repeats, the others have one each.
    voices["t0"].cluster = 0
    voices["t2"].cluster = 7
    assert _repeats(identity, voices, 0) == {"t0": 2, "t1": 3, "t2": 2}


def test_the_suspected_have_no_weight_and_both_numbers_stay():
    state = crowd(1, 1, -1)
    for name in ("t0", "t1"):
        state.sentiment["BTC"].voices[name].suspected = True
    found = reading(state)
    assert (found.score_centi, found.open_score_centi) == (-8_000, 3_507)
    assert (found.voices, found.suspected) == (1, 2)
    state.reply_rings["t2"] = NOW
    nobody = reading(state)
    assert (nobody.voices, nobody.suspected, nobody.score_centi) == (0, 3, 0)
    assert nobody.open_score_centi == 3_507


def test_new_accounts_are_counted_but_recorded_ones_have_no_known_age():
    state = crowd(1, 1, 1)
    add_trader(state, "t0", joined_at_us=NOW - 6 * DAY_US)
    add_trader(state, "t1", joined_at_us=NOW - 8 * DAY_US)
    add_trader(state, "t2", joined_at_us=NOW, origin="recorded")
    assert reading(state).new_accounts == 1


def test_a_window_leaves_the_older_out():
    state = crowd(1, at_us=NOW - DAY_US)
    record_stance(state, "BTC", "new", -1, NOW)
    assert reading(state, since_us=NOW - DAY_US).voices == 2
    assert reading(state, since_us=NOW - DAY_US + 1).voices == 1


VOICES = st.lists(
    st.tuples(st.sampled_from([-1, 1]), st.integers(51, 99), st.integers(0, 40 * DAY_US)),
    min_size=1,
    max_size=30,
)


@given(VOICES, st.lists(st.integers(0, 3), min_size=30, max_size=30))
def test_a_reading_is_the_formula(stances, clusters):
    state = empty()
    voices = {
        f"t{number}": Voice(stance, NOW - age_us, percent, clusters[number])
        for number, (stance, percent, age_us) in enumerate(stances)
    }
    state.sentiment["BTC"] = Sentiment(voices=voices)
    sizes = {number: clusters[: len(stances)].count(number) for number in range(1, 4)}
    plain = [
        (
            voice.percent / 100 if voice.stance > 0 else 1 - voice.percent / 100,
            NOW - voice.at_us,
            sizes.get(voice.cluster, 1),
        )
        for voice in voices.values()
    ]
    found = reading(state)
    assert found.score_centi / 100 == pytest.approx(plain_score(plain), abs=0.1)
    equal = plain_score([(share, 0, 1) for share, _, _ in plain])
    assert found.unweighted_centi / 100 == pytest.approx(equal, abs=0.01)
    assert found.voices == len(stances)
    assert 999 <= found.effective_milli <= 1_000 * found.voices


@given(VOICES, st.integers(0, 30))
def test_parts_merge_to_the_whole(stances, cut):
    state = empty()
    voices = {
        f"t{number}": Voice(stance, NOW - age_us, percent)
        for number, (stance, percent, age_us) in enumerate(stances)
    }
    names = sorted(voices, key=lambda name: voices[name].at_us)
    parts = [
        add_up(state, "BTC", SWING, {name: voices[name] for name in chosen}, 0)
        for chosen in (names[:cut], names[cut:])
    ]
    whole = add_up(state, "BTC", SWING, {name: voices[name] for name in names}, 0)
    merged = Sums.merged(parts).reading()
    assert merged.recent_median_percent in {percent for _, percent in whole.spoken}
    assert merged == whole.reading() or len({v.at_us for v in voices.values()}) < len(voices)


def test_a_symbol_that_is_no_instrument_any_more_has_no_class():
    state = crowd(1)
    del state.instruments["BTC"]
    assert reading(state).voices == 1
