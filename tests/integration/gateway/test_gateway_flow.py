"""Clients that do not read, on uvloop and on asyncio's own loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.counter_replica import CounterReplica
from tests.integration.gateway.node import GatewayNode, Peer, RawPeer
from tests.support import MS, eventually


FLOW_LIMITS: dict[str, Any] = {
    "outbox_hold_bytes": 65_536,
    "outbox_bytes_max": 262_144,
    "lossless_wait_ms_max": 30_000,
}


@pytest.fixture
async def flow() -> AsyncIterator[GatewayNode]:
    source = CounterReplica(padding=2_000)
    async with GatewayNode(source, limits=FLOW_LIMITS, send_buffer_bytes=8_192) as node:
        yield node


async def read_along(peer: Peer, count: int) -> list[int]:
    return [seq for _, _, seq in await peer.frames(count)]


async def test_a_reader_that_stops_gets_the_newest_state_later(flow: GatewayNode) -> None:
    quick = await flow.peer()
    await quick.subscribe("book:A")
    async with RawPeer(flow.port) as raw:
        await raw.ask("subscribe", ch=[{"ch": "book:A"}])
        reading = asyncio.create_task(read_along(quick, 501), name="quick")
        for _ in range(500):
            flow.publish("book:A")
            await asyncio.sleep(0)
        # The other socket has everything while this one has read nothing.
        assert await reading == list(range(501))
        assert flow.hub.conflations > 200
        waiting = [each.outbox for each in flow.gateway.registry.sockets()][1]
        assert not waiting.direct
        assert waiting.held == {"book:A": -1}
        await raw.read_until(b'"t":"snap","ch":"book:A","seq":500')
        await eventually(lambda: waiting.direct)
        flow.publish("book:A")
        await raw.read_until(b'"t":"delta","ch":"book:A","seq":501')
    assert raw.received.count(b'"t":"snap"') == 2
    assert flow.hub.slow_closes == 0


async def test_a_reader_of_lossless_data_that_stops_is_closed(flow: GatewayNode) -> None:
    quick = await flow.peer()
    await quick.subscribe("system")
    async with RawPeer(flow.port) as raw:
        await raw.ask("subscribe", ch=[{"ch": "system"}])
        reading = asyncio.create_task(read_along(quick, 500), name="quick")
        for _ in range(500):
            flow.publish("system")
            await asyncio.sleep(0)
        assert await reading == list(range(1, 501))
        assert flow.hub.slow_closes == 1
        # What it had waiting still comes, then the close that tells it to resume.
        await raw.read_to_end()
        assert (4001).to_bytes(2, "big") + b"over 262144 bytes waited" in raw.received
    seen = raw.received.count(b'"t":"ev"')
    assert f'"seq":{seen},'.encode() in raw.received
    assert f'"seq":{seen + 1},'.encode() not in raw.received
    peer = await flow.peer()
    point = {"epoch": "e1", "seq": 450}
    await peer.ask("subscribe", ch=[{"ch": "system", "from": point}])
    assert await read_along(peer, 50) == list(range(451, 501))


async def test_lossless_data_that_waits_too_long_closes() -> None:
    limits = {**FLOW_LIMITS, "lossless_wait_ms_max": 200}
    source = CounterReplica(padding=2_000)
    async with (
        GatewayNode(
            source, limits=limits, send_buffer_bytes=8_192, inspect_ms=50, close_wait_ms=100
        ) as node,
        RawPeer(node.port) as raw,
    ):
        await raw.ask("subscribe", ch=[{"ch": "system"}])
        for _ in range(30):
            node.publish("system")
        await eventually(lambda: node.hub.slow_closes == 1)
        # It does not read the close frame either, so the connection is cut.
        await eventually(lambda: node.gateway.closed_by_code == {4001: 1})


async def test_a_client_that_asks_and_does_not_read_costs_bounded_memory() -> None:
    limits = {**FLOW_LIMITS, "requests_burst": 100_000}
    async with GatewayNode(limits=limits, send_buffer_bytes=8_192, close_wait_ms=100) as node:
        async with RawPeer(node.port) as raw:
            ping = json.dumps({"op": "ping", "id": "x" * 36}).encode()
            flood = bytes((0x81, 0x80 | len(ping))) + b"\0\0\0\0" + ping
            try:
                async with asyncio.timeout(10_000 * MS):
                    while not node.hub.slow_closes:
                        await raw.write(flood * 100)
            except ConnectionError:
                pass
        assert node.hub.slow_closes == 1


async def test_many_snapshots_and_a_long_history_do_not_overflow() -> None:
    names = [f"book:{number}" for number in range(100)]
    source = CounterReplica(padding=2_000, history_max=1_000)
    for _ in range(100):
        source.bump("system")
    async with (
        GatewayNode(source, limits=FLOW_LIMITS, send_buffer_bytes=8_192) as flow,
        RawPeer(flow.port) as raw,
    ):
        items: list[dict[str, Any]] = [{"ch": name} for name in names[:99]]
        items.append({"ch": "system", "from": {"epoch": "e1", "seq": 0}})
        await raw.send_frame(json.dumps({"op": "subscribe", "id": 1, "ch": items}).encode())
        await eventually(lambda: flow.hub.subscriptions == 100)
        flow.publish("system")
        await raw.read_until(b'"seq":101,')
        flow.publish("system")
        await raw.read_until(b'"seq":102,')
    assert raw.received.count(b'"t":"snap"') == 99
    assert raw.received.count(b'"t":"ev"') == 102
    assert flow.hub.slow_closes == 0
