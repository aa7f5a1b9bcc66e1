"""Leaving in order, and coming back: exit code, goodbye to clients, no server without a node."""

from __future__ import annotations

import asyncio
import signal
import time

import asyncpg
import pytest
import websockets.exceptions
from websockets.asyncio.client import connect

from tests.e2e.conftest import Played
from tests.e2e.market import outcome_of, play, slice_of_day
from tests.e2e.processes import Home, Node
from tests.support import MS, eventually


LEAVING_S = 15_000 * MS


async def farewell(home: Home, greeted: asyncio.Event) -> tuple[list[str], int]:
    """Hold a socket until the node ends it; return the last kinds of frames and the close code."""
    kinds = []
    async with connect(home.stream_url, subprotocols=["optix.v1.json"]) as stream:
        try:
            async for text in stream:
                kinds.append(text.partition('"t":"')[2].partition('"')[0])
                greeted.set()
        except websockets.exceptions.ConnectionClosedError:
            pass
        code = stream.close_code
    assert code is not None
    return kinds, code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_leaving_in_order(home: Home, number: signal.Signals) -> None:
    async with home.node() as node:
        greeted = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            farewells = [group.create_task(farewell(home, greeted)) for _ in range(3)]
            await greeted.wait()
            started = time.monotonic()
            assert await node.terminate(number) == 0, node.tail()
            assert time.monotonic() - started < LEAVING_S
        for task in farewells:
            kinds, code = task.result()
            assert (kinds[0], kinds[-1], code) == ("hello", "drain", 4000)
        await node.no_orphans()
        assert not list(home.state_dir.glob("run/*"))
        assert "Traceback" not in node.log.read_text()


async def test_leaving_while_starting_leaves_nothing(home: Home) -> None:
    async with home.node() as node:
        await node.terminate()
        node.start()
        await eventually(lambda: len(node.servers()) == 2, 30_000 * MS, "both servers")
        code = await node.terminate()
        assert code in (0, -signal.SIGTERM), node.tail()
        await node.no_orphans()
        node.start()
        await node.ready()


async def test_second_start_goes_on_from_the_first(undisturbed: Played) -> None:
    assert undisturbed.exit_code == 0
    async with undisturbed.node() as node:
        assert undisturbed.outcome == await outcome_of(node)
        assert await node.terminate() == 0
    verified = await undisturbed.run("verify", "--json")
    assert verified.code == 0, verified


async def test_restart_from_a_snapshot(home: Home) -> None:
    """A kill after a snapshot: recovery takes the snapshot, the archive after it, then the log."""
    home.environment = {"OPTIX_SNAPSHOT_SECONDS": "1", "OPTIX_ROLES": "archiver"}
    recording = slice_of_day(home.state_dir.with_name("slice.jsonl"), 6_000)
    async with home.node() as node:
        await play(home, recording)
        connection = await asyncpg.connect(home.endpoints().database_url)
        taken = "SELECT count(*) FROM snapshots WHERE complete"
        await eventually(lambda: connection.fetchval(taken), 30_000 * MS, "a snapshot")
        await connection.close()
        later = await node.ask("POST", "/v1/orders", MORE, trader="steady", key="later")
        assert later.status_code == 201, later.text
        before = await _digest(node)
        node.kill()
        node.start()
        await node.ready()
        assert before == await _digest(node)
        recovered = [line for line in node.tail().splitlines() if '"recovered"' in line][-1]
        assert '"snapshot":"0-0"' not in recovered
        verified = await home.run("verify")
        assert verified.code == 0, verified
        assert "0 stored snapshots" not in verified.output


MORE = {"symbol": "hl:BTC", "side": "buy", "quantity": "0.001", "type": "limit", "limit_price": "3"}


async def _digest(node: Node) -> tuple[str, str]:
    stats = await node.get("/v1/stats")
    return stats["log_offset"], stats["digest"]
