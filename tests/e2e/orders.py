"""A client that trades through every fault and remembers exactly what was acknowledged.

It places orders that rest far below the market, cancels older ones, and repeats each request with
the same key until it is acknowledged. So afterwards two things can be said: every acknowledged key
is answered again with the same offset, and the orders that rest are exactly those that must.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx

from tests.e2e.processes import Node
from tests.support import MS, eventually


RESTING_MAX = 50
REQUEST_S = 60_000 * MS
SYMBOL = "hl:BTC"
ORDER = {"symbol": SYMBOL, "side": "buy", "quantity": "0.001", "type": "limit", "limit_price": "1"}


class Request(NamedTuple):
    """One request, enough to repeat it."""

    method: str
    path: str
    body: Any


class OrderingClient:
    """Places and cancels orders of one trader, one request at a time.

    Attributes:
        offsets: offset by key of every acknowledged request.
        resting: ids of orders placed and not cancelled.
        repeated: requests that were sent again because no answer came or it said "not now".
    """

    def __init__(self, node: Node, trader: str = "steady") -> None:
        self.offsets: dict[str, str] = {}
        self.resting: list[str] = []
        self.repeated = 0
        self._node = node
        self._trader = trader
        self._requests: dict[str, Request] = {}
        self._stopping = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Trade while the block runs; finish the request under way at its end."""
        task = asyncio.create_task(self._run(), name="ordering-client")
        try:
            yield
        finally:
            self._stopping = True
            await task

    async def _run(self) -> None:
        while not self._stopping:
            placed = await self._acknowledged(Request("POST", "/v1/orders", ORDER))
            self.resting.append(placed.json()["order"]["order"])
            if len(self.resting) > RESTING_MAX:
                cancelled = self.resting.pop(0)
                await self._acknowledged(Request("DELETE", f"/v1/orders/{cancelled}", None))

    async def _acknowledged(self, request: Request) -> httpx.Response:
        """Send a request until it is answered for good."""
        key = f"{self._trader}-{len(self._requests)}"
        self._requests[key] = request

        async def answered() -> httpx.Response | None:
            self._node.check_alive()
            response = await self._send(key)
            if response is None or response.status_code in (429, 503, 504):
                self.repeated += 1
                return None
            return response

        response = await eventually(answered, REQUEST_S, f"an answer to {request}")
        assert response.status_code in (200, 201), response.text
        self.offsets[key] = response.headers["X-Log-Offset"]
        return response

    async def _send(self, key: str) -> httpx.Response | None:
        request = self._requests[key]
        try:
            return await self._node.ask(*request, trader=self._trader, key=key)
        except httpx.HTTPError:
            return None

    async def check(self) -> None:
        """Every acknowledged key gives its first answer, and no order is missing or doubled."""
        again = {}
        for key in self.offsets:
            response = await self._send(key)
            assert response is not None
            assert (response.status_code // 100, response.headers["Idempotent-Replayed"]) == (
                2,
                "true",
            )
            again[key] = response.headers["X-Log-Offset"]
        assert self.offsets == again
        listed = await self._node.get("/v1/orders", trader=self._trader)
        assert self.resting == [order["order"] for order in listed["items"]]
