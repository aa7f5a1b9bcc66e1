"""Performance, ranks, leaderboards, and the network in numbers."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter

from server.api.answers import answer, page
from server.api.endpoint import endpoint
from server.api.integrity import eligibility_view
from server.api.parameters import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Period,
    instrument_of,
    trader_of,
)
from server.api.problems import ApiError
from server.api.request import ApiRequest
from storage.paging import decode_cursor, encode_cursor
from streams.core import leaderboard
from streams.core.performance.curve import curve
from streams.core.performance.summary import performance
from streams.core.view import format_time
from streams.core.view.values import money


TAG = "Analytics"

COMPARED_MAX = 20


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/performance",
    tag=TAG,
    summary="What a trader's own account has earned",
    codes=("UNKNOWN_TRADER", "UNKNOWN_INSTRUMENT"),
)
async def get_performance(
    request: ApiRequest,
    trader: FromPath[str],
    period: FromQuery[Period] = "all",
    benchmark: Annotated[
        str | None, QueryParameter(description="Symbol of the market for beta and alpha.")
    ] = None,
) -> Response[Any]:
    """Show every metric; what is not defined is null, with the reason under `reasons`."""
    found = trader_of(request, trader)
    market = None if benchmark is None else instrument_of(request, benchmark)
    trials = request.services.replica.kernel.derived.boards.crowd.trials
    numbers = performance(request.core, found, period, market, trials)
    return answer(request, {"trader": found.trader, "period": period, **numbers}, tagged=True)


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/equity",
    tag=TAG,
    summary="Daily closes of a trader's own account",
    codes=("UNKNOWN_TRADER",),
)
async def get_equity(
    request: ApiRequest, trader: FromPath[str], period: FromQuery[Period] = "all"
) -> Response[Any]:
    """List closes, oldest first; the last row is now.

    `unit` is worth 1 at the beginning of the record, `drawdown` its fall from the highest one
    since the period began.
    """
    found = trader_of(request, trader)
    items = [
        {
            "at": format_time(point.at_us),
            "equity": money(point.equity_micros),
            "unit": point.unit,
            "drawdown": point.drawdown,
            "closed": point.closed,
        }
        for point in curve(request.core, found, period)
    ]
    return page(request, items, None, tagged=True, trader=found.trader, period=period)


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/ranks",
    tag=TAG,
    summary="A trader's place on every board",
    codes=("UNKNOWN_TRADER",),
)
async def get_ranks(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Show rank, change, value and trades by board; boards without a place are left out."""
    found = trader_of(request, trader)
    boards = request.services.replica.kernel.derived.boards
    ranks = leaderboard.ranks_of(request.core, boards, found.trader)
    items = []
    for key, place in ranks.items():
        name, _, period = key.partition(":")
        before, rank = place.pop("before"), place["rank"]
        items.append(
            {
                "metric": name,
                "period": period,
                **place,
                "previous_rank": leaderboard.previous_rank(before),
                "change": leaderboard.change(rank, before),
            }
        )
    return page(
        request,
        items,
        None,
        tagged=True,
        trader=found.trader,
        eligibility=eligibility_view(request.core, found),
    )


@endpoint(
    "GET",
    "/v1/compare",
    tag=TAG,
    summary="Performance of several traders side by side",
    codes=("UNKNOWN_TRADER",),
)
async def compare_traders(
    request: ApiRequest,
    traders: Annotated[str, QueryParameter(description="Ids or handles, separated by commas.")],
    period: FromQuery[Period] = "all",
) -> Response[Any]:
    """Compare up to 20 traders over one period, in the order asked for, each once."""
    names = list(dict.fromkeys(name.strip() for name in traders.split(",") if name.strip()))
    if not 1 <= len(names) <= COMPARED_MAX:
        raise ApiError(
            "INVALID_ARGUMENT",
            f"traders: expected 1 to {COMPARED_MAX} traders, were {len(names)}",
            field="traders",
        )
    found = [trader_of(request, name) for name in names]
    trials = request.services.replica.kernel.derived.boards.crowd.trials
    items = []
    for trader in found:
        numbers = performance(request.core, trader, period, None, trials)
        known = {"trader": trader.trader, "handle": trader.handle, "verified": trader.verified}
        items.append({**known, **numbers})
        await asyncio.sleep(0)  # the metrics of one are a millisecond or two
    return page(request, items, None, tagged=True, period=period)


