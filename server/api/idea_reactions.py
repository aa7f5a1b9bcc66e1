"""What others say to an idea: likes, comments, shares, views."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.params import FromPath, JSONBody

from server.api.access import idea_of
from server.api.answers import command, page
from server.api.bodies import CommentIdeaBody, arguments
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit
from server.api.request import ApiRequest
from storage.paging import decode_cursor, encode_cursor
from streams.core.view import comment_view


TAG = "Ideas"


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
    """Page through the comments of an idea; those of closed accounts stand there without text."""
    comments = idea_of(request, idea).comments
    begin = 0 if cursor is None else decode_cursor("comments", cursor, 1)[0]
    end = begin + limit
    following = encode_cursor("comments", end) if end < len(comments) else None
    shown = [comment_view(request.core, each) for each in comments[begin:end]]
    return page(request, shown, following)


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


@endpoint(
    "POST",
    "/v1/ideas/{idea:str}/share",
    tag=TAG,
    summary="Pass an idea on",
    access="account",
    scope="trade",
    codes=("UNKNOWN_IDEA", "IDEA_NOT_PUBLISHED"),
)
async def share_idea(request: ApiRequest, idea: FromPath[str]) -> Response[Any]:
    """Count a share, once an account; the author's own counts nothing."""
    return await command(request, "share_idea", {"idea": idea})


@endpoint(
    "POST",
    "/v1/ideas/{idea:str}/view",
    tag=TAG,
    summary="Count a view",
    access="account",
    scope="trade",
    codes=("UNKNOWN_IDEA", "IDEA_NOT_PUBLISHED"),
)
async def view_idea(request: ApiRequest, idea: FromPath[str]) -> Response[Any]:
    """Count a view, once an account; the author's own counts nothing."""
    return await command(request, "view_idea", {"idea": idea})


ROUTES = [like_idea, unlike_idea, list_comments, comment_idea, share_idea, view_idea]
