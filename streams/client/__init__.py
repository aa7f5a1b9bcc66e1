"""The Python SDK: channels, rebuilt books and boards, and commands on one socket that heals itself.

    async with connect("ws://127.0.0.1:8000/v1/stream", token="Dev bot1") as client:
        async for item in client.subscribe("signals:@alice"):
            print(item)

`conversation` is the protocol without I/O, `driver` the sockets around it, `client` what a program
holds. The conversations under `tests/conformance` describe the same behaviour for clients in
other languages.
"""

from streams.client.client import Client, connect
from streams.client.effects import Counters, Joined
from streams.client.errors import (
    AlreadySubscribed,
    AuthenticationFailed,
    ClientClosed,
    ClientEnded,
    ClientError,
    CommandFailed,
    CommandRefused,
    ConnectFailed,
    ConsumerTooSlow,
    CredentialsRefused,
    HandshakeRefused,
    LoginRevoked,
    OutcomeUnknown,
    ProtocolMismatch,
    ProtocolViolated,
    RateLimitAbused,
    SubscriptionEnded,
    SubscriptionFailed,
    SubscriptionRefused,
    TokenExpired,
    TooManyRequests,
    TooManySockets,
    ViewBroken,
)
from streams.client.items import Answer, Delta, Event, Gone, Hello, Item, Reset, ResumePoint, Snap
from streams.client.settings import ClientSettings
from streams.client.subscription import Subscription
from streams.client.views import BoardView, BookView, MarksView, PositionBookView
from streams.client.watching import View, Watch


__all__ = [
    "AlreadySubscribed",
    "Answer",
    "AuthenticationFailed",
    "BoardView",
    "BookView",
    "Client",
    "ClientClosed",
    "ClientEnded",
    "ClientError",
    "ClientSettings",
    "CommandFailed",
    "CommandRefused",
    "ConnectFailed",
    "ConsumerTooSlow",
    "Counters",
    "CredentialsRefused",
    "Delta",
    "Event",
    "Gone",
    "HandshakeRefused",
    "Hello",
    "Item",
    "Joined",
    "LoginRevoked",
    "MarksView",
    "OutcomeUnknown",
    "PositionBookView",
    "ProtocolMismatch",
    "ProtocolViolated",
    "RateLimitAbused",
    "Reset",
    "ResumePoint",
    "Snap",
    "Subscription",
    "SubscriptionEnded",
    "SubscriptionFailed",
    "SubscriptionRefused",
    "TokenExpired",
    "TooManyRequests",
    "TooManySockets",
    "View",
    "ViewBroken",
    "Watch",
    "connect",
]
