"""What a trader is told: its notifications, newest first, how far it has read, and its levels.

Notifications are the events of the caller's `notifications` channel: recent ones come from
memory, older ones from PostgreSQL, in one order under one number.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response
from litestar.params import JSONBody, QueryParameter

from server.api.answers import answer, command, page
from server.api.bodies import arguments
from server.api.endpoint import endpoint
from server.api.numbered import newest_first
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit, own_trader
from server.api.request import ApiRequest
from storage.paging import decode_cursor, encode_cursor
from streams.core.network.notices import CATEGORIES, level_of, unread
from streams.core.view import channel_data, format_time
from streams.replica.requests import ReadNotifications, SetNotificationLevels


TAG = "Notifications"


@endpoint(
    "GET",
    "/v1/notifications",
    tag=TAG,
    summary="My notifications, newest first",
    access="account",
    codes=("UNKNOWN_TRADER", "INVALID_CURSOR", "STORE_UNAVAILABLE"),
)
async def list_notifications(
    request: ApiRequest,
    unread_only: Annotated[
        bool, QueryParameter(name="unread", description="Only those that are not read.")
    ] = False,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """List notifications; `seq` is the number in the channel, `at` the log time."""
    state, trader = request.core, own_trader(request)
    read_through = trader.about.notices_read
    key = f"notifications:{trader.trader}"
    newest = request.services.source.seq(key)
    before = newest + 1 if cursor is None else decode_cursor("notifications", cursor, 1)[0]
    least = read_through + 1 if unread_only else 1
    rows = await newest_first(request, key, before, least, limit)
    items = [
        {
            "seq": row.seq,
            "at": format_time(row.ts_us),
            "read": row.seq <= read_through,
            **channel_data(state, key, row.event),
        }
        for row in rows
    ]
    more = bool(rows) and rows[-1].seq > least
    return page(
        request,
        items,
        encode_cursor("notifications", rows[-1].seq) if more else None,
        read_through=read_through,
        unread=unread(state, trader),
        newest_seq=newest,
    )


@endpoint(
    "POST",
    "/v1/notifications/read",
    tag=TAG,
    summary="Mark notifications as read",
    access="account",
    scope="trade",
    codes=("UNKNOWN_TRADER", "INVALID_SETTINGS"),
)
async def read_notifications(request: ApiRequest, data: JSONBody[ReadNotifications]) -> Any:
    """Mark as read up to and with the number `through`; going back is not possible."""
    return await command(request, "read_notifications", arguments(data))


@endpoint(
    "GET",
    "/v1/notifications/levels",
    tag=TAG,
    summary="What I am told of",
    access="account",
    codes=("UNKNOWN_TRADER",),
)
async def get_levels(request: ApiRequest) -> Response[Any]:
    """Show the level of each category: `all`, `important` or `off`."""
    trader = own_trader(request)
    return answer(request, {"levels": {name: level_of(trader, name) for name in CATEGORIES}})


@endpoint(
    "PATCH",
    "/v1/notifications/levels",
    tag=TAG,
    summary="Change what I am told of",
    access="account",
    scope="trade",
    codes=("UNKNOWN_TRADER", "INVALID_SETTINGS"),
)
async def patch_levels(request: ApiRequest, data: JSONBody[SetNotificationLevels]) -> Any:
    """Change the categories that the body names; what is off is neither listed nor sent."""
    return await command(request, "set_notification_levels", arguments(data))


ROUTES = [list_notifications, read_notifications, get_levels, patch_levels]
