"""Settings of the gateway. The composition root fills them from the environment."""

from __future__ import annotations

from typing import Final

import msgspec

from streams.protocol.limits import StreamLimits


STREAM_PATH: Final = "/v1/stream"
# In `allowed_origins`: the page was served by the host it connects to.
SAME_ORIGIN: Final = "same-origin"
ANY_ORIGIN: Final = "*"


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the gateway behaves.

    Attributes:
        node: name of this node, sent in `hello`.
        authentication_required: whether a socket must authenticate before it subscribes.
        allowed_origins: values of `Origin` that may connect; `same-origin` admits pages served
            by the host they connect to, `*` any. A request without `Origin` is no browser's and
            is admitted.
        trusted_proxies: addresses of reverse proxies whose `X-Forwarded-For` is believed.
        sockets_max: sockets of this node; above it the upgrade is answered 503.
        commands_in_flight_max: unanswered commands of this node; above it RATE_LIMITED.
        drain_ms: how long sockets are given to leave at shutdown.
        close_wait_ms: wait for the client's half of the closing handshake, then the connection
            is cut.
        send_buffer_bytes: kernel send buffer of a socket (Linux doubles it), so that a client
            that stops reading costs bounded kernel memory; 0 leaves the kernel's automatic size.
        inspect_ms: longest time between two looks at a socket.
        limits: limits of the protocol.
    """

    node: str = "n1"
    authentication_required: bool = False
    allowed_origins: tuple[str, ...] = (SAME_ORIGIN,)
    trusted_proxies: tuple[str, ...] = ()
    sockets_max: int = 20_000
    commands_in_flight_max: int = 4_096
    drain_ms: int = 5_000
    close_wait_ms: int = 5_000
    send_buffer_bytes: int = 131_072
    inspect_ms: int = 5_000
    limits: StreamLimits = StreamLimits()
