"""API keys: found by the SHA-256 of the secret, or by the public prefix when a request is signed.

Invariants:
    * The secret is shown once and never stored; a key is random, so a plain hash suffices.
    * Whether a key may be used (`usable`) is one question with one answer: not revoked, not
      expired, account active.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from storage.pool import Pool, acquired
from storage.queries import load


_SQL = load("api_keys")


class ApiKey(NamedTuple):
    """One API key with what is needed of its account.

    Attributes:
        key_id: opaque id.
        account_id: whose key it is.
        name: given by the user.
        prefix: public part, unique.
        secret_hash: SHA-256 of the secret.
        scopes: what it allows.
        addresses: networks it may be used from, in CIDR form; empty = any.
        created_at: UTC.
        expires_at: UTC; None = never.
        last_used_at: UTC, some seconds late; None = not yet.
        revoked_at: UTC; None = live.
        trader: the account's trader.
        role: the account's role.
        status: the account's status.
    """

    key_id: str
    account_id: str
    name: str
    prefix: str
    secret_hash: bytes
    scopes: list[str]
    addresses: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    trader: str
    role: str
    status: str

    def usable(self, now: datetime) -> bool:
        """Whether the key may be used at a moment, whatever it is used for."""
        expired = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not expired and self.status == "active"


async def create_api_key(
    pool: Pool,
    *,
    key_id: str,
    account_id: str,
    name: str,
    prefix: str,
    secret_hash: bytes,
    scopes: Sequence[str],
    addresses: Sequence[str] = (),
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Create a key.

    Raises:
        Conflict: the id, the prefix or the secret exists.
        StorageError: see storage.errors.
    """
    values = (key_id, account_id, name, prefix, secret_hash, list(scopes), list(addresses))
    async with acquired(pool, "create an API key") as connection:
        await connection.execute(_SQL["create"], *values, now, expires_at)


async def find_api_key(pool: Pool, secret_hash: bytes) -> ApiKey | None:
    """Return a key by the SHA-256 of its secret, live or not, or None.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "find an API key") as connection:
        row = await connection.fetchrow(_SQL["by_secret_hash"], secret_hash)
    return None if row is None else ApiKey(*row)


async def find_api_key_by_prefix(pool: Pool, prefix: str) -> ApiKey | None:
    """Return a key by its public part, live or not, or None.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "find an API key") as connection:
        row = await connection.fetchrow(_SQL["by_prefix"], prefix)
    return None if row is None else ApiKey(*row)


async def list_api_keys(pool: Pool, account_id: str) -> list[ApiKey]:
    """Return the keys of an account that are not revoked, newest first.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "list API keys") as connection:
        rows = await connection.fetch(_SQL["of_account"], account_id)
    return [ApiKey(*row) for row in rows]


async def revoke_api_key(pool: Pool, *, account_id: str, key_id: str, now: datetime) -> bool:
    """Revoke a key of an account; return whether it was live.

    Raises:
        StorageError: see storage.errors.
    """
    async with acquired(pool, "revoke an API key") as connection:
        status: str = await connection.execute(_SQL["revoke"], account_id, key_id, now)
    return status == "UPDATE 1"


async def touch_api_keys(pool: Pool, used_at: Mapping[str, datetime]) -> None:
    """Note when keys were last used, many at once; an older time never replaces a newer one.

    Args:
        pool: connections to the primary.
        used_at: key id → time of the last use; collect some seconds of them, never one a request.

    Raises:
        StorageError: see storage.errors.
    """
    if not used_at:
        return
    ids = sorted(used_at)  # one order for every node, so that two never lock each other out
    async with acquired(pool, "note the use of API keys") as connection:
        await connection.execute(_SQL["touch"], ids, [used_at[key_id] for key_id in ids])
