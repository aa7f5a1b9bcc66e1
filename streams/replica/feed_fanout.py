"""The `feed` channel: posts of followed traders, made for each reader who listens.

The core numbers a post once, under its author (`core.network.feed`). Here it becomes a frame for
every follower that has its feed open on this node, with that feed's own number.

Invariants:
    * The numbers of a feed are a function of the log: what the core's counters say after the
      entry, less what the entry still posted. So they are equal on every node.
    * Who follows an author is asked as of the post: links that the same entry changed are
      undone on the way back through its events.
    * Cost: for each post, the smaller of the author's followers and the feeds open here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from streams.core.events import TraderFollowed, TraderUnfollowed
from streams.core.kernel import Applied
from streams.core.network.feed import feed_seq
from streams.core.state import State
from streams.core.view import event_data
from streams.ports import Frame


POSTS, FEED = "posts:", "feed:"
STALE_NUMBERS_MAX = 1_000
"""Numbers remembered of feeds that nobody has open any more; then they are forgotten."""


class FeedFanout:
    """Frames of open feeds. Belongs to one publisher."""

    def __init__(self) -> None:
        self._numbers: dict[str, tuple[object, int]] = {}

    def frames(self, state: State, applied: Applied, feeds: Mapping[str, object]) -> list[Frame]:
        """Return the frames of an entry's posts, in order, for the feeds that are open.

        Args:
            state: as the entry left it; read only.
            applied: what the entry produced.
            feeds: see `publisher.FrameSink.feeds`.
        """
        found = _readings(state, applied, feeds)
        if not found:
            return []
        total = Counter(feed for feed, _ in found)
        numbers = {feed: self._before(state, feed, feeds[feed], total[feed]) for feed in total}
        data: dict[int, dict[str, Any]] = {}
        made = []
        ts_us = applied.ms * 1000
        for feed, index in found:
            numbers[feed] += 1
            if index not in data:
                data[index] = event_data(state, applied.events[index][1])
            made.append(Frame(feed, "feed", "ev", numbers[feed], ts_us, data[index]))
        for feed, number in numbers.items():
            self._numbers[feed] = feeds[feed], number
        if len(self._numbers) > len(feeds) + STALE_NUMBERS_MAX:
            self._numbers = {feed: self._numbers[feed] for feed in self._numbers if feed in feeds}
        return made

    def _before(self, state: State, feed: str, readers: object, posts: int) -> int:
        """Return a feed's number before the entry's posts.

        Remembered only as long as the feed stays open: a closed one misses posts.
        """
        known = self._numbers.get(feed)
        if known is not None and known[0] is readers:
            return known[1]
        return feed_seq(state, feed.removeprefix(FEED)) - posts


def _readings(state: State, applied: Applied, feeds: Mapping[str, object]) -> list[tuple[str, int]]:
    """Return (feed, index of the event) of every post for every open feed, in order."""
    posts = {index: key for key, _, index in applied.numbered if key.startswith(POSTS)}
    if not posts:
        return []
    undone: dict[tuple[str, str], bool] = {}
    found: list[tuple[str, int]] = []
    for index in range(len(applied.events) - 1, -1, -1):
        event = applied.events[index][1]
        if type(event) is TraderFollowed or type(event) is TraderUnfollowed:
            undone[event.trader, event.target] = type(event) is TraderUnfollowed
        elif index in posts:
            author = posts[index].removeprefix(POSTS)
            found += [(feed, index) for feed in _open_feeds(state, author, feeds, undone)]
    found.reverse()
    return found


def _open_feeds(
    state: State,
    author: str,
    feeds: Mapping[str, object],
    undone: dict[tuple[str, str], bool],
) -> Iterable[str]:
    """Return the open feeds of those who followed the author when links were as undone."""
    followers = state.traders[author].followers
    if len(followers) < len(feeds):
        chosen = {f"{FEED}{each}": None for each in followers if f"{FEED}{each}" in feeds}
    else:
        chosen = {feed: None for feed in feeds if feed.removeprefix(FEED) in followers}
    for (follower, target), followed in undone.items():
        feed = f"{FEED}{follower}"
        if target == author and feed in feeds:
            if followed:
                chosen[feed] = None
            else:
                chosen.pop(feed, None)
    return chosen
