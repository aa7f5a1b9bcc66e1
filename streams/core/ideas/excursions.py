"""The best and the worst quote since any time, without looking at open ideas on each mark.

For each instrument with open ideas four runs are kept: highest bid, lowest bid, highest ask,
lowest ask. A run holds only values that no later one surpasses, so its first entry after a time
is the extreme since then: a mark costs O(1) in the long run, a question O(log n).

Invariants:
    * Times and values rise within a run.
    * A bar enters by the time at which it began, so that none counts that began before an entry.
    * A full run drops every second entry: then an extreme may be told too small, never too large.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from streams.core.commands import MarkRow
from streams.core.idea_state import IdeaWatch
from streams.core.limits import IDEA_PEAKS_MAX


class Extremes(NamedTuple):
    """Extreme quotes in ticks since a time."""

    bid_high: int
    bid_low: int
    ask_high: int
    ask_low: int


def record_quote(watched: IdeaWatch, row: MarkRow, began_us: int) -> None:
    """Take in a mark. Called by `evolve_*` only.

    Args:
        watched: changed in place.
        row: the quote, with high and low for a bar.
        began_us: market time at which the bar began; of a plain quote its own time.
    """
    bid, ask, high, low = row.bid_ticks, row.ask_ticks, row.high_ticks, row.low_ticks
    values = -bid, bid, -ask, ask
    if high:
        values = -max(bid, high), min(bid, low), -max(ask, high), min(ask, low)
    for run, value in zip(watched.peaks, values, strict=True):
        if not run or run[-1][0] <= began_us:
            # Nearly always: the newest time, so that later entries need no look.
            while run and run[-1][1] >= value:
                run.pop()
            run.append((began_us, value))
        else:
            _insert(run, began_us, value)
        if len(run) > IDEA_PEAKS_MAX:
            del run[::2]


def _insert(run: list[tuple[int, int]], at_us: int, value: int) -> None:
    """Enter a value that holds from an earlier time than the newest one."""
    after = len(run)
    while after and run[after - 1][0] > at_us:
        after -= 1
    if run[after][1] <= value:
        return
    first = after
    while first and run[first - 1][1] >= value:
        first -= 1
    run[first:after] = [(at_us, value)]


def since(watched: IdeaWatch, at_us: int) -> Extremes | None:
    """Return the extremes of all marks that began at a time or later; None when there are none."""
    found = []
    for run in watched.peaks:
        index = bisect_left(run, (at_us,))
        if index == len(run):
            return None
        found.append(run[index][1])
    return Extremes(-found[0], found[1], -found[2], found[3])
