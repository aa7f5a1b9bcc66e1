from __future__ import annotations

import pytest

from streams.core.commands import SetCopy, SetCopyScope
from tests.unit.core.copying.desk import ALLOCATION, copying, decided, patch_of, tick
from tests.unit.core.market import SERVICE, Market


def start(market: Market, settings: str = "", follower: str = "fay") -> None:
    market.do(follower, SetCopy("lea", allocation_micros=ALLOCATION, **patch_of(settings)))


SCOPES = [
    ("fay", SetCopyScope("platform", SetCopy("")), "NOT_ALLOWED"),
    ("nobody", SetCopyScope("leader", SetCopy("")), "UNKNOWN_TRADER"),
    ("fay", SetCopyScope("galaxy", SetCopy("")), "INVALID_SETTINGS"),
    ("fay", SetCopyScope("leader", SetCopy("", allocation_micros=1)), "INVALID_SETTINGS"),
    ("fay", SetCopyScope("portfolio", SetCopy("", copy_stop_bps=1)), "INVALID_SETTINGS"),
]


@pytest.mark.parametrize(("principal", "command", "expected"), SCOPES)
def test_a_scope_is_refused(principal: str, command: object, expected: str) -> None:
    assert expected == copying().code(principal, command)  # type: ignore[arg-type]


def patch(text: str) -> SetCopy:
    return SetCopy("", **patch_of(text))


def test_values_override_from_the_platform_down_to_the_relationship() -> None:
    market = copying(slippage_max_bps=10)
    market.do(SERVICE, SetCopyScope("platform", patch("slippage_max_bps=1 positions_max=1")))
    market.do("lea", SetCopyScope("leader", patch("positions_max=2 risk_bps=2")))
    market.do("fay", SetCopyScope("portfolio", patch("risk_bps=3 tiny=force_min")))
    market.do("fay", SetCopyScope("portfolio", patch("cooldown_ms=5")))
    tick(market, 100)
    settings = market.copy("fay").settings
    found = (
        settings.slippage_max_bps,
        settings.positions_max,
        settings.risk_bps,
        settings.tiny,
        settings.cooldown_ms,
    )
    assert found == (10, 2, 3, "force_min", 5)
    assert market.copy("fay").version == 2
    assert [scope.version for scope in market.state.copy_desk.scopes.values()] == [1, 1, 2]


def test_a_scope_may_be_set_before_anybody_copies() -> None:
    market = Market("lea", "fay")
    market.do("lea", SetCopyScope("leader", patch("symbols_deny=BTC positions_max=7")))
    assert market.state.copy_desk.reviews == {}
    start(market)
    settings = market.copy("fay").settings
    assert (settings.symbols_deny, settings.positions_max) == ((), 7)


def test_a_new_copy_inherits_and_its_own_settings_win() -> None:
    market = Market("lea", "fay")
    market.do(SERVICE, SetCopyScope("platform", patch("positions_max=1 slippage_max_bps=1")))
    start(market, "slippage_max_bps=9")
    settings = market.copy("fay").settings
    assert (settings.positions_max, settings.slippage_max_bps) == (1, 9)
    tick(market, 100)
    assert market.copy("fay").version == 1


# a scope and its filter | the relationship's | decision on a leader's purchase of BTC
ADDED = """
 platform symbols_deny=BTC    |                      | SYMBOL_DENIED
 leader symbols_deny=BTC      |                      | SYMBOL_DENIED
 portfolio symbols_deny=BTC   |                      | SYMBOL_DENIED
 portfolio symbols_deny=ETH   |                      | EXECUTED
 leader symbols_deny=BTC      | symbols_allow=ETH    | SYMBOL_NOT_ALLOWED
 platform symbols_allow=ETH   | symbols_deny=BTC     | SYMBOL_NOT_ALLOWED
 platform sides=short         | symbols_deny=BTC     | SYMBOL_DENIED
 platform sides=short         | reverse=1            | EXECUTED
 platform symbols_deny=ETH    | symbol_map=BTC:ETH   | SYMBOL_DENIED
"""


@pytest.mark.parametrize("row", ADDED.strip("\n").splitlines())
def test_filters_of_all_scopes_add_up_at_once(row: str) -> None:
    scoped, own, expected = (part.strip() for part in row.split("|"))
    scope, text = scoped.split()
    market = copying(**patch_of(own))
    who = {"platform": SERVICE, "leader": "lea", "portfolio": "fay"}[scope]
    market.do(who, SetCopyScope(scope, patch(text)))
    market.fill("lea", 1_000, 10_000)
    assert [one.code for one in decided(market)] == [expected]
    assert market.copy("fay").version == 1


def test_followers_share_what_the_scopes_above_say() -> None:
    market = Market("lea", "fay", "gil")
    start(market)
    start(market, follower="gil")
    market.do(SERVICE, SetCopyScope("platform", patch("symbols_deny=BTC")))
    market.fill("lea", 1_000, 10_000)
    assert [one.code for one in decided(market)] == ["SYMBOL_DENIED"] * 2
