"""Valkey, PostgreSQL, or both, killed while a day is played: the node stays and catches up."""

from __future__ import annotations

import os
import random
import signal

import asyncpg
import pytest

from tests.e2e.conftest import Played
from tests.e2e.market import (
    COUNTED,
    outcome_of,
    play,
    played,
    slice_of_day,
    start_playing,
    until_trades,
)
from tests.e2e.orders import ORDER, OrderingClient
from tests.e2e.processes import Home
from tests.support import MS, eventually


SEED = int(os.environ.get("OPTIX_TEST_SEED", "2"))
"""Chooses the moments of the faults."""


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param([("valkey",), ("valkey",)], id="valkey"),
        pytest.param([("postgres",), ("postgres", "valkey")], id="postgres-then-both"),
    ],
)
async def test_kill_of_stores_loses_nothing(
    home: Home, undisturbed: Played, rounds: list[tuple[str, ...]]
) -> None:
    home.measured = False
    chance = random.Random(SEED)
    moments = sorted(chance.sample(range(500, undisturbed.outcome["trades"] * 3 // 4), len(rounds)))
    async with home.node() as node:
        pid = node.pid
        playing = start_playing(home)
        await until_trades(node)
        client = OrderingClient(node)
        async with client.running():
            for moment, servers in zip(moments, rounds, strict=True):
                await until_trades(node, moment)
                for name in servers:
                    node.kill_server(name)
                await node.ready()
            await played(playing)
        await node.ready()
        assert pid == node.pid
        assert len(client.offsets) > 10
        await client.check()
        found = await outcome_of(node)
        assert {n: undisturbed.outcome[n] for n in COUNTED} == {n: found[n] for n in COUNTED}
        assert undisturbed.outcome["accounts"] == found["accounts"]
        verified = await home.run("verify")
        assert verified.code == 0, verified


async def test_node_serves_while_postgresql_is_away(home: Home) -> None:
    recording = slice_of_day(home.state_dir.with_name("slice.jsonl"), 4_000)
    async with home.node() as node:
        node.kill_server("postgres", signal.SIGSTOP)
        try:
            health = await node.ready("degraded")
            assert not health["checks"]["database"]["ok"]
            assert health["checks"]["log"]["ok"]
            await play(home, recording)
            bought = {**ORDER, "limit_price": "2"}
            placed = await node.ask("POST", "/v1/orders", bought, trader="steady", key="k")
            assert placed.status_code == 201, placed.text
        finally:
            node.kill_server("postgres", signal.SIGCONT)
        await node.ready()
        await _archived(home, placed.headers["X-Log-Offset"])
        verified = await home.run("verify")
        assert verified.code == 0, verified


async def _archived(home: Home, offset: str) -> None:
    """Wait until the archive holds a place of the log."""
    connection = await asyncpg.connect(home.endpoints().database_url)
    wanted = tuple(int(part) for part in offset.partition(".")[0].split("-"))

    async def reaches() -> bool:
        row = await connection.fetchrow("SELECT entry_ms, entry_seq FROM archive_position")
        return tuple(row) >= wanted

    try:
        await eventually(reaches, 30_000 * MS, f"an archive up to {offset}")
    finally:
        await connection.close()
