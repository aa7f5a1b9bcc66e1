"""The client against the real gateway: what a program sees when sockets, nodes and states break."""

from __future__ import annotations

import asyncio
import random
import time

import msgspec
import pytest

from server.gateway.settings import GatewaySettings
from streams.client import (
    Client,
    ClientClosed,
    ConnectFailed,
    ConsumerTooSlow,
    Event,
    Gone,
    HandshakeRefused,
    Item,
    LoginRevoked,
    ProtocolViolated,
    Reset,
    ResumePoint,
    Subscription,
    TokenExpired,
    connect,
)
from streams.ports import Principal
from streams.protocol.codes import CloseCode
from tests.integration.client_gateway import FAST, RunningGateway, running_gateway
from tests.support import MS, eventually


KEY = "signals:t_alice"


async def seqs(subscription: Subscription, count: int) -> list[int]:
    items = [await anext(subscription) for _ in range(count)]
    assert all(isinstance(item, Event) for item in items), items
    return [item.seq for item in items if isinstance(item, Event)]


async def reconnected(client: Client, sockets: int = 2) -> None:
    await eventually(lambda: client.connected and client.counters.sockets >= sockets)


async def test_what_was_missed_while_cut_off_comes_exactly_once() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        signals = client.subscribe("signals:@alice")
        await signals.joined()
        node.publish(KEY, 1, 2)
        assert await seqs(signals, 2) == [1, 2]
        node.cut()
        node.publish(KEY, 3, 4)
        await reconnected(client)
        node.publish(KEY, 5)
        assert await seqs(signals, 3) == [3, 4, 5]
        assert client.counters.gaps == 0
        assert signals.waiting == 0


async def test_no_event_is_lost_or_doubled_under_random_cuts() -> None:
    chance = random.Random(7)
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        signals = client.subscribe("signals:@alice", "ideas")
        await signals.joined()
        seen: dict[str, list[int]] = {"signals:@alice": [], "ideas": []}

        async def consume() -> None:
            async for item in signals:
                assert isinstance(item, Event), item
                seen[item.channel].append(item.seq)
                if all(len(numbers) == 200 for numbers in seen.values()):
                    return

        consumer = asyncio.create_task(consume(), name="consumer")
        for number in range(200):
            node.publish(KEY, number)
            node.publish("ideas", number)
            if chance.random() < 0.1:
                node.cut()
            for _ in range(chance.randrange(20)):
                await asyncio.sleep(0)
        await consumer
        assert seen == {"signals:@alice": list(range(1, 201)), "ideas": list(range(1, 201))}


async def test_a_lost_history_is_announced_with_its_address() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        signals = client.subscribe("signals:@alice")
        await signals.joined()
        node.publish(KEY, 1)
        assert await seqs(signals, 1) == [1]
        node.cut()
        node.publish(KEY, 2, 3)
        node.source.forget(KEY)
        reset = await anext(signals)
        assert isinstance(reset, Reset)
        assert (reset.why, reset.after, reset.seq) == ("TOO_OLD", ResumePoint("e1", 1), 3)
        expected = (
            f"http://127.0.0.1:{node.port}/v1/stream/history"
            "?ch=signals:t_alice&epoch=e1&after_seq=1"
        )
        assert client.history_url(reset) == expected
        node.publish(KEY, 4)
        assert await seqs(signals, 1) == [4]


async def test_a_new_epoch_is_announced() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        signals = client.subscribe("signals:@alice")
        await signals.joined()
        node.publish(KEY, 1, 2, 3)
        assert await seqs(signals, 3) == [1, 2, 3]
        node.source.begin_epoch("e2")
        node.gateway.epoch_changed()
        reset = await anext(signals)
        assert isinstance(reset, Reset)
        assert (reset.why, reset.epoch, reset.seq) == ("EPOCH", "e2", 0)
        node.publish(KEY, 1)
        assert await seqs(signals, 1) == [1]
        assert signals.resume == {"signals:@alice": ResumePoint("e2", 1)}


async def test_a_program_that_was_stopped_goes_on_where_it_was() -> None:
    async with running_gateway() as node:
        async with connect(node.url, settings=FAST) as client:
            signals = client.subscribe("signals:@alice")
            await signals.joined()
            node.publish(KEY, 1)
            assert await seqs(signals, 1) == [1]
            kept = msgspec.json.encode(signals.resume)
        node.publish(KEY, 2)
        resume = msgspec.json.decode(kept, type=dict[str, ResumePoint])
        async with connect(node.url, settings=FAST) as client:
            assert await seqs(client.subscribe("signals:@alice", resume=resume), 1) == [2]


async def test_a_consumer_that_is_too_slow_is_told_and_may_go_on() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        signals = client.subscribe("signals:@alice", queue_items_max=3)
        await signals.joined()
        node.publish(KEY, *range(10))
        assert await seqs(signals, 3) == [1, 2, 3]
        with pytest.raises(ConsumerTooSlow) as caught:
            await anext(signals)
        again = client.subscribe("signals:@alice", resume=caught.value.resume)
        assert await seqs(again, 7) == [4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    "code",
    [CloseCode.SLOW_CONSUMER, CloseCode.HEARTBEAT_LOST, CloseCode.INTERNAL_ERROR],
)
async def test_close_codes_of_the_40xx_are_resumed(code: CloseCode) -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        signals = client.subscribe("signals:@alice")
        await signals.joined()
        node.publish(KEY, 1)
        for socket in node.gateway.registry.sockets():
            socket.close(code)
        node.publish(KEY, 2)
        assert await seqs(signals, 2) == [1, 2]


