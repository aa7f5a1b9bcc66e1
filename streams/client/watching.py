"""A view kept equal to the server's state of a channel.

Invariants:
    * A view is handed out only while it is whole: not before its snapshot, and never between a
      mismatch and the fresh snapshot that heals it.
    * Everything queued is applied before the view is handed out, so a slow program sees the
      newest state and not every step to it.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, Protocol, Self, TypeVar

from streams.client.errors import SubscriptionEnded, ViewBroken
from streams.client.items import Gone, Item, Reset


if TYPE_CHECKING:
    from streams.client.client import Client

# Fresh starts in a row without one checksum that fits; then the mismatch is the program's to see.
RESTARTS_MAX: Final = 5


class View(Protocol):
    """State of a conflatable channel, rebuilt from its frames."""

    @property
    def channel(self) -> str:
        """Name of the channel."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the view holds the whole state."""
        ...

    @property
    def verified(self) -> int:
        """Checksums that fitted."""
        ...

    def apply(self, item: Item) -> None:
        """Take one item.

        Raises:
            ViewBroken: the state is not the server's any more.
        """
        ...


V = TypeVar("V", bound=View)


class Watch(Generic[V]):
    """Asynchronous iterator over the changes of one view. Made by `Client.watch`.

    Raises while iterating:
        SubscriptionEnded: the server took the channel back.
        ViewBroken: `RESTARTS_MAX` fresh starts in a row did not help.
        SubscriptionRefused, ConsumerTooSlow, ClientEnded: see `Subscription`.

    Attributes:
        view: the view; the same object each time.
        restarts: fresh starts so far.
    """

    def __init__(self, client: Client, view: V) -> None:
        self.view = view
        self.restarts = 0
        self._client = client
        self._subscription = client.subscribe(view.channel)
        self._healing = False
        self._restarts_in_row = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> V:
        async for item in self._subscription:
            self._apply(item)
            while (queued := self._subscription.take_waiting()) is not None:
                self._apply(queued)
            if self.view.ready and not self._healing:
                return self.view
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop receiving."""
        self._subscription.close()

    def _apply(self, item: Item) -> None:
        if isinstance(item, Gone):
            raise SubscriptionEnded(item.channel, item.code)
        if self._healing and not isinstance(item, Reset):
            # Of the state that was found wrong; the fresh start begins with a Reset.
            return
        self._healing = False
        verified = self.view.verified
        try:
            self.view.apply(item)
        except ViewBroken:
            self._client.counters.checksum_mismatches += 1
            self._restarts_in_row += 1
            if self._restarts_in_row > RESTARTS_MAX:
                self.close()
                raise
            self.restarts += 1
            self._healing = True
            self._client.restart(self.view.channel)
        else:
            if self.view.verified > verified:
                self._restarts_in_row = 0
