"""uvicorn as a part of a node: it neither binds nor handles signals; the node decides."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn

from server.listening import AddressUnavailable


class HttpServer(uvicorn.Server):
    """uvicorn without its own signal handling: the node decides when to stop."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._sockets = sockets

    async def serve(self, sockets: Any = None) -> None:
        """Serve until `should_exit`.

        Raises:
            AddressUnavailable: somebody else began to listen there since the sockets were bound.
        """
        del sockets
        try:
            await self._serve(self._sockets)
        except (asyncio.CancelledError, AddressUnavailable):
            await self.lifespan.shutdown()  # else its own task ends with a traceback
            raise

    async def startup(self, sockets: Any = None) -> None:
        """Listen, then let `port` know."""
        try:
            await super().startup(sockets)
        except OSError as error:
            config = self.config
            raise AddressUnavailable(str(config.host), config.port, error) from error
        self.listening.set()

    async def port(self) -> int:
        """Return the port that is listened on, once it is."""
        await self.listening.wait()
        listening = self.servers[0].sockets[0]
        number: int = listening.getsockname()[1]
        return number
