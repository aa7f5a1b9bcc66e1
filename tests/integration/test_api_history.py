from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage.migrate import migrate
from storage.pool import Pool, open_pool
from streams.core.commands import Tick
from streams.replica.history import History
from tests.integration.api_node import ApiNode, api_node


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    await migrate(database_url)
    pool = await open_pool(database_url)
    yield pool
    await pool.close()


@pytest.fixture
async def node(tmp_path: Path, pool: Pool) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path, pool=pool, archive=True) as node:
        yield await node.open_market()


async def trade(node: ApiNode, trader: str, side: str, quantity: str) -> dict[str, Any]:
    order = {"symbol": "BTC", "side": side, "quantity": quantity, "type": "market"}
    response = await node.send("POST", "/v1/orders", trader, json=order)
    assert response.status_code == 201, response.text
    return dict(response.json()["fill"])


async def test_history_comes_from_the_archive(node: ApiNode) -> None:
    fills = [await trade(node, "alice", "buy", quantity) for quantity in ("0.1", "0.2", "0.3")]
    await trade(node, "bob", "short", "0.1")
    await node.archived()

    first = await node.get("/v1/trades?trader=@alice&limit=2")
    second = await node.get(f"/v1/trades?trader=@alice&limit=2&cursor={first['next_cursor']}")
    found = [*first["items"], *second["items"]]
    assert [fill["fill"] for fill in found] == [fill["fill"] for fill in reversed(fills)]
    assert [{**fills[2], "offset": found[0]["offset"]}] == found[:1]
    assert second["next_cursor"] is None
    assert len((await node.get("/v1/trades?symbol=BTC"))["items"]) == 4
    assert (await node.get("/v1/trades?symbol=ETH"))["items"] == []
    moment = fills[1]["executed_at"]
    later = await node.get(f"/v1/trades?trader=@alice&from={moment}")
    assert len(later["items"]) == 2
    earlier = await node.get(f"/v1/trades?trader=@alice&to={moment}")
    assert [fill["quantity"] for fill in earlier["items"]] == ["0.1"]
    odd = await node.send("GET", "/v1/trades?from=yesterday")
    assert (odd.status_code, odd.json()["errors"][0]["field"]) == (400, "from")
    foreign = await node.send("GET", f"/v1/trades?cursor={'x' * 20}")
    assert (foreign.status_code, foreign.json()["code"]) == (400, "INVALID_CURSOR")

    await node.send("PATCH", "/v1/me", "alice", json={"signals_access": "followers"})
    hidden = await node.send("GET", "/v1/trades?trader=@alice", "bob")
    assert (hidden.status_code, hidden.json()["code"]) == (403, "FORBIDDEN")
    assert len((await node.get("/v1/trades", "bob"))["items"]) == 1
    assert len((await node.get("/v1/trades", "alice"))["items"]) == 4


async def test_decisions_come_from_the_archive(node: ApiNode) -> None:
    await trade(node, "leader", "buy", "0.01")
    settings = {"allocation": "50000", "symbols_deny": ["BTC"]}
    await node.send("PUT", "/v1/copies/@leader", "bob", json=settings)
    await trade(node, "leader", "buy", "0.1")
    await node.send("PUT", "/v1/copies/@leader", "bob", json={"symbols_deny": []})
    await trade(node, "leader", "buy", "0.1")
    await node.archived()

    decisions = (await node.get("/v1/copies/@leader/decisions", "bob"))["items"]
    assert [decision["code"] for decision in decisions] == ["EXECUTED", "SYMBOL_DENIED"]
    assert "inputs" in decisions[0]
    for code in ("EXECUTED", "SYMBOL_DENIED"):
        path = f"/v1/copies/@leader/decisions?code={code}"
        assert [row["code"] for row in (await node.get(path, "bob"))["items"]] == [code]
    assert (await node.get("/v1/copies/@leader/decisions", "leader"))["items"] == []


async def test_every_version_of_the_settings_of_a_copy_is_readable(node: ApiNode) -> None:
    await node.get("/v1/me", "leader")
    for patch in ({"allocation": "50000"}, {"copy_stop": 0.2}, {"reverse": True}):
        await node.send("PUT", "/v1/copies/@leader", "bob", json=patch)
    await node.archived()

    path = "/v1/copies/@leader/settings"
    first = await node.get(f"{path}?limit=2", "bob")
    rest = await node.get(f"{path}?cursor={first['next_cursor']}", "bob")
    versions = [*first["items"], *rest["items"]]
    assert [each["settings_version"] for each in versions] == [3, 2, 1]
    assert [each["settings"]["copy_stop"] for each in versions] == [0.2, 0.2, 0.4]
    assert versions[0]["own"] == ["copy_stop", "reverse"]
    assert await node.get(f"{path}?version=2", "bob") == versions[1]
    none = await node.send("GET", f"{path}?version=4", "bob")
    assert (none.status_code, none.json()["code"]) == (404, "NOT_FOUND")
    foreign = await node.send("GET", path, "leader")
    assert foreign.json()["code"] == "UNKNOWN_TRADER" or foreign.status_code == 404


