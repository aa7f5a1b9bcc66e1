"""Trade ideas: their life and the lists of them."""

from __future__ import annotations

import heapq
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from server.api.access import idea_of, may_see_idea
from server.api.answers import answer, command, page
from server.api.bodies import CloseIdeaBody, EditIdeaBody, UpdateIdeaBody, arguments
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit, instrument_of, trader_of
from server.api.problems import refusal
from server.api.request import ApiRequest
from server.api.scanning import SCAN_MAX, scan
from storage.paging import decode_cursor, encode_cursor
from streams.core.commands import VoidIdea
from streams.core.idea_state import Idea
from streams.core.ideas.trending import points_tenths, score_milli
from streams.core.limits import COMMENT_LENGTH_MAX
from streams.core.view import idea_view, update_view
from streams.replica.requests import CreateIdea


TAG = "Ideas"

IdeaStatus = Literal[
    "draft",
    "published",
    "closed",
    "PUBLISHED",
    "ARMED",
    "LIVE",
    "TARGET_HIT",
    "STOPPED",
    "EXPIRED",
    "EXPIRED_UNFILLED",
    "CLOSED_BY_AUTHOR",
    "VOID",
]
"""In small letters the status, in capitals the stage."""

TradeType = Literal["buy", "sell", "short", "cover"]
Sort = Literal["new", "trending", "top"]

WRITE_CODES = ("UNKNOWN_IDEA", "NOT_OWNER")


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

    `status` takes a stage too (`LIVE`, `TARGET_HIT`, …). `trending` and `top` rank the newest
    5,000 that match symbol and trader. With a text to look for a page may be short: go on as
    long as there is a cursor.
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
            and status in (None, idea.status, idea.stage)
            and trade_type in (None, idea.trade_type)
            and (tag is None or (tag in idea.tags and not idea.hidden))
            and (sought is None or (not idea.hidden and sought in _text_of(idea)))
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


def _text_of(idea: Idea) -> str:
    return f"{idea.title}\n{idea.thesis}".casefold()


def _score(idea: Idea, sort: Sort, now_us: int) -> tuple[int, int]:
    if sort == "top":
        return points_tenths(idea), idea.published_at_us
    return score_milli(idea, now_us), idea.published_at_us


@endpoint("GET", "/v1/ideas/{idea:str}", tag=TAG, summary="One idea", codes=("UNKNOWN_IDEA",))
async def get_idea(request: ApiRequest, idea: FromPath[str]) -> Response[Any]:
    """Show an idea; a draft only to its author."""
    return answer(request, idea_view(request.core, idea_of(request, idea)))


@endpoint(
    "POST",
    "/v1/ideas/{idea:str}/undo",
    tag=TAG,
    summary="Take a publication back",
    access="account",
    scope="trade",
    codes=(
        *WRITE_CODES,
        "IDEA_NOT_PUBLISHED",
        "IDEA_UNDO_LATE",
        "IDEA_UNDO_REACTED",
        "IDEA_UNDO_MOVED",
    ),
)
async def undo_idea(request: ApiRequest, idea: FromPath[str]) -> Response[Any]:
    """Make it a draft again: within 60 s, while no quote moved and nobody reacted."""
    return await command(request, "undo_idea", {"idea": idea})


@endpoint(
    "DELETE",
    "/v1/ideas/{idea:str}",
    tag=TAG,
    summary="Delete an idea's text",
    access="account",
    scope="trade",
    codes=(*WRITE_CODES, "IDEA_NOT_PUBLISHED"),
)
async def delete_idea(request: ApiRequest, idea: FromPath[str]) -> Response[Any]:
    """Discard a draft; of a published idea hide the text. Its terms and record stay."""
    return await command(request, "delete_idea", {"idea": idea})


@endpoint(
    "GET",
    "/v1/ideas/{idea:str}/updates",
    tag=TAG,
    summary="What the author appended, oldest first",
    codes=("UNKNOWN_IDEA", "INVALID_CURSOR"),
)
async def list_updates(
    request: ApiRequest, idea: FromPath[str], limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """Page through the updates of an idea."""
    found = idea_of(request, idea)
    tick = request.core.instruments[found.symbol].tick
    begin = 0 if cursor is None else decode_cursor("updates", cursor, 1)[0]
    end = begin + limit
    following = encode_cursor("updates", end) if end < len(found.updates) else None
    rows = enumerate(found.updates[begin:end], begin + 1)
    return page(request, [update_view(each, number, tick) for number, each in rows], following)


@endpoint(
    "POST",
    "/v1/ideas/{idea:str}/updates",
    tag=TAG,
    summary="Append advice to an idea",
    access="account",
    scope="trade",
    status=201,
    codes=(*WRITE_CODES, "IDEA_NOT_PUBLISHED"),
)
async def update_idea(
    request: ApiRequest, idea: FromPath[str], data: JSONBody[UpdateIdeaBody]
) -> Response[Any]:
    """Append; an update never changes terms or scores."""
    return await command(request, "update_idea", arguments(data, idea=idea), status=201)


class VoidIdeaBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Why an idea is void; everybody can read it."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=COMMENT_LENGTH_MAX)]


@endpoint(
    "POST",
    "/v1/admin/ideas/{idea:str}/void",
    tag=TAG,
    summary="Declare an idea void",
    access="service",
    codes=("UNKNOWN_IDEA", "IDEA_NOT_PUBLISHED"),
)
async def void_idea(
    request: ApiRequest, idea: FromPath[str], data: JSONBody[VoidIdeaBody]
) -> Response[Any]:
    """End it unscored and counted as void, for instance after a wrong quote."""
    outcome = await request.services.edge.submit(
        VoidIdea(idea, data.reason), request.caller.trader, privileged=True
    )
    if outcome.code != "OK":
        raise refusal(outcome)
    return answer(request, outcome.result, offset=outcome.offset)


ROUTES = [
    create_idea,
    edit_idea,
    publish_idea,
    close_idea,
    list_ideas,
    get_idea,
    undo_idea,
    delete_idea,
    list_updates,
    update_idea,
    void_idea,
]
