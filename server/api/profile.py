"""The caller's own profile, data export, erasure, and API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from server.api.answers import answer, command, page
from server.api.bodies import arguments
from server.api.endpoint import endpoint
from server.api.identity import Body, identity_of, visitor_of
from server.api.parameters import own_trader
from server.api.problems import ApiError
from server.api.request import ApiRequest
from server.auth.api_keys import ApiKeys
from server.auth.renaming import renamed
from storage.accounts import Account
from storage.api_keys import ApiKey
from streams.core.view import account_view, copy_view, idea_view, trader_view
from streams.replica.requests import CloseAccount, UpdateProfile
from streams.replica.texts import clean_handle


TAG = "Identity"

Scope = Literal["read", "trade", "copy", "stream", "admin"]

EXPORT_IDEAS_MAX = 10_000
"""Ideas of one export, newest first; older ones are in the archive."""


Addresses = Annotated[list[Annotated[str, Meta(max_length=50)]], Meta(max_length=20)]


class ApiKeyRequest(Body, frozen=True):
    """A new API key; without `expires_at` it lives until it is revoked."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=5)]
    addresses: Addresses = msgspec.field(default_factory=list)
    expires_at: datetime | None = None


@endpoint(
    "GET",
    "/v1/me",
    tag=TAG,
    summary="Who I am",
    access="account",
    codes=("UNKNOWN_TRADER",),
)
async def get_me(request: ApiRequest) -> Response[Any]:
    """Show the public profile, and what the credential may do."""
    caller = request.caller
    profile = trader_view(request.core, own_trader(request))
    return answer(request, {**profile, "roles": list(caller.roles), "scopes": list(caller.scopes)})


@endpoint(
    "PATCH",
    "/v1/me",
    tag=TAG,
    summary="Change my profile",
    access="account",
    scope="trade",
    codes=(
        "UNKNOWN_TRADER",
        "INVALID_SETTINGS",
        "HANDLE_TAKEN",
        "HANDLE_TOO_SOON",
        "STORE_UNAVAILABLE",
    ),
)
async def patch_me(request: ApiRequest, data: JSONBody[UpdateProfile]) -> Response[Any]:
    """Change what the body names; a former handle goes on leading here."""
    pool = request.services.pool
    if data.handle is None or pool is None:
        return await command(request, "update_profile", arguments(data))
    async with renamed(pool, request.caller, clean_handle(data.handle)):
        return await command(request, "update_profile", arguments(data))


@endpoint(
    "POST",
    "/v1/me/close",
    tag=TAG,
    summary="Close my account",
    access="account",
    scope="trade",
    codes=("UNKNOWN_TRADER", "TRADER_CLOSED"),
)
async def close_me(request: ApiRequest, data: JSONBody[CloseAccount]) -> Response[Any]:
    """Close for good: handle and record stay, texts are hidden, copies of it only close."""
    return await command(request, "close_account", arguments(data))


@endpoint(
    "GET",
    "/v1/me/export",
    tag=TAG,
    summary="All data about me",
    access="account",
    codes=("UNKNOWN_TRADER", "STORE_UNAVAILABLE"),
)
async def export_me(request: ApiRequest) -> Response[Any]:
    """Collect profile, account, copies, ideas, logins and keys in one document."""
    identity = identity_of(request)
    account = await identity.account_of(request.caller)
    state, trader = request.core, own_trader(request)
    index = request.services.ideas
    index.follow(state)
    ideas = []
    for _, idea in index.newest_first(state, before=None, trader=trader.trader, symbol=None):
        ideas.append(idea_view(state, idea))
        if len(ideas) == EXPORT_IDEAS_MAX:
            break
    copies = [state.copies[leader][trader.trader] for leader in trader.copying]
    return answer(
        request,
        {
            "identity": _account(account),
            "profile": trader_view(state, trader),
            "account": account_view(state, trader),
            "copies": [copy_view(state, each) for each in copies],
            "ideas": ideas,
            "following": list(trader.following),
            "logins": [login._asdict() for login in await identity.logins(account.account_id)],
            "api_keys": [_key(key) for key in await _keys_of(request).of(request.caller)],
        },
    )


@endpoint(
    "DELETE",
    "/v1/me",
    tag=TAG,
    summary="Erase my account",
    access="account",
    scope="trade",
    status=204,
    codes=("STORE_UNAVAILABLE",),
)
async def delete_me(request: ApiRequest) -> None:
    """Forget the person; the trader stays without a name. There is no way back."""
    await identity_of(request).erase(request.caller, visitor_of(request))


@endpoint(
    "POST",
    "/v1/api-keys",
    tag=TAG,
    summary="Make an API key",
    access="account",
    scope="trade",
    core=False,
    status=201,
    codes=("LIMIT_REACHED", "STORE_UNAVAILABLE"),
)
async def create_key(request: ApiRequest, data: JSONBody[ApiKeyRequest]) -> Response[Any]:
    """Make a key; `key` is shown in this answer only."""
    if data.expires_at is not None and data.expires_at.tzinfo is None:
        raise ApiError(
            "INVALID_ARGUMENT", "expires_at: expected a time with its zone", field="expires_at"
        )
    made = await _keys_of(request).create(
        request.caller,
        name=data.name,
        scopes=data.scopes,
        addresses=data.addresses,
        expires_at=data.expires_at,
        visitor=visitor_of(request),
    )
    body = {
        "id": made.key_id,
        "key": made.text,
        "prefix": made.prefix,
        "name": data.name,
        "scopes": data.scopes,
        "addresses": data.addresses,
        "expires_at": data.expires_at,
    }
    return answer(request, body, status=201, core=False)


@endpoint(
    "GET",
    "/v1/api-keys",
    tag=TAG,
    summary="My API keys",
    access="account",
    core=False,
    codes=("STORE_UNAVAILABLE",),
)
async def list_keys(request: ApiRequest) -> Response[Any]:
    """List live keys, newest first, without their secrets."""
    keys = await _keys_of(request).of(request.caller)
    return page(request, [_key(key) for key in keys], None, core=False)


@endpoint(
    "DELETE",
    "/v1/api-keys/{key:str}",
    tag=TAG,
    summary="Revoke an API key",
    access="account",
    core=False,
    status=204,
    codes=("NOT_FOUND", "STORE_UNAVAILABLE"),
)
async def delete_key(request: ApiRequest, key: FromPath[str]) -> None:
    """Revoke a key; its live sockets are closed."""
    if not await _keys_of(request).revoke(request.caller, key, visitor_of(request)):
        raise ApiError("NOT_FOUND", f"expected a live API key, {key} is none")


def _keys_of(request: ApiRequest) -> ApiKeys:
    keys = request.services.api_keys
    if keys is None:
        raise ApiError("STORE_UNAVAILABLE", "this node has no PostgreSQL")
    return keys


def _account(account: Account) -> dict[str, Any]:
    return {
        "account": account.account_id,
        "email": account.email,
        "handle": account.handle,
        "display_name": account.display_name,
        "role": account.role,
        "created_at": account.created_at,
    }


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.key_id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "addresses": key.addresses,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }


ROUTES = [get_me, patch_me, close_me, export_me, delete_me, create_key, list_keys, delete_key]
