from typing import Any, get_args

import pytest

from streams.core.commands import (
    MarkRow,
    PostMessage,
    PublishMarks,
    UpdateTrader,
)
from streams.core.events import (
    AnyEvent,
    CopyDecided,
    CopySet,
    CopyStatusChanged,
    CopyStopped,
    DigestTaken,
    EquityReported,
    Event,
    FillBooked,
    InstrumentRegistered,
    InstrumentSettled,
    OrderCancelled,
    OrderPlaced,
    PositionReported,
    PositionResult,
)
from streams.core.money import Step
from streams.core.state import CopySettings
from streams.core.view import event_data, facts, routes, settings_view
from tests.unit.core.market import keys_of
from tests.unit.core.support import SERVICE, START_US, Desk, desk


NOON = "2026-02-01T12:00:00.000000Z"
OPENED = PositionResult(2_000, 120_001_000_000, 0, 0, 0, -1)
CLOSED = PositionResult(0, 0, 1_250_000, 500, 1, 1_000_000)


def fill(**more: Any) -> FillBooked:
    terms: dict[str, Any] = {
        "fill": "f_1",
        "trader": "alice",
        "symbol": "BTC",
        "lots": 2_000,
        "price_ticks": 120_001,
        "fee_micros": 54_000_450,
        "notional_micros": 120_001_000_000,
        "source": "paper",
        "order": "o_1",
        "execution": "",
        "signal_seq": 7,
        "result": OPENED,
        "at_us": START_US,
    }
    return FillBooked(**(terms | more))


def decided(**more: Any) -> CopyDecided:
    terms: dict[str, Any] = {
        "follower": "bob",
        "leader": "alice",
        "signal_seq": 7,
        "leg": "open",
        "symbol": "BTC",
        "code": "EXECUTED",
        "clamps": ("CLAMP_EXPOSURE",),
        "version": 3,
        "leader_equity_micros": 10_000_000_000,
        "follower_equity_micros": 2_500_000_000,
        "leader_lots": 2_000,
        "leader_price_ticks": 120_001,
        "wanted_lots": 500,
        "lots": 400,
        "price_ticks": 120_003,
        "fee_micros": 10_800,
        "slippage_bps": 1,
        "result": PositionResult(400, 24_000_600_000, 0, 0, 0, 0),
        "carry_ppb": 0,
        "at_us": START_US,
        "sized_millilots": 500_250,
        "bid_ticks": 120_002,
        "ask_ticks": 120_003,
        "decided_at_us": START_US,
        "leader_symbol": "BTC",
    }
    return CopyDecided(**(terms | more))


@pytest.fixture
def at() -> Desk:
    return desk("alice", "bob")


def test_every_event_with_a_channel_has_a_rendering() -> None:
    assert set(routes.ROUTES) == set(facts._RENDERERS)
    silent = [kind.__name__ for kind in get_args(AnyEvent) if kind not in routes.ROUTES]
    assert silent == [
        *["Ticked", "DayClosed", "MarksPublished", "TraderRegistered", "TraderUpdated"],
        *["HandleChanged", "TraderClosed", "CopiesWoundDown", "NotificationsRead"],
        *["NotificationLevelsChanged", "ConductReviewed", "IdentityLinked", "SeasonEntered"],
        *["SeasonScored", "TraderUnfollowed", "IdeasDeferred", "IdeaShared", "IdeaViewed"],
        *["MessagePosted", "SeedOpened", "SignalDispatched", "CopiesValued"],
        *["CopyDriftsMeasured", "CopiesReviewed", "LevelEditsFollowed", "LeaderOrdersFollowed"],
    ]


def test_events_without_a_channel_go_nowhere(at: Desk) -> None:
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 1, 2, 1)]))
    at.do("alice", UpdateTrader(bio="x"))
    at.do("alice", PostMessage("x", ["BTC"], 1))
    assert [()] * len(at.events[2:]) == [keys_of(at.state, e) for e in at.events[2:]]


