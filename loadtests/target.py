"""The node under load: one of our own with its stores and a recorded market, or one at an address.

A node of our own lives in a temporary directory and is gone afterwards. Of a node at an address
nothing is known but what it answers, so processor time and memory are not reported for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from loadtests.profile_file import Profile
from server.bench.node_process import NodeProcess, spare_cores
from server.demo import RECORDED_DAY


ANSWER_SECONDS_MAX: Final = 30.0
MARKET_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 10.0
POLL_SECONDS: Final = 0.1


class TargetFailed(Exception):
    """The node cannot be loaded; the text says why and what to do."""


class Target(NamedTuple):
    """A node that is ready.

    Attributes:
        host: where it listens.
        port: where it listens.
        processes: ids of the processes to watch, by kind.
        conditions: how it runs, in words.
    """

    host: str
    port: int
    processes: dict[str, int]
    conditions: str

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://{self.host}:{self.port}"

    def get(self, path: str, authorization: str | None = None) -> Any:
        """Return the decoded answer of a GET.

        Raises:
            TargetFailed: no answer, or an error.
        """
        headers = {} if authorization is None else {"Authorization": authorization}
        connection = HTTPConnection(self.host, self.port, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                raise TargetFailed(f"expected 200 for {self.url}{path}, was {response.status}")
            return json.loads(text)
        except (OSError, HTTPException, ValueError) as error:
            raise TargetFailed(f"expected a node at {self.url}, was: {error}") from error
        finally:
            connection.close()


def at_address(url: str) -> Target:
    """Return the node at an address, when it is ready.

    Raises:
        TargetFailed: the address is not one of ours, or the node is not ready.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError as error:
        raise TargetFailed(f"expected http://HOST:PORT, was {url}: {error}") from None
    if parts.scheme not in ("http", "ws") or not host:
        raise TargetFailed(
            f"expected http://HOST:PORT, was {url}; the swarm speaks no TLS: load the node itself, "
            "not the proxy in front of it"
        )
    target = Target(host, port, {}, f"node at {url}")
    target.get("/health/ready")
    return target


@contextmanager
def own_node(profile: Profile) -> Iterator[Target]:
    """Start a node with its own stores, play the recorded market into it, and stop both at the end.

    Raises:
        TargetFailed: it does not become ready, or the market does not arrive.
    """
    node_core, other_core = spare_cores()
    pinned = profile.node.pinned and node_core != other_core
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="optix-load-"))
        settings = profile.node.settings
        node = NodeProcess(Path(folder), core=node_core if pinned else None, **settings)
        stack.enter_context(node)
        try:
            node.wait_ready()
        except RuntimeError as error:
            raise TargetFailed(str(error)) from error
        if pinned:
            node.pin_stores(other_core)
        player = stack.enter_context(_market(node, profile.market.speed))
        told = ", ".join(f"{name}={value}" for name, value in settings.items()) or "default"
        apart = f"node alone on core {node_core}" if pinned else "all processes share the cores"
        yield _ready(
            Target(
                node.settings.host,
                node.settings.port,
                {"node": node.pid, "market": player.pid},
                f"own node and stores, settings {told}; {apart}; {len(os.sched_getaffinity(0))} "
                f"cores; {RECORDED_DAY.name} at {profile.market.speed:g} times its speed",
            )
        )


@contextmanager
def _market(node: NodeProcess, speed: float) -> Iterator[subprocess.Popen[bytes]]:
    arguments = ["feed", "play", str(RECORDED_DAY), "--speed", f"{speed:g}", "--loop"]
    player = subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-m", "server.cli.main", *arguments],
        env=node.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield player
    finally:
        player.terminate()
        try:
            player.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            player.kill()
            player.wait()


def _ready(target: Target) -> Target:
    """Wait until the market has quotes."""
    give_up_s = time.monotonic() + MARKET_SECONDS_MAX
    while time.monotonic() < give_up_s:
        if any(each.get("last") for each in target.get("/v1/marks?limit=10")["items"]):
            return target
        time.sleep(POLL_SECONDS)
    raise TargetFailed(f"expected quotes within {MARKET_SECONDS_MAX:g} s, were none")
