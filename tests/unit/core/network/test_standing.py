import pytest

from streams.core.commands import (
    CloseTrader,
    Command,
    FollowTrader,
    PlaceOrder,
    SetCopy,
    Tick,
    UpdateTrader,
    VerifyTrader,
)
from streams.core.events import CopyStatusChanged, TraderVerified
from streams.core.money import MICROS
from streams.core.view import idea_view
from tests.unit.core.market import SERVICE, Market
from tests.unit.core.support import START_US, check_table, desk
from tests.unit.core.test_ideas import publish


def command_of(verb: str, arguments: list[str]) -> Command:
    match verb, arguments:
        case "verify", [trader, reason]:
            return VerifyTrader(trader, verified=True, reason=reason.removeprefix("-"))
        case "close", [trader]:
            return CloseTrader("done", trader.removeprefix("-"))
    raise AssertionError(verb)


def test_rules_of_standing() -> None:
    check_table(
        desk("alice", "bob"),
        """
        # principal verb    arguments          expected
        alice   verify      alice  passport    NOT_ALLOWED
        feed    verify      dave   passport    UNKNOWN_TRADER
        feed    verify      alice  -           INVALID_SETTINGS
        feed    verify      alice  passport    OK
        dave    close       -                  UNKNOWN_TRADER
        alice   close       -                  OK
        feed    close       alice              TRADER_CLOSED
        feed    verify      alice  passport    TRADER_CLOSED
        """,
        command_of,
    )


def test_verification_is_an_event_with_its_reason() -> None:
    at = desk("alice")
    at.do(SERVICE, VerifyTrader("alice", verified=True, reason="passport"))
    trader = at.state.traders["alice"]
    assert at.events[-1] == TraderVerified("alice", True, "passport", START_US)
    assert (trader.verified, trader.about.verified_reason) == (True, "passport")
    emitted = len(at.events)
    at.do(SERVICE, VerifyTrader("alice", verified=True, reason="again"))
    assert emitted == len(at.events)
    at.do(SERVICE, VerifyTrader("alice", verified=False, reason="expired"))
    assert (trader.verified, trader.about.verified_reason) == (False, "expired")


def test_a_closed_account_acts_no_more_and_keeps_its_record() -> None:
    market = Market("alice", "bob")
    market.do("alice", PlaceOrder("BTC", "buy", 1_000))
    order = market.do("alice", PlaceOrder("BTC", "buy", 1_000, 9_000))
    market.do("alice", CloseTrader("tired"))
    state = market.state
    assert order not in state.orders
    assert market.lots("alice") == 1_000
    assert state.handles["alice"] == "alice"
    assert state.traders["alice"].about.closed_reason == "tired"
    assert market.code("alice", PlaceOrder("BTC", "sell", 1_000)) == "TRADER_CLOSED"
    assert market.code("alice", FollowTrader("bob")) == "TRADER_CLOSED"
    assert market.code("bob", SetCopy("alice", allocation_micros=MICROS)) == "TRADER_CLOSED"
    market.fill("alice", -1_000, 10_000)
    assert market.lots("alice") == 0


def test_texts_of_a_closed_account_are_hidden() -> None:
    at = desk("alice")
    idea = at.state.ideas[at.do("alice", publish())]
    title = idea.title
    assert idea_view(at.state, idea)["title"] == title
    at.do("alice", CloseTrader(""))
    view = idea_view(at.state, idea)
    assert (view["title"], view["thesis"], view["entry"]) == (None, None, "60001")
    assert idea.title == title


def copied_by(*followers: str) -> Market:
    market = Market("alice", *followers)
    for follower in followers:
        market.do(follower, SetCopy("alice", allocation_micros=MICROS))
    return market


def statuses(market: Market) -> list[str]:
    return [copy.status for copy in market.state.copies["alice"].values()]


def test_copies_of_a_closed_account_only_close() -> None:
    market = copied_by("bob", "carol")
    market.do("alice", CloseTrader(""))
    assert statuses(market) == ["CLOSE_ONLY", "CLOSE_ONLY"]
    told = [event for event in market.events if isinstance(event, CopyStatusChanged)]
    assert [(each.follower, each.cause) for each in told] == [
        ("bob", "leader_closed"),
        ("carol", "leader_closed"),
    ]
    assert market.state.channel_seqs["notifications:carol"] == 1
    assert market.state.winding_down == {}


def test_own_copies_of_a_closed_account_only_close() -> None:
    market = copied_by("bob")
    market.do("bob", CloseTrader(""))
    assert statuses(market) == ["CLOSE_ONLY"]
    market = copied_by("bob")
    market.do("alice", CloseTrader(""))
    market.do("bob", CloseTrader(""))
    assert [type(event).__name__ for event in market.events] == ["TraderClosed"]


def test_many_copies_are_wound_down_over_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.network.winding.COPIES_WOUND_DOWN_PER_TICK_MAX", 2)
    market = copied_by("bob", "carol", "dave", "erin", "frank")
    market.do("erin", FollowTrader("alice"))
    market.do("alice", UpdateTrader(signals_access="followers"))
    assert statuses(market) == ["CLOSE_ONLY", "CLOSE_ONLY", "ACTIVE", "ACTIVE", "ACTIVE"]
    assert market.state.winding_down == {"alice": "followers_only"}
    market.do(SERVICE, Tick(1))
    assert statuses(market) == ["CLOSE_ONLY", "CLOSE_ONLY", "CLOSE_ONLY", "ACTIVE", "CLOSE_ONLY"]
    assert market.state.winding_down == {}
    emitted = [type(event).__name__ for event in market.events]
    assert emitted == ["CopyStatusChanged", "CopyStatusChanged", "CopiesWoundDown", "Ticked"]


def test_a_leader_without_copies_leaves_nothing_to_wind_down() -> None:
    at = desk("alice")
    at.do("alice", UpdateTrader(signals_access="followers"))
    assert at.state.winding_down == {}
