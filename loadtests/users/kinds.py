"""The kinds of users: who looks, who signals, who trades, who reads."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any, Final

from locust import task

from loadtests.population import LEADER_EVERY, handle_of, idea, leader_of
from loadtests.users.acting import PLAN, ActingUser


CACHED: Final = (
    "/v1/marks",
    "/v1/instruments",
    "/v1/books/ideas/{symbol}",
    "/v1/books/positions/{symbol}",
    "/v1/leaderboards/total_return?period=all",
    "/v1/leaderboards/win_rate?period=1m",
    "/v1/ideas",
    "/v1/traders/{trader}",
    "/v1/sentiment",
    "/v1/stats",
    "/v1/account",
    "/v1/positions",
    "/v1/copies",
)
"""Answered from memory as they are."""

CALCULATED: Final = (
    "/v1/traders/{trader}/performance",
    "/v1/traders/{trader}/statistics",
    "/v1/traders/{trader}/ranks",
    "/v1/traders/{trader}/equity",
    "/v1/compare?traders={trader},{other}",
    "/v1/traders?query=load",
    "/v1/ideas?sort=top",
    "/v1/trades",
    "/v1/activity",
    "/v1/feed",
    "/v1/sentiment/{symbol}/history",
)
"""Computed when asked, or read from the archive."""

_leaders = itertools.count()

WEIGHT_OF_ONE: Final = 100


def weight(kind: str) -> int:
    """Return the weight of a kind of user; locust leaves out those without."""
    return round(WEIGHT_OF_ONE * PLAN.shares.get(kind, 0.0))


class Terminal(ActingUser):
    """Watches: one socket with quotes, a book, a board and its own account; looks around."""

    weight = weight("terminal")

    def on_start(self) -> None:
        """Open on some symbol."""
        self.look_at_another()

    @task(1)
    def look_at_another(self) -> None:
        """Switch to another symbol: a new socket, as a page that is opened anew."""
        symbol = self.quote.symbol
        self.open_stream(
            "marks@1s",
            f"book:{symbol}",
            f"positions:{symbol}",
            "leaderboard:total_return:all",
            "account",
        )

    @task(6)
    def look_around(self) -> None:
        """Read what a terminal shows beside the stream."""
        self.keep_stream()
        name = self.random.choice(CACHED)
        self.read("cached", name, symbol=self.quote.symbol, trader=self.other)

    @task(2)
    def study(self) -> None:
        """Look at somebody's numbers."""
        name = self.random.choice(CALCULATED)
        self.read("calculated", name, symbol=self.quote.symbol, trader=self.other, other=self.other)


class SignalBot(ActingUser):
    """Leads: trades over the socket, so that its followers' copies are decided; says why."""

    weight = weight("signal_bot")

    def new_account(self) -> int:
        """Return a leader's account."""
        leaders = (PLAN.accounts + LEADER_EVERY - 1) // LEADER_EVERY
        return next(_leaders) % leaders * LEADER_EVERY

    def on_start(self) -> None:
        """Listen to its own fills and decisions."""
        self.bought: dict[str, str] = {}
        self.open_stream("account", f"signals:@{handle_of(self.account)}", "system")

    @task(6)
    def trade(self) -> None:
        """Open a position at the market, or close the one it has."""
        quote = self.quote
        held = self.bought.pop(quote.symbol, None)
        quantity = held or quote.quantity(100)
        args = {"symbol": quote.symbol, "quantity": quantity, "type": "market"}
        side = "sell" if held else "buy"
        if self.command("open_order", {**args, "side": side}) and not held:
            self.bought[quote.symbol] = quantity

    @task(1)
    def publish(self) -> None:
        """Publish an idea."""
        self.command("create_idea", idea(self.quote, self.random.randrange(1_000)))

    @task(1)
    def say(self) -> None:
        """Post a message."""
        symbol = self.quote.symbol
        text = f"{symbol} looks strong, buying the dip"
        self.command("post_message", {"text": text, "symbols": [symbol]})


class Trader(ActingUser):
    """Trades by hand, half over REST and half over the socket, and takes part in the network."""

    weight = weight("trader")

    def on_start(self) -> None:
        """Listen to its own account."""
        self.resting: list[str] = []
        self.ideas: list[str] = []
        self.open_stream("account", "copies", "notifications", "marks@1s")

    def order(self, kind: str) -> dict[str, Any]:
        """Return arguments of a small order at the market, or far below it."""
        quote = self.quote
        args = {"symbol": quote.symbol, "quantity": quote.quantity(50), "type": kind}
        if kind == "limit":
            return {**args, "side": "buy", "limit_price": quote.price(Decimal("0.8"))}
        return {**args, "side": self.random.choice(("buy", "sell"))}

    @task(3)
    def market_order(self) -> None:
        """Trade at the market over REST."""
        self.write("POST", "/v1/orders", self.order("market"))

    @task(3)
    def market_order_by_socket(self) -> None:
        """Trade at the market over the socket."""
        self.command("open_order", self.order("market"))

    @task(2)
    def limit_order(self) -> None:
        """Leave an order resting."""
        answer = self.command("open_order", self.order("limit"))
        if answer is not None:
            self.resting.append(answer["order"]["order"])

    @task(2)
    def cancel(self) -> None:
        """Cancel an order that rests."""
        if self.resting:
            self.write("DELETE", "/v1/orders/{order}", None, order=self.resting.pop())

    @task(2)
    def like(self) -> None:
        """Like the newest ideas one after the other."""
        if not self.ideas:
            with self.client.get(
                "/v1/ideas",
                headers={"Authorization": self.authorization},
                context={"class": "cached"},
                catch_response=True,
            ) as response:
                items = response.json()["items"] if response.status_code == 200 else []
                self.ideas = [each["idea"] for each in items]
        if self.ideas:
            self.write("PUT", "/v1/ideas/{idea}/like", None, idea=self.ideas.pop())

    @task(1)
    def follow(self) -> None:
        """Follow somebody."""
        self.write("PUT", "/v1/traders/{trader}/follow", None, trader=self.other)

    @task(1)
    def resize_copy(self) -> None:
        """Change the size of its copy."""
        leader = leader_of(self.account)
        if leader != self.account:
            multiplier = f"1.{self.random.randrange(10)}"
            args = {"leader": f"@{handle_of(leader)}", "multiplier": multiplier}
            self.command("set_copy", args)

    @task(3)
    def look(self) -> None:
        """Look at its own account."""
        self.read("cached", self.random.choice(("/v1/account", "/v1/positions", "/v1/orders")))


class Reader(ActingUser):
    """Reads over REST, two thirds from memory."""

    weight = weight("reader")

    @task(2)
    def cached(self) -> None:
        """Read what is in memory."""
        name = self.random.choice(CACHED)
        self.read("cached", name, symbol=self.quote.symbol, trader=self.other)

    @task(1)
    def calculated(self) -> None:
        """Read what has to be computed."""
        name = self.random.choice(CALCULATED)
        self.read("calculated", name, symbol=self.quote.symbol, trader=self.other, other=self.other)
