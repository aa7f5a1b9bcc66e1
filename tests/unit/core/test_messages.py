from streams.core.commands import PostMessage
from streams.core.events import MessagePosted
from tests.unit.core.support import SERVICE, START_US, desk


def test_only_registered_traders_post() -> None:
    at = desk("alice")
    assert at.code("bob", PostMessage("Hello", ["BTC"], 1)) == "UNKNOWN_TRADER"
    assert at.code(SERVICE, PostMessage("Hello", ["BTC"], 1, trader="bob")) == "UNKNOWN_TRADER"
    assert at.code("bob", PostMessage("Hello", ["BTC"], 1, trader="alice")) == "UNKNOWN_TRADER"
    assert at.state.totals.messages == 0


def test_a_message_is_counted_and_heard_on_known_symbols() -> None:
    at = desk("alice")
    message = at.do("alice", PostMessage("Up", ["BTC", "DOGE", "BTC"], 1))
    assert at.events[-1] == MessagePosted(message, "alice", "Up", ["BTC", "DOGE"], 1, "", START_US)
    assert list(at.state.sentiment) == ["BTC"]
    assert at.state.sentiment["BTC"].voices["alice"].stance == 1
    at.do(SERVICE, PostMessage("Down", ["BTC"], -1, "alice", "st:1", START_US + 5))
    voice = at.state.sentiment["BTC"].voices["alice"]
    assert (voice.stance, voice.at_us) == (-1, START_US + 5)
    assert at.state.totals.messages == 2


def test_a_message_without_a_stance_leaves_the_voice() -> None:
    at = desk("alice")
    at.do("alice", PostMessage("Up", ["BTC"], 1))
    at.do("alice", PostMessage("Lunch", ["BTC"], 0))
    assert at.state.sentiment["BTC"].voices["alice"].stance == 1
    assert sum(at.state.sentiment["BTC"].hours.values()) == 2


def test_a_message_says_how_sure_and_for_how_long() -> None:
    at = desk("alice")
    at.do("alice", PostMessage("Down", ["BTC"], -1, horizon=2, percent=65))
    voice = at.state.sentiment["BTC"].long_voices["alice"]
    assert (voice.stance, voice.percent) == (-1, 65)
    at.do("alice", PostMessage("No view", ["BTC"], 0, horizon=2, withdraws=True))
    assert at.state.sentiment["BTC"].long_voices == {}


def test_a_text_is_heard_apart_and_only_where_no_stance_is_declared() -> None:
    at = desk("alice", "bob")
    at.do("alice", PostMessage("moon", ["BTC"], 0, text_score_milli=640))
    at.do("bob", PostMessage("dump", ["BTC"], 0, text_score_milli=-1_000))
    crowd = at.state.sentiment["BTC"]
    assert crowd.voices == {}
    assert [(v.stance, v.percent) for v in crowd.text_voices.values()] == [(1, 82), (-1, 99)]
    at.do("bob", PostMessage("dump", ["BTC"], 1, text_score_milli=-1_000))
    assert crowd.voices["bob"].stance == 1


def test_a_message_that_begins_with_a_handle_answers() -> None:
    at = desk("alice", "bob")
    at.do("alice", PostMessage("@bob no", ["BTC"], 0))
    assert list(at.state.replies) == ["alice bob"]
