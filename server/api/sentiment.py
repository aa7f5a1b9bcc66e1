"""What the crowd thinks: of a symbol, over time, in lists, and one trader's own word."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter

from server.api.answers import answer, page
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit, instrument_of, trader_of
from server.api.request import ApiRequest
from storage.paging import INTEGER_MAX, decode_cursor, encode_cursor
from streams.core.sentiment.lists import list_symbols, trader_sentiment
from streams.core.sentiment.views import window_score
from streams.core.sentiment_state import Sentiment
from streams.core.view import event_data
from streams.core.view.sentiment_point import point_view


TAG = "Analytics"

WINDOWS_HOURS = {"1h": 1, "24h": 24, "7d": 168}
Window = Literal["1h", "24h", "7d"]
SentimentList = Literal["bullish", "bearish", "trending"]


@endpoint(
    "GET",
    "/v1/sentiment/{symbol:str}",
    tag=TAG,
    summary="What the crowd thinks of a symbol",
    codes=("UNKNOWN_INSTRUMENT",),
)
async def get_sentiment(
    request: ApiRequest, symbol: FromPath[str], window: FromQuery[Window] = "24h"
) -> Response[Any]:
    """Show the crowd's score over a window of market time, weighted and plain.

    With the number of voices and of effective voices, the 90 % interval, volume against the same
    hour of the days before, each horizon, what texts say, what looks like manipulation, and how
    well such numbers have foretold the price until now.
    """
    instrument_of(request, symbol)
    numbers = window_score(request.core, symbol, WINDOWS_HOURS[window])
    return answer(request, {**numbers, "window": window}, tagged=True)


@endpoint(
    "GET",
    "/v1/sentiment/{symbol:str}/history",
    tag=TAG,
    summary="A symbol's sentiment by hour, newest first",
    codes=("UNKNOWN_INSTRUMENT", "INVALID_CURSOR", "STORE_UNAVAILABLE"),
)
async def get_sentiment_history(
    request: ApiRequest, symbol: FromPath[str], limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """List what was measured at the beginning of each hour in which people spoke of the symbol.

    It comes from the archive; a node without one knows the last 30 days.
    """
    instrument_of(request, symbol)
    history = request.services.history
    if history is None:
        return _from_memory(request, symbol, limit, cursor)
    rows = await history.channel_page(f"sentiment_points:{symbol}", cursor=cursor, limit=limit)
    items = [event_data(request.core, row.archived.event) for row in rows.items]
    return page(request, items, rows.next_cursor, symbol=symbol)


def _from_memory(request: ApiRequest, symbol: str, limit: int, cursor: str | None) -> Response[Any]:
    before = INTEGER_MAX if cursor is None else decode_cursor("sentiment", cursor, 1)[0]
    points = request.core.sentiment.get(symbol, Sentiment()).points
    found = [point for point in reversed(points) if point.hour < before][: limit + 1]
    more = len(found) > limit
    following = encode_cursor("sentiment", found[limit - 1].hour) if more else None
    return page(request, [point_view(point) for point in found[:limit]], following, symbol=symbol)


@endpoint("GET", "/v1/sentiment", tag=TAG, summary="Symbols by sentiment")
async def list_sentiment(
    request: ApiRequest,
    list_: Annotated[SentimentList, QueryParameter(name="list")] = "trending",
    limit: Limit = LIMIT_DEFAULT,
) -> Response[Any]:
    """List symbols with at least 5 messages in 24 hours: most bullish, bearish or unusual first.

    Bullish and bearish leave symbols out whose label says something else. `trend` is how unusual
    the volume was when somebody last spoke, halved every six hours of market time since.
    """
    return page(request, list_symbols(request.core, list_, limit), None, tagged=True, list=list_)


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/sentiment",
    tag=TAG,
    summary="What a trader thinks of each symbol",
    codes=("UNKNOWN_TRADER",),
)
async def get_trader_sentiment(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Show the trader's standing voices, newest first, with what each one weighs."""
    return answer(request, trader_sentiment(request.core, trader_of(request, trader)), tagged=True)


ROUTES = [get_sentiment, get_sentiment_history, list_sentiment, get_trader_sentiment]
