"""Copying: relations of the caller to leaders, and why each signal was or was not executed."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Response
from litestar.params import FromPath, FromQuery, JSONBody

from server.api.answers import answer, command, page
from server.api.bodies import SetCopyBody, arguments
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit, trader_of
from server.api.problems import ApiError
from server.api.request import ApiRequest
from storage.paging import decode_cursor, encode_cursor
from storage.statements import statements_before
from streams.core.reasons import Reason
from streams.core.state import Copy
from streams.core.view import (
    FollowersResult,
    copy_view,
    event_data,
    fee_terms_view,
    stake_view,
    statement_view,
    statistics_view,
)
from streams.replica.requests import OnStop, SetFees


TAG = "Copying"

COPIES_PER_SLICE = 500
"""Followers looked at before the event loop gets a turn, about 2 ms."""

COPY_CODES = ("UNKNOWN_TRADER", "UNKNOWN_COPY", "COPY_STOPPED")


def copy_of(request: ApiRequest, leader: str) -> Copy:
    """Return the caller's copy of a leader, running or stopped.

    Raises:
        ApiError: `UNKNOWN_COPY`.
        CommandError: `UNKNOWN_TRADER`.
    """
    found = trader_of(request, leader).trader
    copy = request.core.copies.get(found, {}).get(request.caller.trader)
    if copy is None:
        raise ApiError("UNKNOWN_COPY", f"expected a copy of {found}, was none", field="leader")
    return copy


@endpoint(
    "PUT",
    "/v1/copies/{leader:str}",
    tag=TAG,
    summary="Start copying a leader, or patch the settings",
    access="account",
    scope="copy",
    codes=(
        "UNKNOWN_TRADER",
        "SELF_COPY",
        "LEADER_IS_COPY",
        "LEADER_SUSPENDED",
        "INVALID_SETTINGS",
        "INSUFFICIENT_FUNDS",
    ),
)
async def set_copy(
    request: ApiRequest, leader: FromPath[str], data: JSONBody[SetCopyBody]
) -> Response[Any]:
    """Set what the body names; every change makes a new version of the settings."""
    return await command(request, "set_copy", arguments(data, leader=leader))


@endpoint("GET", "/v1/copies", tag=TAG, summary="The caller's copies", access="account")
async def list_copies(request: ApiRequest) -> Response[Any]:
    """List running copies in order of their start."""
    state = request.core
    caller = request.caller.trader
    trader = state.traders.get(caller)
    leaders = [] if trader is None else list(trader.copying)
    items = [copy_view(state, state.copies[leader][caller]) for leader in leaders]
    return page(request, items, None)


@endpoint(
    "GET",
    "/v1/copies/{leader:str}",
    tag=TAG,
    summary="One copy",
    access="account",
    codes=("UNKNOWN_TRADER", "UNKNOWN_COPY"),
)
async def get_copy(request: ApiRequest, leader: FromPath[str]) -> Response[Any]:
    """Show settings, counts and the ring-fenced account, also of a stopped copy."""
    return answer(request, copy_view(request.core, copy_of(request, leader)))


@endpoint(
    "POST",
    "/v1/copies/{leader:str}/pause",
    tag=TAG,
    summary="Skip the leader's openings until resumed",
    access="account",
    scope="copy",
    codes=COPY_CODES,
)
async def pause_copy(request: ApiRequest, leader: FromPath[str]) -> Response[Any]:
    """Pause; closings still follow."""
    return await command(request, "pause_copy", {"leader": leader})


@endpoint(
    "POST",
    "/v1/copies/{leader:str}/resume",
    tag=TAG,
    summary="End a pause or close-only",
    access="account",
    scope="copy",
    codes=(*COPY_CODES, "COPY_NOT_PAUSED", "LEADER_SUSPENDED", "REL_HALTED", "REL_COOLDOWN"),
)
async def resume_copy(request: ApiRequest, leader: FromPath[str]) -> Response[Any]:
    """Resume."""
    return await command(request, "resume_copy", {"leader": leader})


@endpoint(
    "POST",
    "/v1/copies/{leader:str}/close-only",
    tag=TAG,
    summary="Follow only closings from now on",
    access="account",
    scope="copy",
    codes=COPY_CODES,
)
async def close_only_copy(request: ApiRequest, leader: FromPath[str]) -> Response[Any]:
    """Stop opening, keep closing."""
    return await command(request, "close_only_copy", {"leader": leader})


@endpoint(
    "DELETE",
    "/v1/copies/{leader:str}",
    tag=TAG,
    summary="Stop copying",
    access="account",
    scope="copy",
    codes=(*COPY_CODES, "INVALID_SETTINGS"),
)
async def stop_copy(
    request: ApiRequest, leader: FromPath[str], on_stop: FromQuery[OnStop | None] = None
) -> Response[Any]:
    """Stop; `on_stop` says what happens to the open positions, else the settings do."""
    return await command(request, "stop_copy", {"leader": leader, "on_stop": on_stop})


@endpoint(
    "GET",
    "/v1/copies/{leader:str}/decisions",
    tag=TAG,
    summary="One row for every signal, executed or skipped",
    access="account",
    codes=("UNKNOWN_TRADER", "INVALID_CURSOR", "STORE_UNAVAILABLE"),
)
async def list_decisions(
    request: ApiRequest,
    leader: FromPath[str],
    code: FromQuery[Reason | None] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """Page through decisions in the archive, newest first, with code and inputs."""
    history = request.services.history
    if history is None:
        raise ApiError("STORE_UNAVAILABLE", "this node has no PostgreSQL")
    rows = await history.decisions(
        follower=request.caller.trader,
        leader=trader_of(request, leader).trader,
        code=None if code is None else code.value,
        cursor=cursor,
        limit=limit,
    )
    state = request.core
    items = [{**event_data(state, row.event), "offset": str(row.offset)} for row in rows.items]
    return page(request, items, rows.next_cursor)


@endpoint(
    "GET",
    "/v1/copies/{leader:str}/statistics",
    tag=TAG,
    summary="How a copy went",
    access="account",
    codes=("UNKNOWN_TRADER", "UNKNOWN_COPY"),
)
async def get_statistics(request: ApiRequest, leader: FromPath[str]) -> Response[Any]:
    """Counts, execution, money, the copy gap in its parts, and what skips were worth."""
    return answer(request, statistics_view(request.core, copy_of(request, leader)))


@endpoint(
    "GET",
    "/v1/copies/{leader:str}/statements",
    tag=TAG,
    summary="Fee statements of a copy, newest first",
    access="account",
    codes=("UNKNOWN_TRADER", "UNKNOWN_COPY", "INVALID_CURSOR", "STORE_UNAVAILABLE"),
)
async def list_statements(
    request: ApiRequest, leader: FromPath[str], limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """List statements since the copy first began: the newest from memory, then from PostgreSQL.

    Each can be recomputed from the inputs that it names and the one before it.
    """
    copy = copy_of(request, leader)
    before = copy.fees.charges + 1
    if cursor is not None:
        before = min(before, decode_cursor("statements", cursor, 1)[0])
    held = reversed(copy.fees.statements)
    found = [statement for statement in held if statement.number < before][:limit]
    oldest = found[-1].number if found else before
    if len(found) < limit and oldest > 1:
        history = request.services.history
        if history is None:
            raise ApiError("STORE_UNAVAILABLE", "these statements left memory; no PostgreSQL here")
        found += await statements_before(
            history, copy.follower, copy.leader, oldest, limit=limit - len(found)
        )
    last = found[-1].number if found else 1
    more = encode_cursor("statements", last) if last > 1 else None
    return page(request, [statement_view(each) for each in found], more)


@endpoint(
    "PUT",
    "/v1/fees",
    tag=TAG,
    summary="Set what the caller asks of its followers",
    access="account",
    scope="copy",
    codes=("INVALID_SETTINGS",),
)
async def set_fees(request: ApiRequest, data: JSONBody[SetFees]) -> Response[Any]:
    """Set fees; existing followers only ever get what is lower."""
    return await command(request, "set_fees", arguments(data))


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/fees",
    tag=TAG,
    summary="What a leader asks of new followers",
    codes=("UNKNOWN_TRADER",),
)
async def get_fees(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Show the terms to which a new follower agrees."""
    return answer(request, fee_terms_view(trader_of(request, trader).fee_terms))


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/copiers",
    tag=TAG,
    summary="How the followers of a leader did",
    codes=("UNKNOWN_TRADER",),
)
async def get_copiers(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Median, quartiles and share with a profit, stopped followers included; the leader's stake."""
    state = request.core
    leader = trader_of(request, trader)
    result = FollowersResult(state)
    for number, copy in enumerate(list(state.copies.get(leader.trader, {}).values()), 1):
        result.add(copy)
        if number % COPIES_PER_SLICE == 0:
            await asyncio.sleep(0)
    return answer(
        request, {"trader": leader.trader, **result.view(), "stake": stake_view(state, leader)}
    )


ROUTES = [
    set_copy,
    list_copies,
    get_copy,
    pause_copy,
    resume_copy,
    close_only_copy,
    stop_copy,
    list_decisions,
    get_statistics,
    list_statements,
    set_fees,
    get_fees,
    get_copiers,
]
