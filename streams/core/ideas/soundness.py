"""What must hold of ideas at every quiet point, recomputed the slow way (see `core.invariants`)."""

from __future__ import annotations

from collections.abc import Iterator

from streams.core.books.idea_book import BUY, entries_of
from streams.core.books.levels import level_of
from streams.core.idea_state import Idea, IdeaWatch
from streams.core.ideas.terms import CLOSED, DRAFT, END_STAGES, OPEN_STAGES, PUBLISHED, WITHDRAWN
from streams.core.ideas.watch import waits
from streams.core.state import State


STAGES = {
    DRAFT: ("DRAFT",),
    PUBLISHED: OPEN_STAGES,
    CLOSED: (*END_STAGES, WITHDRAWN),
}


def idea_breaches(state: State) -> Iterator[str]:
    """Yield every breach found among ideas, books, watches and records."""
    yield from _books(state)
    yield from _watches(state)
    yield from _records(state)
    for idea in state.ideas.values():
        if idea.stage not in STAGES[idea.status]:
            yield f"idea {idea.idea}: stage {idea.stage} does not go with {idea.status}"
        if (idea.status == CLOSED) != (idea.idea in state.closed_ideas):
            yield f"idea {idea.idea}: {idea.status}, but the list of closed ones says otherwise"


def _open(state: State) -> list[Idea]:
    return [idea for idea in state.ideas.values() if idea.status == PUBLISHED]


def _books(state: State) -> Iterator[str]:
    expected: dict[tuple[str, int, int], tuple[int, int]] = {}
    for idea in _open(state):
        for side, price, weight_bps in entries_of(state.instruments[idea.symbol], idea):
            weight, count = expected.get((idea.symbol, side, price), (0, 0))
            expected[idea.symbol, side, price] = weight + weight_bps, count + 1
    for symbol, book in state.idea_books.items():
        instrument = state.instruments[symbol]
        for side, levels in ((BUY, book.buys), (1 - BUY, book.sells)):
            for price, level in levels.items():
                wanted = expected.pop((symbol, side, price), (0, 0))
                if (level.weight_bps, level.ideas) != wanted:
                    yield f"idea book {symbol}: expected {wanted} at {price}, was {level}"
                if level_of(instrument, price) != price:
                    yield f"idea book {symbol}: {price} is no level"
    for symbol, _, price in expected:
        yield f"idea book {symbol}: an open idea is missing at {price}"


def _watches(state: State) -> Iterator[str]:
    expected: dict[str, IdeaWatch] = {}
    for idea in _open(state):
        watched = expected.setdefault(idea.symbol, IdeaWatch())
        watched.open[idea.idea] = None
        for name, key in waits(idea):
            getattr(watched, name).append((key, idea.idea))
    if expected.keys() != state.idea_watches.keys():
        yield "instruments with open ideas and watched instruments differ"
    for symbol, wanted in expected.items():
        actual = state.idea_watches.get(symbol)
        if actual is None:
            continue
        for name in ("bid_rises", "bid_falls", "ask_rises", "ask_falls"):
            if sorted(getattr(wanted, name)) != getattr(actual, name):
                yield f"watch of {symbol}: {name} is not what open ideas wait for"
        if wanted.open.keys() != actual.open.keys():
            yield f"watch of {symbol}: the open ideas differ"
    due = [(-i.frozen.expires_at_us, i.idea) for i in _open(state) if i.frozen.expires_at_us]
    if sorted(due) != state.idea_expiries:
        yield "expiries are not those of open ideas"


def _records(state: State) -> Iterator[str]:
    for trader, record in state.author_records.items():
        ended = sum(record.stages.values())
        open_ideas = sum(1 for idea in _open(state) if idea.trader == trader)
        if record.published != ended + open_ideas:
            yield f"record of {trader}: {record.published} published, {ended} + {open_ideas} known"
        for field in ("edges", "edge_ppm", "scored", "score_micronats"):
            parts = sum(getattr(each, field) for each in record.classes.values())
            if parts != getattr(record.total, field):
                yield f"record of {trader}: {field} of the classes do not add up"
