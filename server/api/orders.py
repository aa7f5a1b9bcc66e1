"""Orders and self-reported trades of the caller, and the history of trades."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from server.api.access import may_see_signals
from server.api.answers import answer, command, page
from server.api.bodies import EditOrderBody, SetExitLevelsBody, arguments
from server.api.endpoint import endpoint
from server.api.parameters import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    instrument_of,
    own_trader,
    time_us,
    trader_of,
)
from server.api.problems import ApiError
from server.api.request import ApiRequest
from storage.paging import INTEGER_MAX
from streams.core.view import account_view, event_data, order_view, position_view
from streams.replica.requests import CashAmount, OpenOrder, ReportTrade


TAG = "Trading"

ORDER_CODES = (
    "UNKNOWN_INSTRUMENT",
    "UNKNOWN_TRADER",
    "INVALID_QUANTITY",
    "INVALID_PRICE",
    "NO_QUOTE",
    "INSUFFICIENT_FUNDS",
    "NOTHING_TO_CLOSE",
    "INSTRUMENT_SETTLED",
    "CLIENT_ORDER_ID_TAKEN",
    "UNKNOWN_IDEA",
    "EXIT_LEVELS_INVALID",
    "ORDER_ENDED",
)


@endpoint(
    "POST",
    "/v1/orders",
    tag=TAG,
    summary="Place a paper order",
    access="account",
    scope="trade",
    status=201,
    codes=ORDER_CODES,
)
async def open_order(request: ApiRequest, data: JSONBody[OpenOrder]) -> Response[Any]:
    """Place an order; a market order answers with its fill."""
    return await command(request, "open_order", arguments(data), status=201)


@endpoint(
    "DELETE",
    "/v1/orders/{order:str}",
    tag=TAG,
    summary="Cancel a resting order",
    access="account",
    scope="trade",
    codes=("UNKNOWN_ORDER", "NOT_OWNER", "ORDER_ENDED"),
)
async def cancel_order(request: ApiRequest, order: FromPath[str]) -> Response[Any]:
    """Cancel an order of the caller."""
    return await command(request, "cancel_order", {"order": order})


@endpoint(
    "PATCH",
    "/v1/orders/{order:str}",
    tag=TAG,
    summary="Change a resting order",
    access="account",
    scope="trade",
    codes=(
        "UNKNOWN_ORDER",
        "NOT_OWNER",
        "ORDER_ENDED",
        "INVALID_QUANTITY",
        "INSUFFICIENT_FUNDS",
        "EXIT_LEVELS_INVALID",
    ),
)
async def edit_order(
    request: ApiRequest, order: FromPath[str], data: JSONBody[EditOrderBody]
) -> Response[Any]:
    """Change quantity, limit, stop and take; null removes a stop or a take."""
    return await command(request, "edit_order", arguments(data, order=order))


@endpoint(
    "GET",
    "/v1/orders/{order:str}",
    tag=TAG,
    summary="One order, resting or lately ended",
    access="account",
    codes=("UNKNOWN_ORDER", "NOT_OWNER"),
)
async def get_order(request: ApiRequest, order: FromPath[str]) -> Response[Any]:
    """Show an order of the caller with its state."""
    state = request.core
    found = state.orders.get(order) or state.ended_orders.get(order)
    if found is None:
        raise ApiError("UNKNOWN_ORDER", f"no order {order}", field="order")
    if found.trader != request.caller.trader:
        raise ApiError("NOT_OWNER", "the order belongs to another trader", field="order")
    return answer(request, order_view(state, found))


@endpoint("GET", "/v1/orders", tag=TAG, summary="Resting orders", access="account")
async def list_orders(request: ApiRequest, symbol: FromQuery[str | None] = None) -> Response[Any]:
    """List the caller's resting orders, oldest first; they are few enough for one page."""
    state = request.core
    orders = [state.orders[order] for order in own_trader(request).orders]
    items = [order_view(state, order) for order in orders if symbol in (None, order.symbol)]
    return page(request, items, None)


@endpoint(
    "POST",
    "/v1/trades",
    tag=TAG,
    summary="Report a fill made elsewhere",
    access="account",
    scope="trade",
    status=201,
    codes=("UNKNOWN_INSTRUMENT", "UNKNOWN_TRADER", "INVALID_QUANTITY", "INVALID_PRICE"),
)
async def report_trade(request: ApiRequest, data: JSONBody[ReportTrade]) -> Response[Any]:
    """Book a self-reported fill."""
    return await command(request, "report_trade", arguments(data), status=201)


