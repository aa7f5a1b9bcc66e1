"""What a program iterates over: the items of one or several channels, from a bounded queue.

Invariants:
    * Items come out in the order in which the server sent them, each channel's without a gap
      that a `Reset` does not announce.
    * At most `queue_items_max` wait; beyond that the subscription ends with `ConsumerTooSlow`,
      after what was queued was handed out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from streams.client.effects import Joined
from streams.client.errors import ClientError, ConsumerTooSlow, SubscriptionRefused
from streams.client.items import Delta, Event, Gone, Item, Reset, ResumePoint, Snap
from streams.protocol.channels import parse_channel


if TYPE_CHECKING:
    from streams.client.client import Client


class Subscription:
    """Items of some channels. Made by `Client.subscribe`.

    Iterating ends when the server has taken back every channel (each said so with a `Gone`) or
    after `close`. It raises `SubscriptionRefused`, `ConsumerTooSlow` or the `ClientEnded` that
    ended the client.

    Attributes:
        channels: canonical names, as asked.
    """

    def __init__(self, client: Client, channels: tuple[str, ...], items_max: int) -> None:
        self.channels = channels
        self._client = client
        self._items_max = items_max
        self._items: deque[Item] = deque()
        self._resume: dict[str, ResumePoint] = {}
        self._open = dict.fromkeys(channels)
        self._joined: dict[str, Joined] = {}
        self._error: ClientError | None = None
        self._closed = False
        self._changed = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        while not self._items:
            if self._error is not None:
                raise self._error
            if self._closed or not self._open:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._take()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """Items queued for the program."""
        return len(self._items)

    @property
    def resume(self) -> Mapping[str, ResumePoint]:
        """Where to go on, by channel: the last items that were handed out.

        Keep it for lossless channels: a program that was stopped goes on from it with
        `client.subscribe(..., resume=...)`.
        """
        return dict(self._resume)

    async def joined(self) -> Mapping[str, Joined]:
        """Wait until the server has answered for every channel; return its answers.

        Raises:
            SubscriptionRefused: it does not give one of them.
            ClientEnded: the client is over.
        """
        while self._error is None and not self._closed and len(self._joined) < len(self.channels):
            self._changed.clear()
            await self._changed.wait()
        if self._error is not None:
            raise self._error
        return dict(self._joined)

    def take_waiting(self) -> Item | None:
        """Return the next queued item without waiting, None when there is none."""
        return self._take() if self._items else None

    def close(self) -> None:
        """Stop receiving; what is queued is dropped, since nobody wants it any more."""
        if not self._closed:
            self._closed = True
            self._items.clear()
            self._client.leave(self)
            self._changed.set()

    # For the client

    def deliver(self, item: Item) -> bool:
        """Queue an item; return False when the queue is full and the subscription has ended."""
        if self._error is not None or self._closed:
            return True
        if len(self._items) >= self._items_max:
            # Whatever it is, asking again from the last item handed out brings it again.
            self.fail(ConsumerTooSlow(self._items_max, {}))
            return False
        if isinstance(item, Gone):
            self._open.pop(item.channel, None)
        self._items.append(item)
        self._changed.set()
        return True

    def note_joined(self, joined: Joined) -> None:
        """Note the server's answer for a channel."""
        first = joined.channel not in self._joined
        self._joined[joined.channel] = joined
        if first and joined.mode == "live":
            # Nothing came yet; a program that stops now goes on from here.
            self._resume.setdefault(joined.channel, joined.point)
        self._changed.set()

    def note_refused(self, channel: str, code: str, message: str) -> None:
        """End with the server's refusal of one of the channels."""
        self._open.pop(channel, None)
        self.fail(SubscriptionRefused(channel, code, message))

    def fail(self, error: ClientError) -> None:
        """End with an error, raised once the queued items are handed out."""
        if self._error is None and not self._closed:
            self._error = error
            self._changed.set()

    def _take(self) -> Item:
        item = self._items.popleft()
        if isinstance(item, (Snap, Delta, Event)):
            self._resume[item.channel] = item.resume_point
        elif isinstance(item, Reset) and parse_channel(item.channel).rules.conflatable:
            # Deltas after this number are worth nothing without the snapshot that follows.
            self._resume.pop(item.channel, None)
        elif isinstance(item, Reset):
            self._resume[item.channel] = ResumePoint(item.epoch, item.seq)
        if not self._items and isinstance(self._error, ConsumerTooSlow):
            self._error.resume = dict(self._resume)
        return item
