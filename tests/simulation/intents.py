"""What a simulated participant may want next, given what a node shows.

Each intent returns the name and the arguments of a request, or None when it makes no sense now.
Everything is drawn from the random generator it is given, and from the state in its own order.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from streams.core.state import State


Wanted = tuple[str, dict[str, Any]] | None


class Market(NamedTuple):
    """An instrument of the simulation: `price` in units, steps as decimal digits."""

    symbol: str
    price: float
    price_digits: int
    lot_digits: int
    quantity: float


MARKETS = (
    Market("BTC", 50_000.0, 1, 3, 0.05),
    Market("ETH", 2_500.0, 2, 2, 1.0),
    Market("YES", 0.40, 2, 0, 500.0),
)
LEADER = "hl:lead"
"""A recorded trader whose fills followers copy."""


def _symbol(random: Random, state: State) -> Market | None:
    known = [market for market in MARKETS if market.symbol in state.instruments]
    return random.choice(known) if known else None


def _price(random: Random, market: Market) -> str:
    return f"{max(market.price * random.uniform(0.97, 1.03), 0.01):.{market.price_digits}f}"


def _other(random: Random, state: State, me: str) -> str | None:
    others = [trader for trader in state.traders if trader != me]
    if not others:
        return None
    if LEADER in state.traders and random.random() < 0.4:
        return LEADER
    return random.choice(others)


def _idea_of(random: Random, state: State, status: str, author: str | None = None) -> str | None:
    found = [
        idea.idea
        for idea in state.ideas.values()
        if idea.status == status and author in (None, idea.trader)
    ]
    return random.choice(found) if found else None


def open_order(random: Random, state: State, me: str) -> Wanted:
    market = _symbol(random, state)
    if market is None:
        return None
    quantity = market.quantity * random.uniform(0.2, 1.5)
    args: dict[str, Any] = {
        "symbol": market.symbol,
        "side": random.choice(("buy", "buy", "sell", "short", "cover")),
        "quantity": f"{quantity:.{market.lot_digits}f}",
        "type": random.choice(("market", "limit")),
    }
    if args["type"] == "limit":
        args["limit_price"] = _price(random, market)
    if random.random() < 0.3:
        args["client_order_id"] = f"c{random.randrange(40)}"
    return "open_order", args


def cancel_order(random: Random, state: State, me: str) -> Wanted:
    trader = state.traders.get(me)
    orders = list(trader.orders) if trader else []
    return ("cancel_order", {"order": random.choice(orders)}) if orders else None


def cancel_after(random: Random, state: State, me: str) -> Wanted:
    return "cancel_after", {"ms": random.choice((0, 1_000, 3_000))}


def report_trade(random: Random, state: State, me: str) -> Wanted:
    market = _symbol(random, state)
    if market is None:
        return None
    args = {
        "symbol": market.symbol,
        "side": random.choice(("buy", "sell")),
        "quantity": f"{market.quantity:.{market.lot_digits}f}",
        "price": _price(random, market),
        "fee": "0.25",
    }
    return "report_trade", args


def create_idea(random: Random, state: State, me: str) -> Wanted:
    market = _symbol(random, state)
    if market is None:
        return None
    args: dict[str, Any] = {
        "title": f"Idea {random.randrange(1000)} on {market.symbol}",
        "thesis": "It will move, because it always has.",
        "symbol": market.symbol,
        "trade_type": "buy",
        "publish": random.random() < 0.7,
        "entry": f"{market.price:.{market.price_digits}f}",
        "target": f"{market.price * 1.1:.{market.price_digits}f}",
        "stop": f"{market.price * 0.9:.{market.price_digits}f}",
        "confidence": float(random.randrange(1, 100)),
        "sentiment": random.choice(("bullish", "neutral", "bearish")),
        "tags": ["simulated"],
    }
    return "create_idea", args


def own_idea(random: Random, state: State, me: str) -> Wanted:
    """Publish or edit a draft, or close or edit a published idea."""
    draft = _idea_of(random, state, "draft", me)
    if draft is not None:
        if random.random() < 0.6:
            return "publish_idea", {"idea": draft}
        return "edit_idea", {"idea": draft, "title": "Another title", "confidence": 50.0}
    idea = _idea_of(random, state, "published", me)
    if idea is None:
        return None
    if random.random() < 0.5:
        return "close_idea", {"idea": idea, "reason": "enough"}
    return "edit_idea", {"idea": idea, "thesis": f"Revision {random.randrange(1000)} of it."}


def react(random: Random, state: State, me: str) -> Wanted:
    """Like, take a like back, or comment."""
    idea = _idea_of(random, state, "published")
    if idea is None:
        return None
    name = random.choice(("like_idea", "like_idea", "unlike_idea", "comment_idea"))
    args = {"idea": idea}
    if name == "comment_idea":
        args["text"] = f"remark {random.randrange(1000)}"
    return name, args


def post_message(random: Random, state: State, me: str) -> Wanted:
    market = _symbol(random, state)
    if market is None:
        return None
    stance = random.choice(("bullish", "bearish", "neutral"))
    args = {"text": f"about ${market.symbol}", "symbols": [market.symbol], "sentiment": stance}
    return "post_message", args


def follow(random: Random, state: State, me: str) -> Wanted:
    other = _other(random, state, me)
    name = random.choice(("follow_trader", "follow_trader", "unfollow_trader"))
    return None if other is None else (name, {"trader": other})


def set_copy(random: Random, state: State, me: str) -> Wanted:
    leader = _other(random, state, me)
    if leader is None:
        return None
    args: dict[str, Any] = {"leader": leader, "allocation": str(random.randrange(500, 3_000))}
    if random.random() < 0.4:
        args["mode"] = random.choice(("equity_ratio", "quantity_ratio"))
    if random.random() < 0.3:
        args["multiplier"] = random.choice(("0.5", "2"))
    if random.random() < 0.3:
        args["reverse"] = True
    if random.random() < 0.5:
        args["slippage_max_bps"] = 500
    if random.random() < 0.3:
        args["symbols_deny"] = ["ETH"]
    return "set_copy", args


def change_copy(random: Random, state: State, me: str) -> Wanted:
    """Pause, resume, close only or stop one of the copies."""
    trader = state.traders.get(me)
    leaders = list(trader.copying) if trader else []
    if not leaders:
        return None
    name = random.choice(("pause_copy", "resume_copy", "close_only_copy", "stop_copy"))
    args = {"leader": random.choice(leaders)}
    if name == "stop_copy":
        args["on_stop"] = random.choice(("keep", "close_now"))
    return name, args


def update_profile(random: Random, state: State, me: str) -> Wanted:
    return "update_profile", {
        "bio": f"bio {random.randrange(1000)}",
        "signals_access": random.choice(("public", "followers")),
    }


INTENTS: dict[Callable[[Random, State, str], Wanted], int] = {
    open_order: 8,
    cancel_order: 2,
    cancel_after: 1,
    report_trade: 1,
    create_idea: 3,
    own_idea: 3,
    react: 4,
    post_message: 2,
    follow: 2,
    set_copy: 4,
    change_copy: 2,
    update_profile: 1,
}
"""What participants want, and how often."""
