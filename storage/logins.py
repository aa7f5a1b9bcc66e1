"""Logins: families of refresh tokens, each replaced by the next when it is used.

Invariants:
    * At most one token of a login is good (a partial unique index says so).
    * A token presented a second time proves that two parties have it: the login is revoked, and
      the revocation stays although the caller gets an error.
    * Tokens are opaque and random; only their SHA-256 is stored.

Source: RFC 9700 (OAuth 2.0 Security Best Current Practice), section 4.14.2.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from storage.errors import RefreshRefused
from storage.pool import AnyConnection, Pool, acquired, transaction
from storage.queries import load


USER_AGENT_LENGTH_MAX = 300
"""Characters of a user agent kept; the rest is cut off."""

_SQL = load("logins")


class Login(NamedTuple):
    """A live login, as shown to its account."""

    login_id: str
    account_id: str
    user_agent: str
    address: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


class Rotated(NamedTuple):
    """Whose token was replaced."""

    login_id: str
    account_id: str


class Revoked(NamedTuple):
    """The id of a login or API key, and when it was revoked."""

    id: str
    revoked_at: datetime


async def create_login(
    pool: Pool,
    *,
    login_id: str,
    account_id: str,
    token_hash: bytes,
    now: datetime,
    expires_at: datetime,
    user_agent: str = "",
    address: str = "",
) -> None:
    """Begin a login with its first refresh token.

    Raises:
        Conflict: the login or the token exists.
        StorageError: see storage.errors.
    """
    agent = user_agent[:USER_AGENT_LENGTH_MAX]
    async with transaction(pool, "create a login") as connection:
        await connection.execute(
            _SQL["create_login"], login_id, account_id, agent, address, now, expires_at
        )
        await connection.execute(_SQL["issue_token"], token_hash, login_id, now)


async def rotate_refresh_token(
    pool: Pool, *, token_hash: bytes, new_hash: bytes, now: datetime, expires_at: datetime
) -> Rotated:
    """Replace the token of a login by the next one, and let the login last until `expires_at`.

    Raises:
        RefreshRefused: `REFRESH_UNKNOWN`, `REFRESH_EXPIRED`, `REFRESH_REVOKED` (also when the
            account is not active), or `REFRESH_REUSED`: the login has now been revoked.
        StorageError: see storage.errors.
    """
    async with transaction(pool, "rotate a refresh token") as connection:
        row = await connection.fetchrow(_SQL["token"], token_hash)
        if row is None:
            raise RefreshRefused("REFRESH_UNKNOWN")
        rotated = Rotated(row["login_id"], row["account_id"])
        if row["revoked_at"] is not None or row["status"] != "active":
            raise RefreshRefused("REFRESH_REVOKED", **rotated._asdict())
        reused = row["rotated_at"] is not None
        if reused:
            await _revoke(connection, rotated, now, "reuse of a refresh token")
        elif row["expires_at"] <= now:
            raise RefreshRefused("REFRESH_EXPIRED", **rotated._asdict())
        else:
            await connection.execute(_SQL["retire_token"], token_hash, now)
            await connection.execute(_SQL["issue_token"], new_hash, rotated.login_id, now)
            await connection.execute(_SQL["use_login"], rotated.login_id, now, expires_at)
    if reused:  # raised only now: the revocation must be committed
        raise RefreshRefused("REFRESH_REUSED", **rotated._asdict())
    return rotated


async def revoke_login(
    pool: Pool, *, account_id: str, login_id: str, now: datetime, reason: str
) -> bool:
    """Revoke one login of an account; return whether it was live.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "revoke a login") as connection:
        return await _revoke(connection, Rotated(login_id, account_id), now, reason)


async def revoke_other_logins(
    pool: Pool, *, account_id: str, keep_login_id: str = "", now: datetime, reason: str
) -> list[str]:
    """Revoke all logins of an account but one; return the ids of those that were live.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "revoke logins") as connection:
        rows = await connection.fetch(
            _SQL["revoke_logins_but"], account_id, keep_login_id, now, reason
        )
    return [row["login_id"] for row in rows]


async def list_logins(pool: Pool, account_id: str, *, now: datetime) -> list[Login]:
    """Return the live logins of an account, newest first.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "list logins") as connection:
        rows = await connection.fetch(_SQL["live_logins"], account_id, now)
    return [Login(*row) for row in rows]


async def revoked_since(pool: Pool, since: datetime) -> list[Revoked]:
    """Return the logins and API keys revoked at or after a moment, in order.

    Each node asks this again and again, so that a revocation reaches its live sockets.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "read revocations") as connection:
        rows = await connection.fetch(_SQL["revoked_since"], since)
    return [Revoked(*row) for row in rows]


async def prune_logins(pool: Pool, before: datetime) -> int:
    """Delete logins that expired or were revoked before a moment; return how many.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "prune logins") as connection:
        status: str = await connection.execute(_SQL["prune_logins"], before)
    return int(status.removeprefix("DELETE "))


async def _revoke(connection: AnyConnection, login: Rotated, now: datetime, reason: str) -> bool:
    status: str = await connection.execute(
        _SQL["revoke_login"], login.account_id, login.login_id, now, reason
    )
    return status == "UPDATE 1"
