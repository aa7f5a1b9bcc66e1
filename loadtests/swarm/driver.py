"""The loop of the swarm: one epoll, all sockets, no thread and no task.

The swarm grows to its size, holds it, is cut at each storm, and reports as it goes, one JSON
object a line: `sample` each second, `whole` when all sockets are up for the first time, `storm`
when all have resumed, `done` at the end.

Invariants:
    * A socket that was lost comes back and resumes, after a random time unless the server named
      one; so a fault of the server cannot hide behind a smaller swarm.
    * Latency in the totals is that of the holding time without storms.
"""

from __future__ import annotations

import errno
import random
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final

import msgspec

from loadtests.histogram import Histogram
from loadtests.swarm.counts import FAULTS, Counts
from loadtests.swarm.member import Member, MemberClosed, MemberState
from loadtests.swarm.settings import SwarmSettings
from loadtests.swarm.verifier import Verifier, decoder


OPENING_SECONDS_MAX: Final = 30.0
"""Time from connecting until a socket is subscribed; then it is given up and tried again."""

RETRY_SECONDS: Final = (0.2, 1.0)
RECEIVE_BYTES: Final = 1 << 18
LOOK_SECONDS: Final = 0.05
STORM_SECONDS_MAX: Final = 120.0
_CUT: Final = struct.pack("ii", 1, 0)
"""`SO_LINGER` of zero: closing resets the connection, as a lost network does."""


class Connection:
    """One open connection of a member."""

    __slots__ = ("begun_s", "connecting", "member", "receive", "socket")

    def __init__(self, member: Member, begun_s: float) -> None:
        self.member = member
        self.begun_s = begun_s
        self.connecting = True
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.receive = self.socket.recv

    def send(self, data: bytes) -> None:
        """Send a request, small enough for the kernel's buffer of a socket that just opened.

        Raises:
            MemberClosed: it did not fit, or the connection is gone.
        """
        try:
            sent = self.socket.send(data)
        except OSError as error:
            raise MemberClosed(_name(error), opened=True) from error
        if sent != len(data):
            raise MemberClosed("expected room for a request, was none", opened=True)


