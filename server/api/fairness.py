"""Fairness: the reports of the days, and the seeds by which anybody can check them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, QueryParameter

from server.api.answers import answer, page
from server.api.endpoint import endpoint
from server.api.problems import ApiError
from server.api.request import ApiRequest
from streams.core.copying.fees import EPOCH_ORDINAL
from streams.core.limits import FAIRNESS_DAYS_MAX
from streams.core.market_clock import day_of
from streams.core.view import fairness_view


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
    try:
        number = date.fromisoformat(day).toordinal() - EPOCH_ORDINAL
    except ValueError:
        raise ApiError(
            "INVALID_ARGUMENT", f"day: expected a date such as 2026-02-01, was {day}", field="day"
        ) from None
    report = fairness_view(request.core, number)
    if report is None:
        raise ApiError("NOT_FOUND", f"expected a day with a report, was {day}", field="day")
    return answer(request, report)


ROUTES = [list_fairness, get_fairness]
