"""Two nodes on one log: a client changes from one to the other and misses nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from streams.client import Client, ClientSettings, Event, ResumePoint, connect
from tests.e2e.market import LEADERS, played, start_playing, until_trades
from tests.e2e.orders import OrderingClient
from tests.e2e.processes import Home, Node, second_home
from tests.support import MS, eventually


CHANNELS = ("account", "copies", f"signals:@{LEADERS[0]}")
FOLLOWER = "follower"
SYMBOL = "hl:BTC"
CHANGES = 3
WAIT_S = 60_000 * MS
SETTINGS = ClientSettings(queue_items_max=100_000, open_timeout_s=WAIT_S)


class Reader:
    """Takes everything of the channels, from one node after the other."""

    def __init__(self) -> None:
        self.seen: dict[str, list[int]] = defaultdict(list)
        self.resume: dict[str, ResumePoint] = {}

    async def take(self, client: Client, count: int) -> None:
        """Read on until the leader's channel has brought `count` more events."""
        signals = self.seen[CHANNELS[-1]]
        until = len(signals) + count
        async with client.subscribe(*CHANNELS, resume=self.resume) as items:
            async for item in items:
                assert isinstance(item, Event), item
                self.seen[item.channel].append(item.seq)
                if len(signals) >= until:
                    break
            self.resume = dict(items.resume)


async def digests(node: Node) -> dict[str, str]:
    """Return the digest by place of the log, as the node shows it now."""
    stats = await node.get("/v1/stats")
    return {stats["log_offset"]: stats["digest"]}


async def test_client_changes_nodes_and_misses_nothing(home: Home) -> None:
    home.measured = False
    async with home.node() as first:
        other = await second_home(home, home.state_dir.with_name("second"))
        async with other.node() as second:
            playing = start_playing(home)
            await until_trades(first, 200)
            await _follow(first)
            reader, trading = Reader(), OrderingClient(second, FOLLOWER)
            async with trading.running():
                for change in range(CHANGES):
                    url = (home, other)[change % 2].stream_url
                    async with connect(url, token=f"Dev {FOLLOWER}", settings=SETTINGS) as client:
                        await reader.take(client, 150)
            await played(playing)
            await _drained(reader, other)
            await trading.check()
            for channel in CHANNELS:
                seen = reader.seen[channel]
                assert seen, channel
                assert seen == list(range(seen[0], seen[0] + len(seen))), channel
            await _agree(first, second)


async def _follow(node: Node) -> None:
    settings = {"allocation": "10000"}
    path = f"/v1/copies/@{LEADERS[0]}"

    async def accepted() -> bool:
        answer = await node.ask("PUT", path, settings, trader=FOLLOWER, key="follow")
        assert answer.status_code in (200, 201), answer.text
        return True

    await eventually(accepted, WAIT_S, "a copy")


async def _drained(reader: Reader, home: Home) -> None:
    """Read what is left of the channels, until each is where the server says it is."""
    async with (
        connect(home.stream_url, token=f"Dev {FOLLOWER}", settings=SETTINGS) as client,
        client.subscribe(*CHANNELS, resume=reader.resume) as items,
    ):
        joined = await items.joined()
        while any((reader.seen[name] or [0])[-1] < joined[name].point.seq for name in CHANNELS):
            item = await asyncio.wait_for(anext(items), WAIT_S)
            assert isinstance(item, Event), item
            reader.seen[item.channel].append(item.seq)


async def _agree(first: Node, second: Node) -> None:
    """Two nodes show the same digest at every place of the log where both were asked."""
    shown: list[dict[str, str]] = [{}, {}]

    async def compared() -> bool:
        for node, places in zip((first, second), shown, strict=True):
            places.update(await digests(node))
        common = shown[0].keys() & shown[1].keys()
        assert {p: shown[0][p] for p in common} == {p: shown[1][p] for p in common}
        return len(common) >= 3

    await eventually(compared, WAIT_S, "three common places")
