"""Which sockets are open, by account and by login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.fanout.outbox import Outbox
from streams.ports import Principal


if TYPE_CHECKING:
    from server.gateway.stream_socket import StreamSocket


class Registry:
    """The open sockets of a gateway, in the order in which they were opened."""

    def __init__(self) -> None:
        self._sockets: dict[StreamSocket, Principal | None] = {}
        self._by_outbox: dict[Outbox, StreamSocket] = {}
        self._by_trader: dict[str, dict[StreamSocket, None]] = {}
        self._by_login: dict[str, dict[StreamSocket, None]] = {}

    def __len__(self) -> int:
        return len(self._sockets)

    def sockets(self) -> list[StreamSocket]:
        """Return the open sockets."""
        return list(self._sockets)

    def of_login(self, login: str) -> list[StreamSocket]:
        """Return the sockets that authenticated with a login or API key."""
        return list(self._by_login.get(login, ()))

    def count_of(self, trader: str) -> int:
        """Return how many sockets an account has."""
        return len(self._by_trader.get(trader, ()))

    def of_outbox(self, outbox: Outbox) -> StreamSocket:
        """Return the socket an outbox leads to."""
        return self._by_outbox[outbox]

    def add(self, socket: StreamSocket) -> None:
        """Add a socket that nobody is known to own."""
        self._sockets[socket] = None
        self._by_outbox[socket.outbox] = socket

    def identify(self, socket: StreamSocket, principal: Principal) -> None:
        """Note who owns a socket; again when the credential was renewed."""
        self._forget_owner(socket)
        self._sockets[socket] = principal
        self._by_trader.setdefault(principal.trader, {})[socket] = None
        self._by_login.setdefault(principal.login, {})[socket] = None

    def remove(self, socket: StreamSocket) -> None:
        """Forget a socket."""
        self._forget_owner(socket)
        self._sockets.pop(socket, None)
        self._by_outbox.pop(socket.outbox, None)

    def _forget_owner(self, socket: StreamSocket) -> None:
        principal = self._sockets.get(socket)
        if principal is None:
            return
        for index, name in ((self._by_trader, principal.trader), (self._by_login, principal.login)):
            owned = index[name]
            del owned[socket]
            if not owned:
                del index[name]
