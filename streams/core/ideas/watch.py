"""The index of open ideas by the prices they wait for: a mark finds only those it reaches.

Each instrument with open ideas has four lists of (key, idea), ordered so that the price that is
reached next stands last: to ask whether a mark reaches anything is four comparisons.

Invariants:
    * What an idea waits for is a function of the idea (`waits`), so `stop_watching` takes away
      what `watch` brought as long as the idea did not change in between.
    * Longs enter at the ask and leave at the bid, shorts enter at the bid and leave at the ask.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from streams.core.commands import MarkRow
from streams.core.idea_state import Idea, IdeaTick, IdeaWatch
from streams.core.ideas.terms import direction_of, targets_of
from streams.core.state import State


def waits(idea: Idea) -> Iterator[tuple[str, int]]:
    """Yield (list, key) of each price that an open idea waits for."""
    long = direction_of(idea.trade_type) > 0
    entry, leave = ("ask", "bid") if long else ("bid", "ask")
    if idea.stage == "LIVE":
        up, down = idea.stop_now_ticks, idea.stop_now_ticks
        targets = targets_of(idea)
        reached = len(idea.targets_hit)
        target = targets[reached][0] if reached < len(targets) else 0
        up, down = (target, down) if long else (up, target)
        if up:
            yield f"{leave}_rises", -up
        if down:
            yield f"{leave}_falls", down
    elif idea.stage == "ARMED":
        yield _wait(entry, idea.entry_ticks, (idea.entry_type == "stop") == long)
    else:
        yield _wait(entry, idea.frozen.wait_ticks, idea.frozen.wait_rises)


def _wait(quote: str, ticks: int, rises: bool) -> tuple[str, int]:
    return (f"{quote}_rises", -ticks) if rises else (f"{quote}_falls", ticks)


def watch(state: State, idea: Idea) -> None:
    """Wait for the prices of an open idea. Called by `evolve_*` only."""
    watched = state.idea_watches.get(idea.symbol)
    if watched is None:
        watched = state.idea_watches[idea.symbol] = IdeaWatch()
    watched.open[idea.idea] = None
    for name, key in waits(idea):
        insort(getattr(watched, name), (key, idea.idea))


def stop_watching(state: State, idea: Idea) -> None:
    """Wait for the idea's prices no longer; call it before the idea changes."""
    watched = state.idea_watches[idea.symbol]
    for name, key in waits(idea):
        entries: list[tuple[int, str]] = getattr(watched, name)
        index = bisect_left(entries, (key, idea.idea))
        if entries[index : index + 1] != [(key, idea.idea)]:
            raise AssertionError(f"expected {idea.idea} in {name} at {key}, was not there")
        del entries[index]
    del watched.open[idea.idea]
    if not watched.open:
        del state.idea_watches[idea.symbol]


def is_reached(watched: IdeaWatch, row: MarkRow) -> bool:
    """Return whether a mark reaches any price that an open idea waits for. Four comparisons."""
    bid, ask, high, low = row.bid_ticks, row.ask_ticks, row.high_ticks, row.low_ticks
    bid_high, bid_low, ask_high, ask_low = bid, bid, ask, ask
    if high:
        bid_high, ask_high = max(bid, high), max(ask, high)
        bid_low, ask_low = min(bid, low), min(ask, low)
    falls, rises = watched.bid_falls, watched.bid_rises
    if (falls and falls[-1][0] >= bid_low) or (rises and rises[-1][0] >= -bid_high):
        return True
    falls, rises = watched.ask_falls, watched.ask_rises
    return bool((falls and falls[-1][0] >= ask_low) or (rises and rises[-1][0] >= -ask_high))


def reached_by(watched: IdeaWatch, tick: IdeaTick) -> dict[str, None]:
    """Return the ideas that wait for a price which the print reached, the nearest first."""
    bid_high = max(tick.bid_ticks, tick.high_ticks)
    ask_high = max(tick.ask_ticks, tick.high_ticks)
    bid_low, ask_low = tick.bid_ticks, tick.ask_ticks
    if tick.high_ticks:
        bid_low, ask_low = min(bid_low, tick.low_ticks), min(ask_low, tick.low_ticks)
    found: dict[str, None] = {}
    for entries, bound in (
        (watched.bid_falls, bid_low),
        (watched.ask_rises, -ask_high),
        (watched.bid_rises, -bid_high),
        (watched.ask_falls, ask_low),
    ):
        index = len(entries) - 1
        while index >= 0 and entries[index][0] >= bound:
            found[entries[index][1]] = None
            index -= 1
    return found
