from streams.protocol.codec import JSON
from tests.counter_replica import CounterReplica
from tests.manual_clock import ManualClock
from tests.unit.fanout.wires import LIMITS, Client, make_hub


PAD = 300


def test_a_slow_reader_of_a_conflatable_channel_gets_the_newest_state() -> None:
    source = CounterReplica(padding=PAD)
    hub = make_hub(source)
    slow, quick = Client(hub, kernel_bytes=500), Client(hub)
    for client in (slow, quick):
        client.join("book:A")
    for _ in range(50):
        hub.publish([source.bump("book:A")])
    assert len(slow.wire.waiting) < LIMITS.outbox_hold_bytes + 2 * PAD
    assert slow.outbox.conflations == hub.conflations > 40
    slow.wire.read(1_000_000)
    hub.publish([source.bump("book:A")])
    seen = slow.numbers("book:A")
    assert seen[-2:] == [("snap", 50), ("delta", 51)]
    assert [seq for _, seq in seen] == sorted({seq for _, seq in seen})
    assert len(quick.numbers("book:A")) == 52


def test_a_slow_reader_of_a_lossless_channel_loses_nothing_up_to_the_bound() -> None:
    source = CounterReplica(padding=PAD)
    hub = make_hub(source)
    slow = Client(hub, kernel_bytes=100)
    slow.join("system")
    for _ in range(10):
        hub.publish([source.bump("system")])
    assert (slow.outbox.direct, slow.overflow) == (False, "")
    slow.wire.read(1_000_000)
    assert slow.outbox.direct
    hub.publish([source.bump("system")])
    assert [("ev", seq) for seq in range(1, 12)] == slow.numbers("system")


def test_beyond_the_bound_the_socket_is_given_up() -> None:
    source = CounterReplica(padding=PAD)
    hub = make_hub(source)
    slow = Client(hub, kernel_bytes=100)
    slow.join("system")
    slow.join("ideas")
    for _ in range(100):
        hub.publish([source.bump("system"), source.bump("ideas")])
    assert slow.overflow == "over 4000 bytes waited"
    assert len(slow.wire.waiting) <= LIMITS.outbox_bytes_max
    assert (hub.slow_closes, hub.subscriptions) == (1, 0)
    slow.outbox.send(b"x")
    slow.wire.read(1_000_000)
    assert hub.slow_closes == 1


def test_replies_count_like_lossless_data() -> None:
    slow = Client(make_hub(), kernel_bytes=0)
    for _ in range(100):
        slow.outbox.send(JSON.wire({"t": "pong", "pad": "x" * PAD}))
    assert slow.overflow
    assert len(slow.wire.waiting) <= LIMITS.outbox_bytes_max


