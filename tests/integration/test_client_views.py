"""Rebuilt books and boards against the real gateway, with states that do not fit."""

from __future__ import annotations

from typing import Any

import pytest

from streams.client import BoardView, BookView, ViewBroken, connect
from tests.integration.client_gateway import FAST, running_gateway
from tests.support import eventually


def book(*rows: list[Any]) -> dict[str, Any]:
    return {"b": list(rows), "s": []}


async def test_a_book_is_rebuilt_and_its_checksums_are_verified() -> None:
    key = "book:BTC"
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        node.source.states[key] = book(["101", "1", 1])
        async with client.watch(BookView("BTC")) as books:
            view = await anext(books)
            assert view.buys == [["101", "1", 1]]
            node.source.states[key] = book(["102", "0.5", 2])
            node.publish(key, book(["101", "0", 0], ["102", "0.5", 2]))
            assert (await anext(books)).buys == [["102", "0.5", 2]]
            node.cut()
            await eventually(lambda: client.connected and client.counters.sockets == 2)
            node.publish(key, book(["102", "1", 3]))
            assert (await anext(books)).buys == [["102", "1", 3]]
            assert (view.verified, books.restarts) == (1, 0)


async def test_a_checksum_that_does_not_fit_begins_the_book_anew() -> None:
    key = "book:BTC"
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        node.source.states[key] = book(["101", "1", 1])
        async with client.watch(BookView("BTC")) as books:
            await anext(books)
            node.source.states[key] = book(["105", "1", 1])
            node.hub.publish([node.source.frame(key, book(["104", "1", 1]), crc=1)])
            assert (await anext(books)).buys == [["105", "1", 1]]
            assert (client.counters.checksum_mismatches, books.restarts) == (1, 1)


async def test_a_state_that_never_fits_is_given_up() -> None:
    key = "leaderboard:sharpe:1m"
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        node.source.states[key] = {"rows": [["t_1", 2, 0.5, 3, None]], "n": 1}
        watch = client.watch(BoardView("sharpe", "1m"))
        with pytest.raises(ViewBroken):
            await anext(watch)
        assert client.counters.checksum_mismatches == 6
