"""Traders and who follows whom."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, TypeAlias

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter

from server.api.answers import answer, command, page
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit, trader_of
from server.api.request import ApiRequest
from server.api.scanning import scan
from storage.paging import decode_cursor, encode_cursor
from streams.core.state import Trader
from streams.core.view import profile_view, record_view, trader_view
from streams.core.view.traders import reputation


TAG = "Network"

Mutual: TypeAlias = Annotated[
    bool, QueryParameter(description="Only those linked the other way too.")
]


@endpoint("GET", "/v1/traders", tag=TAG, summary="Traders", codes=("INVALID_CURSOR",))
async def list_traders(
    request: ApiRequest,
    text: Annotated[
        str | None,
        QueryParameter(
            name="query",
            min_length=1,
            max_length=80,
            description="Text in handle or name; one or two letters begin a word of it.",
        ),
    ] = None,
    min_reputation: Annotated[
        float | None, QueryParameter(description="Least reputation, in nats an idea.")
    ] = None,
    verified: FromQuery[bool | None] = None,
    tag: Annotated[
        str | None, QueryParameter(description="A tag of the trader, or of one of its ideas.")
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """List traders in order of joining; who has exactly the handle looked for comes first.

    A page may be short and still have a next one: go on as long as there is a cursor.
    """
    state, services = request.core, request.services
    begin = 0 if cursor is None else decode_cursor("traders", cursor, 1)[0]
    await services.traders.follow(state, services.replica.kernel.derived)
    sought = text.strip().casefold().removeprefix("@") if text else ""
    label = None if tag is None else tag.strip().casefold().removeprefix("#")
    authors: dict[str, None] = {}
    if tag is not None:
        services.ideas.follow(state)
        authors = {**services.ideas.authors_of(tag), **services.ideas.authors_of(label or "")}
    exact = state.handles.get(sought, "")

    def wanted(trader: Trader) -> bool:
        return (
            (trader.verified if verified else verified is None or not trader.verified)
            and (label is None or trader.trader in authors or label in trader.about.tags)
            and (not sought or services.traders.has_text(trader.trader, sought))
            and (min_reputation is None or reputation(state, trader.trader) >= min_reputation)
        )

    places = services.traders.candidates(sought or None, label, authors, verified)
    rows = services.traders.held(state, places, begin)
    found, last = scan(rows, lambda trader: trader.trader != exact and wanted(trader), limit)
    if exact and begin == 0 and wanted(state.traders[exact]):
        found.insert(0, state.traders[exact])
    following = None if last is None else encode_cursor("traders", last)
    return page(request, [trader_view(state, trader) for trader in found], following)


@endpoint(
    "GET", "/v1/traders/{trader:str}", tag=TAG, summary="One trader", codes=("UNKNOWN_TRADER",)
)
async def get_trader(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Show the public profile of an id or `@handle`, and how the caller and it are linked."""
    found = trader_of(request, trader)
    profile = profile_view(request.core, found)
    principal = request.principal
    if principal is not None and principal.trader in request.core.traders:
        profile["following_you"] = principal.trader in found.following
        profile["followed_by_you"] = principal.trader in found.followers
    return answer(request, profile)


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/statistics",
    tag=TAG,
    summary="What a trader has done, in numbers",
    codes=("UNKNOWN_TRADER",),
)
async def get_statistics(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Count trades, ideas and what became of them; undefined numbers are null, with a reason."""
    found = trader_of(request, trader)
    numbers = record_view(request.core, found)
    return answer(request, {"trader": found.trader, **numbers}, tagged=True)


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
    request: ApiRequest,
    trader: FromPath[str],
    mutual: Mutual = False,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """Page through followers in order of following."""
    found = trader_of(request, trader)
    also = found.following if mutual else None
    return _linked(request, found.followers, also, "followers", limit, cursor)


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/following",
    tag=TAG,
    summary="Whom a trader follows",
    codes=("UNKNOWN_TRADER", "INVALID_CURSOR"),
)
async def list_following(
    request: ApiRequest,
    trader: FromPath[str],
    mutual: Mutual = False,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """Page through followed traders in order of following."""
    found = trader_of(request, trader)
    also = found.followers if mutual else None
    return _linked(request, found.following, also, "following", limit, cursor)


def _linked(
    request: ApiRequest,
    links: dict[str, None],
    also: dict[str, None] | None,
    name: str,
    limit: int,
    cursor: str | None,
) -> Response[Any]:
    """Return a page of linked traders; who unfollows meanwhile moves the later ones up.

    With `also` only those that are linked the other way too: a page may then be short and still
    have a next one.
    """
    begin = 0 if cursor is None else min(decode_cursor(name, cursor, 1)[0], len(links))
    traders = request.core.traders
    rows = enumerate(islice(links, begin, None), begin + 1)
    found, last = scan(rows, lambda each: also is None or each in also, limit)
    following = None if last is None else encode_cursor(name, last)
    views = [trader_view(request.core, traders[each]) for each in found]
    return page(request, views, following)


ROUTES = [
    list_traders,
    get_trader,
    get_statistics,
    follow_trader,
    unfollow_trader,
    list_followers,
    list_following,
]
