"""`optix up` on a fresh directory: ready, every channel moves, the page lives."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from streams.client import ClientSettings, Delta, Event, Snap, connect
from tests.e2e.browser import CHROMIUM, opened_page
from tests.e2e.market import until_trades
from tests.e2e.processes import Home
from tests.support import MS, eventually


MOVING_S = 60_000 * MS
VIEWER = "follower_ada"
FREQUENT = ("marks", "leaderboard:total_return:all", "positions:hl:BTC", "system", "copies")
SETTINGS = ClientSettings(queue_items_max=100_000, open_timeout_s=MOVING_S)


async def test_first_start_moves_every_channel(home: Home) -> None:
    async with home.node("up") as node:
        await until_trades(node)

        async def leaders() -> list[str]:
            # A login before the demo has registered the follower would make another one of it.
            known = await node.get("/v1/traders?query=follower_")
            if not any(trader["origin"] == "follower" for trader in known["items"]):
                return []
            answer = await node.get("/v1/copies", trader=VIEWER)
            return [f"signals:{copy['leader']}" for copy in answer["items"]]

        signals = await eventually(leaders, MOVING_S, "the follower's copies")
        channels = (*FREQUENT, "account", "book:hl:BTC", "ideas", "sentiment:hl:BTC", *signals)
        moved: Counter[str] = Counter()
        async with (
            connect(home.stream_url, token=f"Dev {VIEWER}", settings=SETTINGS) as client,
            client.subscribe(*channels) as items,
            asyncio.timeout(MOVING_S),
        ):
            async for item in items:
                assert isinstance(item, Snap | Delta | Event), item
                moved[item.channel.partition("@")[0]] += not isinstance(item, Snap)
                if all(moved[name] for name in FREQUENT) and any(moved[name] for name in signals):
                    break
        stats = await node.get("/v1/stats")
        assert stats["traders_with_trades"] > 0
        assert stats["copies_active"] > 0
        assert "Traceback" not in node.log.read_text()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
async def test_page_is_live(home: Home, tmp_path: Path) -> None:
    rows = "document.querySelectorAll('#board tr').length"
    focused = "document.activeElement.id || document.activeElement.className"
    async with home.node("up"), opened_page(tmp_path / "profile") as page:
        await page.open(home.url)

        async def holds(expression: str) -> None:
            await eventually(lambda: page.evaluate(expression), MOVING_S, expression)

        await holds("document.getElementById('status')?.classList.contains('live')")
        await holds("document.querySelectorAll('#marks tr').length > 5")
        await holds(f"{rows} > 2")
        before = await page.evaluate("document.getElementById('board').innerText")
        await holds(f"document.getElementById('board').innerText !== {before!r}")
        reached = []
        for _ in range(12):
            await page.press("Tab", 9)
            reached.append(await page.evaluate(focused))
        assert {"skip", "marks-filter", "metric", "period", "symbol"} <= set(reached), reached
        assert page.complaints == []
