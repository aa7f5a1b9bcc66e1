"""The REST calls of ideas that `test_api_lists` does not make."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from streams.core.commands import MarkRow, PublishMarks, Tick
from tests.integration.api_node import ApiNode, api_node
from tests.integration.test_api_lists import pages, publish


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path) as node:
        yield await node.open_market()


async def quote(node: ApiNode, bid: int, ask: int) -> None:
    await node.do(PublishMarks([MarkRow("BTC", bid, ask, bid)]))


async def call(node: ApiNode, method: str, path: str, trader: str, **more: Any) -> Any:
    response = await node.send(method, path, trader, **more)
    assert response.status_code in (200, 201), response.text
    return response.json()


async def refused(
    node: ApiNode, method: str, path: str, trader: str, **more: Any
) -> tuple[int, str]:
    response = await node.send(method, path, trader, **more)
    return response.status_code, response.json()["code"]


async def test_an_idea_with_several_targets_is_resolved_by_the_market(node: ApiNode) -> None:
    instrument = (await node.get("/v1/instruments/BTC"))["ask"]
    assert instrument is not None
    entry = float(instrument)
    idea = await publish(
        node,
        "alice",
        "Two targets",
        stop=f"{entry * 0.9:.0f}",
        confidence=60,
        targets=[
            {"price": f"{entry * 1.1:.0f}", "weight": 0.25},
            {"price": f"{entry * 1.2:.0f}", "weight": "0.75"},
        ],
        breakeven_after=1,
    )
    shown = await node.get(f"/v1/ideas/{idea}")
    assert (shown["status"], shown["stage"]) == ("published", "LIVE")
    assert [target["weight"] for target in shown["targets"]] == [0.25, 0.75]
    assert shown["target"] == shown["targets"][0]["price"]
    assert len(shown["terms_hash"]) == 64
    assert 0.4 < shown["odds"] < 0.6
    ticks = node.services.replica.state.instruments["BTC"].ask_ticks
    await quote(node, ticks * 13 // 10, ticks * 13 // 10)
    resolved = await node.get(f"/v1/ideas/{idea}")
    resolution = resolved["resolution"]
    assert (resolved["stage"], resolution["hit"]) == ("TARGET_HIT", 1.0)
    assert resolution["tick"]["flags"] == ["GAP"]
    assert resolution["edge"] == pytest.approx(1 - shown["odds"])
    assert await pages(node, "/v1/ideas?status=TARGET_HIT") == [[resolved]]


async def test_weights_of_targets_are_for_all_or_none(node: ApiNode) -> None:
    body = {
        "title": "Two targets",
        "thesis": "Because the chart says so.",
        "symbol": "BTC",
        "trade_type": "buy",
        "publish": True,
        "targets": [{"price": "900000", "weight": 0.5}, {"price": "950000"}],
    }
    assert await refused(node, "POST", "/v1/ideas", "alice", json=body) == (400, "INVALID_ARGUMENT")
    body["targets"] = [{"price": "900000"}, {"price": "950000"}, {"price": "990000"}]
    made = await call(node, "POST", "/v1/ideas", "alice", json=body)
    assert [each["weight"] for each in made["idea"]["targets"]] == [0.3333, 0.3333, 0.3334]


async def test_the_terms_of_a_draft_are_open(node: ApiNode) -> None:
    idea = await publish(node, "alice", "A first draft", publish=False)
    targets = [{"price": "900000"}, {"price": "950000"}]
    edited = await call(node, "PATCH", f"/v1/ideas/{idea}", "alice", json={"targets": targets})
    assert edited["idea"]["target"] == "900000"
    edited = await call(node, "PATCH", f"/v1/ideas/{idea}", "alice", json={"target": "910000"})
    assert [each["price"] for each in edited["idea"]["targets"]] == ["910000"]


async def test_a_published_idea_takes_no_edit_of_its_record(node: ApiNode) -> None:
    """Mistake 6 of the prototype: terms, times and counts were all open to an edit."""
    idea = await publish(node, "alice", "Published for good", target="900000")
    before = await node.get(f"/v1/ideas/{idea}")
    for field, value, code in (
        ("published_at", "2020-01-01T00:00:00Z", "INVALID_ARGUMENT"),
        ("likes", 1_000, "INVALID_ARGUMENT"),
        ("views", 1_000, "INVALID_ARGUMENT"),
        ("status", "draft", "INVALID_ARGUMENT"),
        ("resolution", None, "INVALID_ARGUMENT"),
        ("trader", "bob", "INVALID_ARGUMENT"),
        ("target", "950000", "IDEA_TERMS_IMMUTABLE"),
        ("stop", "1", "IDEA_TERMS_IMMUTABLE"),
        ("entry", "890000", "IDEA_TERMS_IMMUTABLE"),
        ("confidence", 99, "IDEA_TERMS_IMMUTABLE"),
        ("timeframe", "1y", "IDEA_TERMS_IMMUTABLE"),
        ("symbol", "ETH", "IDEA_TERMS_IMMUTABLE"),
        ("targets", [{"price": "950000"}], "IDEA_TERMS_IMMUTABLE"),
        ("breakeven_after", 0, "IDEA_TERMS_IMMUTABLE"),
    ):
        found = await refused(node, "PATCH", f"/v1/ideas/{idea}", "alice", json={field: value})
        assert (field, code) == (field, found[1])
    assert before == await node.get(f"/v1/ideas/{idea}")


async def test_undo_delete_and_updates(node: ApiNode) -> None:
    idea = await publish(node, "alice", "Too early", target="900000")
    undone = await call(node, "POST", f"/v1/ideas/{idea}/undo", "alice")
    assert (undone["idea"]["status"], undone["idea"]["published_at"]) == ("draft", None)
    await call(node, "POST", f"/v1/ideas/{idea}/publish", "alice")
    for text in ("Still good.", "Take some off."):
        answer = await call(node, "POST", f"/v1/ideas/{idea}/updates", "alice", json={"text": text})
    assert answer["idea"]["updates"] == 2
    found = await pages(node, f"/v1/ideas/{idea}/updates?limit=1")
    assert [(page[0]["number"], page[0]["text"]) for page in found] == [
        (1, "Still good."),
        (2, "Take some off."),
    ]
    deleted = await call(node, "DELETE", f"/v1/ideas/{idea}", "alice")
    assert (deleted["idea"]["hidden"], deleted["idea"]["title"]) == (True, None)
    assert deleted["idea"]["target"] == "900000"
    assert (await pages(node, "/v1/ideas?query=early")) == [[]]
    assert await refused(node, "DELETE", f"/v1/ideas/{idea}", "alice") == (
        409,
        "IDEA_NOT_PUBLISHED",
    )


async def test_shares_views_and_trending(node: ApiNode) -> None:
    first = await publish(node, "alice", "Seen by few")
    second = await publish(node, "alice", "Shared by one")
    for trader in ("bob", "carol", "bob", "alice"):
        await call(node, "POST", f"/v1/ideas/{first}/view", trader)
    for trader in ("bob", "bob", "alice"):
        await call(node, "POST", f"/v1/ideas/{second}/share", trader)
    assert (await node.get(f"/v1/ideas/{first}"))["views"] == 2
    assert (await node.get(f"/v1/ideas/{second}"))["shares"] == 1
    (found,) = await pages(node, "/v1/ideas?sort=trending")
    assert [idea["idea"] for idea in found] == [second, first]
    await node.do(Tick(node.services.replica.state.entry_ms // 100 + 10))
    # 5 / 2 hours and 0.2 / 2 hours, to the thousandth.
    assert list(node.services.replica.state.trending.ideas) == [second, first]


async def test_only_a_service_declares_an_idea_void(node: ApiNode) -> None:
    idea = await publish(node, "alice", "On a wrong quote", target="900000")
    path = f"/v1/admin/ideas/{idea}/void"
    body = {"reason": "the quote was wrong"}
    assert (await refused(node, "POST", path, "alice", json=body))[0] == 403
