"""Accounts: who may act as which trader. Outside the core and the log, so that erasure is possible.

Invariants:
    * An e-mail address belongs to one account in any letter case, and so does a handle.
    * Passwords are never seen here, only their argon2 hashes.
    * An erased account keeps its ids (the log refers to them) and nothing about the person.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from storage.errors import Conflict, EmailTaken, HandleTaken, NotFound
from storage.pool import Pool, acquired, transaction
from storage.queries import load


_SQL = load("accounts")


class Account(NamedTuple):
    """One account.

    Attributes:
        account_id: opaque id.
        trader: the trader it acts as.
        email: lower-cased; None for accounts without one, and after erasure.
        handle: as it was chosen; unique in any letter case.
        display_name: free text.
        password_hash: argon2 text, or None when no password can log in.
        role: `trader`, `service` or `admin`.
        status: `active`, `disabled` or `erased`.
        created_at: UTC.
    """

    account_id: str
    trader: str
    email: str | None
    handle: str
    display_name: str
    password_hash: str | None
    role: str
    status: str
    created_at: datetime


async def create_account(
    pool: Pool,
    *,
    account_id: str,
    trader: str,
    email: str | None,
    handle: str,
    password_hash: str | None,
    display_name: str = "",
    role: str = "trader",
) -> Account:
    """Create an account.

    Raises:
        EmailTaken: another account has the address.
        HandleTaken: another account has the handle.
        Conflict: another account has one of the ids.
        StorageError: see storage.errors.
    """
    values = (account_id, trader, _lowered(email), handle, display_name, password_hash, role)
    with _named_conflicts():
        async with acquired(pool, "create an account") as connection:
            return Account(*await connection.fetchrow(_SQL["create"], *values))


async def find_account(pool: Pool, account_id: str) -> Account | None:
    """Return an account by its id, or None.

    Raises:
        StorageError: see storage.errors.
    """
    return await _find(pool, "by_id", account_id)


async def find_account_by_email(pool: Pool, email: str) -> Account | None:
    """Return an account by its address in any letter case, or None.

    Raises:
        StorageError: see storage.errors.
    """
    return await _find(pool, "by_email", email.strip().lower())


async def find_account_by_handle(pool: Pool, handle: str) -> Account | None:
    """Return an account by its handle in any letter case, or None.

    Raises:
        StorageError: see storage.errors.
    """
    return await _find(pool, "by_handle", handle)


async def find_account_by_trader(pool: Pool, trader: str) -> Account | None:
    """Return the account of a trader, or None.

    Raises:
        StorageError: see storage.errors.
    """
    return await _find(pool, "by_trader", trader)


async def change_account(
    pool: Pool,
    account_id: str,
    *,
    email: str | None = None,
    display_name: str | None = None,
    password_hash: str | None = None,
    role: str | None = None,
    status: str | None = None,
    handle: str | None = None,
) -> Account:
    """Change fields of an account; None leaves one as it is. `status`: `active` or `disabled`.

    Raises:
        ValueError: the status is `erased`; see `erase_account`.
        EmailTaken: another account has the address.
        HandleTaken: another account has the handle.
        NotFound: there is no such account, or it was erased.
        StorageError: see storage.errors.
    """
    if status == "erased":
        raise ValueError("expected status active or disabled, was erased: call erase_account")
    values = (_lowered(email), display_name, password_hash, role, status, handle)
    with _named_conflicts():
        async with acquired(pool, "change an account") as connection:
            row = await connection.fetchrow(_SQL["change"], account_id, *values)
    if row is None:
        raise NotFound(f"expected an account {account_id}, was none")
    return Account(*row)


async def erase_account(pool: Pool, account_id: str) -> None:
    """Forget everything about the person, with all logins and API keys. Repeating it is harmless.

    Raises:
        NotFound: there is no such account.
        StorageError: see storage.errors.
    """
    async with transaction(pool, "erase an account") as connection:
        status = await connection.execute(_SQL["erase"], account_id)
        await connection.execute(_SQL["erase_logins"], account_id)
        await connection.execute(_SQL["erase_api_keys"], account_id)
    if status != "UPDATE 1":
        raise NotFound(f"expected an account {account_id}, was none")


async def _find(pool: Pool, query: str, value: str) -> Account | None:
    async with acquired(pool, "find an account") as connection:
        row = await connection.fetchrow(_SQL[query], value)
    return None if row is None else Account(*row)


def _lowered(email: str | None) -> str | None:
    return None if email is None else email.strip().lower()


@contextmanager
def _named_conflicts() -> Iterator[None]:
    try:
        yield
    except Conflict as error:
        if error.constraint == "accounts_email_key":
            raise EmailTaken("expected an unused address", constraint=error.constraint) from error
        if error.constraint == "accounts_handle_key":
            raise HandleTaken("expected an unused handle", constraint=error.constraint) from error
        raise
