"""The client against the real gateway: what a program sees when things go well."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec
import pytest

from streams.client import (
    AlreadySubscribed,
    AuthenticationFailed,
    CommandRefused,
    Event,
    ResumePoint,
    SubscriptionRefused,
    connect,
)
from streams.ports import CommandError
from tests.integration.client_gateway import FAST, running_gateway


CODECS: tuple[Literal["msgpack", "json"], ...] = ("msgpack", "json")


@pytest.mark.parametrize("codec", CODECS)
async def test_events_come_in_order(codec: Literal["msgpack", "json"]) -> None:
    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", codec=codec, settings=FAST) as client,
    ):
        assert client.trader == "t_bot1"
        signals = client.subscribe("signals:@alice")
        await signals.joined()
        node.publish("signals:t_alice", {"n": 1}, {"n": 2})
        items = [await anext(signals), await anext(signals)]
        assert [
            Event(channel="signals:@alice", epoch="e1", seq=1, ts_us=1_001, data={"n": 1}),
            Event(channel="signals:@alice", epoch="e1", seq=2, ts_us=1_002, data={"n": 2}),
        ] == items
        assert {"signals:@alice": ResumePoint("e1", 2)} == signals.resume


async def test_compressed_frames_are_the_same_events() -> None:
    settings = msgspec.structs.replace(FAST, compression=True)
    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", settings=settings) as client,
        client.subscribe("ideas", "copies") as items,
    ):
        await items.joined()
        node.publish("ideas", "idea " * 200)
        node.publish("copies:t_bot1", "copy " * 200)
        seen = [await anext(items), await anext(items)]
        assert [i.data for i in seen] == ["idea " * 200, "copy " * 200]
        assert node.hub.bytes_delivered < 2_500


async def test_several_channels_share_one_iterator() -> None:
    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", settings=FAST) as client,
        client.subscribe("ideas", "copies") as items,
    ):
        await items.joined()
        node.publish("ideas", "idea")
        node.publish("copies:t_bot1", "copy")
        seen = [await anext(items), await anext(items)]
        assert [(i.channel, i.data) for i in seen] == [("ideas", "idea"), ("copies", "copy")]


async def test_a_channel_that_is_refused_says_why() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        with pytest.raises(SubscriptionRefused) as caught:
            await anext(client.subscribe("copies"))
        assert (caught.value.channel, caught.value.code) == ("copies", "UNAUTHENTICATED")
        with pytest.raises(SubscriptionRefused):
            client.subscribe("nonsense:BTC")
        client.subscribe("ideas")
        with pytest.raises(AlreadySubscribed):
            client.subscribe("ideas")


async def test_a_channel_can_be_left_and_taken_again() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        first = client.subscribe("ideas")
        first.close()
        second = client.subscribe("ideas")
        await second.joined()
        node.publish("ideas", "only")
        assert (await anext(second)).data == "only"
        assert [item async for item in first] == []


async def test_a_command_carries_its_arguments_and_a_key_of_its_own() -> None:
    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", settings=FAST) as client,
    ):
        answer = await client.open_order("BTC", "buy", Decimal("0.50"), limit_price=64_000)
        assert answer.result["args"] == {
            "symbol": "BTC",
            "side": "buy",
            "quantity": "0.50",
            "type": "limit",
            "limit_price": "64000",
        }
        await client.follow_trader("@alice", key="mine")
        assert [("open_order", answer.key), ("follow_trader", "mine")] == node.commands.calls
        replayed = await client.follow_trader("@alice", key="mine")
        assert (replayed.replayed, replayed.offset) == (True, "2-0.0")


async def test_a_refused_command_carries_code_and_field() -> None:
    async def refuse(_: int) -> None:
        raise CommandError("INVALID_ARGUMENT", "expected a symbol", field="symbol")

    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", settings=FAST) as client,
    ):
        node.commands.before = refuse
        with pytest.raises(CommandRefused) as caught:
            await client.command("open_order", {})
        error = caught.value
        assert (
            error.code,
            error.message,
            error.field,
        ) == ("INVALID_ARGUMENT", "expected a symbol", "symbol")


async def test_wrong_credentials_end_the_client() -> None:
    async with running_gateway() as node:
        with pytest.raises(AuthenticationFailed):
            async with connect(node.url, token="Bearer wrong", settings=FAST):
                pass


async def test_ping_measures_the_round_trip() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        assert await client.ping() > 0