async def test_what_left_memory_comes_from_the_archive(node: ApiNode) -> None:
    for quantity in ("0.1", "0.2", "0.3"):
        await trade(node, "alice", "buy", quantity)
    path = "/v1/stream/history?ch=account&after_seq=0&limit=2"
    live = await node.get(path, "alice")
    await node.archived()
    node.services.replica.history = History()

    archived = await node.get(path, "alice")
    assert archived == live
    rest = await node.get(f"{path}&cursor={archived['next_cursor']}", "alice")
    assert ([item["seq"] for item in rest["items"]], rest["next_cursor"]) == ([3], None)


async def test_the_feed_goes_on_in_the_archive(node: ApiNode) -> None:
    """What memory lost is read from PostgreSQL, under the numbers that the channel gave."""
    await node.get("/v1/me", "alice")
    await node.get("/v1/me", "carol")
    await node.send("PUT", "/v1/traders/@alice/follow", "bob")
    fills = [await trade(node, "alice", "buy", "0.1")]
    await node.send("PUT", "/v1/traders/@carol/follow", "bob")
    fills.append(await trade(node, "carol", "buy", "0.1"))
    fills.append(await trade(node, "alice", "buy", "0.1"))
    await node.send("DELETE", "/v1/traders/@alice/follow", "bob")
    await trade(node, "alice", "buy", "0.1")
    fills.append(await trade(node, "carol", "buy", "0.1"))
    await node.archived()
    wanted = [fill["fill"] for fill in fills]
    path = "/v1/channels/feed/history?after_seq="

    async def listed(after_seq: int) -> list[tuple[int, str]]:
        found = await node.get(f"{path}{after_seq}&limit=3", "bob")
        return [(row["seq"], row["data"]["fill"]) for row in found["items"]]

    numbered = list(enumerate(wanted, start=1))
    for memory in (True, False):
        if not memory:
            node.services.replica.history.clear()
        for after_seq in range(5):
            assert await listed(after_seq) == numbered[after_seq : after_seq + 3]
        followed = await node.get("/v1/feed", "bob")
        found = [item["event"]["fill"] for item in followed["items"]]
        assert found == [wanted[3], wanted[1]]
        first = await node.get("/v1/feed?limit=1", "bob")
        second = await node.get(f"/v1/feed?limit=1&cursor={first['next_cursor']}", "bob")
        assert [item["event"]["fill"] for item in second["items"]] == [wanted[1]]
        assert second["next_cursor"] is None
    assert (await node.get("/v1/feed", "alice"))["items"] == []


async def test_notifications_go_on_in_the_archive(node: ApiNode) -> None:
    await node.get("/v1/me", "alice")
    for handle in ("bob", "carol", "dave"):
        await node.send("PUT", "/v1/traders/@alice/follow", handle)
    await node.archived()
    in_memory = await node.get("/v1/notifications", "alice")
    node.services.replica.history.clear()
    assert await node.get("/v1/notifications", "alice") == in_memory
    assert [item["seq"] for item in in_memory["items"]] == [3, 2, 1]


async def test_sentiment_history_comes_from_the_archive(node: ApiNode) -> None:
    body = {
        "title": "Bitcoin to the moon",
        "thesis": "Three closes above the range.",
        "symbol": "BTC",
        "trade_type": "buy",
        "publish": True,
    }
    response = await node.send("POST", "/v1/ideas", "alice", json=body)
    assert response.status_code == 201, response.text
    second = node.services.clock.now_us() // 1_000_000
    for later in range(3):
        await node.do(Tick((second + later) * 10))
    await node.archived()
    (point,) = (await node.get("/v1/sentiment/BTC/history"))["items"]
    assert (point["n"], point["score"], point["volume"]) == (1, 80.0, 1)


async def test_fee_statements_that_left_memory_come_from_the_archive(
    node: ApiNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.core.copying.fees.STATEMENTS_MAX", 3)
    await node.send("PUT", "/v1/fees", "leader", json={"performance": 0.1})
    for leader in ("leader", "other"):
        await node.get("/v1/me", leader)
        for _ in range(6):  # each stop is charged, and the next start goes on counting
            settings = {"allocation": "1000"}
            started = await node.send("PUT", f"/v1/copies/@{leader}", "bob", json=settings)
            assert started.status_code in (200, 201), started.text
            await node.send("DELETE", f"/v1/copies/@{leader}", "bob")
    await node.archived()

    path = "/v1/copies/@leader/statements"
    whole = await node.get(path, "bob")
    assert [each["number"] for each in whole["items"]] == [6, 5, 4, 3, 2, 1]
    assert whole["next_cursor"] is None
    copy = node.services.replica.state.copies[whole_leader(node)]
    assert [len(each.fees.statements) for each in copy.values()] == [3]
    found, cursor = [], ""
    while True:
        page = await node.get(f"{path}?limit=2{cursor}", "bob")
        found.append([each["number"] for each in page["items"]])
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [[6, 5], [4, 3], [2, 1]]
    wrong = await node.send("GET", f"{path}?cursor=wrong", "bob")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "INVALID_CURSOR")


def whole_leader(node: ApiNode) -> str:
    traders = node.services.replica.state.traders.values()
    return next(trader.trader for trader in traders if trader.handle == "leader")
