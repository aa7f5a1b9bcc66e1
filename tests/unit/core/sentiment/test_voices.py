import pytest

from streams.core.sentiment import TEXT, record_stance, voices as module, withdraw_source
from streams.core.sentiment_state import Voice
from tests.unit.core.sentiment.crowd import HOUR_US, NOW, add_trader, crowd, empty


LONG_TEXT = "ether goes to two thousand this week"


def voices_of(state, symbol="BTC"):
    return state.sentiment[symbol].voices


def test_one_voice_a_trader_and_the_latest_counts():
    state = crowd(1)
    record_stance(state, "BTC", "t0", -1, NOW + 1, percent=70, source="i_1")
    assert voices_of(state) == {"t0": Voice(-1, NOW + 1, 70, 0, "i_1")}
    assert state.spoken == {"t0": {"BTC": None}}
    assert list(state.sentiment_due) == ["BTC"]


def test_an_earlier_declaration_that_arrives_later_is_ignored():
    state = crowd(1)
    record_stance(state, "BTC", "t0", -1, NOW - 1)
    record_stance(state, "BTC", "t0", 0, NOW - 1)
    assert voices_of(state) == {"t0": Voice(1, NOW)}


@pytest.mark.parametrize(("given", "kept"), [(0, 90), (20, 51), (77, 77), (100, 99)])
def test_a_probability_is_of_the_side_that_is_declared(given, kept):
    state = empty()
    record_stance(state, "BTC", "t0", -1, NOW, percent=given)
    assert voices_of(state)["t0"].percent == kept


def test_stance_zero_withdraws():
    state = crowd(1, -1)
    record_stance(state, "BTC", "t1", 0, NOW)
    assert list(voices_of(state)) == ["t0"]
    assert list(state.spoken) == ["t0"]


def test_a_voice_on_another_horizon_stays():
    state = crowd(1)
    record_stance(state, "BTC", "t0", -1, NOW, crowd=TEXT)
    record_stance(state, "BTC", "t0", 0, NOW)
    assert voices_of(state) == {}
    assert state.spoken == {"t0": {"BTC": None}}
    record_stance(state, "ETH", "t0", 1, NOW)
    record_stance(state, "BTC", "t0", 0, NOW, crowd=TEXT)
    assert state.spoken == {"t0": {"ETH": None}}


def test_withdrawing_what_was_never_said_makes_nothing():
    state = crowd(0)
    assert state.sentiment == {}
    state = crowd(1)
    state.sentiment["BTC"].changed = False
    record_stance(state, "BTC", "t9", 0, NOW)
    assert not state.sentiment["BTC"].changed


def test_an_idea_that_is_over_takes_its_voice_along_unless_a_newer_one_was_raised():
    state = empty()
    withdraw_source(state, "BTC", "t0", "i_1")
    record_stance(state, "BTC", "t0", 1, NOW, source="i_1")
    record_stance(state, "BTC", "t1", 1, NOW, source="i_2")
    record_stance(state, "BTC", "t1", -1, NOW)
    withdraw_source(state, "BTC", "t1", "i_2")
    withdraw_source(state, "BTC", "t0", "i_1")
    assert list(voices_of(state)) == ["t1"]


def test_the_oldest_voice_of_the_fullest_crowd_leaves_a_full_symbol(monkeypatch):
    monkeypatch.setattr(module, "VOICES_PER_SYMBOL_MAX", 3)
    state = crowd(1, 1)
    record_stance(state, "BTC", "t9", 1, NOW, crowd=TEXT)
    record_stance(state, "BTC", "t0", -1, NOW)
    assert list(voices_of(state)) == ["t1", "t0"]
    record_stance(state, "BTC", "t5", -1, NOW)
    assert list(voices_of(state)) == ["t0", "t5"]
    assert list(state.sentiment["BTC"].text_voices) == ["t9"]
    assert "t1" not in state.spoken


def test_a_copied_text_makes_a_cluster_with_its_author():
    state = empty()
    texts = ["hello", "hello", LONG_TEXT, f"  {LONG_TEXT.upper()}", LONG_TEXT.replace(" ", "  ")]
    for number, text in enumerate(texts):
        record_stance(state, "BTC", f"t{number}", 1, NOW, text=text)
    clusters = [voice.cluster for voice in voices_of(state).values()]
    assert clusters[:2] == [0, 0]
    assert clusters[2] == clusters[3] == clusters[4] > 0


