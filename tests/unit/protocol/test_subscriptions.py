from typing import Any

from streams.ports import Principal
from streams.protocol.effects import Attach, Detach, Reply
from streams.protocol.operations import SubscribeItem
from streams.protocol.subscriptions import Subscriptions
from tests.counter_replica import CounterReplica


ALICE = Principal("t_alice")


def items(*names: str) -> list[SubscribeItem]:
    return [SubscribeItem(name) for name in names]


def modes(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(entry["ch"], entry.get("code") or entry.get("mode", "")) for entry in entries]


def test_each_item_is_answered_in_its_place() -> None:
    subscriptions = Subscriptions(CounterReplica(), subscriptions_max=10)
    entries, attached = subscriptions.subscribe(
        items("book:A", "nope", "book:NOPE", "copies", "book:A", "system", "book:A@100ms"), None
    )
    assert modes(entries) == [
        ("book:A", "snapshot"),
        ("nope", "UNKNOWN_CHANNEL"),
        ("book:NOPE", "UNKNOWN_CHANNEL"),
        ("copies", "UNAUTHENTICATED"),
        ("book:A", "ALREADY_SUBSCRIBED"),
        ("system", "live"),
        ("book:A@100ms", "ALREADY_SUBSCRIBED"),
    ]
    assert [attach.info.key for attach in attached] == ["book:A", "system"]
    assert len(subscriptions) == 2
    assert "book:A" in subscriptions


def test_an_own_channel_belongs_to_the_account() -> None:
    subscriptions = Subscriptions(CounterReplica(), subscriptions_max=10)
    _, attached = subscriptions.subscribe(items("copies"), ALICE)
    assert [
        (attach.info.key, attach.info.name, attach.mode, attach.seq) for attach in attached
    ] == [("copies:t_alice", "copies", "live", 0)]


def test_what_is_beyond_the_bound_is_refused_and_the_rest_stands() -> None:
    subscriptions = Subscriptions(CounterReplica(), subscriptions_max=2)
    entries, attached = subscriptions.subscribe(items("book:A", "book:B", "book:C"), None)
    assert modes(entries)[2] == ("book:C", "TOO_MANY_SUBSCRIPTIONS")
    assert len(attached) == 2
    subscriptions.unsubscribe(["book:A"])
    entries, _ = subscriptions.subscribe(items("book:C"), None)
    assert modes(entries) == [("book:C", "snapshot")]


def test_a_channel_may_be_left_by_the_name_asked_or_sent() -> None:
    for name in ("signals:@bob", "signals:t_bob"):
        subscriptions = Subscriptions(CounterReplica(), subscriptions_max=2)
        entries, _ = subscriptions.subscribe(items("signals:@bob"), None)
        assert (entries[0]["ch"], entries[0]["asked"]) == ("signals:t_bob", "signals:@bob")
        assert ([{"ch": name}], ["signals:t_bob"]) == subscriptions.unsubscribe([name])
        assert len(subscriptions) == 0
        other = {"signals:@bob", "signals:t_bob"} - {name}
        assert subscriptions.unsubscribe(list(other))[0][0]["code"] == "NOT_SUBSCRIBED"


def test_a_permission_lost_ends_the_subscription() -> None:
    source = CounterReplica()
    subscriptions = Subscriptions(source, subscriptions_max=2)
    subscriptions.subscribe(items("signals:t_bob"), ALICE)
    assert subscriptions.recheck("signals:t_bob", ALICE) == []
    source.forbidden.add(("signals:t_bob", "t_alice"))
    assert [
        Detach("signals:t_bob"),
        Reply({"t": "gone", "ch": "signals:t_bob", "code": "FORBIDDEN"}),
    ] == subscriptions.recheck("signals:t_bob", ALICE)
    assert subscriptions.recheck("signals:t_bob", ALICE) == []


def test_attach_carries_where_to_begin() -> None:
    source = CounterReplica()
    source.bump("book:A")
    _, attached = Subscriptions(source, subscriptions_max=2).subscribe(items("book:A"), None)
    info = source.resolve("book:A", None)
    assert [Attach(info, 1, "snapshot", 1)] == attached
