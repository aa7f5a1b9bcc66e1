from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from storage.accounts import change_account, create_account
from storage.errors import RefreshRefused
from storage.logins import (
    Revoked,
    Rotated,
    create_login,
    list_logins,
    prune_logins,
    revoke_login,
    revoke_other_logins,
    revoked_since,
    rotate_refresh_token,
)
from storage.pool import Pool


NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


def hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@pytest.fixture
async def logins(pool: Pool) -> Pool:
    """Account a_1 with logins l_1, l_2 and l_3, whose first tokens are l_1.0, l_2.0 and l_3.0."""
    await create_account(
        pool, account_id="a_1", trader="t_1", email=None, handle="one", password_hash=None
    )
    for number in (1, 2, 3):
        await create_login(
            pool,
            login_id=f"l_{number}",
            account_id="a_1",
            token_hash=hashed(f"l_{number}.0"),
            now=NOW + timedelta(seconds=number),
            expires_at=NOW + MONTH,
            user_agent="terminal" * 100,
            address="192.0.2.7",
        )
    return pool


async def rotate(pool: Pool, old: str, new: str, now: datetime = NOW) -> Rotated:
    return await rotate_refresh_token(
        pool, token_hash=hashed(old), new_hash=hashed(new), now=now, expires_at=now + MONTH
    )


async def refused(pool: Pool, old: str, now: datetime = NOW) -> str:
    with pytest.raises(RefreshRefused) as error:
        await rotate(pool, old, "never", now)
    return error.value.code


async def live(pool: Pool) -> list[str]:
    return [login.login_id for login in await list_logins(pool, "a_1", now=NOW)]


async def test_each_token_gives_the_next(logins: Pool) -> None:
    assert Rotated("l_1", "a_1") == await rotate(logins, "l_1.0", "l_1.1")
    later = NOW + timedelta(days=3)
    assert Rotated("l_1", "a_1") == await rotate(logins, "l_1.1", "l_1.2", later)

    login = (await list_logins(logins, "a_1", now=NOW))[-1]
    assert ("l_1", later, later + MONTH) == (login.login_id, login.used_at, login.expires_at)
    assert len(login.user_agent) == 300


async def test_reuse_revokes_the_family_and_nothing_else(logins: Pool) -> None:
    await rotate(logins, "l_1.0", "l_1.1")

    assert await refused(logins, "l_1.0") == "REFRESH_REUSED"

    assert await refused(logins, "l_1.1") == "REFRESH_REVOKED"
    assert await refused(logins, "l_1.0") == "REFRESH_REVOKED"
    assert await live(logins) == ["l_3", "l_2"]
    await rotate(logins, "l_2.0", "l_2.1")


async def test_same_token_twice_at_once_is_reuse(logins: Pool) -> None:
    outcomes = await asyncio.gather(
        *(rotate(logins, "l_1.0", f"l_1.1{i}") for i in range(4)), return_exceptions=True
    )

    codes = sorted(one.code for one in outcomes if isinstance(one, RefreshRefused))
    assert codes == ["REFRESH_REUSED", "REFRESH_REVOKED", "REFRESH_REVOKED"]
    assert await live(logins) == ["l_3", "l_2"]


async def test_unknown_and_expired_tokens(logins: Pool) -> None:
    assert await refused(logins, "l_9.0") == "REFRESH_UNKNOWN"
    assert await refused(logins, "l_1.0", NOW + MONTH) == "REFRESH_EXPIRED"
    await rotate(logins, "l_1.0", "l_1.1", NOW + MONTH - timedelta(seconds=1))


async def test_disabled_account_cannot_refresh(logins: Pool) -> None:
    await change_account(logins, "a_1", status="disabled")

    assert await refused(logins, "l_1.0") == "REFRESH_REVOKED"


async def test_revocations_are_seen_by_every_node(logins: Pool) -> None:
    assert await revoke_login(logins, account_id="a_1", login_id="l_2", now=NOW, reason="logout")
    assert not await revoke_login(
        logins, account_id="a_1", login_id="l_2", now=NOW, reason="logout"
    )
    assert not await revoke_login(
        logins, account_id="a_9", login_id="l_1", now=NOW, reason="not the owner"
    )
    later = NOW + timedelta(seconds=5)

    others = await revoke_other_logins(
        logins, account_id="a_1", keep_login_id="l_3", now=later, reason="password changed"
    )

    assert others == ["l_1"]
    assert await live(logins) == ["l_3"]
    assert [Revoked("l_2", NOW), Revoked("l_1", later)] == await revoked_since(logins, NOW)
    assert [Revoked("l_1", later)] == await revoked_since(logins, later)
    assert await refused(logins, "l_1.0") == "REFRESH_REVOKED"


async def test_old_logins_are_pruned_with_their_tokens(logins: Pool) -> None:
    await rotate(logins, "l_1.0", "l_1.1", NOW + timedelta(days=5))
    await revoke_login(logins, account_id="a_1", login_id="l_2", now=NOW, reason="logout")

    assert await prune_logins(logins, NOW + MONTH + timedelta(days=1)) == 2

    assert await logins.fetchval("SELECT count(*) FROM refresh_tokens") == 2
    assert await live(logins) == ["l_1"]
