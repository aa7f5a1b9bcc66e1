"""Commands of the client against the real gateway when answers are lost or unknown."""

from __future__ import annotations

import asyncio

import pytest

from streams.client import OutcomeUnknown, connect
from streams.ports import CommandError
from tests.integration.client_gateway import FAST, running_gateway


async def test_a_command_cut_off_after_it_was_applied_is_applied_once() -> None:
    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", settings=FAST) as client,
    ):

        async def cut(count: int) -> None:
            if count == 1:
                node.cut()

        node.commands.after = cut
        answer = await client.open_order("BTC", "buy", "1")
        assert answer.replayed
        assert len(node.commands.applied) == 1
        assert node.commands.calls == [("open_order", answer.key)] * 2


async def test_an_unknown_outcome_is_asked_for_again_with_the_same_key() -> None:
    async def unknown(count: int) -> None:
        if count < 3:
            raise CommandError("OUTCOME_UNKNOWN", "no answer in time", retry_ms=1)

    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", settings=FAST) as client,
    ):
        node.commands.after = unknown
        answer = await client.open_order("BTC", "buy", "1", key="k1")
        assert (answer.offset, answer.replayed) == ("1-0.0", True)
        assert node.commands.calls == [("open_order", "k1")] * 3


async def test_an_outcome_that_stays_unknown_is_said_to_be() -> None:
    async def unknown(_: int) -> None:
        raise CommandError("OUTCOME_UNKNOWN", "no answer in time", retry_ms=1)

    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", settings=FAST) as client,
    ):
        node.commands.after = unknown
        with pytest.raises(OutcomeUnknown) as caught:
            await client.open_order("BTC", "buy", "1", key="k1")
        assert caught.value.key == "k1"
        assert len(node.commands.calls) == FAST.request_attempts_max


async def test_many_commands_at_once_stay_below_the_servers_limits() -> None:
    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", settings=FAST) as client,
    ):
        await asyncio.gather(*(client.like_idea(f"i{number}") for number in range(90)))
        assert len(node.commands.calls) == 90
        assert client.counters.sockets == 1