def test_lossless_data_may_wait_for_ten_seconds() -> None:
    source, clock = CounterReplica(padding=PAD), ManualClock()
    hub = make_hub(source)
    slow = Client(hub, kernel_bytes=100, clock=clock)
    slow.join("system")
    hub.publish([source.bump("system")])
    assert slow.outbox.direct
    # Too little waits for the transport to say so: the look every few seconds finds it.
    assert slow.outbox.inspect() == 10.0
    assert not slow.outbox.direct
    clock.advance(9.0)
    hub.publish([source.bump("system")])
    assert slow.outbox.inspect() == 10.0
    clock.advance(0.5)
    # What waited first has gone meanwhile: now the younger data counts.
    slow.wire.read(len(slow.wire.waiting) // 2)
    assert slow.outbox.inspect() == 19.0
    clock.advance(9.5)
    assert slow.outbox.inspect() is None
    assert slow.overflow == "lossless data waited over 10000 ms"


def test_marks_of_one_moment_share_one() -> None:
    source, clock = CounterReplica(), ManualClock()
    hub = make_hub(source)
    slow = Client(hub, kernel_bytes=10, clock=clock)
    slow.join("system")
    hub.publish([source.bump("system")])
    slow.outbox.inspect()
    for _ in range(10):
        clock.advance(0.1)
        hub.publish([source.bump("system")])
    assert slow.outbox.inspect() == 11.0
    clock.advance(0.5)
    hub.publish([source.bump("system")])
    assert slow.outbox.inspect() == 11.0


def test_a_socket_that_was_looked_at_becomes_direct_when_empty() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    slow = Client(hub, kernel_bytes=10)
    slow.join("system")
    hub.publish([source.bump("system")])
    slow.outbox.inspect()
    assert not slow.outbox.direct
    slow.wire.read(1_000)
    assert slow.outbox.inspect() is None
    assert slow.outbox.direct


def test_a_socket_without_lossless_channels_may_wait() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    slow = Client(hub, kernel_bytes=10)
    slow.join("book:A")
    assert slow.outbox.inspect() is None
    assert slow.outbox.direct


def test_many_snapshots_at_once_wait_for_the_socket() -> None:
    source = CounterReplica(padding=PAD)
    hub = make_hub(source)
    slow = Client(hub, kernel_bytes=100)
    names = [f"book:{number}" for number in range(30)]
    for name in names:
        slow.join(name)
    assert len(slow.wire.waiting) < LIMITS.outbox_hold_bytes + 2 * PAD
    hub.publish([source.bump(name) for name in names])
    slow.wire.read(1_000)
    hub.unsubscribe(slow.outbox, names[-1])
    while slow.wire.waiting or slow.outbox.held:
        slow.wire.read(500)
    assert slow.outbox.direct
    hub.publish([source.bump(name) for name in names])
    slow.wire.read(1_000_000)
    for name in names[:-1]:
        seen = slow.numbers(name)
        assert seen[0][0] == "snap"
        assert [seq for _, seq in seen] == list(range(seen[0][1], 3))
    assert slow.numbers(names[-1]) == []


def test_a_resumed_channel_catches_up_as_fast_as_the_socket_takes_it() -> None:
    source = CounterReplica(padding=PAD)
    hub = make_hub(source)
    for _ in range(60):
        source.bump("system")
    slow = Client(hub, kernel_bytes=100)
    slow.join("system", after_seq=5)
    hub.publish([source.bump("system")])
    assert len(slow.wire.waiting) < LIMITS.outbox_hold_bytes + 2 * PAD
    while slow.wire.waiting or slow.outbox.held:
        slow.wire.read(700)
        hub.publish([source.bump("system")] if source.seq("system") < 70 else [])
    hub.publish([source.bump("system")])
    slow.wire.read(1_000_000)
    assert [("ev", seq) for seq in range(6, 72)] == slow.numbers("system")
    assert slow.overflow == ""


def test_a_history_forgotten_during_the_catching_up() -> None:
    source = CounterReplica(padding=PAD, history_max=20)
    hub = make_hub(source)
    for _ in range(20):
        source.bump("system")
        source.bump("book:A")
    lossless, conflatable = (Client(hub, kernel_bytes=100) for _ in range(2))
    lossless.join("system", after_seq=5)
    conflatable.join("book:A", after_seq=5)
    for _ in range(30):
        source.bump("system")
        source.bump("book:A")
    lossless.wire.read(1_000_000)
    conflatable.wire.read(1_000_000)
    assert lossless.overflow == "history no longer held in memory"
    assert conflatable.numbers("book:A")[-1] == ("snap", 50)
    assert conflatable.overflow == ""


def test_a_resumed_channel_of_a_quick_client() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    for _ in range(9):
        source.bump("book:A")
    client = Client(hub)
    client.join("book:A", after_seq=6)
    hub.publish([source.bump("book:A")])
    assert [("delta", seq) for seq in (7, 8, 9, 10)] == client.numbers("book:A")
    assert hub.frames_replayed == 3


def test_a_snapshot_that_is_ahead_of_the_publishing_is_not_followed_by_older_frames() -> None:
    source = CounterReplica(padding=PAD)
    hub = make_hub(source)
    slow = Client(hub, kernel_bytes=100)
    slow.join("book:A")
    for _ in range(10):
        hub.publish([source.bump("book:A")])
    frame = source.bump("book:A")
    slow.wire.read(1_000_000)
    hub.publish([frame, source.bump("book:A")])
    assert slow.numbers("book:A")[-2:] == [("snap", 11), ("delta", 12)]
