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
from storage.paging import decode_cursor, encode_cursor
from streams.core.events import Event
from streams.core.view import channel_data


TAG = "Stream"

CODES = ("UNKNOWN_CHANNEL", "UNAUTHENTICATED", "FORBIDDEN", "INVALID_CURSOR", "STORE_UNAVAILABLE")

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
    items = _in_memory(request, info.key, after_seq, newest, limit)
    if items is None:
        items = await _archived(request, info.key, after_seq, limit)
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
        raise ApiError("STORE_UNAVAILABLE", "these events left memory; this node has no PostgreSQL")
    rows = await history.channel_after(key, after_seq, limit=limit)
    return [
        _item(request, key, row.seq, row.archived.entry_id.ms * 1000, row.archived.event)
        for row in rows
    ]


def _item(request: ApiRequest, key: str, seq: int, ts_us: int, event: Event) -> dict[str, Any]:
    return {"seq": seq, "ts": ts_us, "data": channel_data(request.core, key, event)}


ROUTES = [get_channel_history, get_stream_history]