@endpoint("GET", "/v1/leaderboards", tag=TAG, summary="Which boards there are")
async def list_leaderboards(request: ApiRequest) -> Response[Any]:
    """List boards with how many traders each ranks and whom it ranks."""
    state = request.core
    items = []
    for key, (name, period) in leaderboard.BOARD_KEYS.items():
        definition = leaderboard.BOARDS[name]
        board = state.boards.get(key)
        items.append(
            {
                "metric": name,
                "period": period,
                "n": board.ranked if board is not None else 0,
                "channel": leaderboard.channel_of(key),
                "ranks_by": definition.metric,
                "trades_min": definition.trades_min,
                "record_days_max": definition.record_days_max or None,
            }
        )
    at = format_time(state.market_at_us) if state.market_at_us else None
    return page(request, items, None, tagged=True, presets=list(leaderboard.PRESETS), at=at)


@endpoint(
    "GET",
    "/v1/leaderboards/{metric:str}",
    tag=TAG,
    summary="A board, best first",
    codes=("UNKNOWN_BOARD", "INVALID_CURSOR"),
)
async def get_leaderboard(
    request: ApiRequest,
    metric: FromPath[str],
    period: FromQuery[Period] = "all",
    min_trades: Annotated[
        int, QueryParameter(ge=0, description="Leave traders with fewer round trips out.")
    ] = 0,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """Page through a whole board; ranks stay those of the whole board with `min_trades` too."""
    if metric not in leaderboard.BOARDS:
        expected = ", ".join(leaderboard.BOARDS)
        raise ApiError("UNKNOWN_BOARD", f"expected one of {expected}, was {metric}", field="metric")
    after = 0 if cursor is None else decode_cursor("board", cursor, 1)[0]
    state = request.core
    boards = request.services.replica.kernel.derived.boards
    rows = leaderboard.page(state, boards, metric, period, min_trades, after, limit)
    items = [
        {
            "rank": rank,
            "previous_rank": leaderboard.previous_rank(before),
            "change": leaderboard.change(rank, before),
            "trader": trader,
            "handle": state.traders[trader].handle,
            "value": value,
            "trades": trades,
        }
        for trader, rank, value, trades, before in rows["rows"]
    ]
    following = None if rows["next"] is None else encode_cursor("board", rows["next"])
    crowd = boards.crowd
    if metric == leaderboard.COMPOSITE:
        for item in items:
            trader = state.traders[item["trader"]]
            item["badge"] = performance(state, trader, period, None, crowd.trials)[
                "deflated_sharpe"
            ]
    return page(
        request,
        items,
        following,
        tagged=True,
        metric=metric,
        period=period,
        n=rows["n"],
        accounts=crowd.accounts,
        trials=None if crowd.trials is None else crowd.trials.records,
    )


@endpoint("GET", "/v1/stats", tag=TAG, summary="The network in numbers")
async def get_stats(request: ApiRequest) -> Response[Any]:
    """Count everything; `digest` is equal on every node at one `log_offset`."""
    state = request.core
    totals = state.totals
    return answer(
        request,
        {
            "traders": len(state.traders),
            "traders_with_trades": totals.traders_with_trades,
            "ideas": totals.ideas,
            "messages": totals.messages,
            "trades": totals.trades,
            "notional": money(totals.notional_micros),
            "fees": money(totals.fees_micros),
            "open_positions": totals.open_positions,
            "copies_active": totals.copies_active,
            "copies_executed": totals.copies_executed,
            "copies_skipped": totals.copies_skipped,
            "instruments": len(state.instruments),
            "log_offset": request.services.replica.offset,
            "digest": state.chain.hex(),
        },
        tagged=True,
    )


ROUTES = [
    get_performance,
    get_equity,
    get_ranks,
    compare_traders,
    list_leaderboards,
    get_leaderboard,
    get_stats,
]
