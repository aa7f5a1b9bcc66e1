from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from storage.pool import Pool
from storage.roles import Role
from tests.support import MS, eventually


class Work:
    """Counts its starts and ends, and works for ever."""

    def __init__(self) -> None:
        self.started = 0
        self.ended = 0

    async def __call__(self) -> None:
        self.started += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.ended += 1


def role(url: str, name: str = "archiver", **seconds: float) -> Role:
    times = {"lease_s": 500 * MS, "beat_s": 100 * MS, "retry_s": 10 * MS} | seconds
    return Role(name, url, **times)


@asynccontextmanager
async def running(role: Role, work: Work) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(role.run(work))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def terminate(pool: Pool, name: str = "optix-role-archiver") -> None:
    await pool.execute(
        "SELECT pg_terminate_backend(activity.pid) FROM pg_locks AS lock"
        " JOIN pg_stat_activity AS activity USING (pid)"
        " WHERE locktype = 'advisory' AND granted AND application_name = $1"
        " AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        name,
    )


async def test_one_of_two_holds_the_role_and_the_other_takes_over(database_url: str) -> None:
    one, two = role(database_url), role(database_url)
    first, second = Work(), Work()
    async with running(one, first) as task:
        await eventually(lambda: one.held and first.started == 1)
        async with running(two, second):
            with pytest.raises(AssertionError):
                await eventually(lambda: two.held, timeout_s=200 * MS)

            task.cancel()
            await eventually(lambda: two.held and second.started == 1)
            assert (first.ended, one.held, one.losses) == (1, False, 0)


async def test_other_roles_are_independent(database_url: str) -> None:
    one, two = role(database_url), role(database_url, "scheduler")
    async with running(one, Work()), running(two, Work()):
        await eventually(lambda: one.held and two.held)


async def test_terminated_connection_loses_the_role_and_it_is_got_again(
    pool: Pool, migrated_url: str
) -> None:
    one, work = role(migrated_url), Work()
    async with running(one, work):
        await eventually(lambda: one.held)

        await terminate(pool)

        await eventually(lambda: one.losses == 1 and work.ended == 1)
        await eventually(lambda: one.held and work.started == 2)
        assert one.acquisitions == 2


async def test_server_ends_the_session_of_a_silent_holder(database_url: str) -> None:
    silent = role(database_url, lease_s=300 * MS, beat_s=100 * MS)
    other = role(database_url)
    async with running(silent, Work()), running(other, Work()):
        await eventually(lambda: silent.held or other.held)
        holder, waiting = (silent, other) if silent.held else (other, silent)

        holder._beat_s = 60.0  # what a stopped process looks like from the server

        await eventually(lambda: waiting.held)
        assert not holder.held


async def test_lease_that_ran_out_is_not_believed_in(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = role(database_url)
    async with running(one, Work()):
        await eventually(lambda: one.held)

        monkeypatch.setattr(one, "_beaten_at", one._beaten_at - 10)

        assert not one.held
        await eventually(lambda: one.losses == 1)


async def test_work_that_returns_gives_the_role_up(database_url: str) -> None:
    one, two = role(database_url), role(database_url)

    async def once() -> None:
        assert one.held

    await one.run(once)

    assert not one.held
    async with running(two, Work()):
        await eventually(lambda: two.held)


async def test_error_of_the_work_comes_out(database_url: str) -> None:
    async def fail() -> None:
        raise RuntimeError("broken invariant")

    with pytest.raises(RuntimeError, match="broken invariant"):
        await role(database_url).run(fail)


async def test_unreachable_server_is_tried_again(database_url: str) -> None:
    one = role(database_url.replace("/test_", "/gone_"))
    async with running(one, Work()):
        await eventually(lambda: "gone_" in one.error)
        assert not one.held


async def test_lease_shorter_than_two_beats_is_refused() -> None:
    with pytest.raises(ValueError, match="two beats"):
        Role("archiver", "postgresql:///x", lease_s=2, beat_s=1)


async def test_role_through_a_pooler_is_refused() -> None:
    with pytest.raises(ValueError, match="pooler"):
        Role("archiver", "postgresql:///x?pgbouncer=true")
