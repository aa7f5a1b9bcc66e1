"""What a day's fairness report was added up from: its openings and signals, in order.

A day reaches from the event that closed the one before it to the event that closed it, because
the report does; the market time of a signal may be a moment past the day that counts it.
"""

from __future__ import annotations

from typing import NamedTuple

from storage.history import ArchivedEvent, ArchiveHistory, archived_event
from storage.paging import LIMIT_DEFAULT, check_limit
from storage.queries import load
from streams.core.events import CopyDecided, DayClosed, SignalDispatched
from streams.core.limits import FAIRNESS_DAYS_MAX


_SQL = load("history")

Place = tuple[int, int, int]
"""Of an event: (entry_ms, entry_seq, event_index)."""

BEGIN: Place = (0, 0, 0)

DAYS_LOOKED_AT_MAX = 4 * FAIRNESS_DAYS_MAX
"""Closings looked through for a day; a recording that is played again closes days again."""


class DaySpan(NamedTuple):
    """Where a day stands in the log: after `begin`, before `end`."""

    begin: Place
    end: Place


class Openings(NamedTuple):
    """Some openings and signals of a day in order.

    Attributes:
        events: (event, rank): the place of an opening in its signal, 0 = served first.
        after: place and rank to go on from, None at the end of the day.
    """

    events: list[tuple[CopyDecided | SignalDispatched, int]]
    after: tuple[Place, int] | None


async def span_of_day(history: ArchiveHistory, day: int) -> DaySpan | None:
    """Return where a day stands, None while the archive does not hold its end.

    Args:
        history: the archive.
        day: UTC days since 1970.

    Raises:
        StorageError: see storage.errors.
    """
    rows = await history.fetch(_SQL["days_closed"], DAYS_LOOKED_AT_MAX)
    closed = [archived_event(row) for row in rows]
    for at, found in enumerate(closed):
        if isinstance(found.event, DayClosed) and found.event.day == day:
            begin = _place(closed[at + 1]) if at + 1 < len(closed) else BEGIN
            return DaySpan(begin, _place(found))
    return None


async def openings_of_day(
    history: ArchiveHistory,
    span: DaySpan,
    after: tuple[Place, int] | None = None,
    *,
    limit: int = LIMIT_DEFAULT,
) -> Openings:
    """Return a page of what a day's report was added up from.

    Args:
        history: the archive.
        span: of the day.
        after: of the page before.
        limit: events looked at, 1 to 200; closings among them are left out.

    Raises:
        ValueError: the limit is out of bounds.
        StorageError: see storage.errors.
    """
    check_limit(limit)
    place, rank = after or (span.begin, 0)
    rows = await history.fetch(_SQL["openings_between"], *place, *span.end, limit)
    found = [archived_event(row) for row in rows]
    events: list[tuple[CopyDecided | SignalDispatched, int]] = []
    for each in found:
        event = each.event
        if isinstance(event, SignalDispatched):
            events.append((event, rank))
            rank = 0
        elif isinstance(event, CopyDecided) and event.leg == "open" and event.signal_seq:
            events.append((event, rank))
            rank += 1
    more = len(found) == limit
    return Openings(events, (_place(found[-1]), rank) if more else None)


def _place(archived: ArchivedEvent) -> Place:
    return (*archived.entry_id, archived.event_index)
