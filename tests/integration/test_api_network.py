"""Profiles, standing and notifications over REST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from streams.core.commands import VerifyTrader
from tests.integration.api_node import ApiNode, api_node
from tests.integration.test_api_lists import pages, publish


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path) as node:
        yield await node.open_market()


async def code(
    node: ApiNode, method: str, path: str, trader: str, **options: Any
) -> tuple[int, str]:
    response = await node.send(method, path, trader, **options)
    return response.status_code, response.json().get("code", "OK")


async def test_a_profile_is_patched_field_by_field(node: ApiNode) -> None:
    body = {"bio": "Trend follower.", "links": ["https://example.org"], "tags": ["#Macro"]}
    await node.send("PATCH", "/v1/me", "alice", json=body)
    await node.send("PATCH", "/v1/me", "alice", json={"handle": "@Alicia"})
    shown = await node.get("/v1/traders/@alice")
    assert (shown["handle"], shown["bio"], shown["links"], shown["tags"]) == (
        "alicia",
        "Trend follower.",
        ["https://example.org"],
        ["macro"],
    )
    assert (await node.get("/v1/traders/@alicia"))["trader"] == "t_alice"
    assert await code(node, "PATCH", "/v1/me", "bob", json={"handle": "alice"}) == (
        409,
        "HANDLE_TAKEN",
    )
    assert await code(node, "PATCH", "/v1/me", "bob", json={"handle": "admin"}) == (
        409,
        "HANDLE_TAKEN",
    )
    assert await code(node, "PATCH", "/v1/me", "bob", json={"display_name": "b\u202eob"}) == (
        400,
        "INVALID_ARGUMENT",
    )


async def test_an_administrator_verifies_and_closes(node: ApiNode) -> None:
    await node.get("/v1/me", "alice")
    path = "/v1/admin/traders/@alice/verification"
    body = {"verified": True, "reason": "passport seen"}
    assert await code(node, "PUT", path, "bob", json=body) == (403, "FORBIDDEN")
    key = (node.services.settings.state_dir / "service.key").read_text()
    service = {"Authorization": f"Key {key}"}
    answered = await node.client.put(path, headers=service, json=body)
    assert answered.json()["trader"]["verified"] is True
    assert (await node.get("/v1/traders?verified=true"))["items"][0]["handle"] == "alice"
    told = (await node.get("/v1/notifications", "alice"))["items"]
    assert [(each["kind"], each["event"]["reason"]) for each in told] == [
        ("verification", "passport seen")
    ]


async def test_a_closed_account_stays_readable(node: ApiNode) -> None:
    idea = await publish(node, "alice", "An idea that stays")
    for handle in ("alice", "bob"):
        said = {"json": {"text": f"{handle} speaks"}}
        await node.send("POST", f"/v1/ideas/{idea}/comments", handle, **said)
    closed = await node.send("POST", "/v1/me/close", "alice", json={"reason": "tired"})
    assert closed.json()["trader"]["closed_at"] is not None
    assert (await node.get(f"/v1/ideas/{idea}"))["title"] is None
    comments = (await node.get(f"/v1/ideas/{idea}/comments"))["items"]
    assert [each["text"] for each in comments] == [None, "bob speaks"]
    assert (await node.get("/v1/traders/@alice"))["handle"] == "alice"
    assert await code(node, "PUT", "/v1/traders/@alice/follow", "bob") == (409, "TRADER_CLOSED")
    assert await code(node, "PATCH", "/v1/me", "alice", json={"bio": "x"}) == (
        409,
        "TRADER_CLOSED",
    )


async def test_notifications_are_listed_and_read(node: ApiNode) -> None:
    idea = await publish(node, "alice", "An idea to talk about")
    for handle in ("bob", "carol"):
        await node.send("PUT", "/v1/traders/@alice/follow", handle)
        await node.send("PUT", f"/v1/ideas/{idea}/like", handle)
    found = await pages(node, "/v1/notifications?limit=3", "alice")
    assert [[each["seq"] for each in page] for page in found] == [[4, 3, 2], [1]]
    assert [each["kind"] for each in found[0]] == ["idea_liked", "new_follower", "idea_liked"]
    answered = await node.send("POST", "/v1/notifications/read", "alice", json={"through": 3})
    assert answered.json() == {"read_through": 3, "unread": 1}
    unread = await node.get("/v1/notifications?unread=true", "alice")
    assert [each["seq"] for each in unread["items"]] == [4]
    assert (unread["unread"], unread["read_through"], unread["newest_seq"]) == (1, 3, 4)
    history = await node.get("/v1/channels/notifications/history", "alice")
    assert [row["seq"] for row in history["items"]] == [1, 2, 3, 4]
    assert history["items"][0]["data"]["kind"] == "new_follower"
    too_far = {"json": {"through": 9}}
    assert await code(node, "POST", "/v1/notifications/read", "alice", **too_far) == (
        422,
        "INVALID_SETTINGS",
    )


async def test_levels_of_notifications(node: ApiNode) -> None:
    await node.get("/v1/me", "alice")
    patched = await node.send("PATCH", "/v1/notifications/levels", "alice", json={"network": "off"})
    expected = {"copying": "all", "ideas": "all", "network": "off", "account": "all"}
    assert patched.json() == {"levels": expected}
    assert await node.get("/v1/notifications/levels", "alice") == {"levels": expected}
    await node.send("PUT", "/v1/traders/@alice/follow", "bob")
    assert (await node.get("/v1/notifications", "alice"))["items"] == []
    refused = {"json": {"account": "off"}}
    assert await code(node, "PATCH", "/v1/notifications/levels", "alice", **refused) == (
        400,
        "INVALID_ARGUMENT",
    )


async def test_activity_of_the_network(node: ApiNode) -> None:
    await node.send("PATCH", "/v1/me", "carol", json={"signals_access": "followers"})
    await publish(node, "alice", "An idea for everybody")
    order = {"symbol": "BTC", "side": "buy", "quantity": "0.1", "type": "market"}
    for handle in ("alice", "carol"):
        await node.send("POST", "/v1/orders", handle, json=order)
    found = await pages(node, "/v1/activity?limit=1")
    kinds = [(row["trader"], row["event"]["type"]) for page in found for row in page]
    assert kinds[0] == ("t_alice", "fill_booked")
    assert ("t_alice", "idea_published") in kinds
    assert {trader for trader, _ in kinds} == {"t_alice"}
    shown = await node.get("/v1/activity", "carol")
    assert shown["items"][0]["trader"] == "t_carol"


async def test_searching_traders(node: ApiNode) -> None:
    for handle, name in (
        ("kalo_mina", "Kalo Mina"),
        ("anna_kalo", "Anna K."),
        ("kalo", "The one"),
        ("zed", "Straße nach Kalonien"),
    ):
        await node.send("PATCH", "/v1/me", handle, json={"display_name": name, "tags": [handle]})

    async def handles(query: str) -> list[str]:
        found = await pages(node, f"/v1/traders?{query}&limit=2")
        return [each["handle"] for page in found for each in page]

    assert await handles("query=kalo") == ["kalo", "kalo_mina", "anna_kalo", "zed"]
    assert await handles("query=@KALO_M") == ["kalo_mina"]
    assert await handles("query=strasse") == ["zed"]
    assert await handles("query=mi") == ["kalo_mina"]
    assert await handles("query=o") == ["kalo"]
    assert await handles("query=nobody") == []
    assert await handles("tag=%23Zed") == ["zed"]
    assert await handles("tag=zed&query=anna") == []
    assert await handles("verified=true") == []
    assert len(await handles("verified=false")) == 4
    assert len(await handles("min_reputation=0")) == 4
    assert await handles("min_reputation=0.001") == []
    await node.send("PATCH", "/v1/me", "zed", json={"display_name": "Z", "handle": "zeta"})
    assert await handles("query=kalonien") == []
    assert await handles("query=zeta") == ["zeta"]
    await node.do(VerifyTrader("t_kalo", verified=True, reason="passport"))
    assert await handles("verified=true") == ["kalo"]
    assert await handles("query=mina&verified=true") == []


async def test_an_index_that_is_full_goes_on_page_by_page(
    node: ApiNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.api.trader_index.FILTERED_MAX", 0)
    monkeypatch.setattr("server.api.scanning.SCAN_MAX", 2)
    for number in range(5):
        await node.get("/v1/me", f"common_{number}")
    found = await pages(node, "/v1/traders?query=common_4")
    assert [[each["handle"] for each in page] for page in found if page] == [["common_4"]]


async def test_a_profile_tells_how_both_are_linked(node: ApiNode) -> None:
    for one, other in (("bob", "alice"), ("alice", "bob"), ("carol", "alice")):
        await node.get("/v1/me", other)
        await node.send("PUT", f"/v1/traders/@{other}/follow", one)
    shown = await node.get("/v1/traders/@alice", "carol")
    assert (shown["following_you"], shown["followed_by_you"]) == (False, True)
    assert shown["record"]["reasons"] == {
        "win_rate": "NO_CLOSED_TRADES",
        "total_return": "NO_FILLS",
    }
    assert (shown["reputation"], shown["ideas"], shown["former_handles"]) == (0.0, 0, [])
    assert "following_you" not in await node.get("/v1/traders/@alice")
    mutual = await node.get("/v1/traders/@alice/followers?mutual=true")
    assert [each["handle"] for each in mutual["items"]] == ["bob"]
    both = await node.get("/v1/traders/@alice/following?mutual=true")
    assert [each["handle"] for each in both["items"]] == ["bob"]


async def test_statistics_of_a_trader(node: ApiNode) -> None:
    await publish(node, "alice", "An idea that counts")
    order = {"symbol": "BTC", "side": "buy", "quantity": "0.1", "type": "market"}
    await node.send("POST", "/v1/orders", "alice", json=order)
    await node.send("POST", "/v1/orders", "alice", json={**order, "side": "sell"})
    numbers = await node.get("/v1/traders/@alice/statistics")
    assert (numbers["fills"], numbers["trades"], numbers["wins"], numbers["losses"]) == (2, 1, 0, 1)
    assert (numbers["win_rate"], numbers["ideas"], numbers["reasons"]) == (0.0, 1, {})
    assert numbers["total_return"] < 0
    assert numbers["realised_pnl"].startswith("-")
    compared = await node.get("/v1/compare?traders=@alice,@alice,t_alice")
    assert [row["handle"] for row in compared["items"]] == ["alice", "alice"]


@pytest.mark.parametrize(
    "body",
    [b'{"bio": "one", "bio": "two"}', b'{"b\\u0069o": "one", "bio": "two"}'],
)
async def test_a_key_that_stands_twice_is_refused(node: ApiNode, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    refused = await node.send("PATCH", "/v1/me", "alice", content=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "MALFORMED")
    assert "expected each key once, was 'bio' twice" in refused.json()["detail"]
