"""What a client does after a socket has ended: come back, get a new token, or stop.

Source: wire-protocol.md, "Close codes".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, NamedTuple

from streams.client.errors import (
    AuthenticationFailed,
    ClientEnded,
    LoginRevoked,
    ProtocolViolated,
    RateLimitAbused,
    TooManySockets,
)
from streams.client.settings import ClientSettings
from streams.protocol.codes import CloseCode


# A reason that should name a wait and does not.
_RETRY_MS_DEFAULT: Final = 1_000
_RETRY_MS: Final = re.compile(r"retry_ms=(\d{1,9})")
_DOUBLINGS_MAX: Final = 30


class Return(Enum):
    """How to come back."""

    BACKOFF = auto()
    SPREAD = auto()
    REFRESH = auto()


class Verdict(NamedTuple):
    """What to do after a socket has ended.

    Attributes:
        how: `BACKOFF` waits a doubling random time; `SPREAD` a random time up to `wait_ms`;
            `REFRESH` gets a new token first, then as `BACKOFF`.
        wait_ms: `SPREAD`: upper end; `BACKOFF`: wait at least this.
    """

    how: Return
    wait_ms: int = 0


def judge_close(code: int, reason: str, drain_in_ms: int | None) -> Verdict | ClientEnded:
    """Return how to come back after a close code, or the error that ends the client.

    Args:
        code: close code, 1006 when the connection ended without one.
        reason: its text; may hold `retry_ms=N`.
        drain_in_ms: `in_ms` of the `drain` message on this socket, if one came.
    """
    text = f"closed {code} by the server: {reason or 'no reason given'}"
    match code:
        case CloseCode.TOKEN_EXPIRED:
            return Verdict(Return.REFRESH)
        case CloseCode.LOGIN_REVOKED:
            return LoginRevoked(text)
        case CloseCode.RATE_LIMIT_ABUSED:
            return RateLimitAbused(text, retry_ms_of(reason))
        case CloseCode.TOO_MANY_SOCKETS:
            return TooManySockets(text)
        case CloseCode.OVERLOADED:
            return Verdict(Return.BACKOFF, retry_ms_of(reason))
        case CloseCode.DRAIN if drain_in_ms is not None:
            return Verdict(Return.SPREAD, drain_in_ms)
    if 4100 <= code < 4200:
        return AuthenticationFailed(text)
    if 4200 <= code < 4300:
        return ProtocolViolated(text)
    return Verdict(Return.BACKOFF)


def retry_ms_of(reason: str) -> int:
    """Return the milliseconds a close reason asks to wait."""
    found = _RETRY_MS.search(reason)
    return int(found[1]) if found else _RETRY_MS_DEFAULT


def wait_s(
    verdict: Verdict, failures: int, settings: ClientSettings, random: Callable[[], float]
) -> float:
    """Return the seconds until the next attempt.

    Args:
        verdict: of the end before.
        failures: connections in a row that failed or did not last, this one included, >= 1.
        settings: bounds of the doubling.
        random: gives numbers from 0 to 1. Random over the whole span, so that ten thousand
            clients that lost one node do not come back in the same instant.
    """
    if verdict.how is Return.SPREAD:
        return random() * verdict.wait_ms / 1000
    doubled = settings.delay_ms_min << min(failures - 1, _DOUBLINGS_MAX)
    return (verdict.wait_ms + random() * min(doubled, settings.delay_ms_max)) / 1000
