"""Fairness: the reports of the days, and the seeds by which anybody can check them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, QueryParameter

from server.api.answers import answer, page
from server.api.copies import copy_of
from server.api.endpoint import endpoint
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit
from server.api.problems import ApiError
from server.api.request import ApiRequest
from storage.fairness import openings_of_day, span_of_day
from storage.paging import decode_cursor, encode_cursor
from streams.core.copying.fees import EPOCH_ORDINAL
from streams.core.copying.seeds import alias_of
from streams.core.events import CopyDecided
from streams.core.limits import FAIRNESS_DAYS_MAX
from streams.core.market_clock import day_of
from streams.core.state import FairnessDay
from streams.core.view import date_of, dispatch_view, fairness_view, opening_view


TAG = "Copying"

DAYS_DEFAULT = 30

DayLimit = Annotated[
    int, QueryParameter(ge=1, le=FAIRNESS_DAYS_MAX, description="Most days of the page.")
]


@endpoint("GET", "/v1/fairness", tag=TAG, summary="Fairness reports, newest day first")
async def list_fairness(request: ApiRequest, limit: DayLimit = DAYS_DEFAULT) -> Response[Any]:
    """List the present day's report and those before it."""
    state = request.core
    today = day_of(state.market_at_us)
    days = [today, *(day for day in reversed(state.fairness_days) if day != today)]
    items = [fairness_view(state, day) for day in days[:limit]]
    return page(request, items, None)


@endpoint(
    "GET",
    "/v1/fairness/{day:str}",
    tag=TAG,
    summary="Fairness report of a day, with its seed once the day has ended",
    codes=("NOT_FOUND", "INVALID_ARGUMENT"),
)
async def get_fairness(request: ApiRequest, day: FromPath[str]) -> Response[Any]:
    """Show the report of a UTC day such as `2026-02-01`."""
    report = fairness_view(request.core, _number(day))
    if report is None:
        raise _no_report(day)
    return answer(request, report)


@endpoint(
    "GET",
    "/v1/fairness/{day:str}/openings",
    tag=TAG,
    summary="What the report of an ended day was added up from, under aliases",
    codes=("NOT_FOUND", "INVALID_ARGUMENT", "INVALID_CURSOR", "STORE_UNAVAILABLE"),
)
async def list_openings(
    request: ApiRequest, day: FromPath[str], limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """Page through the openings of all signals in the order in which they were served.

    The openings of a signal are followed by the signal. With the seed in the report of the day
    everybody can check order, shares and sums; `./optix verify --fairness` does it. A page may
    hold fewer items than asked for: only a null `next_cursor` is the end.
    """
    report, history = _ended(request, day), request.services.history
    span = None if history is None else await span_of_day(history, report.day)
    if history is None or span is None:
        raise ApiError("STORE_UNAVAILABLE", f"PostgreSQL does not hold the end of {day}")
    after = None
    if cursor is not None:
        *place, rank = decode_cursor("openings", cursor, 4)
        after = ((place[0], place[1], place[2]), rank)
    found = await openings_of_day(history, span, after, limit=limit)
    state, following = request.core, found.after
    items = [
        opening_view(state, event, rank, report.seed)
        if isinstance(event, CopyDecided)
        else dispatch_view(state, event)
        for event, rank in found.events
    ]
    more = encode_cursor("openings", *following[0], following[1]) if following else None
    return page(request, items, more)


@endpoint(
    "GET",
    "/v1/copies/{leader:str}/alias",
    tag=TAG,
    summary="Under which alias a copy stands in the openings of an ended day",
    access="account",
    codes=("NOT_FOUND", "INVALID_ARGUMENT", "UNKNOWN_TRADER", "UNKNOWN_COPY"),
)
async def get_alias(
    request: ApiRequest,
    leader: FromPath[str],
    day: Annotated[str, QueryParameter(max_length=10, description="UTC day: `2026-02-01`.")],
) -> Response[Any]:
    """Tell the caller, and nobody else, which rows of the public openings are its own."""
    report, copy = _ended(request, day), copy_of(request, leader)
    veil = report.seed.veil if report.seed is not None else b""
    alias = alias_of(veil, copy.leader, copy.follower) if veil else None
    return answer(request, {"day": date_of(report.day), "leader": copy.leader, "alias": alias})


def _number(day: str) -> int:
    try:
        return date.fromisoformat(day).toordinal() - EPOCH_ORDINAL
    except ValueError:
        raise ApiError(
            "INVALID_ARGUMENT", f"day: expected a date such as 2026-02-01, was {day}", field="day"
        ) from None


def _ended(request: ApiRequest, day: str) -> FairnessDay:
    """Return the report of a day that has ended: what follows shows nothing of the present day."""
    report = request.core.fairness_days.get(_number(day))
    if report is None:
        raise _no_report(day)
    return report


def _no_report(day: str) -> ApiError:
    return ApiError("NOT_FOUND", f"expected an ended day with a report, was {day}", field="day")


ROUTES = [list_fairness, get_fairness, list_openings, get_alias]
