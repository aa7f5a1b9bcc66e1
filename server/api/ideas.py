"""Trade ideas: their life, the lists of them, likes and comments."""

from __future__ import annotations

import heapq
from typing import Annotated, Any, Literal

from litestar import Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from server.api.access import may_see_idea
from server.api.answers import answer, command, page
from server.api.bodies import CloseIdeaBody, CommentIdeaBody, EditIdeaBody, arguments
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit, instrument_of, trader_of
from server.api.problems import ApiError
from server.api.request import ApiRequest
from server.api.scanning import SCAN_MAX, scan
from storage.paging import decode_cursor, encode_cursor
from streams.core.idea_state import Idea
from streams.core.view import comment_view, idea_view
from streams.replica.requests import CreateIdea


TAG = "Ideas"

IdeaStatus = Literal["draft", "published", "closed"]
TradeType = Literal["buy", "sell", "short", "cover"]
Sort = Literal["new", "trending", "top"]

COMMENT_WEIGHT = 2
"""A comment counts as much as this many likes."""

TRENDING_HOURS = 2.0
TRENDING_POWER = 1.5
"""Trending: reactions / (age in hours + hours) ** power."""

WRITE_CODES = ("UNKNOWN_IDEA", "NOT_OWNER")


def _idea_of(request: ApiRequest, name: str) -> Idea:
    idea = request.core.ideas.get(name)
    if idea is None or not may_see_idea(request, idea):
        raise ApiError("UNKNOWN_IDEA", f"no idea {name}", field="idea")
    return idea


@endpoint(
    "POST",
    "/v1/ideas",
    tag=TAG,
    summary="Publish an idea or keep a draft",
    access="account",
    scope="trade",
    status=201,
    codes=("UNKNOWN_TRADER", "UNKNOWN_INSTRUMENT", "INSTRUMENT_SETTLED", "IDEA_LEVELS_INVALID"),
)
async def create_idea(request: ApiRequest, data: JSONBody[CreateIdea]) -> Response[Any]:
    """Create an idea; `publish` false keeps a draft that only its author sees."""
    return await command(request, "create_idea", arguments(data), status=201)


@endpoint(
    "PATCH",
    "/v1/ideas/{idea:str}",
    tag=TAG,
    summary="Edit an idea",
    access="account",
    scope="trade",
    codes=(*WRITE_CODES, "IDEA_TERMS_IMMUTABLE", "IDEA_LEVELS_INVALID", "UNKNOWN_INSTRUMENT"),
)
async def edit_idea(
    request: ApiRequest, idea: FromPath[str], data: JSONBody[EditIdeaBody]
) -> Response[Any]:
    """Change a draft in any field, a published idea only in title, thesis and tags."""
    return await command(request, "edit_idea", arguments(data, idea=idea))


@endpoint(
    "POST",
    "/v1/ideas/{idea:str}/publish",
    tag=TAG,
    summary="Publish a draft",
    access="account",
    scope="trade",
    codes=(*WRITE_CODES, "IDEA_NOT_DRAFT", "IDEA_LEVELS_INVALID", "INSTRUMENT_SETTLED"),
)
async def publish_idea(request: ApiRequest, idea: FromPath[str]) -> Response[Any]:
    """Publish; from now on the terms never change."""
    return await command(request, "publish_idea", {"idea": idea})


@endpoint(
    "POST",
    "/v1/ideas/{idea:str}/close",
    tag=TAG,
    summary="Close an idea",
    access="account",
    scope="trade",
    codes=(*WRITE_CODES, "IDEA_NOT_PUBLISHED"),
)
async def close_idea(
    request: ApiRequest, idea: FromPath[str], data: JSONBody[CloseIdeaBody]
) -> Response[Any]:
    """End an idea, with a reason and the exit price if there is one."""
    return await command(request, "close_idea", arguments(data, idea=idea))


