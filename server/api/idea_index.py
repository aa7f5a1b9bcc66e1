"""Places of ideas, so that a list can go on where it stopped without walking over all ideas.

The core holds ideas in one dictionary in order of creation. This index follows it lazily: before
an answer it takes in what is new. A place never changes while the replica keeps its state, so a
cursor stays good; ideas that left the core are skipped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import takewhile

from streams.core.idea_state import Idea
from streams.core.state import State


STALE_PLACES_MAX = 100_000
"""Places of ideas that left the core; beyond it the lists are made anew, places stay."""


class IdeaIndex:
    """Ideas by place, by trader and by symbol. Belongs to one node's API."""

    def __init__(self) -> None:
        self._state: State | None = None
        self._clear()

    def _clear(self) -> None:
        self._all: dict[int, str] = {}
        self._traders: dict[str, list[int]] = {}
        self._symbols: dict[str, list[int]] = {}
        self._tags: dict[str, dict[str, None]] = {}
        self._next = 0
        self._newest = ""

    def follow(self, state: State) -> None:
        """Take in what is new; start again when the replica was rebuilt."""
        if self._state is not state:
            self._clear()
            self._state = state
        newest = self._newest
        fresh = list(takewhile(lambda idea: idea != newest, reversed(state.ideas)))
        for name in reversed(fresh):
            self._add(state.ideas[name])
        if len(self._all) > len(state.ideas) + STALE_PLACES_MAX:
            self._compact(state)

    def _add(self, idea: Idea) -> None:
        place = self._next
        self._next += 1
        self._newest = idea.idea
        self._all[place] = idea.idea
        self._traders.setdefault(idea.trader, []).append(place)
        self._symbols.setdefault(idea.symbol, []).append(place)
        for tag in idea.tags:
            self._tags.setdefault(tag, {})[idea.trader] = None

    def _compact(self, state: State) -> None:
        self._all = {place: name for place, name in self._all.items() if name in state.ideas}
        for index in (self._traders, self._symbols):
            for key in list(index):
                index[key] = [place for place in index[key] if place in self._all]
                if not index[key]:
                    del index[key]

    def newest_first(
        self, state: State, *, before: int | None, trader: str | None, symbol: str | None
    ) -> Iterator[tuple[int, Idea]]:
        """Yield (place, idea) from the newest to the oldest.

        Args:
            state: what `follow` was given.
            before: only places below this one.
            trader: only of this trader.
            symbol: only in this instrument; a draft may have moved to another since.
        """
        top = self._next if before is None else min(before, self._next)
        if trader is not None:
            places = self._traders.get(trader, [])
        elif symbol is not None:
            places = self._symbols.get(symbol, [])
        else:
            yield from self._held(state, range(top - 1, -1, -1))
            return
        count = bisect_left(places, top)
        yield from self._held(state, (places[index] for index in range(count - 1, -1, -1)))

    def _held(self, state: State, places: Iterator[int] | range) -> Iterator[tuple[int, Idea]]:
        for place in places:
            idea = state.ideas.get(self._all.get(place, ""))
            if idea is not None:
                yield place, idea

    def authors_of(self, tag: str) -> dict[str, None]:
        """Return the traders who used a tag."""
        return self._tags.get(tag, {})
