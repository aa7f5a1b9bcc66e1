"""Errors of the client. What the server refuses keeps the server's code.

ClientError
├── ClientEnded               the client is over; every subscription and command raises it
│   ├── ClientClosed          the program left `async with connect(...)`
│   ├── ConnectFailed         no connection in time, at the start or after a loss
│   ├── HandshakeRefused      HTTP answered instead of a WebSocket, and waiting will not help
│   ├── ProtocolMismatch      the other side does not speak version 1 of this protocol
│   ├── ProtocolViolated      closed 4200: this program sent what the protocol does not allow
│   ├── RateLimitAbused       closed 4201: far too many requests
│   ├── TooManySockets        closed 4202: the account has too many sockets
│   └── CredentialsRefused    the credentials need attention
│       ├── AuthenticationFailed   closed 4101, or the first `auth` was refused
│       ├── TokenExpired           closed 4100, and there is no way to get a new token
│       └── LoginRevoked           closed 4102
├── CommandFailed
│   ├── CommandRefused        a code says why; nothing was changed
│   ├── OutcomeUnknown        applied once or not at all: repeat with the same key to learn which
│   └── TooManyRequests       more requests wait in this client than its bound allows
└── SubscriptionFailed
    ├── SubscriptionRefused   the server does not give this channel
    ├── SubscriptionEnded     it gave the channel and took it back (`gone`)
    ├── AlreadySubscribed     this client receives the channel already
    ├── ConsumerTooSlow       the local queue is full; carries where to resume
    └── ViewBroken            a rebuilt book or board differs from the server's
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.client.items import ResumePoint
from streams.ports import OptixError


class ClientError(OptixError):
    """Root of what the client raises."""


class ClientEnded(ClientError):
    """The client has ended for good."""


class ClientClosed(ClientEnded):
    """The client was closed by the program."""


class ConnectFailed(ClientEnded):
    """No connection in time; `__cause__` is the last attempt's failure, if it had one."""


class HandshakeRefused(ClientEnded):
    """The server answered the upgrade with an HTTP status that waiting will not change.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"expected the upgrade to a WebSocket, was HTTP {status}")
        self.status = status


class ProtocolMismatch(ClientEnded):
    """The other side does not speak this version of the protocol."""


class ProtocolViolated(ClientEnded):
    """The server closed with 4200; the message is its reason."""


class RateLimitAbused(ClientEnded):
    """The server closed with 4201.

    Attributes:
        retry_ms: how long to stay away, in milliseconds.
    """

    def __init__(self, message: str, retry_ms: int) -> None:
        super().__init__(message)
        self.retry_ms = retry_ms


class TooManySockets(ClientEnded):
    """The server closed with 4202: another socket of the account must go first."""


class CredentialsRefused(ClientEnded):
    """The credentials do not open this socket."""


class AuthenticationFailed(CredentialsRefused):
    """The credentials were refused, or came too late (4101)."""


class TokenExpired(CredentialsRefused):
    """The token has run out (4100) and no new one could be had."""


class LoginRevoked(CredentialsRefused):
    """The login or API key was revoked (4102)."""


class CommandFailed(ClientError):
    """A request did not succeed."""


class CommandRefused(CommandFailed):
    """A request was refused.

    Attributes:
        code: an error code of the stream or a reason code of the core.
        message: what was expected.
        field: the argument at fault, if one is.
        retry_ms: when asking again makes sense, if the server said so.
        after_unknown: an earlier attempt with the same key had an unknown outcome. The core
            answers a key it knows with the first outcome, so a reason code of the core settles
            it; a code of the edge (`RATE_LIMITED`, `NOT_READY`, ...) does not.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        retry_ms: int | None = None,
        after_unknown: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.field = field
        self.retry_ms = retry_ms
        self.after_unknown = after_unknown


class OutcomeUnknown(CommandFailed):
    """A command was sent and its answer did not come within the bounds.

    Attributes:
        key: its idempotency key; the same command with this key tells what happened.
    """

    def __init__(self, key: str | None, why: str) -> None:
        super().__init__(f"{why}; repeat with key {key!r} to learn the outcome")
        self.key = key


class TooManyRequests(CommandFailed):
    """More requests wait in this client than `requests_waiting_max`."""


class SubscriptionFailed(ClientError):
    """A subscription did not begin or did not go on."""


class SubscriptionRefused(SubscriptionFailed):
    """The server does not give this channel.

    Attributes:
        channel: as asked.
        code: `UNKNOWN_CHANNEL`, `FORBIDDEN`, `UNAUTHENTICATED`, `TOO_MANY_SUBSCRIPTIONS`,
            `ALREADY_SUBSCRIBED` (under another name), or another code of the stream.
    """

    def __init__(self, channel: str, code: str, message: str = "") -> None:
        super().__init__(f"{channel}: {code}" + (f", {message}" if message else ""))
        self.channel = channel
        self.code = code


class SubscriptionEnded(SubscriptionFailed):
    """The server took the channel back.

    Attributes:
        channel: as asked.
        code: why, for instance `FORBIDDEN`.
    """

    def __init__(self, channel: str, code: str) -> None:
        super().__init__(f"{channel}: {code}")
        self.channel = channel
        self.code = code


class AlreadySubscribed(SubscriptionFailed):
    """This client receives the channel already."""

    def __init__(self, channel: str) -> None:
        super().__init__(f"expected a channel that is not subscribed yet, was {channel}")
        self.channel = channel


class ConsumerTooSlow(SubscriptionFailed):
    """The local queue is full: items came faster than the program took them.

    What was queued before is still handed out; then this is raised. Nothing is lost: subscribing
    again with `resume=error.resume` goes on after the last item that was handed out.

    Attributes:
        resume: by channel, the last item handed out.
    """

    def __init__(self, items_max: int, resume: Mapping[str, ResumePoint]) -> None:
        super().__init__(f"expected at most {items_max} items waiting for the program, were more")
        self.resume = dict(resume)


class ViewBroken(SubscriptionFailed):
    """A rebuilt book or board is not the server's: checksum, ranks or order do not fit.

    Attributes:
        channel: whose state it is.
    """

    def __init__(self, channel: str, message: str) -> None:
        super().__init__(f"{channel}: {message}")
        self.channel = channel
