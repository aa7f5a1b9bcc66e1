"""Channels as the gateway sees them: names, access, numbers, snapshots, deltas."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from server.bench.offline import OfflineNode
from streams.core.commands import (
    FollowTrader,
    MarkRow,
    PlaceOrder,
    PublishIdea,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
    Tick,
    UpdateTrader,
)
from streams.core.leaderboard import BOARD_KEYS
from streams.core.money import MICROS, Step
from streams.ports import ChannelInfo, Frame, Principal
from streams.replica.history import wire_name
from streams.replica.rendering import CHECKSUM_EVERY, delta_frame, snapshot_frame
from streams.replica.source import ReplicaSource
from tests.simulation.virtual_loop import run_virtual
from tests.unit.replica.test_history import Listeners


KEYS = ("marks", "marks:x:A@raw", "book:x:A@raw", "positions:x:A", "sentiment:x:A")


class Scene:
    """A played market: one second of marks, an idea, followers; everything was listened to."""

    def __init__(self) -> None:
        self.listeners = Listeners(*KEYS, "ideas", "account:lea")
        self.node = OfflineNode(self.listeners)
        self.source = ReplicaSource(self.node.replica)

    async def play(self) -> None:
        edge = self.node.edge
        for symbol in ("x:A", "B"):
            register = RegisterInstrument(symbol, symbol, "x", "spot", Step(1, 2), Step(1, 3))
            await edge.submit(register, "test", privileged=True)
        for trader in ("lea", "ann", "bob"):
            made = RegisterTrader(trader, f"{trader}_h", trader, "account", 100 * MICROS)
            await edge.submit(made, "test", privileged=True)
        await edge.submit(UpdateTrader(signals_access="followers"), "lea")
        await edge.submit(FollowTrader("lea"), "ann")
        for number in range(2 * CHECKSUM_EVERY):
            price = 10_000 + number
            marks = PublishMarks([MarkRow("x:A", price, price, price)])
            await edge.submit(marks, "test", privileged=True)
            idea = PublishIdea(
                "title", "a long thesis", "x:A", "buy", 0, 0, 0, "", 9_000, 1, [], True
            )
            await edge.submit(idea, "lea")
        await edge.submit(PlaceOrder("x:A", "buy", 1), "lea")
        await edge.submit(Tick(20), "test", privileged=True)


@pytest.fixture(scope="module")
def scene() -> Scene:
    made = Scene()

    async def run() -> None:
        async with made.node.running():
            await made.play()

    run_virtual(run())
    return made


# each row: a channel, who asks (* = nobody), then key and name, or the code of the refusal
RESOLVED = """
marks                       *    marks                  marks                  conflated
marks@100ms                 *    marks                  marks                  conflated
marks:x:A@1s                *    marks:x:A@1s           marks:x:A@1s           conflated
marks:x:Z                   *    UNKNOWN_CHANNEL
book:x:A@raw                *    book:x:A@raw           book:x:A@raw           conflated
book:x:A@2s                 *    UNKNOWN_CHANNEL
positions:B                 *    positions:B            positions:B            conflated
sentiment:none              *    UNKNOWN_CHANNEL
leaderboard:sharpe:all      *    leaderboard:sharpe:all leaderboard:sharpe:all conflated
leaderboard:luck:all        *    UNKNOWN_CHANNEL
ideas                       *    ideas                  ideas                  lossless
ideas:x:A                   *    ideas:x:A              ideas:x:A              lossless
ideas@1s                    *    UNKNOWN_CHANNEL
ideas_by:lea                *    ideas_by:lea           ideas_by:lea           lossless
ideas_by:@LEA_h             *    ideas_by:lea           ideas_by:lea           lossless
ideas_by:@nobody            *    UNKNOWN_CHANNEL
ideas_by:nobody             *    UNKNOWN_CHANNEL
signals:bob                 *    signals:bob            signals:bob            lossless
signals:lea                 *    UNAUTHENTICATED
signals:@lea_h              bob  FORBIDDEN
signals:@lea_h              ann  signals:lea            signals:lea            lossless
signals:lea                 lea  signals:lea            signals:lea            lossless
signals:lea                 root signals:lea            signals:lea            lossless
system                      *    system                 system                 lossless
copies                      *    UNAUTHENTICATED
copies                      bob  copies:bob             copies                 lossless
account                     lea  account:lea            account                lossless
trending                    *    trending               trending               conflated
feed                        bob  feed:bob               feed                   lossless
feed                        *    UNAUTHENTICATED
notifications               bob  notifications:bob      notifications          lossless
notifications               *    UNAUTHENTICATED
nothing                     *    UNKNOWN_CHANNEL
"""


@pytest.mark.parametrize("row", RESOLVED.strip().splitlines())
def test_resolve(scene: Scene, row: str) -> None:
    channel, who, *told = row.split()
    roles = ("admin",) if who == "root" else ("trader",)
    principal = None if who == "*" else Principal(who, roles=roles)

    found = scene.source.resolve(channel, principal)

    if isinstance(found, ChannelInfo):
        kind = "conflated" if found.conflatable else "lossless"
        assert told == [found.key, wire_name(found.name), kind]
    else:
        assert told == [found]


def test_place_and_readiness_are_the_replicas(scene: Scene) -> None:
    replica, source = scene.node.replica, scene.source

    assert (replica.epoch, replica.offset, replica.ready) == (
        source.epoch,
        source.offset,
        source.ready,
    )
    assert source.epoch


def test_numbers_and_history_are_those_of_the_frames(scene: Scene) -> None:
    for key, frames in scene.listeners.frames.items():
        newest = frames[-1].seq
        assert newest == scene.source.seq(key)
        assert frames[-3:] == scene.source.history(key, newest - len(frames[-3:]))
        assert scene.source.history(key, newest) == []
    assert set(scene.listeners.frames) == {*KEYS, "ideas", "account:lea"}
    assert (scene.source.seq("marks:B"), scene.source.seq("copies:ann")) == (0, 0)
    assert scene.source.history("book:x:A@1s", 0) is None, "nobody listened"


def test_every_tenth_delta_of_a_book_has_the_checksum_of_its_snapshot(scene: Scene) -> None:
    frames = scene.listeners.frames["book:x:A@raw"]

    with_crc = [frame.seq for frame in frames if frame.crc is not None]
    assert with_crc == [CHECKSUM_EVERY, 2 * CHECKSUM_EVERY]
    assert all(frame.crc is None for frame in scene.listeners.frames["marks"])
    snap = scene.source.snapshot("book:x:A@raw")
    text = "|".join(f"{price}:{weight}" for price, weight, _ in snap.data["b"][:25])
    assert zlib.crc32(text.encode()) == snap.crc


def test_snapshots_of_every_kind(scene: Scene) -> None:
    state = scene.node.replica.state
    boards = [f"leaderboard:{key}" for key in BOARD_KEYS]
    for key in [*KEYS, "marks:x:A", "positions:B", "book:B@1s", *boards]:
        frame = scene.source.snapshot(key)
        assert (key, "snap", scene.source.seq(key)) == (frame.key, frame.kind, frame.seq)
        assert frame.ts_us == state.entry_ms * 1000
        checked = key.startswith(("book", "positions", "leaderboard"))
        assert checked == (frame.crc is not None)
    everything, one, none = (
        snapshot_frame(state, key).data["rows"] for key in ("marks", "marks:x:A", "marks:B")
    )
    assert (everything, none) == (one, [])
    assert [row[0] for row in one] == ["x:A"]


def applied(rows: list[list[Any]], frame: Frame) -> list[list[Any]]:
    known = {row[0]: row for row in rows}
    known.update({row[0]: row for row in frame.data["rows"]})
    return list(known.values())


def test_state_and_deltas_are_the_state_after(scene: Scene) -> None:
    rows: list[list[Any]] = []
    for frame in scene.listeners.frames["marks:x:A@raw"]:
        rows = applied(rows, frame)

    assert rows == scene.source.snapshot("marks:x:A@raw").data["rows"]


def test_a_delta_shows_the_pending_rows_under_the_coming_number(scene: Scene) -> None:
    state = scene.node.replica.state
    touched = state.conflated["marks"].pending[2]
    touched["x:A"] = None
    frame = delta_frame(state, "marks", "marks@1s", 2)
    touched.pop("x:A")

    assert (frame.key, frame.kind, frame.seq) == (
        "marks@1s",
        "delta",
        scene.source.seq("marks@1s") + 1,
    )
    assert [row[0] for row in frame.data["rows"]] == ["x:A"]
