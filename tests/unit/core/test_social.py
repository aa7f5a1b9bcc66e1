from streams.core.commands import (
    Command,
    FollowTrader,
    RegisterTrader,
    UnfollowTrader,
    UpdateTrader,
)
from streams.core.events import TraderFollowed, TraderUpdated
from tests.unit.core.support import SERVICE, START_US, Desk, check_table, desk


def command_of(verb: str, arguments: list[str]) -> Command:
    match verb, arguments:
        case "register", [trader, handle]:
            return RegisterTrader(trader, handle, "Name", "account", 5_000_000)
        case "access", [value]:
            return UpdateTrader(signals_access=value)
        case "follow", [trader]:
            return FollowTrader(trader)
        case "unfollow", [trader]:
            return UnfollowTrader(trader)
    raise AssertionError(verb)


def test_rules_of_traders_and_links() -> None:
    check_table(
        Desk(),
        """
        # principal verb    arguments          expected
        alice   register    alice  alice       OK
        alice   register    bob    bob         NOT_ALLOWED
        alice   register    alice  x           INVALID_SETTINGS
        carol   register    carol  Carol       INVALID_SETTINGS
        carol   register    carol  ca-rol      INVALID_SETTINGS
        alice   register    alice  alice       TRADER_EXISTS
        alice   register    alice  other       TRADER_EXISTS
        bob     register    bob    alice       HANDLE_TAKEN
        bob     register    bob    bob_0       OK
        feed    register    hl:0x1 hl_0x1      OK
        dave    access      public             UNKNOWN_TRADER
        alice   access      friends            INVALID_SETTINGS
        alice   access      followers          OK
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
        """,
        command_of,
    )


def test_opening_cash_is_where_the_record_begins() -> None:
    at = Desk()
    at.do(
        SERVICE, RegisterTrader("nof1:gpt", "nof1_gpt", "GPT", "recorded", 10_000_000_000, START_US)
    )
    trader = at.state.traders["nof1:gpt"]
    assert trader.ledger.cash_micros == 10_000_000_000
    assert trader.track.base_micros == 10_000_000_000
    assert trader.track.growth == 1.0
    assert trader.joined_at_us == START_US
    assert at.state.handles == {"nof1_gpt": "nof1:gpt"}


def test_an_update_changes_only_what_it_gives() -> None:
    at = desk("alice")
    at.do("alice", UpdateTrader(bio="Trend follower"))
    trader = at.state.traders["alice"]
    assert (trader.name, trader.bio, trader.signals_access) == ("Alice", "Trend follower", "public")
    at.do("alice", UpdateTrader(name="A.", signals_access="followers"))
    assert (trader.name, trader.bio, trader.signals_access) == ("A.", "Trend follower", "followers")
    assert at.events[-1] == TraderUpdated("alice", "A.", None, "followers", START_US)


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


def test_limits_of_traders_and_links(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    at = desk("alice", "bob", "carol")
    monkeypatch.setattr("streams.core.social.TRADERS_MAX", 3)
    monkeypatch.setattr("streams.core.social.FOLLOWING_MAX", 1)
    check_table(
        at,
        """
        dave    register    dave   dave        LIMIT_REACHED
        alice   follow      bob                OK
        alice   follow      carol              LIMIT_REACHED
        """,
        command_of,
    )
