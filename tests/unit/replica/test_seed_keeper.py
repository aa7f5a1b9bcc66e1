"""Seeds are committed to before a day and opened in it, by any node with the secret."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from server.bench.offline import OfflineNode
from streams.core.commands import PublishMarks
from streams.core.copying.seeds import commitment_of
from streams.core.market_clock import DAY_US
from streams.core.state import State
from streams.replica.seed_keeper import SeedKeeper, derived_seed
from tests.simulation.virtual_loop import run_virtual


def on_node(work: Callable[[OfflineNode], Awaitable[None]]) -> None:
    async def run() -> None:
        node = OfflineNode()
        async with node.running():
            await work(node)

    run_virtual(run())


def state_of(node: OfflineNode) -> State:
    return node.edge.state


async def next_day(node: OfflineNode) -> None:
    at_us = max(state_of(node).market_at_us, 20_485 * DAY_US) + DAY_US
    await node.edge.submit(PublishMarks([], at_us, recorded=True), "feed", privileged=True)


def test_a_seed_is_committed_to_opened_and_followed_by_the_next() -> None:
    async def work(node: OfflineNode) -> None:
        keeper = SeedKeeper(node.edge, ("secret",), lambda: True)
        await next_day(node)
        await keeper.step()
        await keeper.step()
        assert (keeper.committed, keeper.opened) == (1, 0)
        await next_day(node)
        await keeper.step()
        assert (keeper.committed, keeper.opened) == (2, 1)
        seed = state_of(node).seed_now
        assert seed is not None
        assert seed.seed == derived_seed("secret", 1, seed.nonce)

    on_node(work)


def test_after_a_rotation_the_old_secret_still_opens_and_the_new_one_commits() -> None:
    async def work(node: OfflineNode) -> None:
        await next_day(node)
        await SeedKeeper(node.edge, ("old",), lambda: True).step()
        await next_day(node)
        stranger = SeedKeeper(node.edge, ("other",), lambda: True)
        await stranger.step()
        assert (stranger.opened, stranger.committed) == (0, 1)
        rotated = SeedKeeper(node.edge, ("new", "old"), lambda: True)
        await rotated.step()
        assert (rotated.opened, rotated.committed) == (1, 0)
        following = state_of(node).seed_next
        assert following is not None
        other = derived_seed("other", 2, following.nonce)
        assert following.commitment == commitment_of(other)

    on_node(work)


def test_only_the_holder_of_the_role_acts_and_a_failure_is_tried_again() -> None:
    async def work(node: OfflineNode) -> None:
        holds = False
        keeper = SeedKeeper(node.edge, ("secret",), lambda: holds)
        running = asyncio.create_task(keeper.run())
        loop = asyncio.get_running_loop()

        async def passed(seconds: float) -> None:
            done: asyncio.Future[None] = loop.create_future()
            loop.call_later(seconds, done.set_result, None)
            await done

        await passed(1)
        assert keeper.committed == 0
        holds = True
        node.replica.ready = False
        await passed(1)
        assert keeper.committed == 0
        node.replica.ready = True
        await passed(1)
        assert keeper.committed == 1
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    on_node(work)
