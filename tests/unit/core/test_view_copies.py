from __future__ import annotations

from typing import Any

import pytest

from streams.core.events import (
    CopyLimitReached,
    CopyScopeSet,
    Event,
    ExitLevelsSet,
    FillHeld,
    KillSwitchSet,
    LeaderReinstated,
    LeaderSuspended,
)
from streams.core.reasons import Reason
from streams.core.state import CopyScope, CopySettings
from streams.core.view import event_data, scope_view
from streams.core.view.gates import STAGES
from tests.unit.core.market import keys_of
from tests.unit.core.support import START_US, desk


NOON = "2026-02-01T12:00:00.000000Z"
SETTINGS = CopySettings(allocation_micros=1_000_000_000, multiplier_ppm=1_500_000)


@pytest.mark.parametrize(
    ("event", "keys", "data"),
    [
        (
            CopyLimitReached("bob", "alice", "DAILY_LOSS", 1_500_000, 0, START_US),
            ("account:bob", "notifications:bob"),
            {
                "type": "copy_limit_reached",
                "leader": "alice",
                "follower": "bob",
                "code": "DAILY_LOSS",
                "equity": "1.5",
                "deviation": None,
                "level": None,
                "remedy": None,
                "at": NOON,
            },
        ),
        (
            CopyLimitReached("bob", "alice", "DRIFT", 2_500, 2_000, START_US),
            ("account:bob", "notifications:bob"),
            {
                "type": "copy_limit_reached",
                "leader": "alice",
                "follower": "bob",
                "code": "DRIFT",
                "equity": None,
                "deviation": 0.25,
                "level": 0.2,
                "remedy": "resync",
                "at": NOON,
            },
        ),
        (
            CopyScopeSet("portfolio:bob", SETTINGS, ["multiplier_ppm"], 3, START_US),
            ("account:bob",),
            {
                "type": "copy_scope_set",
                "scope": "portfolio",
                "version": 3,
                "settings": {"multiplier": 1.5},
                "at": NOON,
            },
        ),
        (
            CopyScopeSet("platform", SETTINGS, [], 1, START_US),
            ("system",),
            {
                "type": "copy_scope_set",
                "scope": "platform",
                "version": 1,
                "settings": {},
                "at": NOON,
            },
        ),
        (
            KillSwitchSet("drill", START_US),
            ("system",),
            {"type": "kill_switch_set", "on": True, "cause": "drill", "at": NOON},
        ),
        (
            LeaderSuspended("alice", "closed", START_US),
            ("account:alice", "signals:alice"),
            {"type": "leader_suspended", "leader": "alice", "cause": "closed", "at": NOON},
        ),
        (
            LeaderReinstated("alice", START_US),
            ("account:alice", "signals:alice"),
            {"type": "leader_reinstated", "leader": "alice", "at": NOON},
        ),
        (
            FillHeld("alice", 9, "BTC", -500, 120_001, 0, "x", False, "OUT_OF_ORDER", START_US),
            ("account:alice", "signals:alice"),
            {
                "type": "fill_held",
                "trader": "alice",
                "sequence": 9,
                "symbol": "BTC",
                "side": "sell",
                "quantity": "0.5",
                "price": "60000.5",
                "code": "OUT_OF_ORDER",
                "executed_at": NOON,
            },
        ),
    ],
)
def test_an_event_of_copying(event: Event, keys: tuple[str, ...], data: dict[str, Any]) -> None:
    at = desk("alice", "bob")
    assert keys_of(at.state, event) == keys
    assert event_data(at.state, event) == data


def test_a_scope_shows_what_it_sets() -> None:
    assert scope_view("leader", None) == {"scope": "leader", "version": 0, "settings": {}}
    scope = CopyScope(2, SETTINGS, {"multiplier_ppm": None})
    assert scope_view("leader", scope)["settings"] == {"multiplier": 1.5}


def test_a_code_skips_in_one_stage() -> None:
    codes = [code for stage in STAGES.values() for code in stage]
    assert len(codes) == len(set(codes))
    assert Reason.EXECUTED not in codes


def test_levels_of_a_copied_position_are_the_followers_own_business() -> None:
    at = desk("alice", "bob")
    event = ExitLevelsSet("bob", "alice", "BTC", 0, 130_000, START_US)
    assert keys_of(at.state, event) == ("account:bob",)
    data = event_data(at.state, event)
    assert (data["leader"], data["stop_loss"], data["take_profit"]) == ("alice", None, "65000")
