from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api_node import ApiNode, api_node


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path) as node:
        yield await node.open_market()


def market(side: str, quantity: str = "0.5", **more: Any) -> dict[str, Any]:
    return {"symbol": "BTC", "side": side, "quantity": quantity, "type": "market", **more}


async def test_a_market_order_fills_and_shows_in_the_account(node: ApiNode) -> None:
    response = await node.send("POST", "/v1/orders", "alice", json=market("buy"))

    assert response.status_code == 201
    assert (
        response.json()["order"]["status"],
        response.json()["order"]["average_price"],
    ) == ("filled", "60001")
    account = await node.get("/v1/account", "alice")
    assert [position["symbol"] for position in account["positions"]] == ["BTC"]
    assert (await node.get("/v1/positions", "alice"))["items"][0]["quantity"] == "0.5"


async def test_a_limit_order_rests_until_it_is_cancelled(node: ApiNode) -> None:
    limit = {**market("buy"), "type": "limit", "limit_price": "50000", "client_order_id": "c1"}
    order = (await node.send("POST", "/v1/orders", "alice", json=limit)).json()["order"]

    assert [order] == (await node.get("/v1/orders", "alice"))["items"]
    taken = await node.send("POST", "/v1/orders", "alice", json=limit)
    assert (taken.status_code, taken.json()["code"]) == (409, "CLIENT_ORDER_ID_TAKEN")
    foreign = await node.send("DELETE", f"/v1/orders/{order['order']}", "bob")
    assert foreign.status_code in (403, 404)
    cancelled = await node.send("DELETE", f"/v1/orders/{order['order']}", "alice")
    assert (cancelled.status_code, cancelled.json()["order"]["status"]) == (200, "canceled")
    assert (await node.get("/v1/orders", "alice"))["items"] == []


async def test_a_repeated_key_returns_the_first_outcome(node: ApiNode) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await node.send("POST", "/v1/orders", "alice", json=market("buy"), headers=headers)
    again = await node.send("POST", "/v1/orders", "alice", json=market("buy"), headers=headers)

    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json() == again.json()
    assert first.headers["X-Log-Offset"] == again.headers["X-Log-Offset"]
    assert (await node.get("/v1/positions", "alice"))["items"][0]["quantity"] == "0.5"


async def test_a_repeated_refusal_is_refused_again(node: ApiNode) -> None:
    headers = {"Idempotency-Key": "k-2"}
    for replayed in (None, "true"):
        response = await node.send(
            "POST", "/v1/orders", "alice", json=market("cover"), headers=headers
        )
        assert (response.status_code, response.json()["code"]) == (422, "NOTHING_TO_CLOSE")
        assert replayed == response.headers.get("Idempotent-Replayed")


async def test_a_self_reported_trade_is_booked(node: ApiNode) -> None:
    body = {"symbol": "BTC", "side": "buy", "quantity": "1", "price": "59000", "fee": "1.5"}
    response = await node.send("POST", "/v1/trades", "alice", json=body)

    assert response.status_code == 201
    assert response.json()["fill"]["source"] == "self_reported"


async def test_a_follower_copies_and_stops(node: ApiNode) -> None:
    await node.send("POST", "/v1/orders", "leader", json=market("buy", "0.1"))
    started = await node.send("PUT", "/v1/copies/@leader", "bob", json={"allocation": "50000"})
    assert (started.status_code, started.json()["copy"]["settings_version"]) == (200, 1)
    patched = await node.send("PUT", "/v1/copies/@leader", "bob", json={"reverse": True})
    assert patched.json()["copy"]["settings_version"] == 2
    assert patched.json()["copy"]["settings"]["allocation"] == "50000"

    await node.send("POST", "/v1/orders", "leader", json=market("buy", "0.1"))
    statistics = await node.get("/v1/copies/@leader/statistics", "bob")
    assert statistics["decisions"] == 1
    for action, status in (("pause", "PAUSED"), ("resume", "ACTIVE"), ("close-only", "CLOSE_ONLY")):
        response = await node.send("POST", f"/v1/copies/@leader/{action}", "bob")
        assert (200, status) == (response.status_code, response.json()["copy"]["status"])
    stopped = await node.send("DELETE", "/v1/copies/@leader?on_stop=keep", "bob")
    assert (stopped.status_code, stopped.json()["copy"]["status"]) == (200, "STOPPED")
    assert (await node.get("/v1/copies", "bob"))["items"] == []
    assert (await node.get("/v1/copies/@leader", "bob"))["status"] == "STOPPED"


async def test_what_needs_postgresql_says_so_without_it(node: ApiNode) -> None:
    for path in ("/v1/trades", "/v1/copies/@bob/decisions"):
        response = await node.send("GET", path, "bob")
        assert (response.status_code, response.json()["code"]) == (503, "STORE_UNAVAILABLE")
        assert "Retry-After" in response.headers
