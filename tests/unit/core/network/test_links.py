from streams.core.commands import (
    CloseTrader,
    Command,
    FollowTrader,
    ResumeCopy,
    SetCopy,
    UnfollowTrader,
    UpdateTrader,
)
from streams.core.events import CopyStatusChanged, TraderFollowed
from streams.core.money import MICROS
from streams.core.network.feed import feed_seq
from tests.unit.core.market import Market
from tests.unit.core.support import check_table, desk


def command_of(verb: str, arguments: list[str]) -> Command:
    match verb, arguments:
        case "follow", [trader]:
            return FollowTrader(trader)
        case "unfollow", [trader]:
            return UnfollowTrader(trader)
        case "close", [trader]:
            return CloseTrader("gone", trader)
    raise AssertionError(verb)


def test_rules_of_links() -> None:
    check_table(
        desk("alice", "bob", "carol"),
        """
        # principal verb    arguments          expected
        dave    follow      alice              UNKNOWN_TRADER
        alice   follow      dave               UNKNOWN_TRADER
        alice   follow      alice              SELF_FOLLOW
        alice   follow      bob                OK
        alice   follow      bob                ALREADY_FOLLOWING
        dave    unfollow    alice              UNKNOWN_TRADER
        alice   unfollow    dave               UNKNOWN_TRADER
        bob     unfollow    alice              NOT_FOLLOWING
        alice   unfollow    bob                OK
        alice   unfollow    bob                NOT_FOLLOWING
        alice   follow      bob                OK
        alice   follow      carol              OK
        feed    close       carol              OK
        bob     follow      carol              TRADER_CLOSED
        alice   unfollow    carol              OK
        """,
        command_of,
    )


def test_links_are_kept_on_both_sides_in_order() -> None:
    at = desk("alice", "bob", "carol")
    at.do("alice", FollowTrader("carol"))
    at.do("alice", FollowTrader("bob"))
    at.do("bob", FollowTrader("carol"))
    traders = at.state.traders
    assert list(traders["alice"].following) == ["carol", "bob"]
    assert list(traders["carol"].followers) == ["alice", "bob"]
    at.do("alice", UnfollowTrader("carol"))
    assert list(traders["alice"].following) == ["bob"]
    assert list(traders["carol"].followers) == ["bob"]
    assert isinstance(at.events[-2], TraderFollowed)


def test_limit_of_links(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    at = desk("alice", "bob", "carol")
    monkeypatch.setattr("streams.core.network.links.FOLLOWING_MAX", 1)
    check_table(
        at,
        """
        alice   follow      bob                OK
        alice   follow      carol              LIMIT_REACHED
        """,
        command_of,
    )


def test_the_number_of_a_feed_stands_still_when_links_change() -> None:
    at = desk("alice", "bob", "carol")
    seqs = at.state.channel_seqs
    seqs["posts:bob"], seqs["posts:carol"] = 7, 100
    at.do("alice", FollowTrader("bob"))
    assert feed_seq(at.state, "alice") == 0
    seqs["posts:bob"] += 2
    at.do("alice", FollowTrader("carol"))
    seqs["posts:carol"] += 1
    assert feed_seq(at.state, "alice") == 3
    at.do("alice", UnfollowTrader("bob"))
    seqs["posts:bob"] += 5
    assert feed_seq(at.state, "alice") == 3
    assert at.state.traders["alice"].about.feed_floor == 3
    at.do("alice", FollowTrader("bob"))
    seqs["posts:bob"] += 1
    assert feed_seq(at.state, "alice") == 4


def shut_market() -> Market:
    """Return a market where bob copies alice as her follower, and her signals are for followers."""
    market = Market("alice", "bob", "carol")
    market.do("bob", FollowTrader("alice"))
    market.do("bob", SetCopy("alice", allocation_micros=100 * MICROS))
    market.do("alice", UpdateTrader(signals_access="followers"))
    return market


def status(market: Market) -> str:
    return market.state.copies["alice"]["bob"].status


def test_a_copy_for_followers_only_closes_after_unfollowing() -> None:
    market = shut_market()
    assert status(market) == "ACTIVE"
    market.do("bob", UnfollowTrader("alice"))
    assert status(market) == "CLOSE_ONLY"
    changed = [event for event in market.events if isinstance(event, CopyStatusChanged)]
    assert [event.cause for event in changed] == ["unfollowed"]
    assert market.state.channel_seqs["notifications:bob"] == 1
    assert market.code("bob", ResumeCopy("alice")) == "NOT_ALLOWED"
    market.do("bob", FollowTrader("alice"))
    market.do("bob", ResumeCopy("alice"))
    assert status(market) == "ACTIVE"


def test_unfollowing_leaves_other_copies_alone() -> None:
    market = shut_market()
    market.do("alice", UpdateTrader(signals_access="public"))
    market.do("bob", UnfollowTrader("alice"))
    assert status(market) == "ACTIVE"
    market = shut_market()
    market.do("carol", FollowTrader("alice"))
    market.do("carol", UnfollowTrader("alice"))
    market.do("feed", CloseTrader("gone", "alice"))
    market.do("bob", UnfollowTrader("alice"))
    assert [type(event).__name__ for event in market.events] == ["TraderUnfollowed"]
