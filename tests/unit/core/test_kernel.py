from __future__ import annotations

import pytest

from streams.core import limits
from streams.core.commands import (
    AnyCommand,
    FollowTrader,
    MarkRow,
    PlaceOrder,
    PublishMarks,
    RegisterTrader,
    SetCopy,
    Tick,
)
from streams.core.context import Context
from streams.core.derived import Derived
from streams.core.dispatch import DECIDERS, EVOLVERS
from streams.core.events import AnyEvent, DigestTaken, Ticked
from streams.core.invariants import check_invariants
from streams.core.kernel import Applied, Kernel
from streams.core.money import MICROS
from streams.core.profile_state import FormerHandle, Profile
from streams.core.snapshots import digest, restore, snapshot
from streams.core.state import IdeaBook, Level, State
from tests.unit.core.market import SERVICE, Asked, Market


def test_every_command_has_a_decider_and_every_event_an_evolver() -> None:
    assert set(AnyCommand.__args__) == set(DECIDERS)
    assert set(AnyEvent.__args__) == set(EVOLVERS)


def test_a_bare_context_has_neither_emit_nor_valuation() -> None:
    with pytest.raises(AssertionError, match="kernel"):
        Context(State()).emit(Ticked(1, True, 1))
    with pytest.raises(AssertionError, match="kernel"):
        _ = Context(State()).valuation


def test_entries_are_applied_in_order_only() -> None:
    market = Market("ann")
    with pytest.raises(ValueError, match="expected an entry after"):
        market.kernel.apply(market.ms, 0, "other", [])


def test_a_batch_is_applied_once() -> None:
    market = Market("ann")
    asked = [Asked("e", None, "ann", 0, PlaceOrder("BTC", "buy", 1_000))]
    market.kernel.apply(market.ms + 1, 0, "same", asked)
    again = market.kernel.apply(market.ms + 2, 0, "same", asked)
    assert (again.outcomes, again.events) == ([], [])
    assert market.lots("ann") == 1_000


def test_a_key_is_answered_once_and_replayed_after() -> None:
    market = Market("ann", "bob")
    first = market.do("ann", PlaceOrder("BTC", "buy", 1_000), key="k")
    assert market.code("ann", PlaceOrder("BTC", "buy", 5), key="k") == "OK"
    assert market.outcome is not None
    assert (market.outcome.result, market.outcome.on_record) == (first, False)
    assert market.outcome.first.endswith(".0")
    assert market.lots("ann") == 1_000
    market.do("bob", PlaceOrder("BTC", "buy", 7), key="k")
    assert market.lots("bob") == 7


def test_a_refusal_is_remembered_under_its_key() -> None:
    market = Market("ann")
    order = PlaceOrder("BTC", "cover", 1)
    assert market.code("ann", order, key="k") == "NOTHING_TO_CLOSE"
    market.do("ann", PlaceOrder("BTC", "short", 5))
    market.ms += 1
    applied = market.kernel.apply(market.ms + 1, 0, "b", [Asked("e", "k", "ann", 0, order)])
    assert applied.outcomes[0].code == "NOTHING_TO_CLOSE"
    assert market.lots("ann") == -5


def test_a_key_is_forgotten_after_its_age_and_beyond_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = Market("ann")
    market.do("ann", PlaceOrder("BTC", "buy", 1), key="old")
    market.ms += limits.IDEMPOTENCY_AGE_US_MAX // 1000 + 1
    market.do("ann", PlaceOrder("BTC", "buy", 1), key="old")
    assert market.lots("ann") == 2
    monkeypatch.setattr("streams.core.kernel.IDEMPOTENCY_KEYS_MAX", 1)
    market.do("ann", PlaceOrder("BTC", "buy", 1), key="new")
    assert list(market.state.keys) == ["ann:new"]


def test_batch_ids_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.kernel.BATCH_IDS_MAX", 2)
    market = Market("ann")
    assert list(market.state.batch_ids) == [f"b{market.ms - 1}", f"b{market.ms}"]


def test_ticks_are_numbered_and_cut_channels() -> None:
    market = Market("ann")
    assert market.code("ann", Tick(1), privileged=False) == "NOT_ALLOWED"
    market.do(SERVICE, Tick(10))
    assert market.code(SERVICE, Tick(10)) == "DUPLICATE_TICK"
    market.quote("BTC", 9_000, 9_000)
    seqs = market.state.conflated["marks:BTC"].seqs
    raw = seqs[0]
    assert seqs[1:] == [1, 1]
    market.do(SERVICE, Tick(11))
    assert seqs == [raw, 2, 1]
    market.do(SERVICE, Tick(20))
    assert seqs == [raw, 2, 2]
    market.do(SERVICE, Tick(30))
    assert seqs == [raw, 2, 2]


def test_digests_are_taken_of_the_record_before_them() -> None:
    market = Market("ann")
    market.do(SERVICE, Tick(49))
    chain, entry = market.state.chain.hex(), f"{market.ms}-0"
    market.do(SERVICE, Tick(50))
    taken = next(event for event in market.events if isinstance(event, DigestTaken))
    assert (taken.entry, taken.digest) == (entry, chain)
    assert market.state.channel_seqs["system"] == 3
    market.do(SERVICE, Tick(51))
    assert [type(event) for event in market.events] == [Ticked]


