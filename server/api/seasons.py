"""Seasons: contests between two days, with a frozen entry list and a hashed final board."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from server.api.answers import answer, page
from server.api.endpoint import endpoint
from server.api.identity import Body
from server.api.parameters import DAY_US, LIMIT_DEFAULT, Cursor, Limit
from server.api.problems import ApiError, refusal
from server.api.request import ApiRequest
from storage.paging import decode_cursor, encode_cursor
from streams.core import limits
from streams.core.commands import EnterSeason, OpenSeason
from streams.core.state import Season
from streams.core.view import format_time
from streams.core.view.board_facts import season_rows
from streams.core.view.fairness import date_of
from streams.core.view.values import format_time_or_none
from streams.replica.texts import clean


TAG = "Seasons"

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class NewSeason(Body, frozen=True):
    """A season from the beginning of one UTC day until the beginning of another."""

    season: Annotated[str, Meta(pattern="^[a-z0-9_-]{1,40}$")]
    name: Annotated[str, Meta(min_length=1, max_length=limits.NAME_LENGTH_MAX)]
    start: date
    end: date


@endpoint("GET", "/v1/seasons", tag=TAG, summary="All seasons")
async def list_seasons(request: ApiRequest) -> Response[Any]:
    """List seasons in the order in which they were opened."""
    items = [_season(season) for season in request.core.seasons.values()]
    return page(request, items, None, tagged=True)


@endpoint(
    "GET",
    "/v1/seasons/{season:str}",
    tag=TAG,
    summary="One season with its standings or final board",
    codes=("UNKNOWN_SEASON", "INVALID_CURSOR"),
)
async def get_season(
    request: ApiRequest,
    season: FromPath[str],
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """Show the entry list, by rank from the first closed day on.

    While the season runs, rows are its standings after the day `standings_of`.
    `digest` is BLAKE2b-128 over `rank:trader:score` joined by `|`, scores in millionths or `-`.
    """
    found = request.core.seasons.get(season)
    if found is None:
        raise ApiError("UNKNOWN_SEASON", f"no season {season}", field="season")
    after = 0 if cursor is None else decode_cursor("season", cursor, 1)[0]
    rows = season_rows(found.rows) if found.rows else [{"trader": name} for name in found.entries]
    items, more = rows[after : after + limit], len(rows) > after + limit
    following = encode_cursor("season", after + limit) if more else None
    return page(request, items, following, tagged=True, **_season(found))


@endpoint(
    "PUT",
    "/v1/seasons/{season:str}/entry",
    tag=TAG,
    summary="Enter a season",
    access="account",
    scope="trade",
    codes=("UNKNOWN_SEASON", "SEASON_FROZEN"),
)
async def enter_season(request: ApiRequest, season: FromPath[str]) -> Response[Any]:
    """Enter before its first day; entering again changes nothing."""
    outcome = await request.services.edge.submit(EnterSeason(season), request.caller.trader)
    if outcome.code != "OK":
        raise refusal(outcome)
    return answer(request, _season(request.core.seasons[season]), offset=outcome.offset)


@endpoint(
    "POST",
    "/v1/admin/seasons",
    tag=TAG,
    summary="Open a season",
    access="service",
    status=201,
    codes=("SEASON_EXISTS", "INVALID_SETTINGS"),
)
async def open_season(request: ApiRequest, data: JSONBody[NewSeason]) -> Response[Any]:
    """Announce a season; its days and its rule never change afterwards."""
    name = clean("name", data.name, (1, limits.NAME_LENGTH_MAX))
    start, end = (day.toordinal() - EPOCH_ORDINAL for day in (data.start, data.end))
    order = OpenSeason(data.season, name, start, end)
    outcome = await request.services.edge.submit(order, request.caller.trader, privileged=True)
    if outcome.code != "OK":
        raise refusal(outcome)
    made = _season(request.core.seasons[data.season])
    return answer(request, made, status=201, offset=outcome.offset)


def _season(season: Season) -> dict[str, Any]:
    return {
        "season": season.season,
        "name": season.name,
        "status": season.status,
        "start": format_time(season.start_day * DAY_US),
        "end": format_time(season.end_day * DAY_US),
        "entries": len(season.entries),
        "standings_of": date_of(season.stood_day) if season.stood_day else None,
        "digest": season.digest or None,
        "closed_at": format_time_or_none(season.closed_at_us),
    }


ROUTES = [list_seasons, get_season, enter_season, open_season]
