import asyncio

import msgspec
import pytest

from streams.fanout import hub as hub_module
from streams.fanout.delivery import SOCKETS_PER_LOOK
from streams.fanout.hub import Hub
from streams.ports import ChannelInfo
from streams.protocol.codec import JSON, MSGPACK
from tests.counter_replica import CounterReplica
from tests.unit.fanout.wires import Client, Turns, make_hub


def test_nobody_listens_nothing_is_encoded() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    hub.publish([source.bump("book:A")])
    assert (hub.wanted("book:A"), hub.frames_encoded) == (False, 0)


def test_feeds_are_named_while_somebody_reads_them() -> None:
    hub = make_hub(CounterReplica())
    one, two = Client(hub), Client(hub)
    feed = ChannelInfo("feed:ann", "feed", conflatable=False)
    one.join("system")
    assert dict(hub.feeds()) == {}
    hub.subscribe(one.outbox, feed, 0, snapshot=False, after_seq=0)
    readers = hub.feeds()["feed:ann"]
    hub.subscribe(two.outbox, feed, 0, snapshot=False, after_seq=0)
    hub.unsubscribe(one.outbox, "feed:ann")
    assert hub.feeds()["feed:ann"] is readers
    hub.detach(two.outbox)
    assert dict(hub.feeds()) == {}
    hub.subscribe(one.outbox, feed, 0, snapshot=False, after_seq=0)
    assert hub.feeds()["feed:ann"] is not readers


def test_one_encoding_and_the_same_bytes_for_all() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    clients = [Client(hub) for _ in range(3)] + [Client(hub, codec=MSGPACK) for _ in range(2)]
    for client in clients:
        client.join("system")
    hub.publish([source.bump("system")])
    assert [client.numbers("system") for client in clients] == [[("ev", 1)]] * 5
    assert (hub.frames_encoded, hub.frames_delivered) == (2, 5)
    assert hub.bytes_delivered == sum(len(client.wire.received) for client in clients)


def test_a_snapshot_is_made_once_for_all_who_ask() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    clients = [Client(hub) for _ in range(5)]
    for client in clients:
        client.join("book:A")
    assert source.snapshots_made == 1
    hub.publish([source.bump("book:A")])
    late = Client(hub)
    late.join("book:A")
    other = Client(hub, codec=MSGPACK)
    other.join("book:A")
    assert [("snap", 1)] == late.numbers("book:A") == other.numbers("book:A")
    assert source.snapshots_made == 3


def test_frames_of_one_publish_arrive_in_order_and_in_one_write() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    one, two = Client(hub), Client(hub)
    for name in ("system", "ideas", "signals:t_1"):
        one.join(name)
    two.join("ideas")
    names = ["system", "ideas", "ideas", "system", "signals:t_1"]
    hub.publish([source.bump(name) for name in names])
    assert names == [message["ch"] for message in one.messages()]
    assert (one.wire.writes, two.wire.writes) == (1, 1)
    assert two.numbers("ideas") == [("ev", 1), ("ev", 2)]


def test_who_left_receives_nothing_more() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    client = Client(hub)
    client.join("system")
    client.join("ideas")
    hub.unsubscribe(client.outbox, "system")
    hub.unsubscribe(client.outbox, "system")
    assert (hub.wanted("system"), hub.wanted("ideas"), hub.subscriptions) == (False, True, 1)
    hub.detach(client.outbox)
    hub.publish([source.bump("system"), source.bump("ideas")])
    assert (client.messages(), hub.subscriptions) == ([], 0)


def test_a_frame_published_after_its_number_was_read_is_left_out() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    early, slow = Client(hub), Client(hub, kernel_bytes=0)
    early.join("book:A")
    slow.join("book:A")
    slow.outbox.become_counted()
    frames = [source.bump("book:A"), source.bump("book:A")]
    late = Client(hub)
    late.join("book:A")
    frames.append(source.bump("book:A"))
    hub.publish(frames)
    assert early.numbers("book:A") == [("snap", 0), ("delta", 1), ("delta", 2), ("delta", 3)]
    assert late.numbers("book:A") == [("snap", 2), ("delta", 3)]
    slow.wire.read(10_000)
    assert slow.numbers("book:A") == [("snap", 0), ("delta", 1), ("delta", 2), ("delta", 3)]
    hub.publish([frames[-1]])
    assert late.numbers("book:A") == [("snap", 2), ("delta", 3), ("delta", 3)]


def test_a_socket_that_is_gone_costs_nobody_else_a_frame() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    clients = [Client(hub) for _ in range(5)]
    for client in clients:
        client.join("system")
    clients[0].join("ideas")
    clients[0].wire.lost = clients[3].wire.lost = True
    hub.publish([source.bump("system")])
    hub.publish([source.bump("system"), source.bump("ideas")])
    assert [len(clients[place].messages()) for place in (1, 2, 4)] == [2, 2, 2]
    assert hub.write_errors == 4


