"""A connection that is gone is freed at once, without the garbage collector."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.gateway.connection import StreamConnection
from server.gateway.handshake import StreamProtocol
from server.gateway.stream_socket import StreamSocket
from streams.fanout.outbox import Outbox
from streams.protocol.session import Session
from tests.integration.gateway.node import GatewayNode, RawPeer
from tests.support import eventually


PARTS = (HttpToolsProtocol, StreamConnection, StreamProtocol, StreamSocket, Outbox, Session)
MASK = b"\0\0\0\0"


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def parts() -> Counter[str]:
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, PARTS))


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(
    "last_bytes",
    [
        pytest.param(b"", id="cut"),
        pytest.param(b"\x88\x82" + MASK + b"\x03\xe8", id="closed by the client"),
        pytest.param(b"\x82\x81" + MASK + b"x", id="malformed"),
        pytest.param(b"\x81\x81" + MASK + b"\xff", id="no UTF-8"),
        pytest.param(b"\xff\xff", id="no frame"),
    ],
)
async def test_a_socket_that_is_gone_leaves_nothing(node: GatewayNode, last_bytes: bytes) -> None:
    before = parts()
    async with RawPeer(node.port) as peer:
        await peer.ask("subscribe", ch=[{"ch": "system"}])
        await peer.write(last_bytes)
    await eventually(lambda: not len(node.gateway.registry))
    await eventually(lambda: parts() == before)


@pytest.mark.usefixtures("no_collector")
async def test_a_refused_upgrade_leaves_nothing(node: GatewayNode) -> None:
    before = parts()
    node.gateway.draining = True
    peer = RawPeer(node.port)
    with pytest.raises(AssertionError):
        await peer.__aenter__()
    await peer.__aexit__()
    assert b" 503 " in peer.received
    await eventually(lambda: parts() == before)
