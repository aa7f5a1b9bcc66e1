"""Events of one lossless channel, newest first: from memory as far as it goes, then PostgreSQL."""

from __future__ import annotations

from server.api.problems import ApiError
from server.api.request import ApiRequest
from storage.paging import LIMIT_DEFAULT, encode_cursor
from streams.replica.history import Kept


async def newest_first(
    request: ApiRequest, key: str, before_seq: int, least_seq: int, limit: int
) -> list[Kept]:
    """Return up to `limit` events with numbers from `least_seq` to below `before_seq`.

    Args:
        request: gives memory and PostgreSQL.
        key: the channel's key inside the node.
        before_seq: above the newest number for the first page.
        least_seq: the oldest number wanted, at least 1.
        limit: 1 to 200.

    Raises:
        ApiError: `STORE_UNAVAILABLE`, what is asked for left memory and there is no PostgreSQL.
        StorageError: see storage.errors.
    """
    before_seq = min(before_seq, request.services.source.seq(key) + 1)
    if before_seq <= least_seq:
        return []
    held = request.services.replica.history.newest_first(key)
    wanted = [kept for kept in held if least_seq <= kept.seq < before_seq][:limit]
    # what memory holds of a channel has no holes, so only its end may be missing
    if wanted and (len(wanted) == limit or wanted[-1].seq == least_seq):
        return wanted
    history = request.services.history
    if history is None:
        raise ApiError("STORE_UNAVAILABLE", "these events left memory; this node has no PostgreSQL")
    oldest = wanted[-1].seq if wanted else before_seq
    found = await history.channel_page(
        key, cursor=encode_cursor("channel", oldest), limit=limit - len(wanted) or LIMIT_DEFAULT
    )
    archived = [
        Kept(row.seq, row.archived.entry_id.ms * 1000, row.archived.event) for row in found.items
    ]
    return wanted + [kept for kept in archived if kept.seq >= least_seq]
