from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storage.accounts import change_account, create_account
from storage.api_keys import (
    ApiKey,
    create_api_key,
    find_api_key,
    find_api_key_by_prefix,
    list_api_keys,
    revoke_api_key,
    touch_api_keys,
)
from storage.errors import Conflict
from storage.logins import revoked_since
from storage.pool import Pool


NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
async def keys(pool: Pool) -> Pool:
    """Account a_1 with keys k_1 (for ever) and k_2 (for an hour)."""
    await create_account(
        pool, account_id="a_1", trader="t_1", email=None, handle="one", password_hash=None
    )
    await create(pool, 1, None)
    await create(pool, 2, NOW + HOUR)
    return pool


async def create(pool: Pool, number: int, expires_at: datetime | None) -> None:
    await create_api_key(
        pool,
        key_id=f"k_{number}",
        account_id="a_1",
        name=f"bot {number}",
        prefix=f"optix_test_{number}",
        secret_hash=bytes([number]) * 32,
        scopes=["read", "stream"],
        addresses=["192.0.2.0/24"],
        now=NOW + timedelta(seconds=number),
        expires_at=expires_at,
    )


async def key(pool: Pool, number: int) -> ApiKey:
    found = await find_api_key(pool, bytes([number]) * 32)
    assert found is not None
    return found


async def test_key_is_found_with_its_account(keys: Pool) -> None:
    found = await key(keys, 1)

    assert (
        found.key_id,
        found.account_id,
        found.trader,
        found.role,
        found.status,
    ) == ("k_1", "a_1", "t_1", "trader", "active")
    assert (found.scopes, found.addresses) == (["read", "stream"], ["192.0.2.0/24"])
    assert found == await find_api_key_by_prefix(keys, "optix_test_1")
    assert await find_api_key(keys, b"9" * 32) is None
    assert await find_api_key_by_prefix(keys, "optix_test_9") is None


async def test_usable_is_not_revoked_not_expired_and_active(keys: Pool) -> None:
    assert (await key(keys, 1)).usable(NOW + 100 * HOUR)
    assert (await key(keys, 2)).usable(NOW + HOUR - timedelta(seconds=1))
    assert not (await key(keys, 2)).usable(NOW + HOUR)

    assert await revoke_api_key(keys, account_id="a_1", key_id="k_1", now=NOW)

    assert not (await key(keys, 1)).usable(NOW)
    await change_account(keys, "a_1", status="disabled")
    assert not (await key(keys, 2)).usable(NOW)


async def test_only_the_owner_revokes_and_once(keys: Pool) -> None:
    assert not await revoke_api_key(keys, account_id="a_9", key_id="k_1", now=NOW)
    assert [one.key_id for one in await list_api_keys(keys, "a_1")] == ["k_2", "k_1"]

    assert await revoke_api_key(keys, account_id="a_1", key_id="k_1", now=NOW)
    assert not await revoke_api_key(keys, account_id="a_1", key_id="k_1", now=NOW)

    assert [one.key_id for one in await list_api_keys(keys, "a_1")] == ["k_2"]
    assert [one.id for one in await revoked_since(keys, NOW)] == ["k_1"]


async def test_doubled_secret_is_a_conflict(keys: Pool) -> None:
    with pytest.raises(Conflict):
        await create(keys, 1, None)


async def test_last_use_only_moves_forward(keys: Pool) -> None:
    await touch_api_keys(keys, {})
    await touch_api_keys(keys, {"k_1": NOW + HOUR, "k_2": NOW, "k_9": NOW})
    await touch_api_keys(keys, {"k_1": NOW, "k_2": NOW + HOUR})

    assert (
        (await key(keys, 1)).last_used_at,
        (await key(keys, 2)).last_used_at,
    ) == (NOW + HOUR, NOW + HOUR)