def test_a_fill(at: Desk) -> None:
    assert keys_of(at.state, fill()) == ("account:alice", "signals:alice")
    assert keys_of(at.state, fill(signal_seq=0)) == ("account:alice",)
    assert event_data(at.state, fill()) == {
        "type": "fill_booked",
        "fill": "f_1",
        "trader": "alice",
        "symbol": "BTC",
        "side": "buy",
        "quantity": "2",
        "price": "60000.5",
        "fee": "54.00045",
        "notional": "120001",
        "realised_pnl": "0",
        "source": "paper",
        "reason": None,
        "order": "o_1",
        "idea": None,
        "signal_seq": 7,
        "executed_at": NOON,
        "position": {"quantity": "2", "entry_price": "60000.5"},
        "stop_loss": None,
        "take_profit": None,
    }
    closing = event_data(
        at.state, fill(lots=-500, result=CLOSED, order="", signal_seq=0, source="settlement")
    )
    assert (closing["side"], closing["quantity"]) == ("sell", "0.5")
    assert (closing["order"], closing["signal_seq"]) == (None, None)
    assert closing["realised_pnl"] == "1.25"
    assert closing["position"] == {"quantity": "0", "entry_price": None}


def test_a_decision_that_was_executed(at: Desk) -> None:
    assert keys_of(at.state, decided()) == ("copies:bob",)
    assert event_data(at.state, decided()) == {
        "type": "copy_decided",
        "signal_seq": 7,
        "leader": "alice",
        "follower": "bob",
        "leg": "open",
        "symbol": "BTC",
        "leader_symbol": "BTC",
        "side": "buy",
        "gate": None,
        "code": "EXECUTED",
        "clamps": ("CLAMP_EXPOSURE",),
        "quantity": "0.4",
        "price": "60001.5",
        "fee": "0.0108",
        "slippage_bps": 1,
        "realised_pnl": "0",
        "inputs": {
            "leader_equity": "10000",
            "follower_equity": "2500",
            "leader_quantity": "2",
            "leader_price": "60000.5",
            "sized_quantity": "0.50025",
            "wanted_quantity": "0.5",
            "bid": "60001",
            "ask": "60001.5",
            "settings_version": 3,
        },
        "signaled_at": NOON,
        "decided_at": NOON,
    }


def test_a_decision_to_skip(at: Desk) -> None:
    data = event_data(
        at.state, decided(code="STALE_SIGNAL", lots=0, wanted_lots=-20, fee_micros=0, result=None)
    )
    assert (data["side"], data["quantity"], data["price"]) == ("sell", "0", None)
    assert data["inputs"]["wanted_quantity"] == "-0.02"
    data = event_data(at.state, decided(lots=0, wanted_lots=0, result=None, signal_seq=0))
    assert (data["side"], data["signal_seq"], data["realised_pnl"]) == (None, None, "0")


def test_a_decision_on_another_symbol_shows_the_leaders_numbers_in_its_own(at: Desk) -> None:
    data = event_data(at.state, decided(leader_symbol="ETH"))
    assert (data["symbol"], data["leader_symbol"]) == ("BTC", "ETH")
    assert (data["inputs"]["leader_quantity"], data["inputs"]["leader_price"]) == ("20", "1200.01")


def test_a_settlement_at_zero_has_a_price(at: Desk) -> None:
    event = decided(leg="settle", lots=-500, price_ticks=0, result=CLOSED)
    data = event_data(at.state, event)
    assert (data["price"], data["realised_pnl"]) == ("0", "1.25")


SETTINGS = CopySettings(allocation_micros=1_000_000_000, multiplier_ppm=1_500_000)


