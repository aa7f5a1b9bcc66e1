"""Stops and takes, edits, cash, fees, statistics and fairness over REST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api_node import ApiNode, api_node


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path) as node:
        yield await node.open_market()


def order(side: str, quantity: str = "0.1", **more: Any) -> dict[str, Any]:
    return {"symbol": "BTC", "side": side, "quantity": quantity, "type": "market", **more}


async def test_a_position_has_a_stop_and_a_take_that_can_be_changed(node: ApiNode) -> None:
    body = order("buy", stop_loss="50000", take_profit="70000")
    made = (await node.send("POST", "/v1/orders", "alice", json=body)).json()["order"]
    assert (made["status"], made["stop_loss"], made["take_profit"]) == ("filled", "50000", "70000")

    patch = {"stop_loss": None, "take_profit": "80000"}
    changed = await node.send("PATCH", "/v1/positions/BTC", "alice", json=patch)
    assert changed.status_code == 200
    assert changed.json()["levels"]["take_profit"] == "80000"
    (position,) = (await node.get("/v1/positions", "alice"))["items"]
    assert (position["stop_loss"], position["take_profit"]) == (None, "80000")
    wrong = await node.send("PATCH", "/v1/positions/BTC", "alice", json={"stop_loss": "90000"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "EXIT_LEVELS_INVALID")
    missing = await node.send("PATCH", "/v1/positions/BTC", "bob", json={"stop_loss": "1"})
    assert (missing.status_code, missing.json()["code"]) == (404, "UNKNOWN_POSITION")


async def test_an_order_is_edited_shown_and_ends(node: ApiNode) -> None:
    body = order("buy", type="limit", limit_price="50000", expires_at="2100-01-01T00:00:00Z")
    far = await node.send("POST", "/v1/orders", "alice", json=body)
    assert (far.status_code, far.json()["code"]) == (422, "LIMIT_REACHED")
    del body["expires_at"]
    made = (await node.send("POST", "/v1/orders", "alice", json=body)).json()["order"]["order"]
    path = f"/v1/orders/{made}"
    patch = {"quantity": "0.2", "limit_price": "51000", "stop_loss": "49000"}
    edited = (await node.send("PATCH", path, "alice", json=patch)).json()["order"]
    assert (edited["quantity"], edited["limit_price"]) == ("0.2", "51000")
    assert (await node.get(path, "alice"))["status"] == "new"
    foreign = await node.send("GET", path, "bob")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "NOT_OWNER")
    await node.send("DELETE", path, "alice")
    ended = await node.get(path, "alice")
    assert (ended["status"], ended["reason"]) == ("canceled", "CANCELLED")
    again = await node.send("PATCH", path, "alice", json=patch)
    assert (again.status_code, again.json()["code"]) == (409, "ORDER_ENDED")
    unknown = await node.send("GET", "/v1/orders/none", "alice")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "UNKNOWN_ORDER")


async def test_cash_moves_in_and_out(node: ApiNode) -> None:
    before = (await node.get("/v1/account", "alice"))["cash"]
    paid = await node.send("POST", "/v1/account/deposits", "alice", json={"amount": "12.5"})
    assert paid.status_code == 201
    assert Decimal(paid.json()["account"]["cash"]) == Decimal(before) + Decimal("12.5")
    out = await node.send("POST", "/v1/account/withdrawals", "alice", json={"amount": "12.5"})
    assert out.json()["account"]["cash"] == before
    much = await node.send("POST", "/v1/account/withdrawals", "alice", json={"amount": "1e12"})
    assert much.status_code == 422


async def test_fees_statements_statistics_and_followers(node: ApiNode) -> None:
    fees = {"performance": 0.1, "basis": "total", "period": "daily"}
    told = await node.send("PUT", "/v1/fees", "leader", json=fees)
    assert told.json()["fees"]["performance"] == 0.1
    wrong = await node.send("PUT", "/v1/fees", "leader", json={"performance": 0.9})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "INVALID_SETTINGS")
    assert (await node.get("/v1/traders/@leader/fees", "bob"))["period"] == "daily"
    await node.send("PUT", "/v1/copies/@leader", "bob", json={"allocation": "50000"})
    await node.send("POST", "/v1/orders", "leader", json=order("buy"))
    statistics = await node.get("/v1/copies/@leader/statistics", "bob")
    assert statistics["entry_slippage_bps"]["count"] == 1
    assert set(statistics["copy_gap"]) == {"total", "slippage", "skipped", "sizing", "fees"}
    await node.send("DELETE", "/v1/copies/@leader", "bob")
    (statement,) = (await node.get("/v1/copies/@leader/statements", "bob"))["items"]
    assert statement["cause"] == "stop"
    followers = await node.get("/v1/traders/@leader/copiers", "alice")
    assert (followers["followers"], followers["running"]) == (1, 0)


async def test_fairness_reports(node: ApiNode) -> None:
    (today,) = (await node.get("/v1/fairness", "bob"))["items"]
    assert (today["closed"], today["reason"]) == (False, "NO_EXECUTIONS")
    assert await node.get(f"/v1/fairness/{today['day']}", "bob") == today
    for day, code in (("2001-01-01", "NOT_FOUND"), ("monday", "INVALID_ARGUMENT")):
        response = await node.send("GET", f"/v1/fairness/{day}", "bob")
        assert response.json()["code"] == code
