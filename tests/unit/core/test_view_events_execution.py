"""Events of the paper venue, of fees and of seeds as clients see them."""

from __future__ import annotations

from typing import Any

import pytest

from streams.core.copying.fees import Basis, charge
from streams.core.events import (
    AccountLiquidated,
    CancelAfterMet,
    CancelAfterSet,
    CashMoved,
    CopyFeeCharged,
    Event,
    ExitLevelsSet,
    FeeTermsSet,
    OrderEdited,
    SeedCommitted,
    SeedRevealed,
)
from streams.core.state import FeeAccount, FeeTerms
from streams.core.view import event_data
from tests.unit.core.market import keys_of
from tests.unit.core.support import START_US, Desk, desk


NOON = "2026-02-01T12:00:00.000000Z"


@pytest.fixture
def at() -> Desk:
    return desk("alice", "bob")


@pytest.mark.parametrize(
    ("event", "keys", "data"),
    [
        (
            OrderEdited("o_1", "alice", "BTC", 500, 120_001, 110_000, 0, START_US),
            ("account:alice", "signals:alice"),
            {
                "type": "order_edited",
                "order": "o_1",
                "trader": "alice",
                "symbol": "BTC",
                "quantity": "0.5",
                "limit_price": "60000.5",
                "stop_loss": "55000",
                "take_profit": None,
                "edited_at": NOON,
            },
        ),
        (
            ExitLevelsSet("alice", "", "BTC", 110_000, 0, START_US),
            ("account:alice", "signals:alice"),
            {
                "type": "exit_levels_set",
                "trader": "alice",
                "leader": None,
                "symbol": "BTC",
                "stop_loss": "55000",
                "take_profit": None,
                "at": NOON,
            },
        ),
        (
            SeedCommitted(3, b"\x01", b"\x02", START_US, b"\x05"),
            ("system",),
            {
                "type": "seed_committed",
                "number": 3,
                "nonce": "01",
                "commitment": "02",
                "veil_commitment": "05",
                "at": NOON,
            },
        ),
        (
            SeedRevealed(20_485, 3, b"\x02", b"\x03", b"\x04", START_US, b"\x05"),
            ("system",),
            {
                "type": "seed_revealed",
                "day": "2026-02-01",
                "number": 3,
                "commitment": "02",
                "seed": "03",
                "salt": "04",
                "veil_commitment": "05",
                "at": NOON,
            },
        ),
        (
            FeeTermsSet("alice", FeeTerms(100_000, 20_000, 1_000_000), START_US),
            ("account:alice", "signals:alice"),
            {
                "type": "fee_terms_set",
                "trader": "alice",
                "terms": {
                    "performance": 0.1,
                    "management": 0.02,
                    "flat": "1",
                    "basis": "min",
                    "period": "weekly",
                },
                "at": NOON,
            },
        ),
        (
            CancelAfterSet("alice", START_US + 1, START_US),
            ("account:alice",),
            {
                "type": "cancel_after_set",
                "trader": "alice",
                "cancel_at": NOON.replace("000000Z", "000001Z"),
                "at": NOON,
            },
        ),
        (
            CancelAfterMet("alice", START_US),
            ("account:alice",),
            {"type": "cancel_after_met", "trader": "alice", "at": NOON},
        ),
        (
            CashMoved("alice", -5_000_000, 12_500_000, START_US),
            ("account:alice",),
            {
                "type": "cash_moved",
                "trader": "alice",
                "amount": "-5",
                "equity_before": "12.5",
                "at": NOON,
            },
        ),
        (
            AccountLiquidated("alice", 1_000_000, 2_500_000, START_US),
            ("account:alice", "signals:alice"),
            {
                "type": "account_liquidated",
                "trader": "alice",
                "equity": "1",
                "margin": "2.5",
                "at": NOON,
            },
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)
def test_events_and_their_channels(
    at: Desk, event: Event, keys: tuple[str, ...], data: dict[str, Any]
) -> None:
    assert keys_of(at.state, event) == keys
    assert event_data(at.state, event) == data


def test_a_fee_is_told_to_both_sides(at: Desk) -> None:
    basis = Basis(10_000_000, 10_000_000, 5_000_000, 0)
    terms = FeeTerms(performance_ppm=100_000)
    statement = charge(terms, FeeAccount(), basis, cause="stop", day=20_485, at_us=START_US)
    event = CopyFeeCharged("bob", "alice", statement, 0, START_US)
    assert keys_of(at.state, event) == ("account:bob", "account:alice")
    data = event_data(at.state, event)
    assert (data["leader"], data["follower"], data["at"]) == ("alice", "bob", NOON)
    told = data["statement"]
    assert (told["result"], told["performance_fee"], told["paid"]) == ("5", "0.5", "0.5")


def test_levels_of_a_copied_position_are_the_followers_own_business(at: Desk) -> None:
    event = ExitLevelsSet("bob", "alice", "BTC", 0, 130_000, START_US)
    assert keys_of(at.state, event) == ("account:bob",)
    data = event_data(at.state, event)
    assert (data["leader"], data["stop_loss"], data["take_profit"]) == ("alice", None, "65000")
