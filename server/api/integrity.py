"""What detectors have found about traders, and the accounts that did not survive."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from server.api.answers import answer, page
from server.api.endpoint import endpoint
from server.api.identity import Body
from server.api.parameters import LIMIT_DEFAULT, Cursor, Limit, trader_of
from server.api.problems import refusal
from server.api.request import ApiRequest
from storage.paging import decode_cursor, encode_cursor
from streams.core import limits
from streams.core.commands import LinkIdentity
from streams.core.integrity.flags import LEVELS
from streams.core.leaderboard import eligibility
from streams.core.money import PPM
from streams.core.performance.track import UNIT_PPB
from streams.core.state import State, Trader
from streams.core.view import format_time
from streams.core.view.values import format_time_or_none, money


TAG = "Integrity"


class Identity(Body, frozen=True):
    """Whose account it is: opaque, and equal for all accounts of one person."""

    identity: Annotated[str, Meta(min_length=1, max_length=limits.IDENTIFIER_LENGTH_MAX)]


@endpoint(
    "GET",
    "/v1/traders/{trader:str}/flags",
    tag=TAG,
    summary="What detectors have found about a trader",
    codes=("UNKNOWN_TRADER",),
)
async def get_flags(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """List flags with what was measured, and what the composite board still asks for."""
    found = trader_of(request, trader)
    state = request.core
    items = [
        {
            "flag": name,
            "level": LEVELS[name],
            "since": format_time(flag.since_us),
            "evidence": flag.evidence,
        }
        for name, flag in state.integrity.flags.get(found.trader, {}).items()
    ]
    return page(
        request,
        items,
        None,
        tagged=True,
        trader=found.trader,
        eligibility=eligibility_view(state, found),
    )


def eligibility_view(state: State, trader: Trader) -> dict[str, Any]:
    """Return what a trader has of what the composite board asks for."""
    standing = eligibility.eligibility(state, trader)
    return {
        "eligible": not standing.missing,
        "missing": [reason.value for reason in standing.missing],
        "days": standing.days,
        "days_min": eligibility.DAYS_MIN,
        "active_days": standing.active_days,
        "active_days_min": eligibility.ACTIVE_DAYS_MIN,
        "trades": standing.trades,
        "trades_min": eligibility.TRADES_MIN,
        "equity": money(standing.equity_micros),
        "equity_min": money(eligibility.EQUITY_MICROS_MIN),
        "max_drawdown": standing.drawdown_ppm / PPM,
        "max_drawdown_max": eligibility.DRAWDOWN_PPM_MAX / PPM,
        "verified": trader.verified,
    }


@endpoint("GET", "/v1/graveyard", tag=TAG, summary="Accounts that were blown or closed")
async def get_graveyard(
    request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Any]:
    """List accounts that ended, in the order in which they joined, with what was left.

    They stay in every count: `accounts` is all that ever traded.
    """
    state = request.core
    after = 0 if cursor is None else decode_cursor("graveyard", cursor, 1)[0]
    rows = request.services.replica.kernel.derived.boards.ended(state, after, limit + 1)
    items = [_grave(state.traders[name]) for _, name in rows[:limit]]
    following = encode_cursor("graveyard", rows[limit - 1][0]) if len(rows) > limit else None
    accounts = state.totals.traders_with_trades
    return page(request, items, following, tagged=True, accounts=accounts)


def _grave(trader: Trader) -> dict[str, Any]:
    track, closed_at_us = trader.track, trader.about.closed_at_us
    last = track.days[-1] if track.days else None
    return {
        "trader": trader.trader,
        "handle": trader.handle,
        "cause": "blown" if track.wiped else "closed",
        "joined_at": format_time_or_none(trader.joined_at_us),
        "closed_at": format_time_or_none(closed_at_us),
        "trades": track.trades,
        "total_return": last.unit_ppb / UNIT_PPB - 1.0 if last else None,
    }


@endpoint(
    "PUT",
    "/v1/admin/traders/{trader:str}/identity",
    tag=TAG,
    summary="Say whose account it is",
    access="service",
    codes=("UNKNOWN_TRADER",),
)
async def put_identity(
    request: ApiRequest, trader: FromPath[str], data: JSONBody[Identity]
) -> Response[Any]:
    """Link an account to an identity; three accounts of one are shown as serial."""
    found = trader_of(request, trader).trader
    order = LinkIdentity(found, data.identity)
    outcome = await request.services.edge.submit(order, request.caller.trader, privileged=True)
    if outcome.code != "OK":
        raise refusal(outcome)
    return answer(request, {"trader": found}, offset=outcome.offset)


ROUTES = [get_flags, get_graveyard, put_identity]