async def test_a_node_that_leaves_and_comes_back_is_found_again() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        signals = client.subscribe("signals:@alice")
        await signals.joined()
        node.gateway.start_drain(20)
        await eventually(lambda: not node.sockets)
        await node.restart()
        node.publish(KEY, 1)
        await reconnected(client)
        assert await seqs(signals, 1) == [1]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (CloseCode.LOGIN_REVOKED, LoginRevoked),
        (CloseCode.PROTOCOL_VIOLATED, ProtocolViolated),
        (CloseCode.TOKEN_EXPIRED, TokenExpired),
    ],
)
async def test_codes_that_forbid_coming_back_end_everything(
    code: CloseCode, expected: type[Exception]
) -> None:
    async with (
        running_gateway() as node,
        connect(node.url, token="Dev bot1", settings=FAST) as client,
    ):
        signals = client.subscribe("signals:@alice")
        await signals.joined()
        for socket in node.gateway.registry.sockets():
            socket.close(code)
        with pytest.raises(expected):
            await anext(signals)
        with pytest.raises(expected):
            await client.command("open_order", {})
        with pytest.raises(expected):
            client.subscribe("ideas")


async def test_a_channel_taken_away_ends_with_gone() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        signals = client.subscribe("signals:@alice")
        await signals.joined()
        node.publish(KEY, 1)
        node.source.refusals["signals:t_alice"] = "FORBIDDEN"
        node.gateway.recheck(KEY)
        items = [item async for item in signals]
        assert items[1:] == [
            Gone(channel="signals:@alice", code="FORBIDDEN", after=ResumePoint("e1", 1))
        ]


async def test_a_token_source_renews_on_the_socket_and_after_4100() -> None:
    async with running_gateway() as node:
        tokens: list[str] = []

        async def source() -> str:
            token = f"token{len(tokens)}"
            tokens.append(token)
            # The first lives a second: the client must renew it before.
            life_us = 1_000_000 if len(tokens) == 1 else 3_600_000_000
            now_us = time.time_ns() // 1_000
            node.authenticator.tokens[token] = Principal("t_bot1", expires_at_us=now_us + life_us)
            return token

        async with connect(node.url, token=source, settings=FAST) as client:
            await eventually(lambda: tokens == ["token0", "token1"])
            await client.ping()
            assert client.counters.sockets == 1
            for socket in node.gateway.registry.sockets():
                socket.close(CloseCode.TOKEN_EXPIRED)
            await reconnected(client)
            assert tokens == ["token0", "token1", "token2"]


async def test_a_source_that_gives_no_token_ends_the_client() -> None:
    calls = 0

    async def source() -> str:
        nonlocal calls
        calls += 1
        raise RuntimeError("expected a vault that is open")

    async with running_gateway() as node:
        with pytest.raises(TokenExpired, match="vault"):
            async with connect(node.url, token=source, settings=FAST):
                pass
    assert calls == 3


async def test_after_a_reset_a_conflatable_channel_is_not_resumed_without_its_snapshot() -> None:
    async with running_gateway() as node, connect(node.url, settings=FAST) as client:
        marks = client.subscribe("marks")
        await anext(marks)
        assert marks.resume == {"marks": ResumePoint("e1", 0)}
        client.restart("marks")
        assert isinstance(await anext(marks), Reset)
        assert marks.resume == {}
        await anext(marks)
        assert marks.resume == {"marks": ResumePoint("e1", 0)}


async def test_a_client_that_was_left_says_so() -> None:
    async with running_gateway() as node:
        async with connect(node.url, token="Dev bot1", settings=FAST) as client:
            signals = client.subscribe("signals:@alice")
        for attempt in (anext(signals), client.ping()):
            with pytest.raises(ClientClosed):
                await attempt


# The opening


async def test_a_node_that_is_not_ready_yet_is_waited_for() -> None:
    async with running_gateway() as node:
        node.source.ready = False

        async def make_ready(running: RunningGateway) -> None:
            await eventually(lambda: running.gateway.refused >= 2)
            running.source.ready = True

        helper = asyncio.create_task(make_ready(node), name="helper")
        async with connect(node.url, settings=FAST) as client:
            assert client.hello.node == "n1"
        await helper


async def test_nobody_there_is_said_in_time() -> None:
    async with running_gateway() as node:
        url = node.url
    quick = msgspec.structs.replace(FAST, open_timeout_s=100 * MS)
    with pytest.raises(ConnectFailed):
        async with connect(url, settings=quick):
            pass


async def test_an_address_that_is_no_stream_is_refused_at_once() -> None:
    async with running_gateway() as node:
        with pytest.raises(HandshakeRefused) as caught:
            async with connect(node.url + "x", settings=FAST):
                pass
        assert caught.value.status == 404


async def test_resubscribing_more_channels_than_fit_a_request() -> None:
    settings = GatewaySettings(close_wait_ms=500)
    async with running_gateway(settings) as node, connect(node.url, settings=FAST) as client:
        names = [f"ideas:S{number}" for number in range(250)]
        ideas = client.subscribe(*names)
        await ideas.joined()
        node.cut()
        await reconnected(client)
        for name in names:
            node.publish(name, name)
        items: list[Item] = [await anext(ideas) for _ in names]
        assert sorted(item.channel for item in items) == sorted(names)
