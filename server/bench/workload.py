"""What a crowd of traders does, as the requests that a socket or REST would carry.

The same mix drives the latency of commands and fills the archive of the restart: market, limit and
cancel orders, likes and comments of ideas, follows, patches of copies, new ideas. One trader in
`GROUP` leads, and the others of the group copy that leader, so a leader's fill is decided for all
of them. A seed repeats a run.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from streams.core.commands import Command, MarkRow, PublishMarks, RegisterInstrument
from streams.core.money import Step


GROUP = 10
INSTRUMENTS = 20
PRICE_TICKS = 10_000
MIX = {
    "market": 30,
    "limit": 12,
    "cancel": 10,
    "like": 14,
    "comment": 10,
    "follow": 12,
    "patch": 10,
    "idea": 2,
}
"""Shares in percent."""

LEARNT = ("create_idea", "open_order")
"""Commands whose results `Workload.learn` reads."""


class Asked(NamedTuple):
    """One request of one trader.

    Attributes:
        trader: number of the trader, from 0.
        name: command name, see `streams.replica.building.REQUESTS`.
        args: its arguments.
        key: idempotency key.
    """

    trader: int
    name: str
    args: dict[str, Any]
    key: str


def handle_of(trader: int) -> str:
    """Return the handle of a trader by number; its id is `t_` and the handle."""
    return f"bench_{trader:06d}"


def market(at_us: int = 0, *, rise_ticks: int = 0) -> PublishMarks:
    """Return quotes of all instruments; with a time of its own it is a recorded market's."""
    price = PRICE_TICKS + rise_ticks
    rows = [MarkRow(symbol, price, price + 1, price) for symbol in symbols()]
    return PublishMarks(rows, at_us, recorded=at_us > 0)


def instruments() -> list[Command]:
    """Return the commands that make the instruments known: ticks of 0.01, lots of 0.001."""
    return [
        RegisterInstrument(symbol, symbol, "bench", "spot", Step(1, 2), Step(1, 3))
        for symbol in symbols()
    ]


def symbols() -> list[str]:
    """Return the symbols of the instruments."""
    return [f"BENCH{number:02d}" for number in range(INSTRUMENTS)]


class Workload:
    """Makes requests and learns from their answers.

    Attributes:
        traders: how many traders act.
    """

    def __init__(self, traders: int, seed: int = 1) -> None:
        self.traders = traders
        self._random = random.Random(seed)  # noqa: S311  # repeats a run, guards nothing
        self._symbols = symbols()
        self._choices = [name for name, share in MIX.items() for _ in range(share)]
        self._ideas: list[tuple[str, int]] = []
        self._resting: dict[int, list[str]] = {}
        self._liked: set[tuple[int, str]] = set()
        self._follows: set[tuple[int, int]] = set()
        self._count = 0

    def beginnings(self) -> Iterator[Asked]:
        """Yield what comes first: an idea of each leader, and the copies of that leader."""
        for trader in range(self.traders):
            leader = trader - trader % GROUP
            if trader == leader:
                yield self._idea(trader)
            else:
                args = {"leader": f"@{handle_of(leader)}", "allocation": "10000"}
                yield self._asked(trader, "set_copy", args)

    def next(self, trader: int | None = None) -> Asked:
        """Return the next request, of a given trader or of anybody."""
        if trader is None:
            trader = self._random.randrange(self.traders)
        choice = self._random.choice(self._choices)
        if choice == "cancel" and self._resting.get(trader):
            return self._asked(trader, "cancel_order", {"order": self._resting[trader].pop()})
        make = {
            "market": self._market,
            "limit": self._limit,
            "like": self._like,
            "comment": self._comment,
            "follow": self._follow,
            "patch": self._patch,
            "idea": self._idea,
        }
        return make.get(choice, self._limit)(trader)

    def learn(self, asked: Asked, result: dict[str, Any]) -> None:
        """Take the result of a request that was accepted."""
        if asked.name == "create_idea":
            self._ideas.append((result["idea"]["idea"], asked.trader))
        elif asked.name == "open_order" and asked.args["type"] == "limit":
            self._resting.setdefault(asked.trader, []).append(result["order"]["order"])

    def _asked(self, trader: int, name: str, args: dict[str, Any]) -> Asked:
        self._count += 1
        return Asked(trader, name, args, f"k{self._count:x}")

    def _market(self, trader: int) -> Asked:
        return self._order(trader, {"type": "market"})

    def _limit(self, trader: int) -> Asked:
        # Far below the market, so that it rests until it is cancelled.
        price = f"{self._random.randrange(10, 90)}.5"
        return self._order(trader, {"type": "limit", "limit_price": price, "side": "buy"})

    def _order(self, trader: int, more: dict[str, str]) -> Asked:
        args = {
            "symbol": self._random.choice(self._symbols),
            "side": self._random.choice(("buy", "sell")),
            "quantity": f"0.{self._random.randrange(100, 999)}",
        }
        return self._asked(trader, "open_order", args | more)

    def _idea(self, trader: int) -> Asked:
        args = {
            "title": "Range holds, target above",
            "thesis": "Buyers came back at the low three times in a row; the stop is below it.",
            "symbol": self._random.choice(self._symbols),
            "trade_type": "buy",
            "publish": True,
            "target": "120",
            "stop": "80",
            "confidence": 60.0,
            "tags": ["bench"],
        }
        return self._asked(trader, "create_idea", args)

    def _like(self, trader: int) -> Asked:
        idea = self._idea_of_another(trader)
        mark = (trader, idea)
        if mark in self._liked:
            self._liked.remove(mark)
            return self._asked(trader, "unlike_idea", {"idea": idea})
        self._liked.add(mark)
        return self._asked(trader, "like_idea", {"idea": idea})

    def _comment(self, trader: int) -> Asked:
        args = {"idea": self._idea_of_another(trader), "text": "Agreed, and volume confirms it."}
        return self._asked(trader, "comment_idea", args)

    def _idea_of_another(self, trader: int) -> str:
        while True:
            idea, author = self._random.choice(self._ideas)
            if author != trader or all(author == trader for _, author in self._ideas):
                return idea

    def _follow(self, trader: int) -> Asked:
        other = (trader + self._random.randrange(1, self.traders)) % self.traders
        args = {"trader": f"@{handle_of(other)}"}
        if (trader, other) in self._follows:
            self._follows.remove((trader, other))
            return self._asked(trader, "unfollow_trader", args)
        self._follows.add((trader, other))
        return self._asked(trader, "follow_trader", args)

    def _patch(self, trader: int) -> Asked:
        leader = trader - trader % GROUP
        if trader == leader:
            return self._market(trader)
        multiplier = f"1.{self._random.randrange(10)}"
        args = {"leader": f"@{handle_of(leader)}", "multiplier": multiplier}
        return self._asked(trader, "set_copy", args)
