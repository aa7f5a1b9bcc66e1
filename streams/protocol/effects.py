"""What the session tells its driver to do, in order.

The session decides, the driver acts: it writes replies, attaches subscriptions to the hub, runs
authentications and commands, and closes the socket. Effects of one call are carried out in one
synchronous step, which is what makes a subscription gapless.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from streams.ports import ChannelInfo
from streams.protocol.codes import CloseCode
from streams.protocol.operations import RequestId
from streams.protocol.resume import SubscribeMode


class Reply(NamedTuple):
    """Write one message to this socket."""

    message: dict[str, Any]


class Attach(NamedTuple):
    """Deliver a channel's frames from now on, beginning as `mode` says.

    Attributes:
        info: the channel.
        seq: newest number of the channel at this instant.
        mode: `snapshot`: write a `snap` first; `resumed`: write the frames after `after_seq`
            first; `live`: nothing first.
        after_seq: last number the client has.
    """

    info: ChannelInfo
    seq: int
    mode: SubscribeMode
    after_seq: int


class Detach(NamedTuple):
    """Deliver no more frames of the channel with this key."""

    key: str


class AuthRequested(NamedTuple):
    """Check credentials, then call `Session.authenticated` or `authentication_failed`.

    Attributes:
        re: the request's id; None for the `Authorization` header of the upgrade.
        token: access token or `Dev <handle>`.
        key: API key.
        ts: signed milliseconds since 1970 UTC, with `sig`.
        sig: HMAC of the key's secret.
    """

    re: RequestId | None
    token: str | None
    key: str | None
    ts: int | None = None
    sig: str | None = None


class CommandRequested(NamedTuple):
    """Execute a command, then call `Session.command_done` or `command_failed`."""

    re: RequestId
    name: str
    args: dict[str, Any]
    key: str | None


class Close(NamedTuple):
    """Close the socket. Nothing is written after it."""

    code: CloseCode
    reason: str


Effect: TypeAlias = Reply | Attach | Detach | AuthRequested | CommandRequested | Close
