"""A running submitter with its log and tail, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from streams.log.flight import SubmitterLimits
from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.log.submitter import Submitter
from streams.ports import CommandError, CommandOutcome, EpochChanged, LogTruncated
from tests.support import MS, eventually
from tests.unit.log.samples import Sample, Tail, cancelled, sample_codec


class Clock:
    def now_us(self) -> int:
        return 1_767_225_600_000_000

    def monotonic(self) -> float:
        return 0.0


class Node:
    """One submitter with its log and tail."""

    def __init__(self, server: MemoryLogServer, log: MemoryLog, limits: SubmitterLimits) -> None:
        self.server = server
        self.log = log
        self.tail = Tail(log)
        self.recovered: list[LogTruncated | EpochChanged] = []
        self.on_recover: Callable[[], None] = lambda: None
        self.acknowledged: list[int] = []
        self.submitter: Submitter[Sample] = Submitter(
            log,
            sample_codec(),
            node="n1",
            incarnation="a",
            seen=lambda: self.tail.seen,
            on_truncated=self.recover,
            on_acknowledged=lambda seconds, commands: self.acknowledged.append(commands),
            limits=limits,
        )

    async def recover(self, error: LogTruncated | EpochChanged) -> None:
        self.recovered.append(error)
        self.on_recover()
        await self.log.open()


@asynccontextmanager
async def running(
    *, tailing: bool = True, limits: SubmitterLimits | None = None
) -> AsyncIterator[Node]:
    server = MemoryLogServer()
    log = MemoryLog(server, Clock(), node="n1")
    await log.open()
    node = Node(server, log, limits if limits is not None else SubmitterLimits())
    tasks = [asyncio.create_task(node.submitter.run(), name="submitter")]
    if tailing:
        tasks.append(asyncio.create_task(node.tail.run(lambda: node.submitter), name="tail"))
    await eventually(lambda: node.submitter.accepting)
    try:
        async with asyncio.timeout(10_000 * MS):
            yield node
    finally:
        for task in tasks:
            await cancelled(task)


async def code_of(future: asyncio.Future[CommandOutcome]) -> str:
    with pytest.raises(CommandError) as caught:
        await future
    return caught.value.code
