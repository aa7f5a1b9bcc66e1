from typing import Any

import pytest

from streams.core.commands import CloseIdea, CommentIdea, FollowTrader, LikeIdea, PublishIdea
from streams.core.copying.losses import add_row, rebase
from streams.core.market_clock import day_of
from streams.core.state import Copy, CopySettings, Ledger, Order, Position
from streams.core.view import (
    account_view,
    comment_view,
    copy_view,
    idea_view,
    instrument_view,
    mark_row,
    order_view,
    position_view,
    trader_view,
)
from tests.unit.core.support import START_US, Desk, desk


NOON = "2026-02-01T12:00:00.000000Z"
LONG = {
    "symbol": "BTC",
    "side": "long",
    "quantity": "2",
    "entry_price": "59900",
    "mark_price": "60000.5",
    "unrealised_pnl": "201",
    "realised_pnl": "-3.5",
    "opened_at": NOON,
    "stop_loss": None,
    "take_profit": None,
}


SELL = PublishIdea(
    "A title", "A thesis", "BTC", "sell", 120_000, 118_000, 0, "", 0, 0, [], publish=True
)


@pytest.fixture
def at() -> Desk:
    return desk("alice", "bob", "carol")


def test_an_instrument_with_and_without_a_quote(at: Desk) -> None:
    assert instrument_view(at.state.instruments["BTC"]) == {
        "symbol": "BTC",
        "name": "Bitcoin",
        "venue": "hl",
        "asset_class": "perp",
        "tick_size": "0.5",
        "lot_size": "0.001",
        "fee_rate": 0.0,
        "bid": "60000",
        "ask": "60001",
        "last": "60000.5",
        "marked_at": NOON,
        "settled": False,
    }
    unquoted = instrument_view(at.state.instruments["ETH"])
    assert [unquoted[name] for name in ("bid", "ask", "last", "marked_at")] == [None] * 4
    assert mark_row(at.state.instruments["BTC"]) == ["BTC", "60000", "60001", "60000.5"]
    assert mark_row(at.state.instruments["ETH"]) == ["ETH", None, None, None]


def test_a_settlement_at_zero_is_a_price(at: Desk) -> None:
    instrument = at.state.instruments["BTC"]
    instrument.settled, instrument.last_ticks = True, 0
    assert mark_row(instrument) == ["BTC", "60000", "60001", "0"]


def test_a_position_at_the_mark(at: Desk) -> None:
    held = Position(2_000, 119_800_000_000, START_US, -3_500_000)
    assert position_view(at.state, "BTC", held) == LONG
    short = position_view(at.state, "BTC", Position(-2_000, -119_800_000_000, START_US))
    assert short == LONG | {"side": "short", "unrealised_pnl": "-201", "realised_pnl": "0"}


def test_a_flat_position(at: Desk) -> None:
    flat = {
        "symbol": "ETH",
        "side": "flat",
        "quantity": "0",
        "entry_price": None,
        "mark_price": None,
        "unrealised_pnl": "0",
        "realised_pnl": "0",
        "opened_at": None,
        "stop_loss": None,
        "take_profit": None,
    }
    assert position_view(at.state, "ETH", None) == flat
    assert position_view(at.state, "BTC", None) == flat | {"symbol": "BTC", "mark_price": "60000.5"}


def test_an_account(at: Desk) -> None:
    alice = at.state.traders["alice"]
    alice.ledger.positions["BTC"] = Position(2_000, 119_800_000_000, START_US, -3_500_000)
    alice.ledger.realised_micros, alice.ledger.fees_micros = 1_000_000, 250_000
    order = Order("o_1", "alice", "BTC", "buy", 250, 110_000, START_US, "mine", "")
    at.state.orders["o_1"] = order
    alice.orders["o_1"] = None
    resting = {
        "order": "o_1",
        "trader": "alice",
        "symbol": "BTC",
        "side": "buy",
        "type": "limit",
        "quantity": "0.25",
        "filled_quantity": "0",
        "average_price": None,
        "limit_price": "55000",
        "stop_loss": None,
        "take_profit": None,
        "status": "new",
        "reason": None,
        "client_order_id": "mine",
        "idea_id": None,
        "placed_at": NOON,
        "expires_at": None,
        "ended_at": None,
    }
    assert order_view(at.state, order) == resting
    assert account_view(at.state, alice) == {
        "trader": "alice",
        "cash": "10000",
        "equity": "10201",
        "unrealised_pnl": "201",
        "realised_pnl": "1",
        "fees": "0.25",
        "positions": [LONG],
        "orders": [resting],
        "cancel_at": None,
    }


def test_a_trader_with_its_links(at: Desk) -> None:
    at.do("bob", FollowTrader("alice"))
    at.state.traders["alice"].copiers = 1
    expected: dict[str, Any] = {
        "trader": "alice",
        "handle": "alice",
        "name": "Alice",
        "origin": "account",
        "bio": "",
        "links": [],
        "tags": [],
        "verified": False,
        "verified_at": None,
        "reputation": 0.0,
        "signals_access": "public",
        "joined_at": NOON,
        "closed_at": None,
        "followers": 1,
        "following": 0,
        "copiers": 1,
        "copying": 0,
        "ideas": 0,
        "signal_seq": 0,
        "fills": 0,
        "trades": 0,
    }
    assert trader_view(at.state, at.state.traders["alice"]) == expected


