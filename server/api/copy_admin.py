"""Copying as the platform's operators see it: its scope, the kill switch, suspended leaders."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from server.api.answers import answer
from server.api.endpoint import endpoint
from server.api.parameters import trader_of
from server.api.problems import refusal
from server.api.request import ApiRequest
from streams.core.commands import (
    Command,
    ReinstateLeader,
    SetCopy,
    SetCopyScope,
    SetKillSwitch,
    SuspendLeader,
)
from streams.core.copying.scopes import PLATFORM
from streams.core.view import scope_view
from streams.replica.copy_settings import copy_patch
from streams.replica.requests import CopySettingsPatch


TAG = "Operations"

OPERATOR = "operator"
"""Principal of these commands in the log."""


class KillSwitch(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whether copied openings are stopped on the whole platform, and why."""

    on: bool
    cause: str = ""


class Suspension(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Why a leader may not be copied any more."""

    cause: Literal["suspended", "liquidated", "closed"] = "suspended"


async def _order(request: ApiRequest, command: Command) -> Response[Any]:
    """Hand in a command of the platform and show how copying stands after it."""
    outcome = await request.services.edge.submit(command, OPERATOR, privileged=True)
    if outcome.code != "OK":
        raise refusal(outcome)
    return answer(request, _view(request), offset=outcome.offset)


def _view(request: ApiRequest) -> dict[str, Any]:
    desk = request.core.copy_desk
    return {
        "kill_switch": desk.kill_switch or None,
        "suspended": dict(desk.suspended),
        "platform": scope_view(PLATFORM, desk.scopes.get(PLATFORM)),
        "copies": len(desk.rows),
        "cooling_down": len(desk.cooldowns),
    }


@endpoint("GET", "/v1/admin/copies", tag=TAG, summary="How copying stands", access="service")
async def get_copying(request: ApiRequest) -> Response[Any]:
    """Show the kill switch, suspended leaders and the platform's scope."""
    return answer(request, _view(request))


@endpoint(
    "PUT",
    "/v1/admin/copies/settings",
    tag=TAG,
    summary="Patch the settings of all copies on the platform",
    access="service",
    codes=("INVALID_SETTINGS",),
)
async def set_platform(request: ApiRequest, data: JSONBody[CopySettingsPatch]) -> Response[Any]:
    """Filters add to those of each copy at once; values reach copies that set none themselves."""
    patch = SetCopy("", **copy_patch(data))
    return await _order(request, SetCopyScope(PLATFORM, patch))


@endpoint(
    "PUT",
    "/v1/admin/copies/kill-switch",
    tag=TAG,
    summary="Stop all copied openings, or let them go on",
    access="service",
)
async def set_kill_switch(request: ApiRequest, data: JSONBody[KillSwitch]) -> Response[Any]:
    """Closings are never stopped."""
    return await _order(request, SetKillSwitch(data.on, data.cause))


@endpoint(
    "PUT",
    "/v1/admin/copies/suspended/{trader:str}",
    tag=TAG,
    summary="Let nobody open after this leader any more",
    access="service",
    codes=("UNKNOWN_TRADER", "ALREADY_SUSPENDED"),
)
async def suspend_leader(
    request: ApiRequest, trader: FromPath[str], data: JSONBody[Suspension]
) -> Response[Any]:
    """The leader's copies become CLOSE_ONLY."""
    found = trader_of(request, trader).trader
    return await _order(request, SuspendLeader(found, data.cause))


@endpoint(
    "DELETE",
    "/v1/admin/copies/suspended/{trader:str}",
    tag=TAG,
    summary="Let a leader be copied again",
    access="service",
    codes=("UNKNOWN_TRADER", "NOT_SUSPENDED"),
)
async def reinstate_leader(request: ApiRequest, trader: FromPath[str]) -> Response[Any]:
    """Followers resume by themselves."""
    return await _order(request, ReinstateLeader(trader_of(request, trader).trader))


ROUTES = [get_copying, set_platform, set_kill_switch, suspend_leader, reinstate_leader]
