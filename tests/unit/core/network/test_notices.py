from streams.core.commands import (
    Command,
    CommentIdea,
    FollowTrader,
    LikeIdea,
    PauseCopy,
    ReadNotifications,
    SetCopy,
    SetNotificationLevels,
    VerifyTrader,
)
from streams.core.events import Event
from streams.core.money import MICROS
from streams.core.network.notices import level_of, unread
from streams.core.view import channel_data
from tests.unit.core.market import Market, keys_of
from tests.unit.core.support import SERVICE, Desk, check_table, desk
from tests.unit.core.test_ideas import publish


def command_of(verb: str, arguments: list[str]) -> Command:
    match verb, arguments:
        case "read", [number]:
            return ReadNotifications(int(number))
        case "level", [category, level]:
            return SetNotificationLevels({category: level})
    raise AssertionError(verb)


def test_rules_of_reading_and_levels() -> None:
    at = desk("alice")
    at.state.channel_seqs["notifications:alice"] = 5
    check_table(
        at,
        """
        # principal verb    arguments          expected
        dave    read        0                  UNKNOWN_TRADER
        alice   read        6                  INVALID_SETTINGS
        alice   read        -1                 INVALID_SETTINGS
        alice   read        3                  OK
        alice   read        2                  OK
        dave    level       ideas    off       UNKNOWN_TRADER
        alice   level       weather  off       INVALID_SETTINGS
        alice   level       ideas    loud      INVALID_SETTINGS
        alice   level       account  off       INVALID_SETTINGS
        alice   level       account  important OK
        alice   level       ideas    off       OK
        """,
        command_of,
    )
    alice = at.state.traders["alice"]
    assert (alice.about.notices_read, unread(at.state, alice)) == (3, 2)
    assert [level_of(alice, name) for name in ("account", "ideas", "network")] == [
        "important",
        "off",
        "all",
    ]
    emitted = len(at.events)
    at.do("alice", SetNotificationLevels({}))
    assert emitted == len(at.events)


def told(at: Desk, event: Event) -> list[str]:
    """Return who is told of an event."""
    prefix = "notifications:"
    keys = keys_of(at.state, event)
    return [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]


def test_who_is_told_of_likes_and_comments() -> None:
    at = desk("alice", "bob", "carol")
    idea = at.do("alice", publish())
    at.do("bob", LikeIdea(idea))
    assert told(at, at.events[-1]) == ["alice"]
    at.do("alice", LikeIdea(idea))
    assert told(at, at.events[-1]) == []
    comment = at.do("bob", CommentIdea(idea, "Why?"))
    assert told(at, at.events[-1]) == ["alice"]
    at.do("carol", CommentIdea(idea, "Because.", comment))
    assert told(at, at.events[-1]) == ["alice", "bob"]
    at.do("alice", CommentIdea(idea, "Exactly.", comment))
    assert told(at, at.events[-1]) == ["bob"]
    at.do("bob", CommentIdea(idea, "Thanks.", comment))
    assert told(at, at.events[-1]) == ["alice"]


def test_levels_decide_what_is_told() -> None:
    at = desk("alice", "bob")
    idea = at.do("alice", publish())
    at.do("alice", SetNotificationLevels({"ideas": "important", "network": "off"}))
    at.do("bob", LikeIdea(idea))
    assert told(at, at.events[-1]) == []
    at.do("bob", CommentIdea(idea, "Why?"))
    assert told(at, at.events[-1]) == ["alice"]
    at.do("bob", FollowTrader("alice"))
    assert told(at, at.events[-1]) == []
    at.do("alice", FollowTrader("bob"))
    assert told(at, at.events[-1]) == ["bob"]


def test_what_is_told_of_a_follower_and_of_a_verification() -> None:
    at = desk("alice", "bob")
    at.do("bob", FollowTrader("alice"))
    key = "notifications:alice"
    assert channel_data(at.state, key, at.events[-1]) == {
        "kind": "new_follower",
        "category": "network",
        "important": False,
        "event": {
            "type": "trader_followed",
            "trader": "bob",
            "target": "alice",
            "at": "2026-02-01T12:00:00.000000Z",
        },
    }
    at.do(SERVICE, VerifyTrader("alice", verified=True, reason="passport"))
    assert told(at, at.events[-1]) == ["alice"]
    data = channel_data(at.state, key, at.events[-1])
    assert (data["kind"], data["event"]["verified"]) == ("verification", True)


def test_own_doings_with_a_copy_are_no_news() -> None:
    market = Market("alice", "bob")
    market.do("bob", SetCopy("alice", allocation_micros=MICROS))
    market.do("bob", PauseCopy("alice"))
    assert "notifications:bob" not in market.state.channel_seqs


def test_posts_are_counted_for_traders_who_have_followers() -> None:
    market = Market("alice", "bob")
    market.fill("alice", 1_000, 10_000)
    assert "posts:alice" not in market.state.channel_seqs
    market.do("bob", FollowTrader("alice"))
    market.fill("alice", 1_000, 10_000)
    assert market.state.channel_seqs["posts:alice"] == 1
