"""Serial accounts, front running, and tricks that have nothing to hold on to."""

from streams.core.commands import (
    FollowTrader,
    LikeIdea,
    LinkIdentity,
    MoveCash,
    PostMessage,
    PublishIdea,
    SetCopy,
    Tick,
    UpdateTrader,
)
from streams.core.integrity import identities
from streams.core.integrity.flags import is_excluded, is_red
from streams.core.leaderboard import page
from streams.core.limits import ACCOUNTS_PER_IDENTITY_MAX
from streams.core.money import MICROS
from tests.unit.core.market import SERVICE, Market


def link(market: Market, *traders: str, identity: str = "i") -> None:
    for trader in traders:
        market.do(SERVICE, LinkIdentity(trader, identity))


def test_rules_of_linking(monkeypatch):
    market = Market("ann", "bob")
    assert market.code("ann", LinkIdentity("ann", "i")) == "NOT_ALLOWED"
    assert market.code(SERVICE, LinkIdentity("nobody", "i")) == "UNKNOWN_TRADER"
    link(market, "ann", "ann")
    assert market.events == []
    assert ACCOUNTS_PER_IDENTITY_MAX == 100
    monkeypatch.setattr(identities, "ACCOUNTS_PER_IDENTITY_MAX", 1)
    assert market.code(SERVICE, LinkIdentity("bob", "i")) == "LIMIT_REACHED"
    link(market, "ann", identity="j")
    assert market.state.integrity.accounts == {"i": [], "j": ["ann"]}


def test_three_accounts_of_one_identity_are_shown_but_still_ranked():
    market = Market("ann", "bob", "cat", "dan")
    link(market, "ann", "bob", "cat", "dan")
    for name in ("ann", "bob", "cat"):
        assert list(market.state.integrity.flags[name]) == ["SERIAL_ACCOUNTS"]
        assert not is_red(market.state, name)
        assert not is_excluded(market.state, name)


def test_linking_accounts_makes_their_voices_one_on_the_next_second():
    market = Market("ann", "bob", "cat")
    for name, stance in (("ann", 1), ("bob", 1), ("cat", -1)):
        market.do(name, PostMessage(name, ["BTC"], stance=stance))
    market.ms += 1_000
    market.do(SERVICE, Tick(market.ms // 100))
    before = market.state.sentiment["BTC"].score_centi
    link(market, "ann", "bob")
    market.ms += 1_000
    market.do(SERVICE, Tick(market.ms // 100))
    assert before > market.state.sentiment["BTC"].score_centi == 0


def test_a_linked_account_that_opens_just_before_a_copied_leader_runs_in_front():
    market = Market("lea", "own", "fay", "other", cash=10_000)
    market.do("fay", SetCopy("lea", allocation_micros=1_000 * MICROS))
    link(market, "lea", "own")
    market.fill("other", 100, 10_000)
    market.fill("own", 100, 10_000)
    market.fill("lea", -100, 10_000)
    market.fill("lea", 100, 10_000)
    assert market.state.integrity.flags == {}
    market.ms += 59_000
    market.fill("lea", 100, 10_000)
    assert list(market.state.integrity.flags) == ["lea", "own"]
    assert is_red(market.state, "lea")


def test_a_leader_without_linked_accounts_or_long_after_them_does_not_run_in_front():
    market = Market("lea", "own", "fay", cash=10_000)
    market.do("fay", SetCopy("lea", allocation_micros=1_000 * MICROS))
    market.fill("own", 100, 10_000)
    market.fill("lea", 100, 10_000)
    link(market, "lea", "own")
    market.ms += 61_000
    market.fill("lea", 100, 10_000)
    assert market.state.integrity.flags == {}


def rows(market: Market) -> list[object]:
    market.ms += 1_000
    market.do(SERVICE, Tick(market.ms // 100))
    return page(market.state, market.kernel.derived.boards, "total_return", "all")["rows"]


def test_deposits_make_no_return():
    market = Market("ann", "bob", cash=1_000)
    for name in ("ann", "bob"):
        market.fill(name, 1_000, 10_000)
    market.quote("BTC", 11_000, 11_000)
    before = rows(market)
    market.do("ann", MoveCash(50_000 * MICROS))
    assert rows(market) == before


def test_votes_and_secrecy_move_nobody_on_a_board():
    market = Market("ann", "bob", "cat", cash=1_000)
    market.fill("ann", 1_000, 10_000)
    market.fill("bob", 500, 10_000)
    market.quote("BTC", 11_000, 11_000)
    before = rows(market)
    idea = market.do(
        "bob",
        PublishIdea(
            "Bitcoin to the moon", "because it must", "BTC", "buy", 0, 0, 0, "1d", 0, 1, [], True
        ),
    )
    for name in ("ann", "cat"):
        market.do(name, LikeIdea(idea))
        market.do(name, FollowTrader("bob"))
    market.do("ann", UpdateTrader(signals_access="followers"))
    assert rows(market) == before