def test_an_idea_with_counts(at: Desk) -> None:
    idea = at.do("alice", SELL)
    at.do("bob", LikeIdea(idea))
    comment = at.do("bob", CommentIdea(idea, "Why?"))
    at.do("alice", CommentIdea(idea, "Trend", comment))
    at.do("alice", CloseIdea(idea, "target", 118_000))
    stored = at.state.ideas[idea]
    view = idea_view(at.state, stored)
    assert view == {
        "idea": idea,
        "trader": "alice",
        "title": "A title",
        "thesis": "A thesis",
        "symbol": "BTC",
        "trade_type": "sell",
        "entry": "60000",
        "target": "59000",
        "stop": None,
        "timeframe": "",
        "confidence": None,
        "sentiment": None,
        "tags": [],
        "status": "closed",
        "stage": "CLOSED_BY_AUTHOR",
        "hidden": False,
        "text_version": 1,
        "likes": 1,
        "comments": 2,
        "shares": 0,
        "views": 0,
        "updates": 0,
        "created_at": NOON,
        "published_at": NOON,
        "expires_at": "2026-03-03T12:00:00.000000Z",
        "closed_at": NOON,
        "close_reason": "target",
        "exit_price": "59000",
        "targets": [{"price": "59000", "weight": 1.0}],
        "breakeven_after": None,
        "entry_type": "limit",
        "market": {"bid": "60000", "ask": "60001", "quoted_at": NOON},
        "weight": 0.5,
        "terms_hash": stored.frozen.terms_hash,
        "author_record": None,
        "stop_now": None,
        "odds": None,
        "entered": view["entered"],
        "targets_hit": [],
        "resolution": view["resolution"],
        "external_id": None,
    }
    assert [comment_view(at.state, each)["parent_id"] for each in stored.comments] == [
        None,
        comment,
    ]
    assert comment_view(at.state, stored.comments[0]) == {
        "comment": comment,
        "trader": "bob",
        "text": "Why?",
        "parent_id": None,
        "at": NOON,
    }


def test_an_idea_shows_the_prints_that_decided(at: Desk) -> None:
    idea = at.do("alice", SELL)
    at.do("alice", CloseIdea(idea, "target", 118_000))
    view = idea_view(at.state, at.state.ideas[idea])
    tick = {
        "price": "60000",
        "bid": "60000",
        "ask": "60001",
        "high": None,
        "low": None,
        "at": NOON,
        "source": "mark",
        "log_offset": idea.removeprefix("i_"),
        "flags": [],
    }
    assert view["entered"] == tick
    assert view["resolution"] == {
        "stage": "CLOSED_BY_AUTHOR",
        "reason": "target",
        "tick": tick | {"price": "60001", "source": "author", "log_offset": at.offset},
        "hit": None,
        "odds": None,
        "edge": None,
        "score": None,
        "brier": None,
        "r_multiple": None,
        "duration_seconds": 0.0,
        "max_favourable": 0.0,
        "max_adverse": 0.000017,
    }


def test_a_copy_with_its_ring_fence(at: Desk) -> None:
    settings = CopySettings(allocation_micros=500_000_000, notional_max_micros=1_000_000)
    ledger = Ledger(cash_micros=499_000_000)
    copy = Copy("bob", "alice", "ACTIVE", settings, 2, START_US, ledger, 3, 1, {"EXECUTED": 3})
    add_row(at.state.copy_desk.figures)
    rebase(at.state, copy, 500_000_000)
    view = copy_view(at.state, copy)
    assert (view["settings"]["allocation"], view["settings"]["notional_max"]) == ("500", "1")
    del view["settings"]
    assert view.pop("fees")["owed"] == "0"
    assert view == {
        "leader": "alice",
        "follower": "bob",
        "status": "ACTIVE",
        "settings_version": 2,
        "started_at": NOON,
        "executed": 3,
        "skipped": 1,
        "codes": {"EXECUTED": 3},
        "own": [],
        "stop_level": "300",
        "peak_equity": "500",
        "blocked_today": None,
        "cooldown_until": None,
        "deviation": 0.0,
        "orders": [],
        "waiting": [],
        "detached": [],
        "account": {
            "cash": "499",
            "equity": "499",
            "unrealised_pnl": "0",
            "realised_pnl": "0",
            "fees": "0",
            "positions": [],
        },
    }
    copy.settings = CopySettings(allocation_micros=500_000_000, trailing_stop_bps=1_000)
    copy.drift_bps, copy.blocked_code = -1, "DAILY_LOSS"
    copy.blocked_day = day_of(at.state.market_at_us)
    view = copy_view(at.state, copy)
    assert (view["stop_level"], view["deviation"]) == ("450", None)
    assert view["blocked_today"] == "DAILY_LOSS"
