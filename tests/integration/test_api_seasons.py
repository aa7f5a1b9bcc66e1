"""Seasons, flags, the graveyard and the composite board over REST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.core.commands import LinkIdentity, MarkRow, PublishMarks, Tick
from tests.integration.api_node import ApiNode, api_node


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path) as node:
        yield await node.open_market()


async def admin(
    node: ApiNode, method: str, path: str, body: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Send a request as a service of the machine."""
    key = (node.services.settings.state_dir / "service.key").read_text()
    headers = {"Authorization": f"Key {key}"}
    response = await node.client.request(method, path, headers=headers, json=body)
    return response.status_code, response.json()


async def test_a_season_is_opened_and_entered(node: ApiNode) -> None:
    today = datetime.fromtimestamp(node.services.clock.now_us() / 1e6, UTC).date()
    body = {
        "season": "spring",
        "name": "Spring cup",
        "start": str(today + timedelta(days=1)),
        "end": str(today + timedelta(days=8)),
    }
    refused = await node.send("POST", "/v1/admin/seasons", "alice", json=body)
    assert refused.status_code == 403
    status, made = await admin(node, "POST", "/v1/admin/seasons", body)
    assert (status, made["status"]) == (201, "OPEN")
    status, again = await admin(node, "POST", "/v1/admin/seasons", body)
    assert (status, again["code"]) == (409, "SEASON_EXISTS")
    entered = await node.send("PUT", "/v1/seasons/spring/entry", "alice")
    assert (entered.status_code, entered.json()["entries"]) == (200, 1)
    missing = await node.send("PUT", "/v1/seasons/summer/entry", "alice")
    assert (missing.status_code, missing.json()["code"]) == (404, "UNKNOWN_SEASON")
    await node.send("PUT", "/v1/seasons/spring/entry", "bob")
    listed = await node.get("/v1/seasons")
    assert [season["season"] for season in listed["items"]] == ["spring"]
    shown = await node.get("/v1/seasons/spring?limit=1")
    assert (shown["items"], shown["digest"]) == ([{"trader": "t_alice"}], None)
    rest = await node.get(f"/v1/seasons/spring?cursor={shown['next_cursor']}")
    assert rest["items"] == [{"trader": "t_bob"}]
    unknown = await node.send("GET", "/v1/seasons/summer")
    assert unknown.json()["code"] == "UNKNOWN_SEASON"


async def test_flags_say_what_was_found_and_what_is_missing(node: ApiNode) -> None:
    order = {"symbol": "BTC", "side": "buy", "quantity": "0.1", "type": "market"}
    for trader in ("alice", "bob", "carol"):
        await node.send("POST", "/v1/orders", trader, json=order)
    for trader in ("t_alice", "t_bob"):
        await node.do(LinkIdentity(trader, "person"))
    path = "/v1/admin/traders/@carol/identity"
    assert (await admin(node, "PUT", path, {"identity": "person"}))[0] == 200
    found = await node.get("/v1/traders/@alice/flags")
    assert [(item["flag"], item["level"], item["evidence"]) for item in found["items"]] == [
        ("SERIAL_ACCOUNTS", "notice", {"accounts": 3})
    ]
    missing = found["eligibility"]
    assert (missing["eligible"], missing["days"], missing["days_min"]) == (False, 0, 90)
    assert "NOT_VERIFIED" in missing["missing"]
    ranks = await node.get("/v1/traders/@alice/ranks")
    assert ranks["eligibility"] == missing


async def test_the_graveyard_and_an_empty_composite_board(node: ApiNode) -> None:
    order = {"symbol": "BTC", "side": "buy", "quantity": "0.1", "type": "market"}
    for trader in ("alice", "bob"):
        await node.send("POST", "/v1/orders", trader, json=order)
        await node.send("POST", "/v1/me/close", trader, json={"reason": "tired"})
    await node.do(PublishMarks([MarkRow("BTC", 130_000, 130_002, 130_001)]))
    await node.do(Tick(node.services.clock.now_us() // 100_000 + 10))
    first = await node.get("/v1/graveyard?limit=1")
    assert [(grave["trader"], grave["cause"]) for grave in first["items"]] == [
        ("t_alice", "closed")
    ]
    second = await node.get(f"/v1/graveyard?cursor={first['next_cursor']}")
    assert ([grave["trader"] for grave in second["items"]], second["accounts"]) == (["t_bob"], 2)
    composite = await node.get("/v1/leaderboards/composite?period=1y")
    assert (composite["items"], composite["n"], composite["accounts"]) == ([], 0, 0)
    boards = (await node.get("/v1/leaderboards"))["items"]
    assert {"composite", "rising_stars", "profit_factor"} <= {board["metric"] for board in boards}
