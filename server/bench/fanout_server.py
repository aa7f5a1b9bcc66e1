"""The servers the fan-out benchmark compares, as processes driven by lines on standard input.

Both print their port, then `ready` when all sockets are there; for each line `go` they send one
frame to every socket and print the nanoseconds of their own CPU time that it took.

    python -m server.bench.fanout_server gateway SOCKETS BYTES
    python -m server.bench.fanout_server loop SOCKETS BYTES
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from typing import Any, Final

import structlog
import uvicorn
import uvloop

from server.gateway.gateway import Gateway
from server.gateway.settings import GatewaySettings
from streams.fanout.hub import Hub
from streams.ports import ChannelInfo, CommandError, CommandOutcome, Frame, Principal
from streams.protocol.codec import JSON
from streams.protocol.limits import StreamLimits


CHANNEL: Final = "marks:BENCH"
PING_AFTER_MS: Final = 3_600_000
"""No ping while a round is counted: the reader counts bytes, and answers none."""


class BenchSource:
    """A `ChannelSource` of one channel whose frames are all of one size.

    Args:
        frame_bytes: size of a frame on the wire, WebSocket header included.
    """

    epoch = "bench"
    offset = "0-0.0"
    ready = True

    def __init__(self, frame_bytes: int) -> None:
        self._seq = 0
        # Numbers of one length, so that all frames have the size asked for.
        self._first = 1_000_000
        bare = len(JSON.wire_frame(self._frame(self._first, "delta", "")))
        self._text = "x" * (frame_bytes - bare)

    def resolve(self, channel: str, principal: Principal | None) -> ChannelInfo | str:
        """Know one channel."""
        del principal
        if channel != CHANNEL:
            return "UNKNOWN_CHANNEL"
        return ChannelInfo(CHANNEL, CHANNEL, conflatable=True)

    def seq(self, key: str) -> int:
        """Return the newest number."""
        del key
        return self._first + self._seq

    def snapshot(self, key: str) -> Frame:
        """Return the newest frame as a snapshot."""
        return self._frame(self.seq(key), "snap", "")

    def history(self, key: str, after_seq: int) -> list[Frame] | None:
        """Remember nothing."""
        del key, after_seq
        return None

    def next_frame(self) -> Frame:
        """Return the next frame."""
        self._seq += 1
        return self._frame(self._first + self._seq, "delta", self._text)

    def _frame(self, seq: int, kind: Any, text: str) -> Frame:
        return Frame(CHANNEL, CHANNEL, kind, seq, 1_767_225_600_000_000, text)


class SystemClock:
    """Time of this machine."""

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()


class Nobody:
    """Refuses every command and every credential: the benchmark needs neither."""

    def execute(
        self, principal: Principal, name: str, args: dict[str, Any], key: str | None
    ) -> asyncio.Future[CommandOutcome]:
        """Refuse."""
        del principal, args, key
        raise CommandError("UNKNOWN_COMMAND", f"expected no command, was {name}")

    async def authenticate(self, *, token: str | None, key: str | None, address: str) -> Principal:
        """Refuse."""
        del token, key, address
        raise CommandError("UNAUTHENTICATED", "expected no credential")


async def serve_gateway(sockets: int, frame_bytes: int) -> None:
    """Serve the real gateway behind uvicorn."""
    source = BenchSource(frame_bytes)
    hub = Hub(source)
    nobody = Nobody()
    settings = GatewaySettings(limits=StreamLimits(ping_after_ms=PING_AFTER_MS))
    gateway = Gateway(source, nobody, nobody, hub, settings, SystemClock())
    config = uvicorn.Config(
        _no_app,
        host="127.0.0.1",
        port=0,
        ws=gateway.protocol_class(),
        lifespan="off",
        log_level="warning",
        http="httptools",
        backlog=4096,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(), name="bench-serve")
    while not server.started:  # noqa: ASYNC110  # uvicorn offers a flag only
        await asyncio.sleep(0.01)
    _say(server.servers[0].sockets[0].getsockname()[1])
    while hub.subscriptions < sockets:  # noqa: ASYNC110  # a counter, no event
        await asyncio.sleep(0.01)
    _say("ready")
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        begun_ns = time.process_time_ns()
        hub.publish([source.next_frame()])
        while hub.busy:  # noqa: ASYNC110  # each turn of the loop writes a slice
            await asyncio.sleep(0)
        _say(time.process_time_ns() - begun_ns)
    server.should_exit = True
    server.force_exit = True
    await serving
    await gateway.close()


def serve_loop(sockets: int, frame_bytes: int) -> None:
    """Serve a bare Python loop over `socket.send`, where no C compiler is at hand."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    _say(listener.getsockname()[1])
    accepted = [listener.accept()[0] for _ in range(sockets)]
    for each in accepted:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        each.setblocking(False)
    _say("ready")
    data = b"x" * frame_bytes
    sends = [each.send for each in accepted]
    while sys.stdin.readline():
        begun_ns = time.process_time_ns()
        for send in sends:
            send(data)
        _say(time.process_time_ns() - begun_ns)


async def _no_app(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _say(value: object) -> None:
    sys.stdout.write(f"{value}\n")
    sys.stdout.flush()


def main() -> None:
    """Run the server named on the command line."""
    kind, sockets, frame_bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    # Standard output is the line to the driver: a log line for each closed socket would fill it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if kind == "gateway":
        uvloop.run(serve_gateway(sockets, frame_bytes))
    else:
        serve_loop(sockets, frame_bytes)


if __name__ == "__main__":
    main()