def test_a_frame_that_cannot_be_encoded_leaves_no_trace() -> None:
    source = CounterReplica()
    hub = make_hub(source)
    client = Client(hub)
    client.join("system")
    client.join("ideas")
    good = source.bump("system")
    bad = msgspec.structs.replace(source.bump("ideas"), data=object())
    with pytest.raises(TypeError):
        hub.publish([good, bad])
    assert client.messages() == []
    assert not hub.busy
    assert [client.outbox] == hub.subscribers("ideas")
    assert hub.subscribers("book:A") == []


def test_a_socket_given_up_in_a_publish_gets_nothing_more_of_it() -> None:
    source = CounterReplica(padding=5_000)
    hub = make_hub(source)
    slow = Client(hub, kernel_bytes=0)
    for name in ("system", "ideas"):
        slow.join(name)
    slow.outbox.become_counted()
    hub.publish([source.bump("system"), source.bump("ideas"), source.bump("system")])
    assert slow.overflow
    assert slow.wire.waiting == b""


# A broadcast in slices


def crowd(hub: Hub) -> list[Client]:
    clients = [Client(hub) for _ in range(3 * SOCKETS_PER_LOOK)]
    for client in clients:
        client.join("system")
    return clients


def test_a_long_broadcast_gives_way_and_goes_on() -> None:
    source, turns = CounterReplica(), Turns()
    hub = make_hub(source, turns=turns, sliced=True)
    clients = crowd(hub)
    hub.publish([source.bump("system")])
    done = [sum(bool(client.messages()) for client in clients)]
    while hub.busy:
        assert turns.turn()
        done.append(sum(bool(client.messages()) for client in clients))
    assert [SOCKETS_PER_LOOK * step for step in (1, 2, 3)] == done
    assert not turns.queued


def test_a_reply_comes_after_what_was_published_before() -> None:
    source, turns = CounterReplica(), Turns()
    hub = make_hub(source, turns=turns, sliced=True)
    clients = crowd(hub)
    last = clients[-1]
    last.join("ideas")
    hub.publish([source.bump("system")])
    hub.publish([source.bump("system"), source.bump("ideas")])
    last.outbox.send(JSON.wire({"t": "pong"}))
    hub.publish([source.bump("system")])
    while turns.turn():
        pass
    assert [message["t"] for message in last.messages()] == ["ev", "ev", "ev", "pong", "ev"]
    assert [[("ev", 1), ("ev", 2), ("ev", 3)]] * len(clients) == [
        client.numbers("system") for client in clients
    ]


def test_leaving_and_joining_again_during_a_broadcast_repeats_nothing() -> None:
    source, turns = CounterReplica(), Turns()
    hub = make_hub(source, turns=turns, sliced=True)
    clients = crowd(hub)
    gone, back = clients[-1], clients[-2]
    hub.publish([source.bump("system")])
    hub.detach(gone.outbox)
    hub.unsubscribe(back.outbox, "system")
    back.join("system")
    fresh = Client(hub)
    fresh.join("system")
    hub.publish([source.bump("system")])
    while turns.turn():
        pass
    assert gone.messages() == []
    assert back.numbers("system") == [("ev", 1), ("ev", 2)]
    assert fresh.numbers("system") == [("ev", 2)]


def test_a_socket_that_pauses_during_a_broadcast_misses_nothing() -> None:
    source, turns = CounterReplica(padding=600), Turns()
    hub = make_hub(source, turns=turns, sliced=True)
    clients = crowd(hub)
    slow = clients[0]
    slow.wire.room = 0
    for _ in range(4):
        hub.publish([source.bump("system")])
    while turns.turn():
        pass
    assert not slow.outbox.direct
    slow.wire.read(100_000)
    assert slow.outbox.direct
    hub.publish([source.bump("system")])
    while turns.turn():
        pass
    assert [("ev", seq) for seq in range(1, 6)] == slow.numbers("system")


def test_a_socket_that_pauses_is_not_overtaken_by_later_broadcasts() -> None:
    source, turns = CounterReplica(padding=600), Turns()
    hub = make_hub(source, turns=turns, sliced=True)
    clients = crowd(hub)
    last = clients[-1]
    last.wire.room = 0
    for _ in range(3):
        hub.publish([source.bump("system")])
    while last.outbox.direct:
        assert turns.turn()
    assert hub.busy
    hub.publish([source.bump("system")])
    while turns.turn():
        pass
    last.wire.read(100_000)
    assert [("ev", seq) for seq in range(1, 5)] == last.numbers("system")


def test_too_many_broadcasts_under_way_are_finished_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "DELIVERIES_MAX", 2)
    source, turns = CounterReplica(), Turns()
    hub = make_hub(source, turns=turns, sliced=True)
    clients = crowd(hub)
    for _ in range(20):
        hub.publish([source.bump("system")])
    assert len(clients[0].messages()) >= 18
    assert hub.busy


async def test_the_running_loop_finishes_a_broadcast() -> None:
    source = CounterReplica()
    times = iter(range(10**9))
    hub = Hub(source, monotonic=lambda: float(next(times)))
    clients = crowd(hub)
    hub.publish([source.bump("system")])
    for _ in range(5):
        await asyncio.sleep(0)
    assert not hub.busy
    assert clients[-1].numbers("system") == [("ev", 1)]