@endpoint(
    "GET",
    "/v1/trades",
    tag=TAG,
    summary="History of trades, newest first",
    codes=("UNKNOWN_TRADER", "UNKNOWN_INSTRUMENT", "INVALID_CURSOR", "STORE_UNAVAILABLE"),
)
async def list_trades(
    request: ApiRequest,
    trader: FromQuery[str | None] = None,
    symbol: FromQuery[str | None] = None,
    from_: Annotated[
        str | None, QueryParameter(name="from", description="Time from here on, RFC 3339.")
    ] = None,
    to: Annotated[str | None, QueryParameter(description="Time before this, RFC 3339.")] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Any]:
    """Page through fills in the archive; those of private traders only for who may see them."""
    history = request.services.history
    if history is None:
        raise ApiError("STORE_UNAVAILABLE", "this node has no PostgreSQL")
    found = None if trader is None else trader_of(request, trader)
    if found is not None and not may_see_signals(request, found):
        raise ApiError("FORBIDDEN", f"{found.trader} shows trades to followers only")
    if symbol is not None:
        instrument_of(request, symbol)
    rows = await history.trades(
        trader=None if found is None else found.trader,
        symbol=symbol,
        from_us=time_us("from", from_, 0),
        to_us=time_us("to", to, INTEGER_MAX),
        cursor=cursor,
        limit=limit,
    )
    state = request.core
    items = []
    for row in rows.items:
        owner = state.traders.get(getattr(row.event, "trader", ""))
        if owner is None or may_see_signals(request, owner):
            items.append({**event_data(state, row.event), "offset": str(row.offset)})
    return page(request, items, rows.next_cursor)


@endpoint("GET", "/v1/positions", tag=TAG, summary="The caller's open positions", access="account")
async def list_positions(request: ApiRequest) -> Response[Any]:
    """List open positions at the present marks."""
    state = request.core
    positions = own_trader(request).ledger.positions
    items = [position_view(state, symbol, position) for symbol, position in positions.items()]
    return page(request, items, None)


@endpoint(
    "PATCH",
    "/v1/positions/{symbol:str}",
    tag=TAG,
    summary="Set the stop and the take of an open position",
    access="account",
    scope="trade",
    codes=(
        "UNKNOWN_INSTRUMENT",
        "UNKNOWN_POSITION",
        "UNKNOWN_COPY",
        "INVALID_PRICE",
        "EXIT_LEVELS_INVALID",
        "NO_QUOTE",
    ),
)
async def set_exit_levels(
    request: ApiRequest, symbol: FromPath[str], data: JSONBody[SetExitLevelsBody]
) -> Response[Any]:
    """Set what the body names; null removes; `leader` means the position of that copy."""
    return await command(request, "set_exit_levels", arguments(data, symbol=symbol))


@endpoint(
    "POST",
    "/v1/account/deposits",
    tag=TAG,
    summary="Pay into the paper account",
    access="account",
    scope="trade",
    status=201,
    codes=("LIMIT_REACHED",),
)
async def deposit(request: ApiRequest, data: JSONBody[CashAmount]) -> Response[Any]:
    """Pay in; for the account's performance this is a flow, no profit."""
    return await command(request, "deposit", arguments(data), status=201)


@endpoint(
    "POST",
    "/v1/account/withdrawals",
    tag=TAG,
    summary="Pay out of the paper account",
    access="account",
    scope="trade",
    status=201,
    codes=("LIMIT_REACHED", "INSUFFICIENT_FUNDS"),
)
async def withdraw(request: ApiRequest, data: JSONBody[CashAmount]) -> Response[Any]:
    """Pay out cash that no open position leans on."""
    return await command(request, "withdraw", arguments(data), status=201)


@endpoint("GET", "/v1/account", tag=TAG, summary="The caller's account", access="account")
async def get_account(request: ApiRequest) -> Response[Any]:
    """Show cash, equity, positions and resting orders."""
    return answer(request, account_view(request.core, own_trader(request)))


ROUTES = [
    open_order,
    cancel_order,
    edit_order,
    get_order,
    list_orders,
    report_trade,
    list_trades,
    list_positions,
    set_exit_levels,
    deposit,
    withdraw,
    get_account,
]
