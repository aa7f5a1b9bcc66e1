import pytest

from streams.core.commands import Command, UpdateTrader
from streams.core.events import HandleChanged, TraderUpdated
from streams.core.limits import HANDLE_AGE_US_MIN
from streams.core.profile_state import NO_PROFILE, FormerHandle, Profile
from tests.unit.core.support import START_US, check_table, desk


def command_of(verb: str, arguments: list[str]) -> Command:
    match verb, arguments:
        case "access", [value]:
            return UpdateTrader(signals_access=value)
        case "handle", [value]:
            return UpdateTrader(handle=value)
    raise AssertionError(verb)


def test_rules_of_profiles() -> None:
    check_table(
        desk("alice", "bob"),
        """
        # principal verb    arguments          expected
        dave    access      public             UNKNOWN_TRADER
        alice   access      friends            INVALID_SETTINGS
        alice   access      followers          OK
        alice   handle      Alice              INVALID_SETTINGS
        alice   handle      al                 INVALID_SETTINGS
        alice   handle      bob                HANDLE_TAKEN
        alice   handle      alice              OK
        alice   handle      alicia             OK
        alice   handle      alina              HANDLE_TOO_SOON
        alice   handle      alice              HANDLE_TOO_SOON
        bob     handle      alice              HANDLE_TAKEN
        bob     handle      alicia             HANDLE_TAKEN
        """,
        command_of,
    )


def test_an_update_changes_only_what_it_gives() -> None:
    at = desk("alice")
    at.do("alice", UpdateTrader(bio="Trend follower", links=["https://a.example"], tags=["btc"]))
    trader = at.state.traders["alice"]
    assert (trader.name, trader.bio, trader.signals_access) == ("Alice", "Trend follower", "public")
    at.do("alice", UpdateTrader(name="A.", signals_access="followers"))
    assert (trader.name, trader.bio, trader.signals_access) == ("A.", "Trend follower", "followers")
    assert Profile(links=["https://a.example"], tags=["btc"]) == trader.about
    assert at.events[-1] == TraderUpdated("alice", "A.", None, "followers", START_US)
    emitted = len(at.events)
    at.do("alice", UpdateTrader())
    assert emitted == len(at.events)


def test_whoever_says_nothing_has_no_profile() -> None:
    at = desk("alice")
    assert at.state.traders["alice"].profile is None
    assert at.state.traders["alice"].about is NO_PROFILE


def test_a_former_handle_goes_on_leading_to_its_trader() -> None:
    at = desk("alice", "bob")
    at.do("alice", UpdateTrader(handle="alicia"))
    assert at.events[-1] == HandleChanged("alice", "alicia", "alice", START_US)
    trader = at.state.traders["alice"]
    assert trader.handle == "alicia"
    assert at.state.handles == {"alice": "alice", "bob": "bob", "alicia": "alice"}
    at.at_us += HANDLE_AGE_US_MIN
    at.do("alice", UpdateTrader(handle="alice"))
    assert trader.about.former_handles == [FormerHandle("alicia", START_US + HANDLE_AGE_US_MIN)]
    assert trader.handle == "alice"


def test_handles_of_one_trader_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.network.profiles.HANDLES_PER_TRADER_MAX", 2)
    at = desk("alice")
    at.do("alice", UpdateTrader(handle="alicia"))
    at.at_us += HANDLE_AGE_US_MIN
    assert at.code("alice", UpdateTrader(handle="alina")) == "LIMIT_REACHED"
    at.do("alice", UpdateTrader(handle="alice"))
