"""Fee statements of a copy that left memory, by their numbers."""

from __future__ import annotations

from storage.history import ArchiveHistory, archived_event
from storage.paging import LIMIT_DEFAULT, check_limit
from storage.queries import load
from streams.core.events import CopyFeeCharged
from streams.core.state import Statement


_STATEMENTS = load("history")["statements"]


async def statements_before(
    history: ArchiveHistory,
    follower: str,
    leader: str,
    number: int,
    *,
    limit: int = LIMIT_DEFAULT,
) -> list[Statement]:
    """Return archived statements with numbers below `number`, newest first.

    Numbers count the statements of a copy without a gap, so how many newer ones to leave out
    follows from the newest in the archive, however far that is behind.

    Args:
        history: the archive.
        follower: who paid.
        leader: who was paid.
        number: of the statement that the caller has.
        limit: 1 to 200.

    Raises:
        ValueError: the limit is out of bounds.
        StorageError: see storage.errors.
    """
    check_limit(limit)
    newest = await _page(history, follower, leader, 0, 1)
    if not newest:
        return []
    newer = max(newest[0].number - number + 1, 0)
    return await _page(history, follower, leader, newer, limit)


async def _page(
    history: ArchiveHistory, follower: str, leader: str, skip: int, limit: int
) -> list[Statement]:
    rows = await history.fetch(_STATEMENTS, follower, leader, skip, limit)
    events = (archived_event(row).event for row in rows)
    return [event.statement for event in events if isinstance(event, CopyFeeCharged)]
