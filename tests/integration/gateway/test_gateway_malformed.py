"""Bytes a decent client would not send are answered, and end one socket at most."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.gateway.node import GatewayNode, RawPeer
from tests.support import eventually


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "MALFORMED"),
        ("[1]", "MALFORMED"),
        (b'{"op":"ping","id":1}', "MALFORMED"),
        ("[" * 60_000, "MALFORMED"),
        ('{"op":"fly","id":1}', "UNKNOWN_OP"),
        ('{"op":"ping","id":1,"more":1}', "INVALID_ARGUMENT"),
    ],
    ids=["cut", "list", "binary", "deep", "op", "field"],
)
async def test_bad_messages_are_answered(
    node: GatewayNode, message: str | bytes, code: str
) -> None:
    peer = await node.peer()
    await peer.connection.send(message)
    answer = await peer.next()
    assert ("err", code) == (answer["t"], answer["code"])
    assert (await peer.ask("ping"))["t"] == "pong"


async def test_text_in_a_msgpack_socket_is_malformed(node: GatewayNode) -> None:
    peer = await node.peer(subprotocol="optix.v1.msgpack")
    await peer.connection.send('{"op":"ping","id":1}')
    assert (await peer.next())["code"] == "MALFORMED"


async def test_malformed_messages_again_and_again_close(node: GatewayNode) -> None:
    peer = await node.peer()
    for _ in range(11):
        await peer.connection.send("{")
    assert (await peer.closed())[0] == 4200


async def test_a_message_too_large_is_named_and_closes(node: GatewayNode) -> None:
    peer = await node.peer()
    await peer.connection.send("x" * 65_536)
    assert (await peer.next())["code"] == "MALFORMED"
    await peer.connection.send("x" * 65_537)
    assert (await peer.next())["code"] == "TOO_LARGE"
    assert (await peer.closed())[0] == 4200


async def test_too_many_requests_close(node: GatewayNode) -> None:
    peer = await node.peer()
    for number in range(330):
        try:
            await peer.send({"op": "ping", "id": number})
        except ConnectionClosed:
            break
    assert await peer.closed() == (4201, "rate limit abused, retry_ms=10000")


async def test_fragments_make_one_message(node: GatewayNode) -> None:
    async with RawPeer(node.port) as raw:
        text = b'{"op":"ping","id":77}'
        await raw.send_frame(text[:5], first=0x01)
        await raw.send_frame(b"between", first=0x89)
        await raw.send_frame(text[5:9], first=0x00)
        await raw.send_frame(text[9:], first=0x80)
        await raw.read_until(b'"re":77')
    assert b"\x8a\x07between" in raw.received


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([(0x01, b"")] + [(0x00, b"")] * 1_100, b"fragments"),
        ([(0x80, b"x")], b"continuation"),
        ([(0xF1, b"x")], b"reserved"),
        ([(0x83, b"x")], b"opcode"),
    ],
    ids=["too many fragments", "continuation of nothing", "reserved bits", "unknown opcode"],
)
async def test_frames_against_the_rules_close(
    node: GatewayNode, frames: list[tuple[int, bytes]], reason: bytes
) -> None:
    async with RawPeer(node.port) as raw:
        for first, payload in frames:
            await raw.send_frame(payload, first=first)
        await raw.read_to_end()
    assert (4200).to_bytes(2, "big") in raw.received
    assert reason in raw.received
    await eventually(lambda: node.gateway.closed_by_code == {4200: 1})


async def test_an_unmasked_frame_closes(node: GatewayNode) -> None:
    async with RawPeer(node.port) as raw:
        await raw.write(b"\x81\x01x")
        await raw.read_to_end()
    assert (4200).to_bytes(2, "big") in raw.received


async def test_bytes_one_by_one(node: GatewayNode) -> None:
    async with RawPeer(node.port) as raw:
        text = b'{"op":"ping","id":78}'
        for byte in bytes((0x81, 0x80 | len(text))) + b"\0\0\0\0" + text:
            await raw.write(bytes((byte,)))
        await raw.read_until(b'"re":78')


async def test_a_connection_that_is_cut(node: GatewayNode) -> None:
    async with RawPeer(node.port) as raw:
        await raw.ask("subscribe", ch=[{"ch": "system"}])
    await eventually(lambda: node.gateway.closed_by_code == {1006: 1})
    node.publish("system")
    assert (node.hub.subscriptions, len(node.gateway.registry)) == (0, 0)
