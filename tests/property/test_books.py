"""Fast books against naive ones that are recomputed from all ideas and positions."""

from __future__ import annotations

from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streams.core.books import idea_book, position_book
from streams.core.books.frames import (
    book_checksum,
    book_crc,
    book_delta,
    book_snapshot,
    position_checksum,
    position_crc,
    position_delta,
    position_snapshot,
)
from streams.core.books.levels import level_of
from streams.core.idea_state import Idea, IdeaFrozen
from streams.core.money import format_parts, format_steps
from streams.core.state import Conflated
from tests.unit.core.support import desk


PRICES = st.integers(0, 12).map(lambda step: 0 if step == 0 else 119_400 + 70 * step)
LOTS = st.integers(-3, 3).map(lambda lots: 250 * lots)
SLOTS = st.integers(0, 5)


class Client:
    """A client that keeps a book by frames alone."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[str, list[Any]]] = {}

    def apply(self, delta: dict[str, list[Any]]) -> None:
        for side, rows in delta.items():
            kept = self.sides.setdefault(side, {})
            for row in rows:
                gone = row[1] == "0" and row[2] in ("0", 0)
                kept.pop(row[0], None) if gone else kept.update({row[0]: row})

    def rows(self, side: str, *, falling: bool = False) -> list[list[Any]]:
        kept = self.sides.get(side, {})
        return [kept[price] for price in sorted(kept, key=float, reverse=falling)]


class Books(RuleBasedStateMachine):
    """Ideas and positions come, change and go; both books must always tell the same."""

    def __init__(self) -> None:
        super().__init__()
        self.state = desk().state
        self.instrument = self.state.instruments["BTC"]
        self.ideas: dict[int, Idea] = {}
        self.positions: dict[int, tuple[int, int]] = {}
        self.book_client, self.position_client = Client(), Client()

    @rule(
        slot=SLOTS,
        trade_type=st.sampled_from(["buy", "sell", "short", "cover"]),
        prices=st.tuples(PRICES, PRICES, PRICES),
        confidence=st.integers(0, 10_000),
    )
    def publish(
        self, slot: int, trade_type: str, prices: tuple[int, int, int], confidence: int
    ) -> None:
        self.close(slot)
        idea = Idea(
            str(slot), "alice", "", "", "BTC", trade_type, *prices, "", confidence, 0, [],
            "published", 1, frozen=IdeaFrozen(weight_bps=confidence or 5_000),
        )  # fmt: skip
        self.ideas[slot] = idea
        idea_book.add(self.state, idea)

    @rule(slot=SLOTS)
    def close(self, slot: int) -> None:
        idea = self.ideas.pop(slot, None)
        if idea is not None:
            idea_book.remove(self.state, idea)

    @rule(slot=SLOTS, lots=LOTS, price=PRICES)
    def move(self, slot: int, lots: int, price: int) -> None:
        lots_before, level_before = self.positions.get(slot, (0, 0))
        level = level_of(self.instrument, price)
        position_book.remove(self.state, "BTC", lots_before, level_before)
        position_book.add(self.state, "BTC", lots, level)
        self.positions[slot] = (lots, level)

    @rule()
    def deliver(self) -> None:
        """Cut both channels: snapshot + deltas must be the present snapshot."""
        conflated = self.state.conflated
        for base, render, client in (
            ("book:BTC", book_delta, self.book_client),
            ("positions:BTC", position_delta, self.position_client),
        ):
            touched = conflated.get(base, Conflated()).pending[0]
            client.apply(render(self.state, "BTC", touched))
            touched.clear()
        buys = self.book_client.rows("b", falling=True)
        sells = self.book_client.rows("s")
        rows = self.position_client.rows("rows")
        assert book_snapshot(self.state, "BTC") == {"b": buys, "s": sells}
        assert position_snapshot(self.state, "BTC") == {"rows": rows}
        assert book_crc(self.state, "BTC") == book_checksum(buys, sells)
        assert position_crc(self.state, "BTC") == position_checksum(rows)

    @invariant()
    def idea_book_is_the_naive_one(self) -> None:
        assert book_snapshot(self.state, "BTC") == self._naive_ideas()

    @invariant()
    def position_book_is_the_naive_one(self) -> None:
        assert position_snapshot(self.state, "BTC") == self._naive_positions()

    def _naive_ideas(self) -> dict[str, list[list[Any]]]:
        entries: list[tuple[str, int, int]] = []
        for idea in self.ideas.values():
            buying = idea.trade_type in ("buy", "cover")
            weight = idea.confidence_bps if idea.confidence_bps > 0 else 5_000
            for price, entering in (
                (idea.entry_ticks, True),
                (idea.target_ticks, False),
                (idea.stop_ticks, False),
            ):
                if price != 0:
                    entries.append(("b" if buying is entering else "s", price // 100, weight))
        book: dict[str, list[list[Any]]] = {"b": [], "s": []}
        for side, falling in (("b", True), ("s", False)):
            levels = {level for name, level, _ in entries if name == side}
            for level in sorted(levels, reverse=falling):
                weights = [w for name, at, w in entries if (name, at) == (side, level)]
                price = format_steps(level * 100, self.instrument.tick)
                book[side].append([price, format_parts(sum(weights), 10_000), len(weights)])
        return book

    def _naive_positions(self) -> dict[str, list[list[str]]]:
        rows = []
        held = [(lots, level) for lots, level in self.positions.values() if lots]
        for level in sorted({level for _, level in held}):
            long = sum(lots for lots, at in held if at == level and lots > 0)
            short = sum(-lots for lots, at in held if at == level and lots < 0)
            tick, lot = self.instrument.tick, self.instrument.lot
            rows.append(
                [format_steps(level, tick), format_steps(long, lot), format_steps(short, lot)]
            )
        return {"rows": rows}


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
