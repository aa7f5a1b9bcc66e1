"""A handle changes in two places: the account, which keeps it unique, and the core."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.api.problems import ApiError
from storage.accounts import change_account, find_account_by_trader
from storage.errors import HandleTaken
from storage.pool import Pool
from streams.ports import CommandError, Principal


@asynccontextmanager
async def renamed(pool: Pool, principal: Principal, handle: str) -> AsyncIterator[None]:
    """Give the account another handle while the core is asked for it, or its own back.

    A trader without an account (of development) has nothing to rename. When nobody knows what
    the core decided the new handle stays: asking again settles it.

    Raises:
        CommandError: `HANDLE_TAKEN`, or whatever the block raises.
        StorageError: see storage.errors.
    """
    account = await find_account_by_trader(pool, principal.trader)
    if account is None or account.handle == handle:
        yield
        return
    try:
        await change_account(pool, account.account_id, handle=handle)
    except HandleTaken:
        text = f"handle: expected an unused one, {handle} was taken"
        raise CommandError("HANDLE_TAKEN", text, field="handle") from None
    try:
        yield
    except (ApiError, CommandError) as error:
        if error.code != "OUTCOME_UNKNOWN":
            await change_account(pool, account.account_id, handle=account.handle)
        raise