def test_repeating_oneself_is_no_copy_and_an_author_who_left_is_no_voice():
    state = empty()
    for _ in range(2):
        record_stance(state, "BTC", "t0", 1, NOW, text=LONG_TEXT)
    assert voices_of(state)["t0"].cluster == 0
    record_stance(state, "BTC", "t0", 0, NOW)
    record_stance(state, "BTC", "t1", 1, NOW, text=LONG_TEXT)
    assert voices_of(state)["t1"].cluster > 0


def test_only_the_newest_texts_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "TEXTS_PER_SYMBOL_MAX", 2)
    state = empty()
    for number in range(3):
        record_stance(state, "BTC", "t0", 1, NOW, text=f"{LONG_TEXT} {number}")
    record_stance(state, "BTC", "t1", 1, NOW, text=f"{LONG_TEXT} 0")
    assert voices_of(state)["t1"].cluster == 0
    assert len(state.sentiment["BTC"].texts) == 2


ECHOES = """
# follows  stance  seconds after  echo
yes        1       59             yes
yes        1       60             no
yes        -1      1              no
no         1       1              no
"""


@pytest.mark.parametrize("row", ECHOES.strip().splitlines()[1:])
def test_an_equal_stance_right_after_a_followed_trader_is_an_echo(row):
    follows, stance, seconds, echo = row.split()
    state = empty()
    add_trader(state, "leader")
    add_trader(state, "t1", following={"leader": None} if follows == "yes" else {"else": None})
    record_stance(state, "BTC", "leader", 1, NOW)
    record_stance(state, "BTC", "t1", int(stance), NOW + int(seconds) * 1_000_000)
    clusters = [voice.cluster for voice in voices_of(state).values()]
    assert (clusters[0] == clusters[1] > 0) == (echo == "yes")
    assert (clusters == [0, 0]) == (echo == "no")


def test_echoes_of_one_leader_are_one_cluster_and_the_search_for_them_ends(monkeypatch):
    state = empty()
    for name in ("t1", "t2", "t3"):
        add_trader(state, name, following={"leader": None})
    for name in ("leader", "t1", "t2"):
        record_stance(state, "BTC", name, 1, NOW)
    assert len({voice.cluster for voice in voices_of(state).values()}) == 1
    monkeypatch.setattr(module, "ECHO_VOICES_MAX", 2)
    record_stance(state, "BTC", "t3", 1, NOW)
    assert voices_of(state)["t3"].cluster == 0


def burst(state, messages=30):
    """Let a symbol be spoken of for five hours, then by many at once."""
    sentiment = module.sentiment_of(state, "BTC")
    sentiment.first_message_us = NOW - 5 * HOUR_US
    sentiment.tens[NOW // 600_000_000] = messages


SUSPECTS = """
# account    days  messages  suspected
account      0     30        yes
account      8     30        no
recorded     0     30        no
account      0     3         no
"""


@pytest.mark.parametrize("row", SUSPECTS.strip().splitlines()[1:])
def test_new_accounts_in_a_burst_are_suspected(row):
    origin, days, messages, suspected = row.split()
    state = empty()
    burst(state, int(messages))
    joined_at_us = NOW - int(days) * 24 * HOUR_US
    add_trader(state, "t0", origin=origin, joined_at_us=joined_at_us)
    record_stance(state, "BTC", "t0", 1, NOW)
    assert voices_of(state)["t0"].suspected == (suspected == "yes")


def test_a_symbol_nobody_spoke_of_before_has_no_burst():
    state = empty()
    add_trader(state, "t0", joined_at_us=NOW)
    burst(state)
    state.sentiment["BTC"].first_message_us = NOW - HOUR_US
    record_stance(state, "BTC", "t0", 1, NOW)
    assert not voices_of(state)["t0"].suspected
    state.sentiment["BTC"].first_message_us = 0
    record_stance(state, "BTC", "t0", 1, NOW)
    assert not voices_of(state)["t0"].suspected