class Driver:
    """Drives one swarm.

    Args:
        settings: of the swarm.
        report: takes each report.
    """

    def __init__(self, settings: SwarmSettings, report: Callable[[dict[str, Any]], None]) -> None:
        self._settings = settings
        self._report = report
        self._verifier = Verifier(decoder(settings.codec))
        self._members = [self._member(number) for number in range(settings.sockets)]
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._opening: dict[Connection, None] = {}
        self._due: deque[Member] = deque(self._members)
        self._later: list[tuple[float, int, Member]] = []
        self._later_count = 0
        self._total = Histogram()
        self._random = random.Random(1)
        self._storm: tuple[float, dict[str, int]] | None = None
        self._started_s = self._sampled_s = time.monotonic()
        self._whole_s: float | None = None
        self._begun = 0
        self._opened = 0
        self._stopping = False

    def _member(self, number: int) -> Member:
        settings = self._settings
        credentials = settings.credentials
        authorization = credentials[number % len(credentials)] if credentials else None
        channels = settings.subscriptions[number % len(settings.subscriptions)]
        account = authorization or ""
        return Member(account, authorization, channels, settings.codec, self._verifier)

    def run(self) -> None:
        """Run to the end of the holding time."""
        storms = deque(sorted(self._settings.storms))
        while not self._stopping:
            now_s = time.monotonic()
            self._begin_due(now_s)
            for number, mask in self._poll.poll(LOOK_SECONDS, len(self._members)):
                self._ready(number, mask)
            now_s = time.monotonic()
            if now_s - self._sampled_s >= self._settings.sample_seconds:
                self._sample(now_s)
                self._give_up_slow(now_s)
            self._look(now_s)
            if self._whole_s is not None:
                held_s = now_s - self._whole_s
                if storms and held_s >= storms[0] and self._storm is None:
                    storms.popleft()
                    self._cut_all(now_s)
                if held_s >= self._settings.seconds and self._storm is None:
                    break
        self._sample(time.monotonic())
        self._report({"event": "done", **self._findings()})

    def stop(self) -> None:
        """End at the next look, with a full report."""
        self._stopping = True

    def close(self) -> None:
        """Cut all sockets."""
        for each in list(self._open.values()):
            each.socket.close()
        self._poll.close()

    # Opening

    def _begin_due(self, now_s: float) -> None:
        """Begin connections, at the pace of growing or, later, as fast as `opening_max` lets."""
        while self._later and self._later[0][0] <= now_s:
            self._due.append(heappop(self._later)[2])
        room = self._settings.opening_max - len(self._opening)
        if self._whole_s is None:
            allowed = int((now_s - self._started_s) * self._settings.per_second) + 1
            room = min(room, max(allowed - self._begun, 0))
        for _ in range(min(room, len(self._due))):
            self._begun += 1
            self._connect(self._due.popleft(), now_s)

    def _connect(self, member: Member, now_s: float) -> None:
        each = Connection(member, now_s)
        result = each.socket.connect_ex((self._settings.host, self._settings.port))
        if result not in (0, errno.EINPROGRESS):
            each.socket.close()
            self._failed(member, errno.errorcode.get(result, str(result)), None)
            return
        self._open[each.socket.fileno()] = each
        self._opening[each] = None
        self._poll.register(each.socket.fileno(), select.EPOLLOUT)

    def _failed(self, member: Member, reason: str, retry_s: float | None) -> None:
        self._verifier.counts.not_opened[reason] += 1
        self._again(member, retry_s)

    def _again(self, member: Member, retry_s: float | None) -> None:
        low_s, high_s = RETRY_SECONDS
        wait_s = self._random.uniform(low_s, high_s) + (retry_s or 0.0)
        self._later_count += 1
        heappush(self._later, (time.monotonic() + wait_s, self._later_count, member))

    def _give_up_slow(self, now_s: float) -> None:
        for each in list(self._opening):
            if now_s - each.begun_s > OPENING_SECONDS_MAX:
                self._drop(each)
                self._failed(each.member, "timeout", None)

    # Receiving

    def _ready(self, number: int, mask: int) -> None:
        each = self._open.get(number)
        if each is None:
            return
        member = each.member
        try:
            if each.connecting:
                self._connected(each)
                return
            data = each.receive(RECEIVE_BYTES)
            if not data:
                raise MemberClosed("1006", opened=member.state > MemberState.UPGRADING)
            member.receive(data, time.time_ns() // 1000)
            if member.state is MemberState.WHOLE and each in self._opening:
                del self._opening[each]
                self._opened += 1
        except BlockingIOError:
            return
        except OSError as error:
            opened = not each.connecting and member.state > MemberState.UPGRADING
            self._lost(each, MemberClosed("1006" if opened else _name(error), opened=opened))
        except MemberClosed as closed:
            self._lost(each, closed)

    def _connected(self, each: Connection) -> None:
        error = each.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "not connected")
        each.connecting = False
        self._poll.modify(each.socket.fileno(), select.EPOLLIN)
        host = f"{self._settings.host}:{self._settings.port}"
        each.member.connected(host, each.send)

    def _lost(self, each: Connection, closed: MemberClosed) -> None:
        self._drop(each)
        if closed.opened:
            self._verifier.counts.closed[closed.reason] += 1
            self._again(each.member, closed.retry_s)
        else:
            self._failed(each.member, closed.reason, closed.retry_s)

    def _drop(self, each: Connection) -> None:
        number = each.socket.fileno()
        self._poll.unregister(number)
        del self._open[number]
        self._opening.pop(each, None)
        each.socket.close()
        each.member.closed()

    # Storms

    def _cut_all(self, now_s: float) -> None:
        """Cut every connection at once; all come back and resume."""
        self._settle_latency(keep=True)
        before = {name: getattr(self._verifier.counts, name) for name in FAULTS}
        self._storm = (now_s, before)
        for each in list(self._open.values()):
            each.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CUT)
            self._drop(each)
            self._due.append(each.member)

    def _look(self, now_s: float) -> None:
        """Note when the swarm is whole for the first time, or again."""
        if self._whole_s is not None and self._storm is None:
            return
        whole = len(self._open) - len(self._opening)
        if self._storm is None:
            if whole == len(self._members):
                self._whole_s = now_s
                self._settle_latency(keep=False)
                self._report({"event": "whole", "seconds": round(now_s - self._started_s, 3)})
            return
        begun_s, before = self._storm
        if whole == len(self._members) or now_s - begun_s > STORM_SECONDS_MAX:
            counts = self._verifier.counts
            after = {name: getattr(counts, name) - before[name] for name in FAULTS}
            seconds = round(now_s - begun_s, 3)
            self._storm = None
            self._settle_latency(keep=False)
            self._report({"event": "storm", "seconds": seconds, "sockets": whole, **after})

    # Reporting

    def _settle_latency(self, *, keep: bool) -> Histogram:
        """Begin a new window of latencies; count the old one in the totals if asked."""
        window, self._verifier.latency = self._verifier.latency, Histogram()
        if keep and self._whole_s is not None and self._storm is None:
            self._total.merge([window])
        return window

    def _sample(self, now_s: float) -> None:
        counts = self._verifier.counts
        self._report(
            {
                "event": "sample",
                "at": round(time.time(), 3),
                "sockets": len(self._open) - len(self._opening),
                "opening": len(self._opening),
                "frames": counts.frames,
                "received_bytes": counts.received_bytes,
                "faults": counts.faults,
                "cpu_seconds": round(time.process_time(), 3),
                **self._settle_latency(keep=True).summary(),
            }
        )
        self._sampled_s = now_s

    def _findings(self) -> dict[str, Any]:
        counts: Counts = self._verifier.counts
        return {
            "counts": msgspec.to_builtins(counts),
            "latency": self._total.summary(),
            "frames_timed": len(self._total),
            "opened": self._opened,
            "sockets": len(self._open) - len(self._opening),
        }


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, str(error))
