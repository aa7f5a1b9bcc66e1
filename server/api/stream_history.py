"""Missing events of lossless channels: what a client that was away too long asks for."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, QueryParameter

from server.api.answers import page
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit
from server.api.problems import ApiError
from server.api.request import ApiRequest
from storage.feed import feed_after
from storage.paging import decode_cursor, encode_cursor
from streams.core.events import Event
from streams.core.view import channel_data
from streams.replica.feed_history import FEED_PREFIX, missed


TAG = "Stream"

CODES = ("UNKNOWN_CHANNEL", "UNAUTHENTICATED", "FORBIDDEN", "INVALID_CURSOR", "STORE_UNAVAILABLE")

GONE = "these events left memory; this node has no PostgreSQL"

AfterSeq = Annotated[int, QueryParameter(ge=0, description="Number of the last event you have.")]


@endpoint(
    "GET",
    "/v1/channels/{channel:str}/history",
    tag=TAG,
    summary="Events of a lossless channel after a number",
    codes=CODES,
)
async def get_channel_history(
    request: ApiRequest,
    channel: FromPath[str],
    after_seq: AfterSeq = 0,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """List events in order of numbers; go on with `after_seq` = the last one's number."""
    return await _history(request, channel, after_seq, limit, cursor)


@endpoint(
    "GET",
    "/v1/stream/history",
    tag=TAG,
    summary="The same, under the path that `subscribe` answers with",
    codes=CODES,
)
async def get_stream_history(
    request: ApiRequest,
    ch: Annotated[str, QueryParameter(description="Name of the channel.")],
    epoch: Annotated[
        str | None, QueryParameter(max_length=64, description="Epoch of the numbers you have.")
    ] = None,
    after_seq: AfterSeq = 0,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """List events in order of numbers.

    `epoch_changed` says that the numbers were of an earlier life of the log: what the archive
    holds after them is listed, and the last of what you have may not be in it.
    """
    return await _history(request, ch, after_seq, limit, cursor, epoch)


async def _history(
    request: ApiRequest,
    channel: str,
    after_seq: int,
    limit: int,
    cursor: str | None,
    epoch: str | None = None,
) -> Response[Any]:
    services = request.services
    info = services.source.resolve(channel, request.principal)
    if isinstance(info, str):
        raise ApiError(info, f"channel {channel} cannot be read with this credential")
    if info.conflatable:
        raise ApiError(
            "INVALID_ARGUMENT", f"expected a lossless channel, was {channel}", field="channel"
        )
    if cursor is not None:
        after_seq = decode_cursor("channel_seq", cursor, 1)[0]
    newest = services.source.seq(info.key)
    items = await _events(request, info.key, after_seq, newest, limit)
    more = bool(items) and items[-1]["seq"] < newest
    return page(
        request,
        items,
        encode_cursor("channel_seq", items[-1]["seq"]) if more else None,
        ch=info.name,
        epoch=services.source.epoch,
        epoch_changed=epoch not in (None, services.source.epoch),
        newest_seq=newest,
    )


async def _events(
    request: ApiRequest, key: str, after_seq: int, newest: int, limit: int
) -> list[dict[str, Any]]:
    if key.startswith(FEED_PREFIX):
        return await _feed(request, key, after_seq, limit)
    items = _in_memory(request, key, after_seq, newest, limit)
    return await _archived(request, key, after_seq, limit) if items is None else items


async def _feed(request: ApiRequest, key: str, after_seq: int, limit: int) -> list[dict[str, Any]]:
    """Return events of the caller's feed: from memory when it can tell, else from the archive."""
    services = request.services
    found = missed(request.core, services.replica.history, key, after_seq)
    if found is not None:
        return [_item(request, key, each.seq, each.ts_us, each.event) for each in found[:limit]]
    if services.history is None:
        raise ApiError("STORE_UNAVAILABLE", GONE)
    rows = await feed_after(services.history, key.removeprefix(FEED_PREFIX), after_seq, limit=limit)
    return [
        _item(request, key, row.seq, row.archived.entry_id.ms * 1000, row.archived.event)
        for row in rows
    ]


def _in_memory(
    request: ApiRequest, key: str, after_seq: int, newest: int, limit: int
) -> list[dict[str, Any]] | None:
    """Return events from memory, or None when it no longer holds all of them."""
    if after_seq >= newest:
        return []
    held = request.services.replica.history.newest_first(key)
    if not held or held[-1].seq > after_seq + 1:
        return None
    later = islice((kept for kept in reversed(held) if kept.seq > after_seq), limit)
    return [_item(request, key, kept.seq, kept.ts_us, kept.event) for kept in later]


async def _archived(
    request: ApiRequest, key: str, after_seq: int, limit: int
) -> list[dict[str, Any]]:
    history = request.services.history
    if history is None:
        raise ApiError("STORE_UNAVAILABLE", GONE)
    rows = await history.channel_after(key, after_seq, limit=limit)
    return [
        _item(request, key, row.seq, row.archived.entry_id.ms * 1000, row.archived.event)
        for row in rows
    ]


def _item(request: ApiRequest, key: str, seq: int, ts_us: int, event: Event) -> dict[str, Any]:
    return {"seq": seq, "ts": ts_us, "data": channel_data(request.core, key, event)}


ROUTES = [get_channel_history, get_stream_history]
