"""The idea book and the resolution engine: what an update and a mark cost.

Books of 100,000 open ideas, as many a symbol as there would be in a busy market. Floors: adding to
a plain dictionary for a book update; a mark in an instrument without ideas for a mark.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from server.bench.figures import Figure, Report, at_most
from streams.core.books import idea_book
from streams.core.commands import (
    Command,
    MarkRow,
    PublishIdea,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
)
from streams.core.kernel import Kernel
from streams.core.money import MICROS, Step
from streams.core.state import State


IDEAS = 100_000
SYMBOLS = 10
AUTHORS = 1_000
UPDATES = 20_000
MARKS = 20_000
CLIMB = 400
"""Marks of a price that rises by a quarter, through the targets of one instrument."""

SCATTER = 7_919
"""A prime by which prices are scattered, the same in every run."""

ROUNDS = 3
PRICE = 100_000
UPDATE_US_MAX = 20.0
SERVICE = "bench"


class _Asked(NamedTuple):
    """An envelope as the kernel reads it."""

    id: str
    key: str | None
    principal: str
    roles: int
    command: Command


class _Market:
    """A kernel with instruments, authors and open ideas, none of which a mark will reach."""

    def __init__(self, ideas: int) -> None:
        self.kernel = Kernel(State())
        self.ms = 1_769_947_200_000
        self.count = 0
        for index in range(SYMBOLS + 1):
            self.do(
                SERVICE, RegisterInstrument(f"S{index}", "", "x", "spot", Step(1, 2), Step(1, 3))
            )
            self.mark(index, PRICE)
        for index in range(AUTHORS):
            name = f"author_{index}"
            self.do(SERVICE, RegisterTrader(name, name, name, "account", MICROS))
        for index in range(ideas):
            self.do(f"author_{index % AUTHORS}", self.idea(index % SYMBOLS))

    def do(self, principal: str, command: Command) -> None:
        self.ms += 1
        asked = _Asked(str(self.ms), None, principal, int(principal == SERVICE), command)
        applied = self.kernel.apply(self.ms, 0, str(self.ms), [asked])
        if applied.outcomes[0].code != "OK":
            raise AssertionError(f"expected OK, was {applied.outcomes[0]}")

    def idea(self, symbol: int) -> PublishIdea:
        """Return an idea with levels five to fifty percent away."""
        self.count += 1
        away = PRICE // 20 + self.count * SCATTER % (PRICE * 45 // 100)
        return PublishIdea(
            title="A title",
            thesis="A thesis of some length",
            symbol=f"S{symbol}",
            trade_type="buy",
            entry_ticks=0,
            target_ticks=PRICE + away,
            stop_ticks=PRICE - away,
            timeframe="1y",
            confidence_bps=6_000,
            stance=0,
            tags=[],
            publish=True,
        )

    def mark(self, symbol: int, price: int) -> None:
        self.do(SERVICE, PublishMarks([MarkRow(f"S{symbol}", price, price, price)]))


def run(ideas: int = IDEAS, updates: int = UPDATES, marks: int = MARKS) -> Report:
    """Measure; the best of several rounds stands, since others share the machine."""
    market = _Market(ideas)
    book = min(_book_seconds(market, updates) for _ in range(ROUNDS)) / updates
    floor = min(_plain_seconds(updates) for _ in range(ROUNDS)) / updates
    watched = min(_mark_seconds(market, 0, marks) for _ in range(ROUNDS)) / marks
    free = min(_mark_seconds(market, SYMBOLS, marks) for _ in range(ROUNDS)) / marks
    resolving = _resolve_seconds(market)
    return Report(
        "idea book and resolution",
        [
            at_most("update of the idea book", book * 1e6, "µs", UPDATE_US_MAX),
            Figure("ratio to a plain dictionary", book / floor, "times"),
            Figure("mark, instrument with ideas", watched * 1e6, "µs"),
            Figure("mark, instrument without", free * 1e6, "µs"),
            Figure("resolution of an idea", resolving * 1e6, "µs"),
        ],
        f"{ideas} open ideas in {SYMBOLS} instruments; an update adds or removes one idea with "
        f"entry, target and stop; process CPU time, best of {ROUNDS} rounds of {updates} updates "
        f"and {marks} marks, each an entry of its own",
    )


def _timed(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _book_seconds(market: _Market, updates: int) -> float:
    state = market.kernel.state
    chosen = list(state.ideas.values())[: updates // 2]

    def work() -> None:
        for idea in chosen:
            idea_book.remove(state, idea)
            idea_book.add(state, idea)

    return _timed(work) * updates / max(2 * len(chosen), 1)


def _plain_seconds(updates: int) -> float:
    levels: dict[int, int] = {}

    def work() -> None:
        for index in range(updates):
            for price in (index, index + 1, index + 2):
                levels[price] = levels.get(price, 0) + 1

    return _timed(work)


def _mark_seconds(market: _Market, symbol: int, marks: int) -> float:
    prices = [PRICE - 1_000 + index * SCATTER % 2_000 for index in range(marks)]

    def work() -> None:
        for price in prices:
            market.mark(symbol, price)

    return _timed(work)


def _resolve_seconds(market: _Market) -> float:
    """Return the time of a resolution: a rising price takes the targets of one instrument."""
    state = market.kernel.state
    before = len(state.closed_ideas)
    steps = [PRICE + PRICE // 20 + PRICE * step // (4 * CLIMB) for step in range(CLIMB)]

    def work() -> None:
        for price in steps:
            market.mark(1, price)

    spent = _timed(work)
    return spent / max(len(state.closed_ideas) - before, 1)
