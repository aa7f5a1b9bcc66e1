"""Settings of copies beyond one patch: their versions, and what holds for many copies at once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from server.api.answers import answer, command, page
from server.api.bodies import SetCopyScopeBody, arguments
from server.api.copies import COPY_CODES, TAG, copy_of
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit
from server.api.problems import ApiError
from server.api.request import ApiRequest
from streams.core.view import event_data, scope_view


Scope = Literal["leader", "portfolio"]

VERSIONS_READ_MAX = 200
"""Versions read from the archive at a time when one is looked for."""


@endpoint(
    "GET",
    "/v1/copies/{leader:str}/settings",
    tag=TAG,
    summary="Every version of a copy's settings",
    access="account",
    codes=("UNKNOWN_TRADER", "UNKNOWN_COPY", "INVALID_CURSOR", "STORE_UNAVAILABLE", "NOT_FOUND"),
)
async def list_settings(
    request: ApiRequest,
    leader: FromPath[str],
    version: Annotated[int | None, QueryParameter(ge=1, description="Only this version.")] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """Page through the versions in the archive, newest first, or show one."""
    copy = copy_of(request, leader)
    history = request.services.history
    if history is None:
        raise ApiError("STORE_UNAVAILABLE", "this node has no PostgreSQL")
    state = request.core
    while True:
        rows = await history.copy_settings(
            follower=copy.follower,
            leader=copy.leader,
            cursor=cursor,
            limit=limit if version is None else VERSIONS_READ_MAX,
        )
        items = [{**event_data(state, row.event), "offset": str(row.offset)} for row in rows.items]
        if version is None:
            return page(request, items, rows.next_cursor)
        for item in items:
            if item["settings_version"] == version:
                return answer(request, item)
        cursor = rows.next_cursor
        if cursor is None:
            raise ApiError("NOT_FOUND", f"expected a version up to {copy.version}, was {version}")


@endpoint(
    "GET",
    "/v1/copy-scopes/{level:str}",
    tag=TAG,
    summary="Settings for all copies of the caller, or by the caller",
    access="account",
)
async def get_scope(request: ApiRequest, level: FromPath[Scope]) -> Response[Any]:
    """Show what `leader` (who copies the caller) or `portfolio` (whom the caller copies) sets."""
    scopes = request.core.copy_desk.scopes
    return answer(request, scope_view(level, scopes.get(f"{level}:{request.caller.trader}")))


@endpoint(
    "PUT",
    "/v1/copy-scopes/{level:str}",
    tag=TAG,
    summary="Patch the settings for all copies of the caller, or by the caller",
    access="account",
    scope="copy",
    codes=("UNKNOWN_TRADER", "INVALID_SETTINGS"),
)
async def set_scope(
    request: ApiRequest, level: FromPath[Scope], data: JSONBody[SetCopyScopeBody]
) -> Response[Any]:
    """Filters add to those of each copy at once; values reach copies that set none themselves."""
    return await command(request, "set_copy_scope", arguments(data, scope=level))


@endpoint(
    "POST",
    "/v1/copies/{leader:str}/resync",
    tag=TAG,
    summary="Bring the copy to the leader's present weights",
    access="account",
    scope="copy",
    codes=(*COPY_CODES, "REL_PAUSED", "REL_CLOSE_ONLY", "REL_HALTED", "REL_COOLDOWN"),
)
async def resync_copy(request: ApiRequest, leader: FromPath[str]) -> Response[Any]:
    """Close what is too much and open what is missing, through the gates."""
    return await command(request, "resync_copy", {"leader": leader})


@endpoint(
    "POST",
    "/v1/copies/{leader:str}/positions/close",
    tag=TAG,
    summary="Close one copied position by hand",
    access="account",
    scope="copy",
    codes=(*COPY_CODES, "NO_COPIED_POSITION"),
)
async def close_copy_position(
    request: ApiRequest, leader: FromPath[str], symbol: FromQuery[str]
) -> Response[Any]:
    """Close at the quote; the leader's leg in it is no longer followed."""
    return await command(request, "close_copy_position", {"leader": leader, "symbol": symbol})


ROUTES = [list_settings, get_scope, set_scope, resync_copy, close_copy_position]
