from __future__ import annotations

from collections import Counter

from server.bench.workload import GROUP, MIX, Workload


def with_ideas(traders: int, seed: int = 1) -> Workload:
    work = Workload(traders, seed)
    for number, asked in enumerate(work.beginnings()):
        if asked.name == "create_idea":
            work.learn(asked, {"idea": {"idea": f"i{number}"}})
    return work


def test_one_of_a_group_leads_and_the_others_copy() -> None:
    names = Counter(asked.name for asked in Workload(2 * GROUP).beginnings())
    assert names == {"create_idea": 2, "set_copy": 2 * GROUP - 2}


def test_a_seed_repeats_the_requests() -> None:
    first, second = with_ideas(20, seed=7), with_ideas(20, seed=7)
    assert [first.next() for _ in range(200)] == [second.next() for _ in range(200)]


def test_keys_are_never_used_twice() -> None:
    work = with_ideas(20)
    asked = [work.next() for _ in range(500)]
    assert len(asked) == len({each.key for each in asked})


def test_an_order_is_cancelled_once_by_its_own_trader() -> None:
    work = with_ideas(20)
    placed, cancelled = {}, []
    for number in range(2_000):
        asked = work.next()
        if asked.name == "open_order" and asked.args["type"] == "limit":
            placed[f"o{number}"] = asked.trader
            work.learn(asked, {"order": {"order": f"o{number}"}})
        elif asked.name == "cancel_order":
            cancelled.append(asked.args["order"])
            assert placed[asked.args["order"]] == asked.trader
    assert 0 < len(cancelled) == len(set(cancelled))


def test_the_shares_add_up() -> None:
    assert sum(MIX.values()) == 100