@endpoint(
    "GET",
    "/v1/ideas",
    tag=TAG,
    summary="Ideas, newest, trending or top first",
    codes=("UNKNOWN_TRADER", "UNKNOWN_INSTRUMENT", "INVALID_CURSOR"),
)
async def list_ideas(
    request: ApiRequest,
    symbol: FromQuery[str | None] = None,
    trader: FromQuery[str | None] = None,
    status: FromQuery[IdeaStatus | None] = None,
    trade_type: FromQuery[TradeType | None] = None,
    tag: FromQuery[str | None] = None,
    text: Annotated[
        str | None,
        QueryParameter(
            name="query", min_length=1, max_length=100, description="Text in title or thesis."
        ),
    ] = None,
    sort: FromQuery[Sort] = "new",
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """List ideas in memory that match all filters; drafts only for their author.

    `trending` and `top` rank the newest 5,000 that match symbol and trader. With a text to look
    for a page may be short: go on as long as there is a cursor.
    """
    state = request.core
    author = None if trader is None else trader_of(request, trader).trader
    if symbol is not None:
        instrument_of(request, symbol)
    sought = text.casefold() if text else None

    def wanted(idea: Idea) -> bool:
        return (
            may_see_idea(request, idea)
            and symbol in (None, idea.symbol)
            and status in (None, idea.status)
            and trade_type in (None, idea.trade_type)
            and (tag is None or tag in idea.tags)
            and (sought is None or sought in f"{idea.title}\n{idea.thesis}".casefold())
        )

    index = request.services.ideas
    index.follow(state)
    if sort == "new":
        before = None if cursor is None else decode_cursor("ideas", cursor, 1)[0]
        places = index.newest_first(state, before=before, trader=author, symbol=symbol)
        found, last = scan(places, wanted, limit)
        following = None if last is None else encode_cursor("ideas", last)
        return page(request, [idea_view(state, idea) for idea in found], following)
    skipped = 0 if cursor is None else decode_cursor(sort, cursor, 1)[0]
    places = index.newest_first(state, before=None, trader=author, symbol=symbol)
    candidates, _ = scan(places, wanted, SCAN_MAX)
    now_us = state.market_at_us
    ranked = heapq.nlargest(
        skipped + limit + 1, candidates, key=lambda idea: _score(idea, sort, now_us)
    )
    more = len(ranked) > skipped + limit
    following = encode_cursor(sort, skipped + limit) if more else None
    rows = [idea_view(state, idea) for idea in ranked[skipped : skipped + limit]]
    return page(request, rows, following)


def _score(idea: Idea, sort: Sort, now_us: int) -> tuple[float, int]:
    reactions = len(idea.likes) + COMMENT_WEIGHT * len(idea.comments)
    if sort == "top":
        return float(reactions), idea.published_at_us
    age_hours = max(0, now_us - idea.published_at_us) / 3_600_000_000
    return reactions / (age_hours + TRENDING_HOURS) ** TRENDING_POWER, idea.published_at_us


@endpoint("GET", "/v1/ideas/{idea:str}", tag=TAG, summary="One idea", codes=("UNKNOWN_IDEA",))
async def get_idea(request: ApiRequest, idea: FromPath[str]) -> Response[Any]:
    """Show an idea; a draft only to its author."""
    return answer(request, idea_view(request.core, _idea_of(request, idea)))


@endpoint(
    "PUT",
    "/v1/ideas/{idea:str}/like",
    tag=TAG,
    summary="Like an idea",
    access="account",
    scope="trade",
    codes=("UNKNOWN_IDEA", "IDEA_NOT_PUBLISHED", "ALREADY_LIKED"),
)
async def like_idea(request: ApiRequest, idea: FromPath[str]) -> Response[Any]:
    """Like."""
    return await command(request, "like_idea", {"idea": idea})


@endpoint(
    "DELETE",
    "/v1/ideas/{idea:str}/like",
    tag=TAG,
    summary="Take a like back",
    access="account",
    scope="trade",
    codes=("UNKNOWN_IDEA", "NOT_LIKED"),
)
async def unlike_idea(request: ApiRequest, idea: FromPath[str]) -> Response[Any]:
    """Take a like back."""
    return await command(request, "unlike_idea", {"idea": idea})


@endpoint(
    "GET",
    "/v1/ideas/{idea:str}/comments",
    tag=TAG,
    summary="Comments, oldest first",
    codes=("UNKNOWN_IDEA", "INVALID_CURSOR"),
)
async def list_comments(
    request: ApiRequest, idea: FromPath[str], limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """Page through the comments of an idea."""
    comments = _idea_of(request, idea).comments
    begin = 0 if cursor is None else decode_cursor("comments", cursor, 1)[0]
    end = begin + limit
    following = encode_cursor("comments", end) if end < len(comments) else None
    return page(request, [comment_view(each) for each in comments[begin:end]], following)


@endpoint(
    "POST",
    "/v1/ideas/{idea:str}/comments",
    tag=TAG,
    summary="Comment an idea",
    access="account",
    scope="trade",
    status=201,
    codes=("UNKNOWN_IDEA", "UNKNOWN_COMMENT", "IDEA_NOT_PUBLISHED"),
)
async def comment_idea(
    request: ApiRequest, idea: FromPath[str], data: JSONBody[CommentIdeaBody]
) -> Response[Any]:
    """Comment, or answer a comment."""
    return await command(request, "comment_idea", arguments(data, idea=idea), status=201)


ROUTES = [
    create_idea,
    edit_idea,
    publish_idea,
    close_idea,
    list_ideas,
    get_idea,
    like_idea,
    unlike_idea,
    list_comments,
    comment_idea,
]
