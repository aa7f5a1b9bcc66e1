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
