"""Snapshots by a forked child: whole or failed, and nothing left behind, on both event loops."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from storage import snapshots, snapshotter as snapshotting
from storage.errors import StorageError
from storage.pool import Pool, open_pool
from storage.snapshotter import LOG_MS_KEPT, SnapshotFailed, Snapshotter, Subject, fork_snapshot
from streams.core.snapshots import digest, restore, snapshot
from streams.core.state import KeyOutcome, State
from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.ports import ENTRY_ZERO, EntryId
from tests.manual_clock import ManualClock
from tests.support import MS, eventually


Work = Callable[["Scene"], Awaitable[Any]]
Run = Callable[[Work], Any]

START = EntryId(1_772_366_400_000, 0)


def state_of(bytes_min: int) -> State:
    """Return a state at `START` whose snapshot has at least so many bytes."""
    keys = {f"k{n:060}": KeyOutcome(n, "OK", n, 0, 0, "x" * 60) for n in range(bytes_min // 120)}
    state = State(entry_ms=START.ms, chain=b"c" * 16, keys=keys)
    assert len(snapshot(state)) >= bytes_min
    return state


SMALL = state_of(10)
LARGE = state_of(3_000_000)
"""More than pipe and buffers hold: the child has to wait for its reader."""


class Scene:
    """A snapshotter with a log in memory and the children it forked."""

    def __init__(self, pool: Pool, children: list[int]) -> None:
        self.pool = pool
        self.children = children
        self.subject = Subject(SMALL, START, "e1")
        self.archived = ENTRY_ZERO
        self.entries = 0
        self.server = MemoryLogServer()
        self.clock = ManualClock()
        self.log = MemoryLog(self.server, self.clock)
        self.made = Snapshotter(
            pool,
            self.log,
            subject=lambda: self.subject,
            archived=lambda: self.archived,
            entries=lambda: self.entries,
            seconds_between=0.0,
        )

    async def nothing_left(self) -> None:
        """Wait until every child is gone, reaped by nobody but the snapshotter."""
        await eventually(lambda: all(map(_gone, self.children)))


@asynccontextmanager
async def refusing_chunks(pool: Pool) -> AsyncIterator[None]:
    """Let PostgreSQL refuse every chunk of a snapshot but the first."""
    table = "ALTER TABLE snapshot_chunks"
    await pool.execute(f"{table} ADD CONSTRAINT refusing CHECK (chunk_index < 1)")
    try:
        yield
    finally:
        await pool.execute(f"{table} DROP CONSTRAINT refusing")


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def on_loop(
    request: pytest.FixtureRequest, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run work with a scene on a loop; whatever the loop complains about fails the test."""
    children: list[int] = []

    def fork(state: State) -> tuple[int, int]:
        child, reading = fork_snapshot(state)
        children.append(child)
        return child, reading

    monkeypatch.setattr(snapshotting, "fork_snapshot", fork)
    complaints: list[dict[str, Any]] = []

    async def run(work: Work) -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        pool = await open_pool(migrated_url, size_max=3)
        scene = Scene(pool, children)
        try:
            async with asyncio.timeout(30_000 * MS):
                return await work(scene)
        finally:
            await scene.nothing_left()
            await pool.close()

    def runner(work: Work) -> Any:
        with asyncio.Runner(loop_factory=request.param) as running:
            found = running.run(run(work))
        assert complaints == []
        return found

    return runner


@pytest.mark.parametrize("state", [SMALL, LARGE], ids=["small", "large"])
def test_a_snapshot_is_of_the_state_at_the_fork(on_loop: Run, state: State) -> None:
    expected = digest(state)

    async def work(scene: Scene) -> None:
        scene.subject = Subject(state, START, "e1")
        taking = asyncio.create_task(scene.made.take())
        await eventually(lambda: scene.children)
        state.tick_number += 1  # the parent goes on meanwhile
        assert await taking == START
        state.tick_number -= 1
        (found,) = await snapshots.newest(scene.pool)
        data = await snapshots.load(scene.pool, found)
        assert ("e1", START, state.chain) == (found.epoch, found.entry_id, found.digest)
        assert expected == digest(restore(data))
        made = scene.made
        assert (1, START, len(data)) == (made.taken, made.newest, made.bytes)
        assert made.fork_ms > 0

    on_loop(work)


def test_few_snapshots_are_kept(on_loop: Run) -> None:
    async def work(scene: Scene) -> list[int]:
        for ms in range(1, 6):
            scene.subject = Subject(SMALL, EntryId(ms, 0), "e1")
            await scene.made.take()
        return [found.entry_id.ms for found in await snapshots.newest(scene.pool)]

    assert on_loop(work) == [5, 4, 3]


