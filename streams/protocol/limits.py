"""Named limits of the wire protocol: every bound, its unit, and what happens when it is hit.

`StreamLimits` holds those an operator may set; the constants are part of the protocol.

Source: wire-protocol.md, "Liveness, flow, limits".
"""

from __future__ import annotations

from typing import Final

import msgspec


PROTOCOL_VERSION: Final = 1

# A longer name is refused as UNKNOWN_CHANNEL.
CHANNEL_NAME_CHARS_MAX: Final = 128
# A longer `id` or idempotency key is refused as INVALID_ARGUMENT.
REQUEST_ID_CHARS_MAX: Final = 36
IDEMPOTENCY_KEY_CHARS_MAX: Final = 128
COMMAND_NAME_CHARS_MAX: Final = 64
CREDENTIAL_CHARS_MAX: Final = 8192
EPOCH_CHARS_MAX: Final = 64
# A deeper message is MALFORMED: nothing the protocol defines comes near it.
MESSAGE_DEPTH_MAX: Final = 32
# Integers are signed 64-bit, so that JSON and msgpack carry the same values.
INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1
# RFC 6455, section 5.5: a control frame carries at most 125 bytes, 2 of them the code.
CLOSE_REASON_BYTES_MAX: Final = 123
# A message in more fragments is closed 4200: each empty fragment costs work and no bytes.
MESSAGE_FRAGMENTS_MAX: Final = 1024
# Requests kept while an authentication is under way; more are RATE_LIMITED.
REQUESTS_WAITING_MAX: Final = 100
# Conflatable deltas carry a checksum in every 10th frame, snapshots always.
CRC_EVERY_FRAMES: Final = 10
BOOK_CRC_LEVELS: Final = 25
LEADERBOARD_CRC_ROWS: Final = 100


class StreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits an operator may set. The defaults are those of wire-protocol.md.

    Attributes:
        message_bytes_max: size of an inbound message; above it the socket is closed 4200.
        requests_per_s: sustained rate of inbound messages; above it RATE_LIMITED.
        requests_burst: messages that may come at once.
        rate_strikes_max: refusals by rate before the socket is closed 4201; one is forgiven
            each second.
        malformed_strikes_max: malformed messages before the socket is closed 4200; one is
            forgiven every ten seconds.
        subscribe_batch_max: channels named in one request; above it INVALID_ARGUMENT.
        subscriptions_max: channels a socket may hold; above it TOO_MANY_SUBSCRIPTIONS.
        commands_in_flight_max: unanswered commands of a socket; above it RATE_LIMITED.
        sockets_per_account_max: above it the newest socket is closed 4202.
        authentication_ms: time to authenticate where that is required; then 4101.
        ping_after_ms: silence after which the server pings.
        pong_within_ms: wait for the pong; then 4002.
        outbox_hold_bytes: bytes waiting above which conflatable channels are held and merged.
        outbox_bytes_max: bytes waiting above which the socket is closed 4001.
        lossless_wait_ms_max: age of waiting lossless data above which it is closed 4001.
    """

    message_bytes_max: int = 65_536
    requests_per_s: float = 50.0
    requests_burst: int = 100
    rate_strikes_max: int = 100
    malformed_strikes_max: int = 10
    subscribe_batch_max: int = 100
    subscriptions_max: int = 500
    commands_in_flight_max: int = 64
    sockets_per_account_max: int = 20
    authentication_ms: int = 10_000
    ping_after_ms: int = 20_000
    pong_within_ms: int = 20_000
    outbox_hold_bytes: int = 262_144
    outbox_bytes_max: int = 1_048_576
    lossless_wait_ms_max: int = 10_000

    def as_hello(self) -> dict[str, int | float]:
        """Return the map sent as `limits` in `hello`."""
        return {
            "message_bytes": self.message_bytes_max,
            "requests_per_s": self.requests_per_s,
            "requests_burst": self.requests_burst,
            "subscribe_batch": self.subscribe_batch_max,
            "subscriptions": self.subscriptions_max,
            "commands_in_flight": self.commands_in_flight_max,
            "sockets_per_account": self.sockets_per_account_max,
            "authentication_ms": self.authentication_ms,
            "ping_after_ms": self.ping_after_ms,
            "pong_within_ms": self.pong_within_ms,
            "outbox_bytes": self.outbox_bytes_max,
            "lossless_wait_ms": self.lossless_wait_ms_max,
        }
