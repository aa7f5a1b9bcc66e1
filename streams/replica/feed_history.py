"""What a reader of the `feed` channel missed, put together from what its authors posted.

A feed is stored nowhere. As long as the reader's links have not changed since the number it has,
the events it missed are the newest posts of those it follows, as many as the numbers differ by.
Whatever memory cannot answer for (links that changed, posts that left) is None, and the archive
answers (`storage.feed`).
"""

from __future__ import annotations

from itertools import islice

from streams.core.network.feed import feed_seq, posts_key
from streams.core.state import State
from streams.core.view import event_data
from streams.ports import Frame
from streams.replica.history import History, Kept


FEED_PREFIX = "feed:"

MISSED_MAX = 5_000
"""Events of a feed put together from memory for one reader; beyond it the archive is asked."""


def feed_number(state: State, key: str) -> int:
    """Return the newest number of a feed; 0 for whoever is no trader."""
    trader = key.removeprefix(FEED_PREFIX)
    return feed_seq(state, trader) if trader in state.traders else 0


def missed(state: State, history: History, key: str, after_seq: int) -> list[Kept] | None:
    """Return the events of a feed after a number, in order, or None when memory cannot tell.

    Args:
        state: links and counters; read only.
        history: recent posts.
        key: `feed:{trader}`.
        after_seq: number the reader has.
    """
    newest = feed_number(state, key)
    count = newest - after_seq
    if count <= 0:
        return []
    trader = state.traders[key.removeprefix(FEED_PREFIX)]
    if after_seq < trader.about.feed_floor or count > MISSED_MAX:
        return None
    rows = history.whole(history.merged(posts_key(author) for author in trader.following))
    found = [kept for _, kept in islice(rows, count)]
    if len(found) < count:
        return None
    found.reverse()
    return [
        Kept(number, kept.ts_us, kept.event)
        for number, kept in enumerate(found, start=after_seq + 1)
    ]


def feed_after(state: State, history: History, key: str, after_seq: int) -> list[Frame] | None:
    """Return the frames of a feed after a number, in order, or None when memory cannot tell."""
    found = missed(state, history, key, after_seq)
    if found is None:
        return None
    return [
        Frame(key, "feed", "ev", kept.seq, kept.ts_us, event_data(state, kept.event))
        for kept in found
    ]
