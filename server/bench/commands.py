"""A command over the socket until its reply, on a real node whose log is on disk before it answers.

Open loop at an even rate, the mix of `workload`, msgpack; the time counts from when a command was
due to when its reply was read. Node on one core; its stores and the client share the other one.
Floors in the same run: a bare XADD of the same size to the same Valkey, and `ping` on the same
sockets at the same rate.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import redis

from server.bench import workload
from server.bench.figures import Figure, Report, at_most, percentile
from server.bench.node_process import NodeProcess, spare_cores
from server.bench.stream_client import ClientSocket, Message, ask, open_loop
from server.cli.feed_command import FeedTarget


RATE = 2_000
SECONDS = 15
WARM_UP_SECONDS = 3
FLOOR_APPENDS = 2_000
FEED_SECONDS_MAX = 30
SOCKETS = 50
"""A socket may send 50 requests a second by default, so this many carry the rate."""

P50_MS_MAX = 1.0
P99_MS_MAX = 5.0

NS_A_DAY = 86_400_000_000_000
FLOOR_KEY = "bench:floor"
LOG_KEY = "{optix}:log"


def run(rate: int = RATE, seconds: float = SECONDS, sockets: int = SOCKETS) -> Report:
    """Measure commands, then the floors, on a node started for it."""
    node_core, other_core = spare_cores()
    with (
        tempfile.TemporaryDirectory(prefix="optix-bench-") as folder,
        NodeProcess(Path(folder), core=node_core) as node,
    ):
        node.wait_ready()
        if node_core != other_core:
            node.pin_stores(other_core)
        with closing(Crowd(node, sockets)) as crowd:
            crowd.prepare()
            warm_up = round(rate * min(WARM_UP_SECONDS, seconds))
            crowd.commands(rate, warm_up)
            crowd.codes.clear()
            cpu_before, entries_before = node.cpu_seconds(), _entries(node)
            latencies = crowd.commands(rate, round(rate * seconds))
            cpu_seconds = node.cpu_seconds() - cpu_before
            entries = _entries(node) - entries_before
            pings = crowd.pings(rate, warm_up)
        size, appends = _append_floor(node, min(FLOOR_APPENDS, len(latencies)))
    measured = Measured(latencies, pings, appends, size, cpu_seconds, entries, crowd.codes)
    return _report(measured, rate, sockets)


class Measured(NamedTuple):
    """What one run gave: latencies in seconds, and what they are compared with."""

    latencies: list[float]
    pings: list[float]
    appends: list[float]
    entry_bytes: int
    cpu_seconds: float
    entries: int
    codes: Counter[str]


def _report(measured: Measured, rate: int, sockets: int) -> Report:
    latencies, pings, appends, entry_bytes, cpu_seconds, entries, codes = measured
    p50, p99 = percentile(latencies, 0.5) * 1e3, percentile(latencies, 0.99) * 1e3
    ping, append = percentile(pings, 0.5) * 1e3, percentile(appends, 0.5) * 1e3
    refused = ", ".join(f"{count} {code}" for code, count in codes.items() if code != "OK")
    return Report(
        f"a command over the socket until its reply, {rate:,} a second",
        [
            at_most("p50", p50, "ms", P50_MS_MAX),
            at_most("p99", p99, "ms", P99_MS_MAX),
            Figure("p99.9", percentile(latencies, 0.999) * 1e3, "ms"),
            Figure("longest", max(latencies) * 1e3, "ms"),
            Figure("XADD alone, p50 (floor)", append, "ms"),
            Figure("XADD alone, p99 (floor)", percentile(appends, 0.99) * 1e3, "ms"),
            Figure("ping on the socket, p50 (floor)", ping, "ms"),
            Figure("ping on the socket, p99 (floor)", percentile(pings, 0.99) * 1e3, "ms"),
            Figure("processor time of the node", cpu_seconds / len(latencies) * 1e6, "µs/command"),
            Figure("commands an entry", len(latencies) / entries, "commands"),
            Figure("ratio of p50 to both floors", p50 / (ping + append), "times"),
        ],
        f"{len(latencies):,} commands, open loop from {sockets} msgpack sockets, a trader each; "
        f"shares {workload.MIX} in percent, one leader for {workload.GROUP - 1} copiers; "
        f"appendfsync always, node alone on one core, stores and client on the other; XADD of "
        f"{entry_bytes} bytes one after the other, {len(appends):,} times; "
        f"refused: {refused or 'none'}",
    )


class Crowd:
    """Traders with a socket each, and the mix they send.

    Attributes:
        codes: answers since the last `clear`, by code.
    """

    def __init__(self, node: NodeProcess, sockets: int) -> None:
        self.codes: Counter[str] = Counter()
        self._node = node
        self._work = workload.Workload(sockets)
        self._under_way: dict[int, workload.Asked] = {}
        self._sockets: list[ClientSocket] = []

    def prepare(self) -> None:
        """Make the market, the traders, their ideas and copies."""
        with closing(FeedTarget(self._node.settings, FEED_SECONDS_MAX)) as target:
            asyncio.run(target.take(0, _market_records()))
        settings = self._node.settings
        for number in range(self._work.traders):
            handle = workload.handle_of(number)
            self._sockets.append(ClientSocket(settings.host, settings.port, handle))
        for number, asked in enumerate(self._work.beginnings()):
            self._under_way[number] = asked
            self._take(ask(self._sockets[asked.trader], _message(number, asked)))

    def commands(self, rate: float, count: int) -> list[float]:
        """Send commands of the mix; return their latencies in seconds."""
        return open_loop(self._sockets, self._make, self._take, rate=rate, count=count)

    def pings(self, rate: float, count: int) -> list[float]:
        """Send pings; return their latencies in seconds."""
        return open_loop(self._sockets, _ping, _ignore, rate=rate, count=count)

    def close(self) -> None:
        """Cut all sockets."""
        for each in self._sockets:
            each.close()

    def _make(self, number: int, socket: int) -> Message:
        asked = self._work.next(socket)
        self._under_way[number] = asked
        return _message(number, asked)

    def _take(self, answer: Message) -> None:
        asked = self._under_way.pop(answer["re"])
        if answer["t"] == "ok":
            self.codes["OK"] += 1
            self._work.learn(asked, answer)
        else:
            self.codes[answer["code"]] += 1


def _message(number: int, asked: workload.Asked) -> Message:
    return {
        "op": "command",
        "id": number,
        "name": asked.name,
        "args": asked.args,
        "key": asked.key,
    }


def _ping(number: int, _: int) -> Message:
    return {"op": "ping", "id": number}


def _ignore(_: Message) -> None:
    pass


def _market_records() -> list[dict[str, Any]]:
    """Return the workload's market in the replay format."""
    at_ns = time.time_ns() // NS_A_DAY * NS_A_DAY
    shape = {"t": at_ns, "venue": "bench", "cls": "spot", "tick": "0.01", "lot": "0.001"}
    mark = {"t": at_ns, "type": "mark", "px": str(workload.PRICE_TICKS / 100)}
    names = workload.symbols()
    made = [{**shape, "type": "inst", "inst": name, "symbol": name} for name in names]
    return made + [{**mark, "inst": name} for name in names]


def _entries(node: NodeProcess) -> int:
    """Return how many entries the log ever took."""
    with redis.Redis.from_url(node.stores.redis_url) as client:
        added: int = client.xinfo_stream(LOG_KEY)["entries-added"]
        return added


def _append_floor(node: NodeProcess, count: int) -> tuple[int, list[float]]:
    """Append entries of the log's mean size to another stream; return size and seconds of each."""
    with redis.Redis.from_url(node.stores.redis_url) as client:
        rows: Any = client.xrevrange(LOG_KEY, count=1_000)
        sizes = [sum(map(len, fields.values())) for _, fields in rows]
        size = sum(sizes) // len(sizes)
        payload = b"x" * size
        seconds = []
        for _ in range(count):
            started = time.perf_counter()
            client.xadd(FLOOR_KEY, {"d": payload})
            seconds.append(time.perf_counter() - started)
        client.delete(FLOOR_KEY)
    return size, seconds
