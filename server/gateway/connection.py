"""One connection as uvicorn hands it over: the opening handshake, then bytes for the socket.

Whole messages are opened by the splitter, everything else goes through the library's sans-I/O
engine. Before the upgrade is accepted there is nothing but this object; afterwards a
`StreamSocket` carries the conversation.

Invariants:
    * An error in here ends this connection and no other.
    * When the connection is gone, nothing of it is part of a reference cycle: the collector looks
      at what has grown old once in a very long while (`server.garbage`), and ten thousand sockets
      that come back after a lost network would cost 100 MB each time.
    * uvicorn's set of connections holds this object until the transport is gone, since uvicorn's
      shutdown waits for that.
"""

from __future__ import annotations

import asyncio
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from websockets.frames import Frame as WebSocketFrame
from websockets.http11 import Request

from server.gateway.handshake import StreamProtocol, client_address
from server.gateway.settings import STREAM_PATH
from server.gateway.splitter import ENGINE, FrameSplitter
from server.gateway.stream_socket import StreamSocket


if TYPE_CHECKING:
    from server.gateway.gateway import Gateway


class StreamConnection(asyncio.Protocol):
    """Protocol of one connection, made by uvicorn's HTTP protocol when it sees the upgrade.

    Args:
        gateway: the gateway it belongs to.
        server_connections: uvicorn's open connections.
    """

    _transport: asyncio.Transport

    def __init__(self, gateway: Gateway, server_connections: set[Any]) -> None:
        self._gateway = gateway
        self._server_connections = server_connections
        self._wire = StreamProtocol(
            allowed_origins=gateway.settings.allowed_origins,
            message_bytes_max=gateway.settings.limits.message_bytes_max,
        )
        self._splitter: FrameSplitter
        self._socket: StreamSocket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection from the HTTP protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._server_connections.add(self)
        before = self._transport.get_protocol()
        if isinstance(before, HttpToolsProtocol):
            # It and its parser hold each other; it has read the upgrade and reads no more.
            del before.parser

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client; never raises."""
        try:
            self._receive(data)
        except Exception as error:  # root of a callback: ends this socket only
            if self._socket is not None:
                self._socket.broken(error)
            else:
                self._gateway.log.error("stream_broken", exc_info=error)
                self._transport.abort()

    def eof_received(self) -> bool:
        """Let the transport close: a client that sends no more is gone."""
        self._wire.receive_eof()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave everything this connection was part of."""
        self._server_connections.discard(self)
        if self._socket is not None:
            self._socket.lost()
        self._wire.release()

    def pause_writing(self) -> None:
        """Note that the client reads too slowly."""
        if self._socket is not None:
            self._socket.outbox.pause()

    def resume_writing(self) -> None:
        """Note that the client has caught up."""
        if self._socket is not None:
            self._socket.drained()

    def shutdown(self) -> None:
        """Leave because uvicorn stops: the whole gateway drains."""
        if self._socket is None:
            self._transport.abort()
        else:
            self._gateway.start_drain(self._gateway.settings.drain_ms)

    def _receive(self, data: bytes) -> None:
        socket = self._socket
        if socket is None:
            self._receive_by_engine(data)
            return
        socket.heard()
        for opcode, part in self._splitter.take(data):
            if opcode == ENGINE:
                self._receive_by_engine(part)
            else:
                socket.on_message(part, opcode)

    def _receive_by_engine(self, data: bytes) -> None:
        wire = self._wire
        wire.receive_data(data)
        for event in wire.events_received():
            if isinstance(event, Request):
                self._on_request(event)
            elif isinstance(event, WebSocketFrame) and self._socket is not None:
                self._socket.on_frame(event)
        if self._socket is not None:
            if wire.parser_exc is not None:
                self._socket.on_broken_wire(wire.parser_exc)
            self._socket.flush_wire()
        else:
            self._answer_http()

    def _on_request(self, request: Request) -> None:
        wire, gateway = self._wire, self._gateway
        if request.path.partition("?")[0] != STREAM_PATH:
            response = wire.reject(HTTPStatus.NOT_FOUND, f"Expected {STREAM_PATH}.\n")
        elif (why := gateway.refusal()) is not None:
            response = wire.reject(HTTPStatus.SERVICE_UNAVAILABLE, f"{why}\n")
            response.headers["Retry-After"] = "1"
        else:
            response = wire.accept(request)
        wire.send_response(response)
        self._answer_http()
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self._open(request)
        else:
            gateway.refused += 1

    def _answer_http(self) -> None:
        for data in self._wire.data_to_send():
            if data:
                self._transport.write(data)
            else:
                # The end after a refusal.
                self._transport.close()

    def _open(self, request: Request) -> None:
        gateway, transport = self._gateway, self._transport
        peer = transport.get_extra_info("peername")
        address = client_address(
            request.headers,
            str(peer[0]) if isinstance(peer, tuple) else "",
            gateway.settings.trusted_proxies,
        )
        hold_bytes = gateway.settings.limits.outbox_hold_bytes
        transport.set_write_buffer_limits(high=hold_bytes, low=hold_bytes // 4)
        size = gateway.settings.send_buffer_bytes
        raw = transport.get_extra_info("socket")
        if size and raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        self._splitter = FrameSplitter(
            gateway.settings.limits.message_bytes_max, compressed=self._wire.compressed
        )
        self._socket = StreamSocket(gateway, transport, self._wire, address)
        # Two `Authorization` headers are no credential; joined they name no scheme we know.
        authorization = ", ".join(request.headers.get_all("Authorization"))
        self._socket.begin(authorization or None)
