"""The opening handshake: which requests become a stream, and with which codec.

Refusals before the upgrade are HTTP: 404 for another path, 403 for a foreign `Origin`, 503 while
the node is not ready, full or leaving. A client that offers only unknown subprotocols is accepted
and then closed 4200, as the protocol's table of close codes says, so that it learns why.
Compression is agreed upon when the client offers it without a context kept by the server, and then
in both directions, so that no socket costs a window: a browser's usual offer is declined.

Source: RFC 6455, section 4.2; wire-protocol.md.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from websockets.datastructures import Headers, MultipleValuesError
from websockets.exceptions import InvalidHeader, InvalidOrigin, NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import CloseCode as WebSocketCloseCode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import ExtensionParameter, Origin, Subprotocol

from server.gateway.settings import ANY_ORIGIN, SAME_ORIGIN
from streams.protocol.codec import CODEC_BY_SUBPROTOCOL, COMPRESSING, JSON, Codec
from streams.protocol.codes import CloseCode
from streams.protocol.compression import WINDOW_BITS
from streams.protocol.limits import CLOSE_REASON_BYTES_MAX


class _WireLogger(logging.LoggerAdapter[logging.Logger]):
    """Lets the library report its own failures only: a socket's opening and closing is our line."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the name of the standard library
        return level >= logging.ERROR and super().isEnabledFor(level)


_WIRE_LOGGER: Final = _WireLogger(logging.getLogger(__name__))

_CLOSE_CODE: Final[dict[int, CloseCode]] = {
    WebSocketCloseCode.PROTOCOL_ERROR: CloseCode.PROTOCOL_VIOLATED,
    WebSocketCloseCode.INVALID_DATA: CloseCode.PROTOCOL_VIOLATED,
    WebSocketCloseCode.MESSAGE_TOO_BIG: CloseCode.PROTOCOL_VIOLATED,
    WebSocketCloseCode.INTERNAL_ERROR: CloseCode.INTERNAL_ERROR,
}


class SharedCompression(ServerPerMessageDeflateFactory):
    """Agrees to offers under which one compressed message fits every socket."""

    def __init__(self) -> None:
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """See the library.

        Raises:
            NegotiationError: not such an offer; without another one there is no compression.
        """
        if ("server_no_context_takeover", None) not in params:
            raise NegotiationError("expected an offer of server_no_context_takeover")
        agreed, extension = super().process_request_params(params, accepted_extensions)
        if extension.local_max_window_bits < WINDOW_BITS:
            raise NegotiationError(f"expected a window of {WINDOW_BITS} bits at least")
        return agreed, extension


class StreamProtocol(ServerProtocol):
    """The library's WebSocket engine with our origins, subprotocols and close codes.

    Args:
        allowed_origins: see `GatewaySettings.allowed_origins`.
        message_bytes_max: size of an inbound message above which the connection fails.

    Attributes:
        codec: encoding chosen by subprotocol and extension, None when only unknown subprotocols
            were offered.
    """

    def __init__(self, *, allowed_origins: Sequence[str], message_bytes_max: int) -> None:
        super().__init__(
            extensions=[SharedCompression()], max_size=message_bytes_max, logger=_WIRE_LOGGER
        )
        self.codec: Codec | None = JSON
        self._allowed_origins = allowed_origins

    def release(self) -> None:
        """Drop the parser, whose frames hold this object; nothing is received afterwards."""
        self.parser.close()
        self.parser_exc = self.handshake_exc = None

    @property
    def compressed(self) -> bool:
        """Whether compression was agreed upon."""
        return bool(self.extensions)

    def accept(self, request: Request) -> Response:
        """Answer the upgrade; then codec and extensions are known."""
        response = super().accept(request)
        if self.compressed and self.codec is not None:
            self.codec = COMPRESSING[self.codec]
        return response

    def process_origin(self, headers: Headers) -> Origin | None:
        """Admit the request's origin.

        Raises:
            InvalidHeader: more than one `Origin`.
            InvalidOrigin: the origin is not allowed.
        """
        try:
            origin = headers.get("Origin")
            host = headers.get("Host", "")
        except MultipleValuesError:
            raise InvalidHeader("Origin", "multiple values") from None
        if origin is None or origin in self._allowed_origins or ANY_ORIGIN in self._allowed_origins:
            return Origin(origin) if origin is not None else None
        if SAME_ORIGIN in self._allowed_origins and host and _authority(origin) == host:
            return Origin(origin)
        raise InvalidOrigin(origin)

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Choose the first offered subprotocol that we know; without an offer it is JSON."""
        if not subprotocols:
            return None
        for subprotocol in subprotocols:
            codec = CODEC_BY_SUBPROTOCOL.get(subprotocol)
            if codec is not None:
                self.codec = codec
                return subprotocol
        self.codec = None
        return None

    def fail(self, code: WebSocketCloseCode | int, reason: str = "") -> None:
        """Fail the connection with the close code of our table."""
        super().fail(_CLOSE_CODE.get(code, code), shorten_reason(reason))


def shorten_reason(reason: str) -> str:
    """Cut a close reason to what a control frame holds, at a whole character."""
    return reason.encode()[:CLOSE_REASON_BYTES_MAX].decode(errors="ignore")


def client_address(headers: Headers, peer: str, trusted_proxies: Sequence[str]) -> str:
    """Return the address a request came from.

    Args:
        headers: of the upgrade request.
        peer: address of the other end of the connection.
        trusted_proxies: addresses whose `X-Forwarded-For` is believed. The header is read from
            the right, since everything left of the last trusted proxy is the client's own claim.
    """
    if peer not in trusted_proxies:
        return peer
    hops = [
        hop.strip()
        for value in headers.get_all("X-Forwarded-For")
        for hop in value.split(",")
        if hop.strip()
    ]
    for hop in reversed(hops):
        if hop not in trusted_proxies:
            return hop
    return peer


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
