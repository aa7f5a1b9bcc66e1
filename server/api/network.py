"""Traders and who follows whom."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter

from server.api.answers import answer, command, page
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit, trader_of
from server.api.request import ApiRequest
from server.api.scanning import scan
from storage.paging import decode_cursor, encode_cursor
from streams.core.state import Trader
from streams.core.view import trader_view


TAG = "Network"


@endpoint("GET", "/v1/traders", tag=TAG, summary="Traders", codes=("INVALID_CURSOR",))
async def list_traders(
    request: ApiRequest,
    text: Annotated[
        str | None,
        QueryParameter(
            name="query", min_length=1, max_length=80, description="Text in handle or name."
        ),
    ] = None,
    verified: FromQuery[bool | None] = None,
    tag: Annotated[
        str | None, QueryParameter(description="A tag of one of the trader's ideas.")
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """List traders in order of joining.

    With a text to look for a page may be short: go on as long as there is a cursor.
    """
    state = request.core
    begin = 0 if cursor is None else decode_cursor("traders", cursor, 1)[0]
    sought = text.casefold().removeprefix("@") if text else None
    authors: dict[str, None] | None = None
    if tag is not None:
        request.services.ideas.follow(state)
        authors = request.services.ideas.authors_of(tag)

    def wanted(trader: Trader) -> bool:
        return (
            verified in (None, trader.verified)
            and (authors is None or trader.trader in authors)
            and (sought is None or sought in trader.handle or sought in trader.name.casefold())
        )

    rows = enumerate(islice(state.traders.values(), begin, None), begin + 1)
    found, last = scan(rows, wanted, limit)
    following = None if last is None else encode_cursor("traders", last)
    return page(request, [trader_view(state, trader) for trader in found], following)


@endpoint(
    "GET", "/v1/traders/{trader:str}", tag=TAG, summary="One trader", codes=("UNKNOWN_TRADER",)
)
async def get_trader(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Show the public profile of an id or `@handle`."""
    return answer(request, trader_view(request.core, trader_of(request, trader)))


@endpoint(
    "PUT",
    "/v1/traders/{trader:str}/follow",
    tag=TAG,
    summary="Follow a trader",
    access="account",
    scope="trade",
    codes=("UNKNOWN_TRADER", "SELF_FOLLOW", "ALREADY_FOLLOWING"),
)
async def follow_trader(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Follow."""
    return await command(request, "follow_trader", {"trader": trader})


@endpoint(
    "DELETE",
    "/v1/traders/{trader:str}/follow",
    tag=TAG,
    summary="Stop following a trader",
    access="account",
    scope="trade",
    codes=("UNKNOWN_TRADER", "NOT_FOLLOWING"),
)
async def unfollow_trader(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Stop following."""
    return await command(request, "unfollow_trader", {"trader": trader})


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/followers",
    tag=TAG,
    summary="Who follows a trader",
    codes=("UNKNOWN_TRADER", "INVALID_CURSOR"),
)
async def list_followers(
    request: ApiRequest, trader: FromPath[str], limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """Page through followers in order of following."""
    return _linked(request, trader_of(request, trader).followers, "followers", limit, cursor)


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/following",
    tag=TAG,
    summary="Whom a trader follows",
    codes=("UNKNOWN_TRADER", "INVALID_CURSOR"),
)
async def list_following(
    request: ApiRequest, trader: FromPath[str], limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """Page through followed traders in order of following."""
    return _linked(request, trader_of(request, trader).following, "following", limit, cursor)


def _linked(
    request: ApiRequest, links: dict[str, None], name: str, limit: int, cursor: str | None
) -> Response[Any]:
    """Return a page of linked traders; who unfollows meanwhile moves the later ones up."""
    begin = 0 if cursor is None else min(decode_cursor(name, cursor, 1)[0], len(links))
    state = request.core
    chosen = list(islice(links, begin, begin + limit))
    end = begin + len(chosen)
    following = encode_cursor(name, end) if end < len(links) else None
    return page(request, [trader_view(state, state.traders[each]) for each in chosen], following)


ROUTES = [
    list_traders,
    get_trader,
    follow_trader,
    unfollow_trader,
    list_followers,
    list_following,
]
