"""Close codes and error codes of the stream, and what each tells the client to do.

Invariants:
    * 40xx: reconnect and resume; 41xx: the credentials need attention; 42xx: the client's fault.
    * Every error the stream itself makes has a code of `ErrorCode`; refused commands carry the
      reason codes of the core beside them, unchanged.

Source: wire-protocol.md, "Close codes" and "Error codes of the stream".
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final


class CloseCode(IntEnum):
    """Why the server closed a socket."""

    GOING_AWAY = 1001
    DRAIN = 4000
    SLOW_CONSUMER = 4001
    HEARTBEAT_LOST = 4002
    EPOCH_CHANGED = 4003
    INTERNAL_ERROR = 4004
    OVERLOADED = 4005
    TOKEN_EXPIRED = 4100
    AUTHENTICATION_FAILED = 4101
    LOGIN_REVOKED = 4102
    PROTOCOL_VIOLATED = 4200
    RATE_LIMIT_ABUSED = 4201
    TOO_MANY_SOCKETS = 4202


CLIENT_SHOULD: Final[dict[CloseCode, str]] = {
    CloseCode.GOING_AWAY: "reconnect, resume",
    CloseCode.DRAIN: "reconnect after random <= in_ms, resume",
    CloseCode.SLOW_CONSUMER: "resume from its position, read faster or subscribe less",
    CloseCode.HEARTBEAT_LOST: "reconnect, resume",
    CloseCode.EPOCH_CHANGED: "reconnect, expect snapshots",
    CloseCode.INTERNAL_ERROR: "reconnect with backoff, resume",
    CloseCode.OVERLOADED: "reconnect after retry_ms",
    CloseCode.TOKEN_EXPIRED: "refresh, reconnect, resume",
    CloseCode.AUTHENTICATION_FAILED: "correct credentials first",
    CloseCode.LOGIN_REVOKED: "not reconnect with these credentials",
    CloseCode.PROTOCOL_VIOLATED: "not reconnect before it is fixed",
    CloseCode.RATE_LIMIT_ABUSED: "wait retry_ms, slow down",
    CloseCode.TOO_MANY_SOCKETS: "close another first",
}


class ErrorCode(StrEnum):
    """Codes of `err` messages and of refused subscriptions."""

    MALFORMED = "MALFORMED"
    UNKNOWN_OP = "UNKNOWN_OP"
    UNKNOWN_CHANNEL = "UNKNOWN_CHANNEL"
    UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    ALREADY_SUBSCRIBED = "ALREADY_SUBSCRIBED"
    NOT_SUBSCRIBED = "NOT_SUBSCRIBED"
    TOO_MANY_SUBSCRIPTIONS = "TOO_MANY_SUBSCRIPTIONS"
    RATE_LIMITED = "RATE_LIMITED"
    TOO_LARGE = "TOO_LARGE"
    NOT_READY = "NOT_READY"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


def may_resume(close_code: int) -> bool:
    """Return whether a client closed with this code should reconnect and resume by itself."""
    return close_code == CloseCode.GOING_AWAY or 4000 <= close_code < 4100