def test_what_is_cut_is_announced_before_it_is_numbered() -> None:
    seen: list[tuple[int, list[str]]] = []

    def on_cut(state: State, derived: Derived, interval: int) -> None:
        assert derived.valuation
        seen.append((interval, list(state.pending_channels[interval])))

    market = Market("ann")
    market.kernel.on_cut = on_cut
    market.quote("ETH", 999, 999)
    assert seen == [(0, ["marks", "marks:ETH"])]


def test_a_recorded_market_keeps_its_own_time() -> None:
    market = Market("ann")
    at_us = 1_700_000_000_000_000
    market.do(SERVICE, Tick(5))
    assert market.state.market_at_us == market.ms * 1000
    market.do(SERVICE, PublishMarks([MarkRow("BTC", 1, 1, 1)], at_us, recorded=True))
    assert market.state.market_at_us == at_us
    market.do(SERVICE, Tick(6))
    assert market.state.market_at_us == at_us
    market.do(SERVICE, PublishMarks([], at_us + 86_400_000_000, recorded=True))
    assert [type(event).__name__ for event in market.events] == ["DayClosed", "MarksPublished"]


def replayed(records: list[tuple[str, Applied]]) -> Kernel:
    kernel = Kernel(State())
    for batch_id, applied in records:
        folded = kernel.fold(applied.ms, applied.seq, batch_id, applied.recorded, applied.events)
        assert folded.chain == applied.chain
        assert folded.numbered == applied.numbered
    return kernel


def test_the_record_alone_rebuilds_the_state() -> None:
    market = Market("lea", "fay", quoted=False)
    kernel = Kernel(State())
    records: list[tuple[str, Applied]] = []
    commands = [
        (SERVICE, RegisterTrader("lea", "lea", "Lea", "account", 1_000 * MICROS)),
        (SERVICE, RegisterTrader("fay", "fay", "Fay", "account", 1_000 * MICROS)),
        ("fay", FollowTrader("lea")),
        ("fay", SetCopy("lea", allocation_micros=500 * MICROS)),
        ("fay", SetCopy("fay", allocation_micros=5)),
        (SERVICE, Tick(7)),
    ]
    for number, (principal, command) in enumerate(commands, 1):
        asked = [Asked(str(number), f"k{number}", principal, int(principal == SERVICE), command)]
        records.append((str(number), kernel.apply(number, 0, str(number), asked)))
    again = replayed(records)
    assert digest(kernel.state) == digest(again.state)
    assert market.state.totals.copies_active == 0


def test_a_restored_snapshot_is_the_state() -> None:
    market = Market("lea", "fay")
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    market.do("lea", PlaceOrder("BTC", "buy", 1_000))
    state = restore(snapshot(market.state))
    assert digest(state) == market.digest()
    again = Kernel(state)
    tick = [Asked("t", None, SERVICE, 1, Tick(40))]
    first = market.kernel.apply(market.ms + 1, 0, "t", tick)
    second = again.apply(market.ms + 1, 0, "t", tick)
    assert first.chain == second.chain
    assert digest(again.state) == market.digest()


def test_breaches_of_invariants_are_found() -> None:
    market = Market("ann", "bob")
    market.do("ann", FollowTrader("bob"))
    market.do("ann", PlaceOrder("BTC", "buy", 1_000))
    market.do("ann", PlaceOrder("BTC", "buy", 1, 9_000))
    market.do("ann", SetCopy("bob", allocation_micros=1))
    state = market.state
    position = state.traders["ann"].ledger.positions["BTC"]
    position.cost_micros = -1
    state.traders["ann"].ledger.positions["NONE"] = type(position)(0, 0, 0)
    state.orders["ghost"] = next(iter(state.orders.values()))
    state.traders["ann"].orders.clear()
    state.handles["ann"] = "bob"
    state.traders["ann"].profile = Profile(former_handles=[FormerHandle("anna", 1)])
    state.traders["bob"].followers.clear()
    state.copies["bob"]["ann"].status = "STOPPED"
    state.copies["bob"]["ann"].codes["EXECUTED"] = 5
    state.cancel_after["ann"] = 1
    state.conflated["marks"].pending[2].clear()
    state.instruments["ETH"].level_ticks = 10
    state.idea_books["ETH"] = IdeaBook(buys={5: Level(0, 1)})
    found = "\n".join(check_invariants(state))
    for part in (
        "wrong sign", "flat position", "unknown instrument", "position book", "does not rest",
        "unknown to its trader", "differ in number", "does not lead", "does not know its follower",
        "idea book ETH: expected (0, 0) at 5", "is no level",
        "stopped copy", "counts 1 copiers", "former handle anna", "copies_active",
        "codes do not add up", "pending rows", "switches and their times",
    ):  # fmt: skip
        assert part in found