def test_a_child_that_is_killed_fails_the_snapshot(
    on_loop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    forking = snapshotting.fork_snapshot

    def fork(state: State) -> tuple[int, int]:
        child, reading = forking(state)
        os.kill(child, signal.SIGKILL)
        return child, reading

    async def work(scene: Scene) -> None:
        scene.subject = Subject(LARGE, START, "e1")
        with monkeypatch.context() as patch:
            patch.setattr(snapshotting, "fork_snapshot", fork)
            with pytest.raises(SnapshotFailed, match="expected the child to end with 0, was 9"):
                await scene.made.take()
        assert await snapshots.newest(scene.pool) == []
        assert (scene.made.taken, scene.made.newest) == (0, ENTRY_ZERO)
        await scene.made.take()
        assert scene.made.taken == 1

    on_loop(work)


def test_a_child_that_cannot_encode_fails_the_snapshot(on_loop: Run) -> None:
    async def work(scene: Scene) -> None:
        broken: Any = State(keys={"k": object()})  # type: ignore[dict-item]
        scene.subject = Subject(broken, START, "e1")
        with pytest.raises(SnapshotFailed):
            await scene.made.take()
        assert await snapshots.newest(scene.pool) == []

    on_loop(work)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_a_refused_snapshot_leaves_no_child_and_no_open_file(on_loop: Run) -> None:
    async def work(scene: Scene) -> None:
        await scene.made.take()  # whatever a loop opens once is open now
        scene.subject = Subject(LARGE, START, "e1")
        async with refusing_chunks(scene.pool):
            before = open_files()
            for _ in range(3):
                with pytest.raises(StorageError):
                    await scene.made.take()
                await scene.nothing_left()
            assert before == open_files()
        # the numbers of closed files are used again at once: nobody may think them his own
        await asyncio.gather(*(scene.made.take() for _ in range(2)))
        assert scene.made.taken == 3

    on_loop(work)


def test_a_cancelled_snapshot_leaves_no_child_and_no_open_file(on_loop: Run) -> None:
    async def work(scene: Scene) -> None:
        await scene.made.take()
        scene.subject = Subject(LARGE, START, "e1")
        before = open_files()
        for turns in range(60):
            taking = asyncio.create_task(scene.made.take())
            for _ in range(turns * 10):
                await asyncio.sleep(0)
            taking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await taking
        await eventually(lambda: open_files() <= before + 1)  # PostgreSQL's own come and go

    on_loop(work)


def test_cancelled_while_the_child_leaves(on_loop: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(scene: Scene) -> None:
        loop, waiting, cancelled = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
        waitpid = os.waitpid

        def entered(child: int, options: int) -> tuple[int, int]:
            loop.call_soon_threadsafe(waiting.set)
            cancelled.wait()
            return waitpid(child, options)

        with monkeypatch.context() as patch:
            patch.setattr(os, "waitpid", entered)
            taking = asyncio.create_task(scene.made.take())
            await waiting.wait()
            taking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await taking
            cancelled.set()
        await scene.nothing_left()

    on_loop(work)


def test_a_fork_that_is_refused_leaves_no_open_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise OSError(errno.EAGAIN, "no process to be had")

    before = open_files()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", refused)
        with pytest.raises(OSError, match="no process"):
            fork_snapshot(SMALL)
    assert before == open_files()


@pytest.mark.parametrize(
    ("newest", "archived", "kept"),
    [
        (0, 10, 10),  # no snapshot yet
        (10, 0, 10),  # nothing archived yet
        (8, 5, 7),
        (5, 8, 7),
        (10, 10, 2),
    ],
)
def test_the_log_is_trimmed_below_archive_and_snapshot_only(
    on_loop: Run, newest: int, archived: int, kept: int
) -> None:
    """Entries 1 to 10 stand `LOG_MS_KEPT` apart; so the one before the covered one stays, too."""

    async def work(scene: Scene) -> int:
        await scene.log.open()
        ids = [ENTRY_ZERO]
        for _ in range(10):
            scene.clock.advance(LOG_MS_KEPT / 1000)
            ids.append((await scene.log.append(b"x", seen=ids[-1])).entry_id)
        scene.archived = ids[archived]
        if newest:
            scene.subject = Subject(SMALL, ids[newest], "e1")
            await scene.made.take()
        trimmed = await scene.made.trim()
        assert trimmed + scene.server.length == 10
        return scene.server.length

    assert kept == on_loop(work)


def test_taken_when_due_and_again_after_a_failure(on_loop: Run) -> None:
    async def work(scene: Scene) -> None:
        running = asyncio.create_task(scene.made.run())
        await asyncio.sleep(0)
        assert scene.children == []
        scene.entries = 1
        await eventually(lambda: scene.made.taken == 1)
        scene.subject = Subject(LARGE, START, "e1")
        async with refusing_chunks(scene.pool):
            scene.entries = 2
            await eventually(lambda: len(scene.children) == 2)
            await scene.nothing_left()
        scene.entries = 3
        await eventually(lambda: scene.made.taken == 2, 10_000 * MS)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    on_loop(work)


def _gone(child: int) -> bool:
    """Whether a process is neither alive nor waiting to be reaped."""
    try:
        os.kill(child, 0)
    except ProcessLookupError:
        return True
    return False
