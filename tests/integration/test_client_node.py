"""The client, the examples and the documentation against a real core behind the real gateway."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from streams.client import (
    BoardView,
    BookView,
    CommandRefused,
    Event,
    MarksView,
    PositionBookView,
    connect,
)
from streams.core.books.frames import book_snapshot, position_snapshot
from streams.core.leaderboard import snapshot as board_snapshot
from tests.integration.client_gateway import FAST
from tests.integration.client_node import MemoryNode, running_node
from tests.support import MS, eventually


ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "python-client.md"


async def test_views_become_and_stay_the_cores_own() -> None:
    async with running_node() as node, connect(node.url, token="Dev bot1", settings=FAST) as client:
        book, positions = BookView("BTC"), PositionBookView("BTC", "raw")
        board, marks = BoardView("total_return", "all"), MarksView()
        watches = [client.watch(view) for view in (book, positions, board, marks)]

        async def follow(watch: Any) -> None:
            async for _ in watch:
                pass

        tasks = [asyncio.create_task(follow(watch), name="watch") for watch in watches]
        for number in range(30):
            await client.create_idea(
                f"Bitcoin idea number {number}",
                "It will go where it goes, and this text is long enough to be a thesis.",
                "BTC",
                "buy",
                entry=str(100 + number),
                target=str(150 + number),
            )
            await node.trade("buy" if number % 3 else "sell", 1_000 + number)
            if number == 15:
                for socket in node.gateway.registry.sockets():
                    socket.abort()

        def equal() -> bool:
            state = node.replica.state
            assert {"b": book.buys, "s": book.sells} == book_snapshot(state, "BTC")
            assert {"rows": positions.rows} == position_snapshot(state, "BTC")
            expected = board_snapshot(state, "total_return:all")
            assert {"rows": board.rows, "n": board.ranked} == expected
            assert marks.marks["BTC"][0] == "BTC"
            return True

        await eventually(equal)
        assert board.rows[0][0] == "t_alice"
        assert book.verified > 0
        assert positions.verified > 1
        assert client.counters.checksum_mismatches == 0
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_an_order_its_events_and_a_refusal() -> None:
    async with running_node() as node, connect(node.url, token="Dev bot1", settings=FAST) as client:
        account = client.subscribe("account")
        await account.joined()
        answer = await client.open_order("BTC", "buy", "0.5", key="k1")
        again = await client.open_order("BTC", "buy", "0.5", key="k1")
        assert answer.result["order"]["status"] == "filled"
        assert (again.replayed, again.offset) == (True, answer.offset)
        item = await anext(account)
        assert isinstance(item, Event)
        assert item.data["type"] == "fill_booked"
        with pytest.raises(CommandRefused) as caught:
            await client.set_copy("@bot1", allocation="100")
        assert caught.value.code == "SELF_COPY"


async def test_who_falls_silent_loses_its_resting_orders() -> None:
    async with running_node() as node:
        async with connect(node.url, token="Dev bot1", settings=FAST) as client:
            order = (await client.open_order("BTC", "buy", "0.5", limit_price="1")).result["order"]
            assert (await client.cancel_after(1_000)).result["cancel_at"] is not None
            assert (await client.cancel_after(0)).result["cancel_at"] is None
            await client.cancel_after(1_000)
        state = node.replica.state
        assert order["order"] in state.orders
        await eventually(lambda: order["order"] in state.ended_orders)
        assert state.ended_orders[order["order"]].reason == "CANCEL_AFTER"


async def run_example(name: str, node: MemoryNode, *options: str) -> tuple[int, str]:
    """Run an example as a user would while the leader trades; return exit code and output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "examples" / name),
        "--url",
        node.url,
        "--token",
        "Dev bot1",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    ended = asyncio.create_task(process.communicate(), name=name)
    try:
        async with asyncio.timeout(30_000 * MS):
            while not ended.done():
                await node.mark(10_500, 10_510)
                await node.trade("buy", 100)
                await asyncio.wait([ended], timeout=50 * MS)
        output, _ = await ended
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode()


async def test_example_follow_signals() -> None:
    async with running_node() as node:
        code, output = await run_example("follow_signals.py", node, "--count", "2")
    assert code == 0, output
    assert "leader t_alice" in output
    assert output.count("buy 0.01 BTC at 105.1") == 2


async def test_example_copy_and_measure() -> None:
    async with running_node() as node:
        code, output = await run_example("copy_and_measure.py", node, "--count", "2")
    assert code == 0, output
    assert re.search(r"ms  EXECUTED +buy [\d.]+ BTC at 105\.1", output), output
    assert "2 decisions, median" in output


SNIPPETS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
async def test_snippets_of_the_guide_run(number: int) -> None:
    async with running_node() as node:
        source = SNIPPETS[number].replace("ws://127.0.0.1:8000/v1/stream", node.url)
        scope: dict[str, Any] = {"__name__": "snippet"}
        exec(compile(source, f"{GUIDE.name}, snippet {number + 1}", "exec"), scope)
        main = asyncio.create_task(scope["main"](), name="snippet")
        async with asyncio.timeout(20_000 * MS):
            while not main.done():
                await node.trade("buy", 100)
                await asyncio.wait([main], timeout=20 * MS)
        await main
