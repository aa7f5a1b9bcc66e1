"""What a conversation tells its driver to do, in order."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import msgspec

from streams.client.errors import ClientEnded, ClientError
from streams.client.items import Item, ResumePoint


class Send(NamedTuple):
    """Write one message."""

    message: dict[str, Any]


class Deliver(NamedTuple):
    """Hand an item to the subscription of `item.channel`."""

    item: Item


class Ready(NamedTuple):
    """The socket is open for requests.

    Attributes:
        trader: id of the account, None when this client is anonymous.
        expires_in_s: seconds the credential is good for, None when for ever.
    """

    trader: str | None
    expires_in_s: int | None


class GiveUp(NamedTuple):
    """Close this socket and open another: the server is silent or not to be understood."""

    reason: str


class End(NamedTuple):
    """The client is over."""

    error: ClientEnded


class Joined(NamedTuple):
    """The server gives a channel.

    Attributes:
        channel: name as asked.
        mode: `snapshot`, `live` or `resumed`.
        point: newest number of the channel at that instant.
    """

    channel: str
    mode: str
    point: ResumePoint


class Refused(NamedTuple):
    """The server never gave a channel and does not."""

    channel: str
    code: str
    message: str = ""


class Done(NamedTuple):
    """A request was answered with `ok` or `pong`; `message` is the whole answer."""

    ticket: int
    message: dict[str, Any]


class Failed(NamedTuple):
    """A request has failed for good."""

    ticket: int
    error: ClientError


Effect: TypeAlias = Send | Deliver | Ready | GiveUp | End | Done | Failed | Joined | Refused


class Counters(msgspec.Struct):
    """What went on, for whoever watches the client.

    Attributes:
        sockets: sockets that were opened.
        gaps: frames that did not follow the one before; each led to a new subscription.
        resets: breaks of a run that were announced with `Reset`.
        strays: frames of channels that are being left or asked for again.
        checksum_mismatches: rebuilt states that were not the server's.
        complaints: errors of the server that name no request.
        refresh_failures: fresh tokens that could not be had or were refused.
    """

    sockets: int = 0
    gaps: int = 0
    resets: int = 0
    strays: int = 0
    checksum_mismatches: int = 0
    complaints: int = 0
    refresh_failures: int = 0
