"""A node that is killed while a day is played into it, and started again on the same state."""

from __future__ import annotations

import os
import random

from tests.e2e.conftest import Played
from tests.e2e.market import COUNTED, outcome_of, played, start_playing, until_trades
from tests.e2e.orders import OrderingClient
from tests.e2e.processes import Home


SEED = int(os.environ.get("OPTIX_TEST_SEED", "1"))
"""Chooses the moments of the faults."""


async def test_kill_of_the_node_loses_nothing(home: Home, undisturbed: Played) -> None:
    home.measured = False
    chance = random.Random(SEED)
    trades = undisturbed.outcome["trades"]
    kill_at = [chance.randrange(trades // 10, trades // 2), chance.randrange(trades // 2, trades)]
    async with home.node() as node:
        playing = start_playing(home)
        await until_trades(node)
        client = OrderingClient(node)
        async with client.running():
            for moment in kill_at:
                await until_trades(node, moment)
                node.kill()
                node.start()
                await node.ready()
            counts = await played(playing)
        assert counts["retries"] >= 1
        assert len(client.offsets) > 10
        await client.check()
        found = await outcome_of(node)
        assert {n: undisturbed.outcome[n] for n in COUNTED} == {n: found[n] for n in COUNTED}
        assert undisturbed.outcome["accounts"] == found["accounts"]
        verified = await home.run("verify")
        assert verified.code == 0, verified
