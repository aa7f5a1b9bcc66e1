"""A reader's feed from the archive: who it followed when, and what those posted meanwhile.

Every change of links carries the number that the reader's feed had then, so a page is counted
from the newest change at or below the number asked for, not from the beginning.
"""

from __future__ import annotations

from typing import NamedTuple

from storage.history import ArchiveHistory, NumberedEvent
from storage.paging import LIMIT_DEFAULT, check_limit
from streams.core.events import TraderFollowed, TraderUnfollowed


Key = tuple[int, int, int]
"""Place of an event: (entry_ms, entry_seq, event_index)."""

END: Key = (2**62, 0, 0)


class Change(NamedTuple):
    """One change of a reader's links."""

    place: Key
    author: str
    followed: bool
    number: int


class Span(NamedTuple):
    """A time during which an author was followed: after `begin`, before `end`."""

    author: str
    begin: Key
    end: Key


def spans_after(changes: list[Change], after_seq: int) -> tuple[list[Span], int]:
    """Return the spans whose posts, in order, are the feed from some number on, and that number.

    Args:
        changes: all of a reader, in order.
        after_seq: the number that the reader has.
    """
    start, base = 0, 0
    for index, change in enumerate(changes):
        if change.number > after_seq:
            break
        start, base = index, change.number
    open_since: dict[str, Key] = {}
    spans: list[Span] = []
    for index, change in enumerate(changes):
        if change.followed:
            open_since[change.author] = change.place
        else:
            begin = open_since.pop(change.author)
            if index > start:
                spans.append(Span(change.author, begin, change.place))
        if index == start:
            open_since = dict.fromkeys(open_since, change.place)
    spans += [Span(author, begin, END) for author, begin in open_since.items()]
    return spans, base


async def feed_after(
    history: ArchiveHistory, trader: str, after_seq: int, *, limit: int = LIMIT_DEFAULT
) -> list[NumberedEvent]:
    """Return events of a trader's feed after a number, in order.

    Args:
        history: the archive.
        trader: whose feed.
        after_seq: the last number the reader has.
        limit: 1 to 200.

    Raises:
        ValueError: the limit is out of bounds.
        StorageError: see storage.errors.
    """
    check_limit(limit)
    changes = []
    for archived in await history.links_of(trader):
        event = archived.event
        if isinstance(event, TraderFollowed | TraderUnfollowed):
            place = (*archived.entry_id, archived.event_index)
            followed = isinstance(event, TraderFollowed)
            changes.append(Change(place, event.target, followed, event.feed_seq))
    spans, base = spans_after(changes, after_seq)
    rows = await history.posts_within(
        [(f"posts:{span.author}", *span.begin, *span.end) for span in spans],
        skip=after_seq - base,
        limit=limit,
    )
    return [NumberedEvent(after_seq + 1 + index, row) for index, row in enumerate(rows)]
