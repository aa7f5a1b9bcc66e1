"""Compressed frames over real sockets: agreed upon, shared, the same messages, bounded inwards."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame as WebSocketFrame, Opcode

from tests.counter_replica import CounterReplica
from tests.integration.gateway.node import GatewayNode


AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def offer(**options: Any) -> list[ClientPerMessageDeflateFactory]:
    return [ClientPerMessageDeflateFactory(server_no_context_takeover=True, **options)]


@pytest.mark.parametrize(
    ("factory", "agreed"),
    [
        pytest.param(ClientPerMessageDeflateFactory(), None, id="with-a-context-kept"),
        pytest.param(*offer(), AGREED, id="without-a-context"),
        pytest.param(*offer(server_max_window_bits=11), None, id="window-too-small"),
        pytest.param(
            *offer(server_max_window_bits=12), f"{AGREED}; server_max_window_bits=12", id="window"
        ),
    ],
)
async def test_what_is_agreed_upon(
    factory: ClientPerMessageDeflateFactory, agreed: str | None
) -> None:
    async with (
        GatewayNode() as node,
        connect(node.url, compression=None, extensions=[factory], proxy=None) as connection,
    ):
        assert connection.response is not None
        assert connection.response.headers.get("Sec-WebSocket-Extensions") == agreed


@pytest.mark.parametrize("subprotocol", ["optix.v1.json", "optix.v1.msgpack"])
async def test_the_same_messages_in_fewer_bytes(subprotocol: str) -> None:
    received: list[list[dict[str, Any]]] = []
    delivered = []
    for extensions in (None, offer()):
        async with GatewayNode(CounterReplica(padding=2_000)) as node:
            # The library compresses what it sends: requests come in compressed too.
            peer = await node.peer("Dev bob", subprotocol=subprotocol, extensions=extensions)
            await peer.ask("subscribe", ch=[{"ch": "marks"}, {"ch": "ideas"}, {"ch": "copies"}])
            node.publish("marks", "ideas", ("copies", "t_bob"))
            received.append([await peer.next() for _ in range(4)])
            delivered.append(node.hub.bytes_delivered)
    plain, compressed = received
    assert plain == compressed
    assert delivered[1] < delivered[0] / 2


async def test_one_compression_serves_all_who_agreed() -> None:
    async with GatewayNode(CounterReplica(padding=2_000)) as node:
        peers = [await node.peer(extensions=offer()) for _ in range(3)]
        peers.append(await node.peer())
        for peer in peers:
            await peer.ask("subscribe", ch=[{"ch": "ideas"}])
        before = node.hub.frames_encoded
        node.publish("ideas")
        events = [await peer.next() for peer in peers]
        assert [each["seq"] for each in events] == [1] * 4
        assert node.hub.frames_encoded - before == 2


async def test_requests_may_come_compressed_in_parts_or_plain() -> None:
    async with GatewayNode() as node:
        peer = await node.peer(extensions=offer())
        for number in range(3):
            text = json.dumps({"op": "ping", "id": number})
            await peer.connection.send([text[:5], text[5:9], text[9:]])
            assert (await peer.next())["re"] == number
        plain = WebSocketFrame(Opcode.TEXT, b'{"op":"ping","id":9}').serialize(mask=True)
        peer.connection.transport.write(plain)
        assert (await peer.next())["re"] == 9


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(zlib.compress(b" " * 70_000, wbits=-15), id="inflates-beyond-the-bound"),
        pytest.param(b"\xff\xff\xff", id="no-deflate"),
    ],
)
async def test_what_cannot_be_opened_closes(payload: bytes) -> None:
    async with GatewayNode() as node:
        peer = await node.peer(extensions=offer())
        bad = bytearray(WebSocketFrame(Opcode.TEXT, payload).serialize(mask=True))
        bad[0] |= 0x40  # said to be compressed
        peer.connection.transport.write(bad)
        assert (await peer.closed())[0] == 4200
