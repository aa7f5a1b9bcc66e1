"""The client a program holds: channels, views and requests on a connection that stays alive.

Invariants:
    * A client belongs to the event loop it was entered on.
    * After the client has ended, every subscription and every request raises the same error.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from streams.client.commands import Commands
from streams.client.conversation import Conversation, Phase
from streams.client.credentials import auth_fields
from streams.client.driver import Driver, TokenSource
from streams.client.effects import Counters, Deliver, Done, Effect, Failed, Joined, Refused
from streams.client.errors import ClientClosed, ClientEnded, SubscriptionRefused
from streams.client.items import Answer, Hello, Reset, ResumePoint
from streams.client.settings import ClientSettings
from streams.client.subscription import Subscription
from streams.client.watching import V, Watch
from streams.protocol.channels import ChannelNameError, parse_channel
from streams.protocol.codec import PLAIN_CODECS


_ENVELOPE: Final = frozenset(("t", "re", "offset", "replayed"))


class Client(Commands):
    """A connection to OPTIX that keeps itself alive. Made by `connect`.

    Attributes:
        url: address of the stream.
        settings: bounds and times.
    """

    def __init__(
        self, url: str, token: str | TokenSource | None, codec: str, settings: ClientSettings
    ) -> None:
        codecs = {each.name: each for each in PLAIN_CODECS}
        if codec not in codecs:
            raise ValueError(f"expected codec as one of {', '.join(codecs)}, was {codec!r}")
        if urlsplit(url).scheme not in ("ws", "wss"):
            raise ValueError(f"expected an address like wss://host/v1/stream, was {url!r}")
        self.url = url
        self.settings = settings
        self._conversation = Conversation(settings, token if isinstance(token, str) else None)
        self._driver = Driver(
            url,
            codecs[codec],
            settings,
            self._conversation,
            token if callable(token) else None,
            on_effect=self._on_effect,
            on_end=self._on_end,
            renew=self.refresh,
        )
        self._subscriptions: dict[str, Subscription] = {}
        self._futures: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._key_prefix = secrets.token_hex(8)
        self._keys = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._driver.run(), name="optix-client")
        try:
            await self._driver.ready.wait()
        except BaseException:
            await self._stop()
            raise
        if self._driver.ended is not None:
            await self._stop()
            raise self._driver.ended
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop()

    @property
    def trader(self) -> str | None:
        """Id of the account, None for an anonymous client."""
        return self._conversation.trader

    @property
    def hello(self) -> Hello:
        """Greeting of the present socket, or of the last one."""
        hello = self._conversation.hello
        if hello is None:
            raise AssertionError("expected a client that was entered")
        return hello

    @property
    def connected(self) -> bool:
        """Whether the socket is open for requests at this moment."""
        return self._conversation.phase is Phase.OPEN

    @property
    def counters(self) -> Counters:
        """What went on; live."""
        return self._conversation.counters

    # Channels

    def subscribe(
        self,
        *channels: str,
        resume: Mapping[str, ResumePoint] | None = None,
        queue_items_max: int | None = None,
    ) -> Subscription:
        """Receive channels; the request goes out at once and again after each reconnection.

        Args:
            channels: one or several names; their items come through one queue.
            resume: where to go on, by name; without it conflatable channels begin with a `Snap`
                and lossless ones with the next event.
            queue_items_max: bound of the queue; default from the settings.

        Raises:
            AlreadySubscribed: this client receives one of them already.
            SubscriptionRefused: a name is no channel (`UNKNOWN_CHANNEL`).
            ClientEnded: the client is over.
        """
        if not channels:
            raise ValueError("expected at least one channel")
        self._check_open()
        names = tuple(map(canonical_name, channels))
        points = {canonical_name(name): point for name, point in (resume or {}).items()}
        bound = queue_items_max or self.settings.queue_items_max
        subscription = Subscription(self, names, bound)
        effects = self._conversation.subscribe(names, points, self._driver.now_s())
        self._subscriptions.update(dict.fromkeys(names, subscription))
        self._driver.perform(effects)
        return subscription

    def watch(self, view: V) -> Watch[V]:
        """Keep a view of a channel equal to the server's: `async for view in client.watch(view)`.

        Raises:
            AlreadySubscribed, SubscriptionRefused, ClientEnded: see `subscribe`.
        """
        return Watch(self, view)

    def restart(self, channel: str) -> None:
        """Begin a channel from scratch: a `Reset`, then a `Snap` or the next events."""
        self._driver.perform(
            self._conversation.restart(canonical_name(channel), self._driver.now_s())
        )

    def leave(self, subscription: Subscription) -> None:
        """Stop receiving the channels of a subscription. `Subscription.close` does it."""
        held = [
            name for name in subscription.channels if self._subscriptions.get(name) is subscription
        ]
        for name in held:
            del self._subscriptions[name]
        if self._driver.ended is None:
            self._driver.perform(self._conversation.unsubscribe(held, self._driver.now_s()))

    def history_url(self, reset: Reset) -> str | None:
        """Return the HTTP address of the events a `Reset` left out, None when it left out none."""
        if reset.history is None:
            return None
        parts = urlsplit(self.url)
        scheme = "https" if parts.scheme == "wss" else "http"
        return urlunsplit((scheme, parts.netloc, "", "", "")) + reset.history

    # Requests

    async def command(
        self, name: str, args: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> Answer:
        """Hand in a command and return its outcome.

        It is sent again with the same key when its answer was lost or says "not now", at most
        `request_attempts_max` times within `request_timeout_s`.

        Args:
            name: one of the protocol's commands.
            args: its arguments; absent ones are left out.
            key: idempotency key; one is made when none is given.

        Raises:
            CommandRefused: a code says why.
            OutcomeUnknown: the bounds are reached; its `key` tells later what happened.
            TooManyRequests: too many requests wait in this client.
            ClientEnded: the client is over.
        """
        if key is None:
            self._keys += 1
            key = f"{self._key_prefix}-{self._keys}"
        message = {"op": "command", "name": name, "args": dict(args or {}), "key": key}
        answer = await self._ask(message)
        result = {k: v for k, v in answer.items() if k not in _ENVELOPE}
        replayed = bool(answer.get("replayed", False))
        return Answer(str(answer.get("offset", "")), result, replayed, key)

    async def ping(self) -> float:
        """Return the round trip of a `ping` through the protocol, in milliseconds."""
        sent_s = self._driver.now_s()
        await self._ask({"op": "ping"})
        return (self._driver.now_s() - sent_s) * 1000

    async def refresh(self, token: str) -> None:
        """Renew the credential on this socket; later sockets use it too.

        Args:
            token: of the same account, in a form that `connect` takes.

        Raises:
            CommandRefused: `UNAUTHENTICATED` (the old one still has its time) or `FORBIDDEN`
                (another account).
        """
        answer = await self._ask({"op": "auth", **auth_fields(token)})
        self._conversation.set_token(token)
        self._driver.plan_renewal(answer.get("expires_in"))

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        self._check_open()
        ticket, effects = self._conversation.ask(message, self._driver.now_s())
        future = asyncio.get_running_loop().create_future()
        self._futures[ticket] = future
        try:
            self._driver.perform(effects)
            answer: dict[str, Any] = await future
            return answer
        finally:
            self._futures.pop(ticket, None)
            self._conversation.cancel(ticket)

    async def _stop(self) -> None:
        self._driver.end(ClientClosed("the client was closed"))
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _on_end(self, error: ClientEnded) -> None:
        for subscription in self._subscriptions.values():
            subscription.fail(error)
        for future in self._futures.values():
            if not future.done():
                future.set_exception(error)

    def _on_effect(self, effect: Effect) -> None:
        match effect:
            case Deliver(item):
                subscription = self._subscriptions.get(item.channel)
                if subscription is not None and not subscription.deliver(item):
                    self.leave(subscription)
            case Done(ticket, message):
                self._settle(ticket, message)
            case Failed(ticket, error):
                self._settle(ticket, error)
            case Joined(channel):
                if channel in self._subscriptions:
                    self._subscriptions[channel].note_joined(effect)
            case Refused(channel, code, message):
                refused = self._subscriptions.pop(channel, None)
                if refused is not None:
                    refused.note_refused(channel, code, message)
                    self.leave(refused)
            case _:
                raise AssertionError(f"expected an effect for the program, was {effect!r}")

    def _settle(self, ticket: int, outcome: dict[str, Any] | Exception) -> None:
        future = self._futures.get(ticket)
        if future is None or future.done():
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _check_open(self) -> None:
        if self._driver.ended is not None:
            raise self._driver.ended
        if self._task is None:
            raise ClientClosed("expected a client inside `async with connect(...)`")


def canonical_name(channel: str) -> str:
    """Return the canonical name of a channel.

    Raises:
        SubscriptionRefused: `UNKNOWN_CHANNEL`, the text is no channel name.
    """
    try:
        return str(parse_channel(channel))
    except ChannelNameError as error:
        raise SubscriptionRefused(channel, "UNKNOWN_CHANNEL", str(error)) from None


def connect(
    url: str,
    *,
    token: str | TokenSource | None = None,
    codec: Literal["msgpack", "json"] = "msgpack",
    settings: ClientSettings | None = None,
) -> Client:
    """Return a client, to be entered with `async with`.

    Args:
        url: `ws://` or `wss://` address of the stream, ending in `/v1/stream`.
        token: `Bearer ...`, `Dev <handle>`, `Key ...`, or a coroutine function that gives one;
            only the latter survives the end of a token. None connects anonymously.
        codec: encoding on the wire; the items are the same.
        settings: bounds and times.

    Raises:
        ValueError: the codec or the token's scheme is unknown.
    """
    return Client(url, token, codec, settings or ClientSettings())
