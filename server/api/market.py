"""Instruments, quotes, and the crowd's books."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter

from server.api.answers import answer, page
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit, instrument_of
from server.api.request import ApiRequest
from server.api.scanning import scan
from storage.paging import decode_cursor, encode_cursor
from streams.core.books.frames import (
    book_crc,
    book_snapshot,
    position_crc,
    position_snapshot,
)
from streams.core.state import Instrument
from streams.core.view import format_time, instrument_view, mark_row


TAG = "Market"

DEPTH_DEFAULT = 50
DEPTH_MAX = 1_000

Depth = Annotated[int, QueryParameter(ge=1, le=DEPTH_MAX, description="Most levels of a side.")]


@endpoint(
    "GET", "/v1/instruments", tag=TAG, summary="What can be traded", codes=("INVALID_CURSOR",)
)
async def list_instruments(
    request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """List instruments with tick, lot and newest quote."""
    found, following = _instruments(request, limit, cursor)
    return page(request, [instrument_view(each) for each in found], following, tagged=True)


@endpoint(
    "GET",
    "/v1/instruments/{symbol:str}",
    tag=TAG,
    summary="One instrument",
    codes=("UNKNOWN_INSTRUMENT",),
)
async def get_instrument(request: ApiRequest, symbol: FromPath[str]) -> Response[Any]:
    """Show an instrument."""
    return answer(request, instrument_view(instrument_of(request, symbol)), tagged=True)


@endpoint(
    "GET",
    "/v1/marks",
    tag=TAG,
    summary="Newest quotes",
    codes=("UNKNOWN_INSTRUMENT", "INVALID_CURSOR"),
)
async def list_marks(
    request: ApiRequest,
    symbol: FromQuery[str | None] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """List bid, ask and last of all instruments, or of one."""
    if symbol is not None:
        return page(request, [_mark(instrument_of(request, symbol))], None, tagged=True)
    found, following = _instruments(request, limit, cursor)
    return page(request, [_mark(each) for each in found], following, tagged=True)


def _instruments(
    request: ApiRequest, limit: int, cursor: str | None
) -> tuple[list[Instrument], str | None]:
    begin = 0 if cursor is None else decode_cursor("instruments", cursor, 1)[0]
    rows = enumerate(list(request.core.instruments.values())[begin:], begin + 1)
    found, last = scan(rows, lambda _: True, limit)
    return found, None if last is None else encode_cursor("instruments", last)


def _mark(instrument: Instrument) -> dict[str, Any]:
    symbol, bid, ask, last = mark_row(instrument)
    marked_at = format_time(instrument.marked_at_us) if instrument.marked_at_us else None
    return {"symbol": symbol, "bid": bid, "ask": ask, "last": last, "marked_at": marked_at}


@endpoint(
    "GET",
    "/v1/books/ideas/{symbol:str}",
    tag=TAG,
    summary="The crowd's ideas by price",
    codes=("UNKNOWN_INSTRUMENT",),
)
async def get_idea_book(
    request: ApiRequest, symbol: FromPath[str], depth: Depth = DEPTH_DEFAULT
) -> Response[Any]:
    """Show levels `[price, weight, ideas]`: `b` by price falling, `s` by price rising."""
    instrument_of(request, symbol)
    state = request.core
    seq = request.services.source.seq(f"book:{symbol}")
    book = book_snapshot(state, symbol, depth)
    return answer(
        request,
        {"symbol": symbol, "seq": seq, **book, "crc": book_crc(state, symbol)},
        tagged=True,
    )


@endpoint(
    "GET",
    "/v1/books/positions/{symbol:str}",
    tag=TAG,
    summary="The crowd's open positions by entry price",
    codes=("UNKNOWN_INSTRUMENT",),
)
async def get_position_book(
    request: ApiRequest, symbol: FromPath[str], depth: Depth = DEPTH_DEFAULT
) -> Response[Any]:
    """Show levels `[price, long, short]` by price rising."""
    instrument_of(request, symbol)
    state = request.core
    seq = request.services.source.seq(f"positions:{symbol}")
    book = position_snapshot(state, symbol, depth)
    return answer(
        request,
        {"symbol": symbol, "seq": seq, **book, "crc": position_crc(state, symbol)},
        tagged=True,
    )


ROUTES = [
    list_instruments,
    get_instrument,
    list_marks,
    get_idea_book,
    get_position_book,
]
