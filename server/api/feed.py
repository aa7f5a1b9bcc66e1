"""The feed of followed traders, and what the whole network does.

Both are put together when they are read: recent events from memory, the feed's older ones from
PostgreSQL. A cursor is a place in the log, so a page goes on anywhere and nothing shifts.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from litestar import Response

from server.api.access import may_see_signals
from server.api.answers import page
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, LIMIT_MAX, Cursor, Limit, own_trader
from server.api.request import ApiRequest
from storage.paging import INTEGER_MAX, decode_cursor, encode_cursor
from streams.core.network.feed import posts_key
from streams.core.view import event_data, format_time
from streams.replica.history import Kept, Place


TAG = "Network"

AUTHORS_PER_READ_MAX = 500
"""Followed traders whose archived posts are looked for; those followed last are taken."""

Row = tuple[str, Kept]
"""A channel's key and one of its events."""


@endpoint(
    "GET",
    "/v1/feed",
    tag=TAG,
    summary="Ideas and trades of followed traders, newest first",
    access="account",
    codes=("UNKNOWN_TRADER", "INVALID_CURSOR", "STORE_UNAVAILABLE"),
)
async def get_feed(
    request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """Merge what followed traders posted, in the order of the log; `at` is log time.

    Posts are kept from the time on when a trader has its first follower; those from before the
    caller followed it are shown too. The `feed` channel carries new ones.
    """
    limit = min(limit, LIMIT_MAX - 1)  # one more is read, to know whether there is a next page
    before = _decoded("feed", cursor)
    keys = [posts_key(author) for author in own_trader(request).following]
    history = request.services.replica.history
    rows = list(islice(history.whole(history.merged(keys, before)), limit + 1))
    if len(rows) <= limit and request.services.history is not None:
        rows += await _archived(request, keys, rows, before, limit + 1 - len(rows))
    items = [_item(request, row) for row in rows[:limit]]
    following = _encoded("feed", rows[limit - 1][1]) if len(rows) > limit else None
    return page(request, items, following)


async def _archived(
    request: ApiRequest, keys: list[str], rows: list[Row], before: Place | None, count: int
) -> list[Row]:
    """Return posts that are older than those from memory."""
    history = request.services.history
    if history is None or not keys:
        return []
    ts_us, entry_seq, index = rows[-1][1].place if rows else before or (INTEGER_MAX, 0, 0)
    found = await history.posts_before(
        keys[-AUTHORS_PER_READ_MAX:], (ts_us // 1000, entry_seq, index), limit=count
    )
    return [
        (
            key,
            Kept(0, each.entry_id.ms * 1000, each.event, each.entry_id.seq, each.event_index),
        )
        for key, each in found
    ]


@endpoint(
    "GET",
    "/v1/activity",
    tag=TAG,
    summary="What the network does, newest first",
    codes=("INVALID_CURSOR",),
)
async def get_activity(
    request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """List ideas, and trades whose signals the caller may see, of the last moments."""
    before = _decoded("activity", cursor)
    history = request.services.replica.history
    rows: list[Row] = []
    last: Kept | None = None
    for key, kept in history.newest_of_all(before):
        if len(rows) == limit:
            break
        last = kept
        if _shown(request, key):
            rows.append((key, kept))
    else:
        last = None
    following = None if last is None else _encoded("activity", last)
    return page(request, [_item(request, row) for row in rows], following)


def _shown(request: ApiRequest, key: str) -> bool:
    kind, _, trader = key.partition(":")
    if kind == "ideas":
        return not trader
    return kind == "signals" and may_see_signals(request, request.core.traders[trader])


def _item(request: ApiRequest, row: Row) -> dict[str, Any]:
    event = event_data(request.core, row[1].event)
    return {"at": format_time(row[1].ts_us), "trader": event.get("trader"), "event": event}


def _decoded(name: str, cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    ts_us, entry_seq, index = decode_cursor(name, cursor, 3)
    return ts_us, entry_seq, index


def _encoded(name: str, kept: Kept) -> str:
    return encode_cursor(name, *kept.place)


ROUTES = [get_feed, get_activity]
