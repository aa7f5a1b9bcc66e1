"""Copies over REST: settings and their scopes, positions by hand, resync, stops, the operators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api_node import ApiNode, api_node


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path) as node:
        await node.open_market()
        await node.get("/v1/me", "alice")
        await node.send("PUT", "/v1/copies/@alice", "bob", json={"allocation": "50000"})
        yield node


async def buy(node: ApiNode, **more: Any) -> None:
    order = {"symbol": "BTC", "side": "buy", "quantity": "0.5", "type": "market", **more}
    response = await node.send("POST", "/v1/orders", "alice", json=order)
    assert response.status_code == 201, response.text


async def test_settings_are_shown_as_they_are_written(node: ApiNode) -> None:
    patch = {
        "mode": "expression",
        "expression": "leader_quantity * equity / leader_equity",
        "session_windows": [{"days": ["mon"], "from": "09:30", "to": "16:00"}],
        "symbol_multipliers": {"BTC": 0.5},
        "copy_stop": 0.25,
        "trailing_stop": "0.1",
        "fixed_quantity": "0.25",
    }
    answer = await node.send("PUT", "/v1/copies/@alice", "bob", json=patch)

    copy = answer.json()["copy"]
    assert copy["settings_version"] == 2
    shown = {name: copy["settings"][name] for name in patch}
    assert shown == {**patch, "trailing_stop": 0.1}
    assert set(copy["own"]) == set(patch)
    assert (copy["stop_level"], copy["peak_equity"]) == ("45000", "50000")


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"copy_stop": 0.01}, "copy_stop_bps"),
        ({"expression": "open('x')"}, "expression"),
        ({"tiny": "perhaps"}, "tiny"),
        ({"mode": "fixed_notional"}, "fixed_notional_micros"),
    ],
)
async def test_settings_out_of_bounds_are_refused(
    node: ApiNode, patch: dict[str, Any], field: str
) -> None:
    answer = await node.send("PUT", "/v1/copies/@alice", "bob", json=patch)
    assert answer.status_code in (400, 422)
    assert answer.json()["errors"][0]["field"].endswith(field)
    assert (await node.get("/v1/copies/@alice", "bob"))["settings_version"] == 1


async def test_a_position_closed_by_hand_is_left(node: ApiNode) -> None:
    await buy(node)
    path = "/v1/copies/@alice/positions/close?symbol=BTC"
    copy = (await node.send("POST", path, "bob")).json()["copy"]
    assert (copy["detached"], copy["account"]["positions"]) == (["BTC"], [])
    again = await node.send("POST", path, "bob")
    assert (again.status_code, again.json()["code"]) == (404, "NO_COPIED_POSITION")
    await buy(node)
    copy = await node.get("/v1/copies/@alice", "bob")
    assert copy["codes"]["DETACHED_BY_FOLLOWER"] == 1


async def test_a_resync_and_a_gradual_stop(node: ApiNode) -> None:
    await node.send("POST", "/v1/copies/@alice/pause", "bob")
    await buy(node)
    await node.send("POST", "/v1/copies/@alice/resume", "bob")
    copy = (await node.send("POST", "/v1/copies/@alice/resync", "bob")).json()["copy"]
    assert (copy["status"], len(copy["account"]["positions"])) == ("ACTIVE", 1)
    stopped = await node.send("DELETE", "/v1/copies/@alice?on_stop=close_by_position", "bob")
    assert stopped.json()["copy"]["status"] == "STOPPING"
    await buy(node, side="sell")
    assert (await node.get("/v1/copies/@alice", "bob"))["status"] == "STOPPED"


async def test_chains_are_refused(node: ApiNode) -> None:
    await node.get("/v1/me", "carol")
    for leader, follower in (("bob", "carol"), ("carol", "alice")):
        answer = await node.send("PUT", f"/v1/copies/@{leader}", follower, json={"allocation": "1"})
        assert (answer.status_code, answer.json()["code"]) == (422, "LEADER_IS_COPY")


async def test_scopes_of_leader_and_portfolio(node: ApiNode) -> None:
    empty = await node.get("/v1/copy-scopes/leader", "alice")
    assert empty == {"scope": "leader", "version": 0, "settings": {}}
    patch = {"symbols_deny": ["BTC"]}
    await node.send("PUT", "/v1/copy-scopes/leader", "alice", json=patch)
    assert (await node.get("/v1/copy-scopes/leader", "alice"))["settings"] == patch
    await buy(node)
    copy = await node.get("/v1/copies/@alice", "bob")
    assert copy["codes"] == {"SYMBOL_DENIED": 1}
    refused = await node.send("PUT", "/v1/copy-scopes/portfolio", "bob", json={"allocation": "1"})
    assert refused.json()["code"] == "INVALID_SETTINGS"


async def test_operators_stop_openings_and_leaders(node: ApiNode) -> None:
    switch = "/v1/admin/copies/kill-switch"
    assert (await node.send("PUT", switch, "bob", json={"on": True})).status_code == 403
    await _as_operator(node, "PUT", switch, {"on": True, "cause": "drill"})
    await buy(node)
    await _as_operator(node, "PUT", switch, {"on": False})
    suspended = "/v1/admin/copies/suspended/@alice"
    view = await _as_operator(node, "PUT", suspended, {"cause": "suspended"})
    assert list(view["suspended"].values()) == ["suspended"]
    await buy(node)
    copy = await node.get("/v1/copies/@alice", "bob")
    assert copy["codes"] == {"KILL_SWITCH": 1, "LEADER_SUSPENDED": 1}
    assert (await _as_operator(node, "DELETE", suspended))["suspended"] == {}
    view = await _as_operator(node, "PUT", "/v1/admin/copies/settings", {"positions_max": 3})
    assert view["platform"]["settings"] == {"positions_max": 3}
    assert (await _as_operator(node, "GET", "/v1/admin/copies"))["kill_switch"] is None


async def _as_operator(
    node: ApiNode, method: str, path: str, body: dict[str, Any] | None = None
) -> Any:
    key = (node.services.settings.state_dir / "service.key").read_text()
    options: dict[str, Any] = {"headers": {"Authorization": f"Key {key}"}}
    if body is not None:
        options["json"] = body
    answer = await node.send(method, path, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()