@pytest.mark.parametrize(
    ("event", "keys", "data"),
    [
        (
            OrderPlaced("o_1", "alice", "BTC", "short", 250, 120_001, "mine", "", START_US),
            ("account:alice", "signals:alice"),
            {
                "type": "order_placed",
                "order": "o_1",
                "trader": "alice",
                "symbol": "BTC",
                "side": "short",
                "quantity": "0.25",
                "limit_price": "60000.5",
                "stop_loss": None,
                "take_profit": None,
                "idea": None,
                "placed_at": NOON,
                "expires_at": None,
            },
        ),
        (
            OrderCancelled("o_1", "alice", "BTC", "CANCELLED", START_US),
            ("account:alice", "signals:alice"),
            {
                "type": "order_cancelled",
                "order": "o_1",
                "trader": "alice",
                "symbol": "BTC",
                "reason": "CANCELLED",
                "cancelled_at": NOON,
            },
        ),
        (
            PositionReported("alice", "BTC", -500, -30_000_250_000, START_US),
            ("account:alice",),
            {
                "type": "position_reported",
                "trader": "alice",
                "symbol": "BTC",
                "quantity": "-0.5",
                "entry_price": "60000.5",
                "at": NOON,
            },
        ),
        (
            EquityReported("alice", 1_000_000, 2_500_000, 3_000_000, START_US),
            ("account:alice",),
            {
                "type": "equity_reported",
                "trader": "alice",
                "cash": "1",
                "equity": "3",
                "equity_before": "2.5",
                "at": NOON,
            },
        ),
        (
            CopySet("bob", "alice", SETTINGS, 2, -500_000, 0, START_US, ["multiplier_ppm"]),
            ("account:bob",),
            {
                "type": "copy_set",
                "leader": "alice",
                "follower": "bob",
                "settings_version": 2,
                "settings": settings_view(SETTINGS),
                "own": ["multiplier"],
                "cause": "follower",
                "moved": "-0.5",
                "at": NOON,
            },
        ),
        (
            CopyStatusChanged("bob", "alice", "PAUSED", "follower", START_US, "follower"),
            ("account:bob",),
            {
                "type": "copy_status_changed",
                "leader": "alice",
                "follower": "bob",
                "status": "PAUSED",
                "actor": "follower",
                "cause": "follower",
                "until": None,
                "on_stop": None,
                "at": NOON,
            },
        ),
        (
            CopyStopped("bob", "alice", "keep", 1_000_000, ["BTC"], 0, START_US),
            ("account:bob",),
            {
                "type": "copy_stopped",
                "leader": "alice",
                "follower": "bob",
                "on_stop": "keep",
                "moved": "1",
                "kept": ["BTC"],
                "at": NOON,
            },
        ),
        (
            InstrumentRegistered("SOL", "Solana", "hl", "perp", Step(1, 3), Step(1, 2), 450),
            ("system",),
            {
                "type": "instrument_registered",
                "symbol": "SOL",
                "name": "Solana",
                "venue": "hl",
                "asset_class": "perp",
                "tick_size": "0.001",
                "lot_size": "0.01",
                "fee_rate": 0.00045,
            },
        ),
        (
            InstrumentSettled("BTC", 0, START_US),
            ("system",),
            {"type": "instrument_settled", "symbol": "BTC", "price": "0", "settled_at": NOON},
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)
def test_events_of_accounts_and_system(
    at: Desk, event: Event, keys: tuple[str, ...], data: dict[str, Any]
) -> None:
    assert keys_of(at.state, event) == keys
    assert event_data(at.state, event) == data


def test_history_renders_to_the_same_data_at_any_quote(at: Desk) -> None:
    events = [fill(), decided()]
    live = [event_data(at.state, event) for event in events]
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 9, 9, 9)], START_US + 9, recorded=True))
    assert live == [event_data(at.state, event) for event in events]


def test_a_digest_names_its_place(at: Desk) -> None:
    assert event_data(at.state, DigestTaken("7-0", "abc", START_US)) == {
        "type": "digest_taken",
        "offset": "7-0",
        "digest": "abc",
    }
