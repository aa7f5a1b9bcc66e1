"""How sockets of the gateway begin and end: upgrade, heartbeat, leaving, stopping."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.integration.gateway.node import GatewayNode, Peer, RawPeer
from tests.support import MS, eventually


# The upgrade


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/other", {}, 404),
        ("/v1/stream", {"Origin": "https://evil.example"}, 403),
        ("/v1/stream", {"Origin": "http://[bad"}, 403),
    ],
)
async def test_upgrades_refused(
    node: GatewayNode, path: str, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{node.port}{path}", additional_headers=headers, proxy=None)
    assert status == refused.value.response.status_code
    assert len(node.gateway.registry) == 0


@pytest.mark.parametrize(
    ("allowed", "origin"),
    [
        (("same-origin",), "http://127.0.0.1:{port}"),
        (("https://app.example",), "https://app.example"),
        (("*",), "https://any.example"),
    ],
)
async def test_origins_admitted(allowed: tuple[str, ...], origin: str) -> None:
    async with GatewayNode(allowed_origins=allowed) as node:
        peer = await node.peer(origin=origin.format(port=node.port))
        assert peer.hello["t"] == "hello"


async def test_the_first_known_subprotocol_is_taken(node: GatewayNode) -> None:
    offered = [Subprotocol(name) for name in ("chat", "optix.v1.msgpack", "optix.v1.json")]
    async with connect(node.url, subprotocols=offered, proxy=None) as connection:
        assert connection.subprotocol == "optix.v1.msgpack"
        assert (await Peer(connection).next())["t"] == "hello"


async def test_only_unknown_subprotocols_close(node: GatewayNode) -> None:
    async with connect(
        node.url, subprotocols=[Subprotocol("optix.v9.json")], proxy=None
    ) as connection:
        with pytest.raises(ConnectionClosed) as end:
            await connection.recv()
    assert end.value.rcvd is not None
    assert (end.value.rcvd.code, end.value.rcvd.reason) == (4200, "unknown subprotocol")


@pytest.mark.parametrize("why", ["not ready", "full", "leaving"])
async def test_a_node_that_cannot_serve_says_503(why: str) -> None:
    async with GatewayNode(sockets_max=1) as node:
        if why == "not ready":
            node.source.ready = False
        elif why == "full":
            await node.peer()
        else:
            node.gateway.start_drain(10)
        with pytest.raises(InvalidStatus) as refused:
            await node.peer()
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"] == "1"
        assert node.gateway.refused == 1


# Heartbeat and leaving


async def test_silence_is_pinged_and_a_dead_client_given_up() -> None:
    limits: dict[str, Any] = {"ping_after_ms": 100, "pong_within_ms": 400}
    async with GatewayNode(limits=limits) as node:
        alive = await node.peer()
        dead = await node.peer()
        # It reads no more, so it cannot answer.
        dead.connection.transport.pause_reading()
        await eventually(lambda: node.gateway.closed_by_code == {4002: 1}, 8_000 * MS)
        assert (await alive.ask("ping"))["t"] == "pong"
        assert len(node.gateway.registry) == 1


async def test_a_client_may_ping(node: GatewayNode) -> None:
    peer = await node.peer()
    await (await peer.connection.ping(b"there?"))


async def test_a_client_may_leave(node: GatewayNode) -> None:
    peer = await node.peer()
    await peer.connection.close(1000, "bye")
    await eventually(lambda: not len(node.gateway.registry))
    assert node.gateway.closed_by_code == {1000: 1}


async def test_drain_tells_and_closes_all(node: GatewayNode) -> None:
    peers = [await node.peer() for _ in range(4)]
    draining = asyncio.create_task(node.gateway.drain(100), name="drain")
    assert [await peer.next() for peer in peers] == [{"t": "drain", "in_ms": 100}] * 4
    assert [await peer.closed() for peer in peers] == [(4000, "drain")] * 4
    await draining
    assert len(node.gateway.registry) == 0


async def test_drain_waits_for_answers(node: GatewayNode) -> None:
    gate = asyncio.Event()
    node.commands.waiting = [gate]
    peer = await node.peer("Dev bob")
    await peer.send({"op": "command", "id": 1, "name": "wait"})
    await eventually(lambda: node.gateway.commands_in_flight)
    draining = asyncio.create_task(node.gateway.drain(400), name="drain")
    assert (await peer.next())["t"] == "drain"
    gate.set()
    assert (await peer.next())["re"] == 1
    assert (await peer.closed())[0] == 4000
    await draining


async def test_who_does_not_leave_in_time_is_cut(node: GatewayNode) -> None:
    async with RawPeer(node.port) as raw:
        await node.gateway.drain(50)
        assert len(node.gateway.registry) == 0
        await raw.read_to_end()
    assert node.gateway.closed_by_code == {4000: 1}
    await node.gateway.drain(50)


async def test_answers_after_closing_go_nowhere(node: GatewayNode) -> None:
    gate = asyncio.Event()
    node.commands.waiting = [gate]
    peer = await node.peer("Dev bob")
    await peer.send({"op": "command", "id": 1, "name": "wait"})
    await eventually(lambda: node.gateway.commands_in_flight)
    await node.gateway.close()
    await eventually(lambda: not len(node.gateway.registry))
    gate.set()
    await eventually(lambda: node.gateway.commands_in_flight == 0)


async def test_a_stopping_server_drains(node: GatewayNode) -> None:
    peer = await node.peer()
    node.server.should_exit = True
    assert await peer.next() == {"t": "drain", "in_ms": 200}
    assert (await peer.closed())[0] == 4000
    await node.serving


async def test_one_line_is_logged_for_each_socket(node: GatewayNode) -> None:
    lines: list[tuple[str, dict[str, Any]]] = []

    class Lines:
        def info(self, event: str, **fields: Any) -> None:
            lines.append((event, fields))

    node.gateway.log = Lines()
    peer = await node.peer("Dev bob")
    await peer.connection.send("{")
    await peer.next()
    await peer.connection.close()
    await eventually(lambda: lines)
    event, fields = lines[0]
    assert (
        event,
        fields["account_id"],
        fields["code"],
        fields["messages_in"],
    ) == ("stream_closed", "t_bob", 1000, 1)
