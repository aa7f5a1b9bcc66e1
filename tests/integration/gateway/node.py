"""A real uvicorn server with the gateway and a small HTTP application, and clients for it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any, Self

import msgspec
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from server.gateway.gateway import Gateway
from server.gateway.settings import GatewaySettings
from streams.fanout.hub import Hub
from streams.protocol.limits import StreamLimits
from tests.counter_replica import CounterCommands, CounterReplica, HandleAuthenticator
from tests.support import MS, eventually


class SystemClock:
    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()


async def application(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"hello {scope['path']}".encode()})


class GatewayNode:
    """One node on a free port.

    Args:
        source: the replica.
        limits: fields of `StreamLimits` to set.
        settings: fields of `GatewaySettings` to set.
    """

    def __init__(
        self,
        source: CounterReplica | None = None,
        *,
        limits: dict[str, Any] | None = None,
        expires_at_us: int = 0,
        **settings: Any,
    ) -> None:
        self.source = source or CounterReplica()
        self.commands = CounterCommands()
        self.authenticator = HandleAuthenticator(expires_at_us)
        self.hub = Hub(self.source)
        self.gateway = Gateway(
            self.source,
            self.commands,
            self.authenticator,
            self.hub,
            GatewaySettings(
                limits=StreamLimits(**(limits or {})),
                **{"drain_ms": 200, "close_wait_ms": 500, **settings},
            ),
            SystemClock(),
        )
        self.port = 0
        self._peers: list[Peer] = []

    async def __aenter__(self) -> Self:
        config = uvicorn.Config(
            application,
            host="127.0.0.1",
            port=0,
            ws=self.gateway.protocol_class(),
            http="httptools",
            lifespan="off",
            log_level="error",
        )
        self.server = uvicorn.Server(config)
        self.serving = asyncio.create_task(self.server.serve(), name="uvicorn")
        await eventually(lambda: self.server.started)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for peer in self._peers:
            peer.connection.transport.abort()
        await self.gateway.close()
        # Ended outright: uvicorn's own way of stopping waits for ticks, and has a test of its own.
        self.serving.cancel()
        await asyncio.wait([self.serving])
        for server in self.server.servers:
            server.close()
            await server.wait_closed()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/stream"

    def publish(self, *names: str | tuple[str, str]) -> None:
        """Count channels up and publish their frames in one slice."""
        self.hub.publish(
            [self.source.bump(*([name] if isinstance(name, str) else name)) for name in names]
        )

    async def peer(
        self, authorization: str | None = None, *, subprotocol: str | None = None, **options: Any
    ) -> Peer:
        """Connect and read the hello."""
        headers = {} if authorization is None else {"Authorization": authorization}
        connection = await connect(
            self.url,
            additional_headers=headers,
            subprotocols=None if subprotocol is None else [Subprotocol(subprotocol)],
            compression=None,
            proxy=None,
            **options,
        )
        peer = Peer(connection)
        self._peers.append(peer)
        peer.hello = await peer.next()
        if authorization is not None:
            await peer.next()
        return peer


class Peer:
    """A client that matches answers to requests and keeps the rest in order."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.hello: dict[str, Any] = {}
        self._packed = connection.subprotocol == "optix.v1.msgpack"
        self._id = 0

    async def send(self, message: dict[str, Any]) -> None:
        if self._packed:
            await self.connection.send(msgspec.msgpack.encode(message))
        else:
            await self.connection.send(json.dumps(message))

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Send a request and return the next message, which must be its answer."""
        self._id += 1
        await self.send({"op": op, "id": self._id, **fields})
        answer = await self.next()
        assert self._id == answer.get("re"), answer
        return answer

    async def subscribe(self, *names: str) -> dict[str, Any]:
        return await self.ask("subscribe", ch=[{"ch": name} for name in names])

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(5_000 * MS):
            message = await self.connection.recv()
        assert isinstance(message, bytes) == self._packed
        value = msgspec.msgpack.decode(message) if self._packed else json.loads(message)
        assert isinstance(value, dict)
        return value

    async def frames(self, count: int) -> list[tuple[str, str, int]]:
        """Return kind, channel and number of the next messages."""
        seen = [await self.next() for _ in range(count)]
        return [(message["t"], message["ch"], message["seq"]) for message in seen]

    async def closed(self) -> tuple[int, str]:
        """Read to the end; return the close code and reason."""
        with pytest.raises(ConnectionClosed) as end:
            await self._read_on()
        assert end.value.rcvd is not None
        return end.value.rcvd.code, end.value.rcvd.reason

    async def _read_on(self) -> None:
        while True:
            await self.next()


class RawPeer:
    """A client on a bare socket, which reads only when it is told to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.received = b""
        self.ended = False
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.setblocking(False)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", self._port))
        await self.write(
            b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await self.read_until(b'"hello"')
        return self

    async def __aexit__(self, *_: object) -> None:
        self.socket.close()

    async def write(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def send_frame(self, payload: bytes, first: int = 0x81) -> None:
        """Send one frame, masked with zeros."""
        length = len(payload)
        if length < 126:
            header = bytes((first, 0x80 | length))
        else:
            header = bytes((first, 0x80 | 126)) + length.to_bytes(2, "big")
        await self.write(header + b"\0\0\0\0" + payload)

    async def ask(self, op: str, **fields: Any) -> None:
        await self.send_frame(json.dumps({"op": op, "id": 1, **fields}).encode())
        await self.read_until(b'"re":1')

    async def read_until(self, mark: bytes) -> None:
        while mark not in self.received and not self.ended:
            await self.read()
        assert mark in self.received

    async def read_to_end(self) -> None:
        while not self.ended:
            await self.read()

    async def read(self) -> None:
        async with asyncio.timeout(5_000 * MS):
            data = await asyncio.get_running_loop().sock_recv(self.socket, 1 << 20)
        self.ended = not data
        self.received += data
