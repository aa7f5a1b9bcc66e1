"""Seeds, the order in which followers are served, the day's report, and the audit of all three."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from streams.core.commands import CommitSeed, OpenSeed, SetCopy, Tick
from streams.core.copying.fairness import correlation, jain_index, sums_of
from streams.core.copying.fairness_audit import PROBLEMS_MAX, FairnessAudit
from streams.core.copying.seeds import (
    alias_of,
    commitment_of,
    day_key,
    dispatch_key,
    evolve_seed_opened,
)
from streams.core.events import CopyDecided, Event, SeedOpened, SeedRevealed, SignalDispatched
from streams.core.market_clock import day_of
from streams.core.money import MICROS
from streams.core.state import FairnessDay
from streams.core.view import date_of, dispatch_view, fairness_view, opening_view
from tests.unit.core.market import SERVICE, Market


SEEDS = [bytes([number]) * 32 for number in range(4)]


class Audited(Market):
    """A market whose every entry an audit follows."""

    def __init__(self, *traders: str) -> None:
        self.audit = FairnessAudit()
        self.record: list[tuple[list[Event], bytes]] = []
        super().__init__(*traders)

    def code(self, *arguments: Any, **named: Any) -> str:
        before = self.kernel.state.chain
        code = super().code(*arguments, **named)
        self.record.append((self.events, before))
        self.audit.follow(self.events, before)
        return code

    def served(self) -> list[str]:
        return [event.follower for event in self.events if isinstance(event, CopyDecided)]

    def pass_day(self) -> None:
        self.ms += 86_400_000
        self.do(SERVICE, Tick(self.state.tick_number + 10))


FOLLOWERS = ("fay", "gus", "hal", "ida", "jon")


def copied() -> Audited:
    market = Audited("lea", *FOLLOWERS)
    for name in FOLLOWERS:
        market.do(name, SetCopy("lea", allocation_micros=100 * MICROS))
    return market


def sealed() -> Audited:
    """The first seed is open."""
    market = copied()
    market.do(SERVICE, CommitSeed(1, b"n", commitment_of(SEEDS[1])))
    market.pass_day()
    market.do(SERVICE, OpenSeed(1, SEEDS[1]))
    return market


def test_followers_are_served_in_the_order_of_the_days_seed() -> None:
    market = sealed()
    market.fill("lea", 1_000, 10_000)
    seed = market.state.seed_now
    assert seed is not None
    key = day_key(SEEDS[1], seed.salt)
    number = market.state.traders["lea"].signal_seq
    expected = sorted(FOLLOWERS, key=lambda name: dispatch_key(key, "lea", number, name))
    assert market.served() == expected
    orders = set()
    for _ in range(12):
        market.fill("lea", 10, 10_000)
        orders.add(tuple(market.served()))
    assert len(orders) > 6
    assert market.audit.problems == []
    assert (market.audit.signals, market.audit.seeds) == (13, 1)


def test_without_a_seed_they_are_served_in_the_order_in_which_they_began() -> None:
    market = copied()
    market.fill("lea", 1_000, 10_000)
    assert tuple(market.served()) == FOLLOWERS
    market.do(SERVICE, CommitSeed(1, b"n", commitment_of(SEEDS[1])))
    market.pass_day()
    market.fill("lea", 1_000, 10_000)
    assert tuple(market.served()) == FOLLOWERS
    assert market.audit.unsealed == 2
    report = fairness_view(market.state, day_of(market.state.market_at_us))
    assert report is not None
    assert (report["signals_unsealed"], report["seed"]["opened"]) == (1, False)


def test_a_seed_is_revealed_when_its_day_has_ended_and_not_before() -> None:
    market = sealed()
    market.fill("lea", 1_000, 10_000)
    today = day_of(market.state.market_at_us)
    report = fairness_view(market.state, today)
    assert report is not None
    assert report["seed"]["seed"] is None
    market.do(SERVICE, CommitSeed(2, b"n", commitment_of(SEEDS[2])))
    again = fairness_view(market.state, today)
    assert again is not None
    assert again["next_commitment"] == commitment_of(SEEDS[2]).hex()
    market.pass_day()
    (revealed,) = [event for event in market.events if isinstance(event, SeedRevealed)]
    assert (revealed.day, revealed.seed) == (today, SEEDS[1])
    closed = fairness_view(market.state, today)
    assert closed is not None
    assert closed["seed"]["seed"] == SEEDS[1].hex()
    assert closed["day"] == date_of(today)
    market.pass_day()
    assert not [event for event in market.events if isinstance(event, SeedRevealed)]
    assert fairness_view(market.state, 1) is None
    assert market.audit.problems == []


def test_a_salt_that_nobody_knew_at_the_commitment_is_part_of_the_key() -> None:
    keys = []
    for price in (10_000, 10_001):
        market = copied()
        market.do(SERVICE, CommitSeed(1, b"n", commitment_of(SEEDS[1])))
        market.quote("BTC", price, price + 1)
        market.pass_day()
        market.do(SERVICE, OpenSeed(1, SEEDS[1]))
        assert market.state.seed_now is not None
        keys.append(market.state.seed_now.key)
    assert keys[0] != keys[1]


def test_what_is_refused_of_seeds() -> None:
    market = copied()
    good = commitment_of(SEEDS[1])
    assert market.code("fay", CommitSeed(1, b"", good)) == "NOT_ALLOWED"
    assert market.code("fay", OpenSeed(1, SEEDS[1])) == "NOT_ALLOWED"
    assert market.code(SERVICE, OpenSeed(1, SEEDS[1])) == "SEED_KNOWN"
    assert market.code(SERVICE, CommitSeed(2, b"", good)) == "SEED_KNOWN"
    assert market.code(SERVICE, CommitSeed(1, b"", b"short")) == "INVALID_SEED"
    assert market.code(SERVICE, CommitSeed(1, b"", good)) == "OK"
    assert market.code(SERVICE, CommitSeed(2, b"", good)) == "SEED_KNOWN"
    market.pass_day()
    assert market.code(SERVICE, OpenSeed(1, SEEDS[2])) == "INVALID_SEED"
    assert market.code(SERVICE, OpenSeed(1, b"short")) == "INVALID_SEED"
    assert market.code(SERVICE, OpenSeed(1, SEEDS[1])) == "OK"
    assert market.code(SERVICE, OpenSeed(1, SEEDS[1])) == "SEED_KNOWN"


def test_reports_of_old_days_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.copying.seeds.FAIRNESS_DAYS_MAX", 2)
    market = copied()
    for _ in range(4):
        market.pass_day()
    assert len(market.state.fairness_days) == 2


def test_the_report_of_a_day_tells_correlation_jain_index_and_who_paid_more() -> None:
    market = sealed()
    market.quote("BTC", 10_020, 10_020)
    market.fill("lea", 1_000, 10_000)
    market.fill("lea", 1_000, 10_020)
    market.fill("lea", 1, 10_020)
    report = fairness_view(market.state, day_of(market.state.market_at_us))
    assert report is not None
    assert (report["signals"], report["signals_executed"], report["executions"]) == (3, 2, 10)
    assert report["leader_better_share"] == 0.5
    assert report["rank_slippage_correlation"] == 0.0
    assert report["jain_index"] == 0.999999
    empty = FairnessDay()
    assert (correlation(empty), jain_index(empty)) == (None, None)


def test_being_late_and_paying_for_it_correlates() -> None:
    day = FairnessDay(*[0] * 6, *sums_of([0, 10, 20, 30]))
    assert correlation(day) == pytest.approx(1, abs=1e-4)
    day = FairnessDay(*[0] * 6, *sums_of([30, 20, 10, 0]))
    assert correlation(day) == pytest.approx(-1, abs=1e-4)


@given(st.lists(st.integers(-20_000, 20_000), max_size=30))
def test_the_jain_index_is_what_its_formula_says(slippages: list[int]) -> None:
    sums = sums_of(slippages)
    index = jain_index(FairnessDay(*[0] * 6, *sums))
    prices = [10_000 + max(-10_000, min(each, 10_000)) for each in slippages]
    squares = sum(price * price for price in prices)
    if squares == 0:
        assert index is None
    else:
        assert index == round(sum(prices) ** 2 / (len(prices) * squares), 6)


@given(st.integers(1, 2**40), st.lists(st.integers(0, 500), max_size=8, unique=True))
@settings(max_examples=25, deadline=None)
def test_keys_spread_places_evenly_enough_to_be_different(seq: int, names: list[int]) -> None:
    key = day_key(SEEDS[1], b"salt")
    keys = {dispatch_key(key, "lea", seq, f"f{name}") for name in names}
    assert len(keys) == len(names)


def forged(market: Audited, change: Any) -> list[str]:
    audit = FairnessAudit()
    for events, before in market.record:
        audit.follow(change(list(events)), before)
    return audit.problems


def _decided(events: list[Event]) -> list[int]:
    return [at for at, event in enumerate(events) if isinstance(event, CopyDecided)]


def _swapped(events: list[Event]) -> list[Event]:
    places = _decided(events)
    if len(places) > 1:
        one, two = places[0], places[1]
        events[one], events[two] = events[two], events[one]
    return events


def _replaced(kind: type[Event], **fields: Any) -> Any:
    def change(events: list[Event]) -> list[Event]:
        return [
            msgspec.structs.replace(event, **fields) if type(event) is kind else event
            for event in events
        ]

    return change


def test_an_audit_finds_what_was_changed() -> None:
    market = sealed()
    market.fill("lea", 1_000, 10_000)
    market.pass_day()
    assert forged(market, lambda events: events) == []
    assert "another order" in forged(market, _swapped)[0]
    assert "does not follow" in forged(market, _replaced(SignalDispatched, slippage=7))[0]
    assert "no seed ordered" in forged(market, _replaced(SignalDispatched, seed_number=0))[0]
    assert "revealed as another" in forged(market, _replaced(SeedRevealed, seed=SEEDS[3]))[0]
    opened = type(market.record[-3][0][0])
    assert "committed to" in forged(market, _replaced(opened, seed=SEEDS[3]))[0]
    assert "not what was" in forged(market, _replaced(opened, number=7))[0]
    assert "expected seed 1" in forged(market, _replaced(opened, number=7))[1]


def test_an_audit_says_only_so_much() -> None:
    market = sealed()
    for _ in range(PROBLEMS_MAX + 2):
        market.fill("lea", 1_000, 10_000)
    problems = forged(market, _replaced(SignalDispatched, asked=99))
    assert len(problems) == PROBLEMS_MAX


def test_closings_are_no_matter_of_the_audit() -> None:
    market = sealed()
    market.fill("lea", 1_000, 10_000)
    market.fill("lea", -1_500, 10_000)
    assert (market.audit.problems, market.audit.signals) == ([], 2)


def test_a_day_without_a_seed_has_none_to_open_or_reveal() -> None:
    market = copied()
    report = fairness_view(market.state, day_of(market.state.market_at_us))
    assert report is not None
    assert report["seed"] is None
    before = market.digest()
    evolve_seed_opened(market.state, SeedOpened(1, SEEDS[1], 0))
    assert market.digest() == before
    market.state.reveal_day = 7
    market.do(SERVICE, Tick(1))
    assert not [event for event in market.events if isinstance(event, SeedRevealed)]


VEIL = b"v" * 32


def veiled() -> Audited:
    """The first seed is open, and its day has aliases."""
    market = copied()
    market.do(SERVICE, CommitSeed(1, b"n", commitment_of(SEEDS[1]), commitment_of(VEIL)))
    market.pass_day()
    market.do(SERVICE, OpenSeed(1, SEEDS[1], VEIL))
    return market


def test_under_a_veil_followers_are_served_in_the_order_of_their_aliases() -> None:
    market = veiled()
    market.fill("lea", 1_000, 10_000)
    seed = market.state.seed_now
    assert seed is not None
    key = day_key(SEEDS[1], seed.salt)
    aliases = {name: alias_of(VEIL, "lea", name) for name in FOLLOWERS}
    number = market.state.traders["lea"].signal_seq
    expected = sorted(FOLLOWERS, key=lambda name: dispatch_key(key, "lea", number, aliases[name]))
    assert market.served() == expected
    rows = [
        opening_view(market.state, event, rank, seed)
        for rank, event in enumerate(market.events[1:-1])
        if isinstance(event, CopyDecided)
    ]
    assert [row["alias"] for row in rows] == [aliases[name] for name in expected]
    assert not {name for name in FOLLOWERS if name in str(rows)}
    report = fairness_view(market.state, day_of(market.state.market_at_us))
    assert report is not None
    assert report["seed"]["veil_commitment"] == commitment_of(VEIL).hex()
    today = day_of(market.state.market_at_us)
    market.pass_day()
    assert VEIL.hex() not in str([fairness_view(market.state, today), market.events])
    assert market.audit.problems == []


def test_what_is_refused_of_veils() -> None:
    market = copied()
    good = commitment_of(SEEDS[1])
    assert market.code(SERVICE, CommitSeed(1, b"", good, b"short")) == "INVALID_SEED"
    assert market.code(SERVICE, CommitSeed(1, b"", good, commitment_of(VEIL))) == "OK"
    market.pass_day()
    assert market.code(SERVICE, OpenSeed(1, SEEDS[1])) == "INVALID_SEED"
    assert market.code(SERVICE, OpenSeed(1, SEEDS[1], SEEDS[2])) == "INVALID_SEED"
    assert market.code(SERVICE, OpenSeed(1, SEEDS[1], VEIL)) == "OK"
    bare = copied()
    bare.do(SERVICE, CommitSeed(1, b"", good))
    bare.pass_day()
    assert bare.code(SERVICE, OpenSeed(1, SEEDS[1], VEIL)) == "INVALID_SEED"


def test_an_audit_finds_a_veil_that_was_changed() -> None:
    market = veiled()
    market.fill("lea", 1_000, 10_000)
    assert forged(market, lambda events: events) == []
    opened = next(
        type(e) for events, _ in market.record for e in events if isinstance(e, SeedOpened)
    )
    assert "the veil of seed 1" in forged(market, _replaced(opened, veil=SEEDS[2]))[0]
    assert "the veil of seed 1" in forged(market, _replaced(opened, veil=b""))[0]


def test_a_signal_is_shown_with_its_depth_and_an_opening_without_a_veil_has_no_alias() -> None:
    market = copied()
    market.fill("lea", 1_000, 10_000)
    decided = next(event for event in market.events if isinstance(event, CopyDecided))
    signal = next(event for event in market.events if isinstance(event, SignalDispatched))
    assert opening_view(market.state, decided, 0, None)["alias"] is None
    assert dispatch_view(market.state, signal)["depth"] is None
    deep = msgspec.structs.replace(signal, depth_lots=67)
    assert dispatch_view(market.state, deep)["depth"] == "0.067"
    skipped = msgspec.structs.replace(decided, lots=0, wanted_lots=0)
    row = opening_view(market.state, skipped, 0, None)
    assert (row["side"], row["quantity"], row["price"], row["slippage_bps"]) == (
        None,
        "0",
        None,
        None,
    )
    mapped = msgspec.structs.replace(
        decided, symbol="ETH", bid_ticks=1_000, ask_ticks=1_002, price_ticks=1_002
    )
    assert opening_view(market.state, mapped, 0, None)["reference_price"] == "10.01"
