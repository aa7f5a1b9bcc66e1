"""Registration, log-in, refresh, log-out, the list of logins, and the password."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from server.api.answers import answer, page
from server.api.endpoint import endpoint
from server.api.problems import ApiError
from server.api.request import ApiRequest
from server.auth.identity import Identity, Tokens, Visitor
from server.auth.passwords import LENGTH_MAX
from storage.logins import Login
from streams.core.limits import NAME_LENGTH_MAX


TAG = "Identity"

Email = Annotated[str, Meta(min_length=3, max_length=254)]
Password = Annotated[str, Meta(max_length=LENGTH_MAX)]
Token = Annotated[str, Meta(min_length=1, max_length=200)]


class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Base of bodies: unknown fields are an error."""


class Registration(Body, frozen=True):
    """A new account. The handle is 3 to 30 of a-z, 0-9 and _."""

    email: Email
    handle: Annotated[str, Meta(min_length=3, max_length=31)]
    password: Password
    display_name: Annotated[str, Meta(max_length=NAME_LENGTH_MAX)] = ""


class Credentials(Body, frozen=True):
    """A log-in; `totp` is refused while the account has no second factor."""

    email: Email
    password: Password
    totp: str | None = None


class RefreshToken(Body, frozen=True):
    """The newest refresh token of a login."""

    refresh_token: Token


class PasswordChange(Body, frozen=True):
    """The present password and the next one."""

    current_password: Password
    new_password: Password


def identity_of(request: ApiRequest) -> Identity:
    """Return the accounts of the node.

    Raises:
        ApiError: `STORE_UNAVAILABLE`, this node has no PostgreSQL.
    """
    identity = request.services.identity
    if identity is None:
        raise ApiError("STORE_UNAVAILABLE", "this node has no PostgreSQL")
    return identity


def visitor_of(request: ApiRequest) -> Visitor:
    """Return where the request came from."""
    return Visitor(request.exchange.address, request.headers.get("user-agent", ""))


def check_attempt(request: ApiRequest, subject: str) -> None:
    """Count an attempt to get in.

    Raises:
        ApiError: `RATE_LIMITED`.
    """
    allowance = request.attempts.take(subject)
    if not allowance.allowed:
        request.services.meters.rate_limited += 1
        raise ApiError(
            "RATE_LIMITED",
            f"expected fewer attempts, come back in {allowance.retry_s} s",
            headers=allowance.headers(),
        )


@endpoint(
    "POST",
    "/v1/auth/register",
    tag=TAG,
    summary="Create an account and its trader",
    access="open",
    status=201,
    codes=("EMAIL_TAKEN", "HANDLE_TAKEN", "STORE_UNAVAILABLE"),
)
async def register(request: ApiRequest, data: JSONBody[Registration]) -> Response[Any]:
    """Create an account with paper cash, and log it in."""
    check_attempt(request, f"address:{request.exchange.address}")
    tokens = await identity_of(request).register(
        email=data.email,
        handle=data.handle,
        password=data.password,
        display_name=data.display_name.strip(),
        visitor=visitor_of(request),
    )
    return _tokens(request, tokens, 201)


@endpoint(
    "POST",
    "/v1/auth/login",
    tag=TAG,
    summary="Log in",
    access="open",
    codes=("WRONG_CREDENTIALS", "HANDLE_TAKEN", "STORE_UNAVAILABLE"),
)
async def log_in(request: ApiRequest, data: JSONBody[Credentials]) -> Response[Any]:
    """Begin a login; unknown address and wrong password are told alike."""
    check_attempt(request, f"address:{request.exchange.address}")
    check_attempt(request, f"email:{data.email.strip().lower()}")
    if data.totp is not None:
        raise ApiError(
            "INVALID_ARGUMENT", "totp: expected none, accounts have no second factor", field="totp"
        )
    tokens = await identity_of(request).log_in(
        email=data.email, password=data.password, visitor=visitor_of(request)
    )
    return _tokens(request, tokens, 200)


@endpoint(
    "POST",
    "/v1/auth/refresh",
    tag=TAG,
    summary="Replace a refresh token by the next pair",
    access="open",
    core=False,
    codes=(
        "REFRESH_UNKNOWN",
        "REFRESH_EXPIRED",
        "REFRESH_REVOKED",
        "REFRESH_REUSED",
        "STORE_UNAVAILABLE",
    ),
)
async def refresh(request: ApiRequest, data: JSONBody[RefreshToken]) -> Response[Any]:
    """Refresh; a token used twice ends its login."""
    tokens = await identity_of(request).refresh(data.refresh_token, visitor_of(request))
    return _tokens(request, tokens, 200)


@endpoint(
    "POST",
    "/v1/auth/logout",
    tag=TAG,
    summary="End a login",
    access="open",
    core=False,
    status=204,
    codes=("STORE_UNAVAILABLE",),
)
async def log_out(request: ApiRequest, data: JSONBody[RefreshToken]) -> None:
    """End the login of a refresh token, with its sockets; repeating it is harmless."""
    await identity_of(request).log_out(data.refresh_token, visitor_of(request))


@endpoint(
    "GET",
    "/v1/auth/sessions",
    tag=TAG,
    summary="Live logins of the account",
    access="account",
    core=False,
    codes=("STORE_UNAVAILABLE",),
)
async def list_sessions(request: ApiRequest) -> Response[Any]:
    """List logins, newest first."""
    identity = identity_of(request)
    account = await identity.account_of(request.caller)
    items = [_session(request, login) for login in await identity.logins(account.account_id)]
    return page(request, items, None, core=False)


@endpoint(
    "DELETE",
    "/v1/auth/sessions/{session:str}",
    tag=TAG,
    summary="End a login of the account",
    access="account",
    core=False,
    status=204,
    codes=("NOT_FOUND", "STORE_UNAVAILABLE"),
)
async def delete_session(request: ApiRequest, session: FromPath[str]) -> None:
    """End a login; its live sockets are closed."""
    identity = identity_of(request)
    account = await identity.account_of(request.caller)
    if not await identity.end_login(
        account.account_id, session, "revoked by the account", visitor_of(request)
    ):
        raise ApiError("NOT_FOUND", f"expected a live login, {session} is none")


@endpoint(
    "POST",
    "/v1/auth/password",
    tag=TAG,
    summary="Change the password",
    access="account",
    core=False,
    codes=("WRONG_CREDENTIALS", "STORE_UNAVAILABLE"),
)
async def change_password(request: ApiRequest, data: JSONBody[PasswordChange]) -> Response[Any]:
    """Change it; all other logins end."""
    check_attempt(request, f"account:{request.caller.trader}")
    ended = await identity_of(request).change_password(
        request.caller, data.current_password, data.new_password, visitor_of(request)
    )
    return answer(request, {"logins_ended": ended}, core=False)


def _tokens(request: ApiRequest, tokens: Tokens, status: int) -> Response[Any]:
    return answer(request, tokens, status=status, core=False)


def _session(request: ApiRequest, login: Login) -> dict[str, Any]:
    return {
        "id": login.login_id,
        "user_agent": login.user_agent,
        "address": login.address,
        "created_at": login.created_at,
        "used_at": login.used_at,
        "expires_at": login.expires_at,
        "current": login.login_id == request.caller.login,
    }


ROUTES = [register, log_in, refresh, log_out, list_sessions, delete_session, change_password]
