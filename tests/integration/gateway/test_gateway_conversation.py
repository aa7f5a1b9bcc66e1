"""What a client and the gateway say to each other, over a real uvicorn server."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.integration.gateway.node import GatewayNode
from tests.support import eventually


async def test_http_is_served_on_the_same_port(node: GatewayNode) -> None:
    peer = await node.peer()
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{node.port}/v1/ideas")
    assert (answer.status_code, answer.text) == (200, "hello /v1/ideas")
    assert (await peer.ask("ping"))["t"] == "pong"


async def test_from_hello_to_unsubscribe(node: GatewayNode) -> None:
    peer = await node.peer()
    assert tuple(peer.hello[key] for key in ("t", "v", "node", "epoch")) == ("hello", 1, "n1", "e1")
    assert {"trader": "t_bob", "expires_in": None}.items() <= (
        await peer.ask("auth", token="Dev bob")
    ).items()
    answer = await peer.subscribe("book:A", "copies", "nothing")
    assert [entry["mode"] for entry in answer["ch"]] == ["snapshot", "live", "refused"]
    assert await peer.frames(1) == [("snap", "book:A", 0)]
    node.publish("book:A", ("copies", "t_bob"), ("copies", "t_eve"), "book:A")
    assert (await peer.frames(3)) == [
        ("delta", "book:A", 1),
        ("ev", "copies", 1),
        ("delta", "book:A", 2),
    ]
    await peer.ask("unsubscribe", ch=["book:A"])
    node.publish("book:A", ("copies", "t_bob"))
    assert await peer.frames(1) == [("ev", "copies", 2)]
    assert not node.hub.wanted("book:A")


@pytest.mark.parametrize("packed", [False, True], ids=["json", "msgpack"])
async def test_a_socket_resumes_where_another_left(node: GatewayNode, packed: bool) -> None:
    subprotocol = "optix.v1.msgpack" if packed else "optix.v1.json"
    first = await node.peer(subprotocol=subprotocol)
    await first.subscribe("system")
    node.publish("system", "system")
    assert await first.frames(2) == [("ev", "system", 1), ("ev", "system", 2)]
    await first.connection.close()
    node.publish("system", "system")
    second = await node.peer(subprotocol=subprotocol)
    point = {"epoch": "e1", "seq": 2}
    answer = await second.ask("subscribe", ch=[{"ch": "system", "from": point}])
    assert [(entry["ch"], entry["seq"], entry["mode"]) for entry in answer["ch"]] == [
        ("system", 4, "resumed")
    ]
    node.publish("system")
    assert [("ev", "system", seq) for seq in (3, 4, 5)] == await second.frames(3)


async def test_what_is_too_old_is_told_with_the_path_of_the_history(node: GatewayNode) -> None:
    for _ in range(150):
        node.source.bump("system")
    peer = await node.peer()
    answer = await peer.ask("subscribe", ch=[{"ch": "system", "from": {"epoch": "e1", "seq": 10}}])
    entry = answer["ch"][0]
    assert (entry["mode"], entry["why"], entry["seq"]) == ("live", "TOO_OLD", 150)
    assert entry["history"] == "/v1/stream/history?ch=system&epoch=e1&after_seq=10"


async def test_subscribing_while_frames_flow_leaves_no_gap(node: GatewayNode) -> None:
    flowing = True

    async def flow() -> None:
        while flowing:
            node.publish("book:A", "system")
            await asyncio.sleep(0)

    publishing = asyncio.create_task(flow(), name="flow")
    for _ in range(5):
        peer = await node.peer()
        answer = await peer.subscribe("book:A", "system")
        begin = {entry["ch"]: entry["seq"] for entry in answer["ch"]}
        frames = await peer.frames(60)
        book = [seq for _, name, seq in frames if name == "book:A"]
        events = [seq for _, name, seq in frames if name == "system"]
        assert list(range(begin["book:A"], begin["book:A"] + len(book))) == book
        assert list(range(begin["system"] + 1, begin["system"] + 1 + len(events))) == events
        await peer.connection.close()
    flowing = False
    await publishing


# Credentials


async def test_each_credential_in_the_header(node: GatewayNode) -> None:
    for header in ("Dev bob", "Key key-bob"):
        peer = await node.peer(header)
        assert (await peer.subscribe("copies"))["ch"][0]["mode"] == "live"
    assert {"127.0.0.1"} == set(node.authenticator.addresses)


async def test_a_signed_key(node: GatewayNode) -> None:
    peer = await node.peer()
    answer = await peer.ask("auth", key="key-bob", ts=5, sig="signed-5")
    assert answer["trader"] == "t_bob"
    refused = await peer.ask("auth", key="key-bob", ts=5, sig="forged")
    assert refused["code"] == "UNAUTHENTICATED"


async def test_wrong_credentials_close(node: GatewayNode) -> None:
    peer = await node.peer()
    assert (await peer.ask("auth", token="forged"))["code"] == "UNAUTHENTICATED"
    assert (await peer.closed())[0] == 4101


async def test_own_channels_need_an_account_and_public_ones_do_not(node: GatewayNode) -> None:
    peer = await node.peer()
    answer = await peer.subscribe("copies", "system")
    assert [entry["mode"] for entry in answer["ch"]] == ["refused", "live"]
    assert answer["ch"][0]["code"] == "UNAUTHENTICATED"


async def test_where_authentication_is_required_time_runs_out() -> None:
    async with GatewayNode(authentication_required=True, limits={"authentication_ms": 100}) as node:
        peer = await node.peer()
        assert (await peer.subscribe("system"))["code"] == "UNAUTHENTICATED"
        assert (await peer.closed())[0] == 4101


async def test_a_credential_that_ends_closes_the_socket() -> None:
    async with GatewayNode(expires_at_us=time.time_ns() // 1000 + 150_000) as node:
        peer = await node.peer("Dev bob")
        assert (await peer.closed())[0] == 4100


async def test_a_login_revoked_closes_its_sockets_only(node: GatewayNode) -> None:
    one, two = await node.peer("Dev bob/1"), await node.peer("Dev bob/2")
    assert node.gateway.revoke("l_bob/1") == 1
    assert (await one.closed())[0] == 4102
    assert (await two.ask("ping"))["t"] == "pong"


async def test_an_account_has_so_many_sockets() -> None:
    async with GatewayNode(limits={"sockets_per_account_max": 2}) as node:
        first = await node.peer("Dev bob")
        await node.peer("Dev bob")
        third = await node.peer()
        await third.send({"op": "auth", "id": 1, "token": "Dev bob"})
        assert (await third.closed())[0] == 4202
        await first.ask("auth", token="Dev bob")
        await first.connection.close()
        await eventually(lambda: node.gateway.registry.count_of("t_bob") == 1)
        assert (await (await node.peer()).ask("auth", token="Dev bob"))["t"] == "ok"


async def test_a_permission_lost_is_told_and_nothing_follows(node: GatewayNode) -> None:
    peer = await node.peer("Dev bob")
    await peer.subscribe("signals:t_lead", "system")
    node.source.forbidden.add(("signals:t_lead", "t_bob"))
    node.gateway.recheck("signals:t_lead")
    node.publish("signals:t_lead", "system")
    assert await peer.next() == {"t": "gone", "ch": "signals:t_lead", "code": "FORBIDDEN"}
    assert await peer.frames(1) == [("ev", "system", 1)]


async def test_a_new_epoch_closes_all(node: GatewayNode) -> None:
    peer = await node.peer()
    node.gateway.epoch_changed()
    assert (await peer.closed())[0] == 4003


# Commands


async def test_commands_are_executed_for_the_account(node: GatewayNode) -> None:
    peer = await node.peer("Dev bob")
    answer = await peer.ask("command", name="echo", args={"x": [1]}, key="k")
    assert (answer["t"], answer["offset"], answer["echo"]) == ("ok", "7-0.0", {"x": [1]})
    refused = await peer.ask("command", name="refuse", key="k")
    assert (refused["t"], refused["code"], refused["field"]) == ("err", "NO_FUNDS", "q")
    unknown = await peer.ask("command", name="unknown_outcome", key="k")
    assert (unknown["code"], unknown["retry_ms"]) == ("OUTCOME_UNKNOWN", 50)
    assert (await peer.ask("cancel_after", ms=500))["echo"] == {"ms": 500}
    assert node.commands.executed[0] == ("t_bob", "echo", {"x": [1]}, "k")


async def test_answers_come_in_the_order_of_completion(node: GatewayNode) -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    node.commands.waiting = list(gates)
    peer = await node.peer("Dev bob")
    for number in (1, 2):
        await peer.send({"op": "command", "id": number, "name": "wait"})
    await eventually(lambda: node.gateway.commands_in_flight == 2)
    gates[1].set()
    assert (await peer.next())["re"] == 2
    gates[0].set()
    assert (await peer.next())["re"] == 1


async def test_commands_of_a_node_in_flight_are_bounded() -> None:
    async with GatewayNode(commands_in_flight_max=1) as node:
        gate = asyncio.Event()
        node.commands.waiting = [gate]
        peer = await node.peer("Dev bob")
        await peer.send({"op": "command", "id": 1, "name": "wait"})
        await peer.send({"op": "command", "id": 2, "name": "echo"})
        refused = await peer.next()
        assert (refused["re"], refused["code"], refused["retry_ms"]) == (2, "RATE_LIMITED", 1000)
        gate.set()
        assert (await peer.next())["re"] == 1


async def test_an_error_of_ours_costs_one_socket(node: GatewayNode) -> None:
    broken, other = await node.peer("Dev bob"), await node.peer("Dev eve")
    await broken.send({"op": "command", "id": 1, "name": "break"})
    assert (await broken.closed())[0] == 4004
    assert (await other.ask("ping"))["t"] == "pong"


async def test_an_error_while_a_message_is_handled_costs_one_socket(
    node: GatewayNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(key: str) -> Any:
        raise RuntimeError(f"no snapshot of {key}")

    monkeypatch.setattr(node.source, "snapshot", broken)
    peer, other = await node.peer(), await node.peer()
    await peer.send({"op": "subscribe", "id": 1, "ch": [{"ch": "book:A"}]})
    assert (await peer.closed())[0] == 4004
    assert (await other.ask("ping"))["t"] == "pong"
    assert node.hub.subscriptions == 0


async def test_an_answer_for_a_client_that_left_is_dropped(node: GatewayNode) -> None:
    gate = asyncio.Event()
    node.commands.waiting = [gate]
    peer = await node.peer("Dev bob")
    await peer.send({"op": "command", "id": 1, "name": "wait"})
    await eventually(lambda: node.gateway.commands_in_flight)
    await peer.connection.close()
    gate.set()
    await eventually(lambda: not node.gateway.commands_in_flight)
