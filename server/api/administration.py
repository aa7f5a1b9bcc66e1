"""What administrators do to traders, each with a reason in the audit log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from server.api.answers import answer
from server.api.endpoint import endpoint
from server.api.identity import Body
from server.api.parameters import trader_of
from server.api.problems import refusal
from server.api.request import ApiRequest
from storage.audit import append_audit
from streams.core import limits
from streams.core.commands import CloseTrader, Command, VerifyTrader
from streams.replica.texts import clean


TAG = "Administration"

Reason = Annotated[str, Meta(min_length=1, max_length=limits.COMMENT_LENGTH_MAX)]


class Verification(Body, frozen=True):
    """Whether a trader is who it claims to be, and how that is known."""

    verified: bool
    reason: Reason


class Closing(Body, frozen=True):
    """Why an account is closed."""

    reason: Reason


@endpoint(
    "PUT",
    "/v1/admin/traders/{trader:str}/verification",
    tag=TAG,
    summary="Vouch for a trader, or no longer",
    access="service",
    codes=("UNKNOWN_TRADER", "TRADER_CLOSED", "STORE_UNAVAILABLE"),
)
async def put_verification(
    request: ApiRequest, trader: FromPath[str], data: JSONBody[Verification]
) -> Response[Any]:
    """Set or take back the mark `verified`; the reason goes to the audit log."""
    found = trader_of(request, trader).trader
    reason = clean("reason", data.reason, (1, limits.COMMENT_LENGTH_MAX))
    action = "trader.verified" if data.verified else "trader.unverified"
    order = VerifyTrader(found, data.verified, reason)
    return await _carry_out(request, order, action, found, reason)


@endpoint(
    "POST",
    "/v1/admin/traders/{trader:str}/close",
    tag=TAG,
    summary="Close a trader's account",
    access="service",
    codes=("UNKNOWN_TRADER", "TRADER_CLOSED", "STORE_UNAVAILABLE"),
)
async def close_trader(
    request: ApiRequest, trader: FromPath[str], data: JSONBody[Closing]
) -> Response[Any]:
    """Close for good: handle and record stay, copies of it only close from now on."""
    found = trader_of(request, trader).trader
    reason = clean("reason", data.reason, (1, limits.COMMENT_LENGTH_MAX))
    return await _carry_out(request, CloseTrader(reason, found), "trader.closed", found, reason)


async def _carry_out(
    request: ApiRequest, order: Command, action: str, trader: str, reason: str
) -> Response[Any]:
    services, caller = request.services, request.caller
    outcome = await services.edge.submit(order, caller.trader, privileged=True)
    if outcome.code != "OK":
        raise refusal(outcome)
    if services.pool is not None:
        await append_audit(
            services.pool,
            at=datetime.fromtimestamp(services.clock.now_us() / 1e6, UTC),
            actor=caller.trader,
            action=action,
            subject=trader,
            address=request.exchange.address,
            detail={"reason": reason, "offset": outcome.offset},
        )
    return answer(request, outcome.result, offset=outcome.offset)


ROUTES = [put_verification, close_trader]
