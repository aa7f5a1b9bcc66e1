"""Seeded clients of a simulated cluster, and what they remember of their calls.

A client sends each command with an idempotency key through any living node, repeats it with the
same key while the outcome is unknown, and sometimes sends it through two nodes at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, NamedTuple

from streams.core.commands import (
    Command,
    MarkRow,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
    ReportEquity,
    ReportFill,
    ReportPosition,
    SettleInstrument,
)
from streams.core.money import Step
from streams.ports import CommandError, CommandOutcome, Principal
from tests.simulation.cluster import Cluster, Node
from tests.simulation.intents import INTENTS, LEADER, MARKETS


ATTEMPTS_MAX = 40
RETRIED = ("OUTCOME_UNKNOWN", "NOT_READY", "LOG_FULL")
MARKET = "market"
"""Principal of the simulated feed."""

Send = Callable[[Node], Awaitable[CommandOutcome]]


class Answer(NamedTuple):
    """What one node answered."""

    run: str
    code: str
    offset: str


class Operation:
    """One intention of a client: many attempts, one key.

    Attributes:
        answers: outcomes received.
        unknown: attempts whose outcome stayed unknown.
        refused: code with which a node refused it before the log, or empty.
    """

    def __init__(self, principal: str, key: str | None, name: str) -> None:
        self.principal = principal
        self.key = key
        self.name = name
        self.answers: list[Answer] = []
        self.unknown = 0
        self.refused = ""

    @property
    def keys(self) -> tuple[str | None, str]:
        """The key as it may stand in the log: the edge puts the request's name before it."""
        return self.key, f"{self.name}:{self.key}"


class Workload:
    """All clients of one run."""

    def __init__(self, cluster: Cluster, random: Random) -> None:
        self.operations: list[Operation] = []
        self._cluster = cluster
        self._random = random
        self._count = 0

    async def perform(self, random: Random, operation: Operation, send: Send) -> None:
        """Try until there is an answer, through whichever nodes live."""
        self.operations.append(operation)
        loop = self._cluster.loop
        if operation.key is not None and random.random() < 0.1:
            await asyncio.gather(*(self._attempt(random, operation, send) for _ in range(2)))
        for _ in range(ATTEMPTS_MAX):
            if operation.answers or operation.refused:
                return
            await self._attempt(random, operation, send)
            if operation.key is None and operation.unknown:
                return  # it must not be sent again: nobody could tell it from another
            if not (operation.answers or operation.refused):
                await asyncio.sleep(random.uniform(0.02, 0.4))
        self._cluster.note(f"gave up {operation.name} {operation.key} at {loop.time():.3f}")

    async def _attempt(self, random: Random, operation: Operation, send: Send) -> None:
        nodes = list(self._cluster.nodes.values())
        if not nodes:
            return
        node = random.choice(nodes)
        try:
            outcome = await node.call(_sent(send, node))
        except CommandError as error:
            if error.code not in RETRIED:
                operation.refused = error.code
            elif error.code == "OUTCOME_UNKNOWN":
                operation.unknown += 1
            return
        operation.answers.append(Answer(node.run, outcome.code, outcome.offset))

    def key(self, principal: str) -> str:
        """Return a new idempotency key."""
        self._count += 1
        return f"k{self._count}-{principal}"

    async def trader(self, trader: str, random: Random, steps: int) -> None:
        """Be a participant: register once, then want something `steps` times."""
        registered = RegisterTrader(trader, trader, trader.upper(), "account", 10_000_000_000)
        principal = Principal(trader)
        await self._submit(random, registered, trader)
        for _ in range(steps):
            await asyncio.sleep(random.uniform(0.0, 0.25))
            wanted = self._wanted(random, trader)
            if wanted is None:
                continue
            name, args = wanted
            key = self.key(trader) if random.random() < 0.9 or "copy" in name else None
            operation = Operation(trader, key, name)

            def send(
                node: Node, name: str = name, args: dict[str, Any] = args, key: str | None = key
            ) -> Awaitable[CommandOutcome]:
                return node.edge.execute(principal, name, args, key)

            await self.perform(random, operation, send)

    def _wanted(self, random: Random, trader: str) -> tuple[str, dict[str, Any]] | None:
        nodes = list(self._cluster.nodes.values())
        if not nodes:
            return None
        state = random.choice(nodes).replica.state
        intent = random.choices(list(INTENTS), list(INTENTS.values()))[0]
        return intent(random, state, trader)

    async def _submit(
        self, random: Random, command: Command, principal: str, *, privileged: bool = False
    ) -> None:
        key = self.key(principal)

        def send(node: Node) -> Awaitable[CommandOutcome]:
            return node.edge.submit(command, principal, key=key, privileged=privileged)

        operation = Operation(principal, key, type(command).__name__)
        await self.perform(random, operation, send)

    async def open_market(self, random: Random) -> None:
        """Be the feed's start: instruments, first quotes, a recorded leader."""
        for market in MARKETS:
            tick = Step(5, 1) if market.symbol == "BTC" else Step(1, market.price_digits)
            lot = Step(1, market.lot_digits)
            await self._submit(
                random,
                RegisterInstrument(market.symbol, market.symbol, "sim", "perp", tick, lot, 200),
                MARKET,
                privileged=True,
            )
        lead = RegisterTrader(LEADER, "lead", "Lead", "recorded", 1_000_000_000_000)
        await self._submit(random, lead, MARKET, privileged=True)
        await self._submit(random, _marks(random), MARKET, privileged=True)

    async def market(self, random: Random, steps: int) -> None:
        """Be the feed: marks, fills of the recorded leader, now and then what the venue says."""
        for _ in range(steps):
            await asyncio.sleep(random.uniform(0.0, 0.18))
            command = self._market_command(random)
            await self._submit(random, command, MARKET, privileged=True)

    def _market_command(self, random: Random) -> Command:
        kind = random.random()
        if kind < 0.45:
            return _marks(random)
        market = random.choice(MARKETS)
        price = _ticks(random, market.symbol)
        lots = max(int(market.quantity * 10**market.lot_digits * random.uniform(0.5, 4)), 1)
        signed = lots if random.random() < 0.55 else -lots
        if kind < 0.93:
            self._count += 1
            fill = f"x{self._count}"
            return ReportFill(market.symbol, signed, price, 1_000, "recorded", fill, LEADER)
        if kind < 0.96:
            return ReportPosition(LEADER, market.symbol, signed, price)
        if kind < 0.98:
            return ReportEquity(LEADER, random.randrange(900_000, 1_100_000) * 1_000_000)
        return SettleInstrument("YES", random.choice((0, 100)))


async def _sent(send: Send, node: Node) -> CommandOutcome:
    return await send(node)


def _ticks(random: Random, symbol: str) -> int:
    market = next(market for market in MARKETS if market.symbol == symbol)
    price = market.price * random.uniform(0.98, 1.02)
    scale = 2 if symbol == "BTC" else 10**market.price_digits
    return max(int(price * scale), 1)


def _marks(random: Random) -> PublishMarks:
    rows = []
    for market in MARKETS:
        bid = _ticks(random, market.symbol)
        rows.append(MarkRow(market.symbol, bid, bid + random.randrange(3), bid))
    return PublishMarks(rows)
