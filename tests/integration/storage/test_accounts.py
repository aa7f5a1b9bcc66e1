from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from storage.accounts import (
    Account,
    change_account,
    create_account,
    erase_account,
    find_account,
    find_account_by_email,
    find_account_by_handle,
    find_account_by_trader,
)
from storage.api_keys import create_api_key, find_api_key
from storage.errors import Conflict, EmailTaken, HandleTaken, NotFound, StorageError
from storage.logins import create_login, list_logins
from storage.pool import Pool


NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


async def account(pool: Pool, number: int = 1, **fields: str | None) -> Account:
    values: dict[str, str | None] = {
        "account_id": f"a_{number}",
        "trader": f"t_{number}",
        "email": f"person{number}@example.org",
        "handle": f"Person{number}",
        "password_hash": "$argon2id$…",
    }
    return await create_account(pool, **(values | fields))


async def test_account_is_found_by_everything(pool: Pool) -> None:
    created = await account(pool, email="  Person1@Example.ORG ")

    assert created.email == "person1@example.org"
    assert (created.role, created.status) == ("trader", "active")
    assert created == await find_account(pool, "a_1")
    assert created == await find_account_by_email(pool, "PERSON1@example.org")
    assert created == await find_account_by_handle(pool, "pERSON1")
    assert created == await find_account_by_trader(pool, "t_1")
    assert await find_account_by_email(pool, "nobody@example.org") is None


async def test_taken_address_and_handle_have_names(pool: Pool) -> None:
    await account(pool, 1)

    with pytest.raises(EmailTaken) as email:
        await account(pool, 2, email="PERSON1@EXAMPLE.ORG")
    with pytest.raises(HandleTaken) as handle:
        await account(pool, 2, handle="PERSON1")
    with pytest.raises(Conflict) as ids:
        await account(pool, 2, trader="t_1")

    assert (email.value.code, handle.value.code) == ("EMAIL_TAKEN", "HANDLE_TAKEN")
    assert type(ids.value) is Conflict


async def test_one_of_many_at_once_gets_the_handle(pool: Pool) -> None:
    outcomes = await asyncio.gather(
        *(account(pool, number, handle="same") for number in range(5)), return_exceptions=True
    )

    assert [True for one in outcomes if isinstance(one, Account)] == [True]
    assert len([one for one in outcomes if isinstance(one, HandleTaken)]) == 4


async def test_accounts_without_address_live_side_by_side(pool: Pool) -> None:
    for number in (1, 2):
        await account(pool, number, email=None, password_hash=None)


async def test_change_of_fields(pool: Pool) -> None:
    await account(pool, 1)
    await account(pool, 2)

    changed = await change_account(
        pool, "a_1", email="New@example.org", role="admin", password_hash="$argon2id$new"
    )

    assert (
        changed.email,
        changed.role,
        changed.password_hash,
    ) == ("new@example.org", "admin", "$argon2id$new")
    assert changed.handle == "Person1"
    with pytest.raises(EmailTaken):
        await change_account(pool, "a_2", email="new@example.org")
    with pytest.raises(StorageError):
        await change_account(pool, "a_2", role="king")
    with pytest.raises(ValueError, match="erase_account"):
        await change_account(pool, "a_2", status="erased")
    with pytest.raises(NotFound):
        await change_account(pool, "a_9", role="admin")


async def test_erasure_leaves_nothing_about_the_person(pool: Pool) -> None:
    await account(pool, 1)
    await create_login(
        pool,
        login_id="l_1",
        account_id="a_1",
        token_hash=b"1" * 32,
        now=NOW,
        expires_at=NOW + timedelta(days=1),
        address="192.0.2.7",
    )
    await create_api_key(
        pool,
        key_id="k_1",
        account_id="a_1",
        name="bot",
        prefix="optix_test_1",
        secret_hash=b"2" * 32,
        scopes=["read"],
        now=NOW,
    )

    for _ in range(2):
        await erase_account(pool, "a_1")

    left = await find_account(pool, "a_1")
    assert left is not None
    assert (
        left.trader,
        left.email,
        left.password_hash,
        left.display_name,
        left.status,
    ) == ("t_1", None, None, "", "erased")
    assert await list_logins(pool, "a_1", now=NOW) == []
    assert await find_api_key(pool, b"2" * 32) is None
    with pytest.raises(NotFound):
        await change_account(pool, "a_1", email="again@example.org")
    await account(pool, 2, email="person1@example.org", handle="person1")
    with pytest.raises(NotFound):
        await erase_account(pool, "a_9")
