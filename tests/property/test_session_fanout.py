"""Whatever happens to sockets, each sees its channels without a gap, a repeat or a reordering."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streams.fanout import delivery
from streams.ports import Frame
from streams.protocol.codec import JSON, MSGPACK
from tests.counter_replica import CounterReplica
from tests.unit.fanout.wires import Client, Turns, make_hub


CHANNELS = ["book:A", "book:B", "system", "ideas"]
CLIENTS = 4

clients = st.integers(0, CLIENTS - 1)
channels = st.sampled_from(CHANNELS)
steps = st.one_of(
    st.tuples(st.just("publish"), st.lists(channels, max_size=6)),
    st.tuples(st.just("apply"), channels),
    st.tuples(st.just("join"), clients, channels),
    st.tuples(st.just("join"), clients, channels, st.integers(0, 5)),
    st.tuples(st.just("leave"), clients, channels),
    st.tuples(st.just("read"), clients, st.sampled_from([50, 400, 3_000])),
    st.tuples(st.just("reply"), clients),
    st.tuples(st.just("inspect"), clients),
    st.tuples(st.just("turn")),
)


@pytest.fixture(autouse=True, scope="module")
def _small_steps() -> Iterator[None]:
    """Let a broadcast to four sockets take four steps, so that much happens in between."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "SOCKETS_PER_LOOK", 1)
        yield


class Seen:
    """What a client must see of one subscription: each number once, from where it began."""

    def __init__(self, begin: int, *, lossless: bool) -> None:
        self.last = begin
        self.lossless = lossless

    def take(self, kind: str, seq: int) -> None:
        if kind == "snap":
            assert not self.lossless
            assert seq >= self.last
        else:
            assert seq == self.last + 1
        self.last = seq


class Scene:
    """A hub with a few sockets, the loop's turns in the script's hand."""

    def __init__(self, *, sliced: bool, kernel_bytes: int) -> None:
        self.source = CounterReplica(padding=120)
        self.turns = Turns()
        self.hub = make_hub(self.source, turns=self.turns, sliced=sliced)
        self.crowd = [
            Client(
                self.hub, kernel_bytes=kernel_bytes * (place + 1), codec=(JSON, MSGPACK)[place % 2]
            )
            for place in range(CLIENTS)
        ]
        self.expected: dict[tuple[int, str], Seen] = {}
        self.taken = [0] * CLIENTS
        self.applied: list[Frame] = []

    def apply(self, name: str) -> None:
        """Count a channel up now, publish the frame with the next ones."""
        self.applied.append(self.source.bump(name))

    def publish(self, names: list[str]) -> None:
        for name in names:
            self.apply(name)
        frames, self.applied = self.applied, []
        self.hub.publish(frames)

    def join(self, place: int, name: str, back: int | None = None) -> None:
        client = self.crowd[place]
        if client.overflow or name in client.outbox.channels:
            return
        seq = self.source.seq(name)
        begin = seq if back is None else max(0, seq - back)
        self.expected[place, name] = Seen(begin, lossless=name in ("system", "ideas"))
        client.join(name, None if back is None else begin)

    def leave(self, place: int, name: str) -> None:
        self.hub.unsubscribe(self.crowd[place].outbox, name)
        # What was written before still comes: read it, so that it is not taken for new.
        self.settle(place)

    def read(self, place: int, count: int) -> None:
        self.crowd[place].wire.read(count)

    def reply(self, place: int) -> None:
        client = self.crowd[place]
        client.outbox.send(client.outbox.codec.wire({"t": "pong"}))

    def inspect(self, place: int) -> None:
        self.crowd[place].outbox.inspect()

    def turn(self) -> None:
        self.turns.turn()

    def settle(self, place: int) -> None:
        """Let the loop and this client finish, then check what it saw."""
        while self.turns.turn():
            pass
        client = self.crowd[place]
        while client.wire.waiting or client.outbox.held:
            client.wire.read(5_000)
            client.outbox.inspect()
        messages = client.messages()
        for message in messages[self.taken[place] :]:
            if "ch" in message:
                self.expected[place, message["ch"]].take(message["t"], message["seq"])
        self.taken[place] = len(messages)


@given(
    script=st.lists(steps, max_size=60),
    sliced=st.booleans(),
    kernel_bytes=st.sampled_from([0, 300, 100_000]),
)
@settings(max_examples=200, deadline=None)
def test_every_client_sees_every_channel_in_order(
    script: list[tuple[Any, ...]], sliced: bool, kernel_bytes: int
) -> None:
    scene = Scene(sliced=sliced, kernel_bytes=kernel_bytes)
    for name, *arguments in script:
        getattr(scene, name)(*arguments)
    scene.publish([])
    for place, client in enumerate(scene.crowd):
        scene.settle(place)
        for name in client.outbox.channels:
            assert scene.source.seq(name) == scene.expected[place, name].last
