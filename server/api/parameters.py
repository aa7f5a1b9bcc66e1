"""Query parameters and lookups that several endpoints share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from litestar.params import QueryParameter

from server.api.problems import ApiError
from server.api.request import ApiRequest
from streams.core.state import Instrument, Trader
from streams.replica.building import find_trader


LIMIT_DEFAULT = 50
LIMIT_MAX = 200

Limit: TypeAlias = Annotated[
    int, QueryParameter(ge=1, le=LIMIT_MAX, description="Most items of the page.")
]
Cursor: TypeAlias = Annotated[
    str | None, QueryParameter(max_length=200, description="`next_cursor` of the page before.")
]
Period: TypeAlias = Literal["1w", "1m", "3m", "6m", "1y", "all"]

DAY_US = 86_400_000_000


def trader_of(request: ApiRequest, name: str) -> Trader:
    """Return the trader of an id or `@handle`.

    Raises:
        CommandError: `UNKNOWN_TRADER`.
    """
    return request.core.traders[find_trader(request.core, name)]


def own_trader(request: ApiRequest) -> Trader:
    """Return the caller's trader.

    Raises:
        ApiError: `UNKNOWN_TRADER`, for a caller who is none (a service).
    """
    trader = request.core.traders.get(request.caller.trader)
    if trader is None:
        raise ApiError("UNKNOWN_TRADER", f"expected a trader, was {request.caller.trader}")
    return trader


def instrument_of(request: ApiRequest, symbol: str) -> Instrument:
    """Return an instrument.

    Raises:
        ApiError: `UNKNOWN_INSTRUMENT`.
    """
    instrument = request.core.instruments.get(symbol)
    if instrument is None:
        raise ApiError("UNKNOWN_INSTRUMENT", f"no instrument {symbol}", field="symbol")
    return instrument


def time_us(field: str, text: str | None, default: int) -> int:
    """Return a time in microseconds since 1970.

    Args:
        field: for the error.
        text: RFC 3339 with a time zone, or a plain date (its beginning in UTC).
        default: for None.

    Raises:
        ApiError: `INVALID_ARGUMENT`.
    """
    if text is None:
        return default
    try:
        # a + of the time zone may have arrived as a space
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        if moment.tzinfo is None:
            # what is no plain date, like 2026W01T00, is no time with this behind it
            moment = datetime.fromisoformat(f"{text}T00:00:00+00:00")
    except ValueError:
        raise _no_time(field) from None
    return int(moment.timestamp() * 1_000_000)


def _no_time(field: str) -> ApiError:
    return ApiError(
        "INVALID_ARGUMENT",
        f"{field}: expected a time like 2026-02-01T12:00:00Z or a date, was something else",
        field=field,
    )
