"""The resolution engine against a plain one that looks at every idea on every print."""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from hypothesis import given, settings, strategies as st

from streams.core.commands import Command, MarkRow, PublishIdea, PublishMarks, Tick
from streams.core.idea_state import Idea, IdeaWatch
from streams.core.ideas.excursions import record_quote, since
from streams.core.kernel import Applied, Kernel
from streams.core.snapshots import digest, restore, snapshot
from streams.core.state import State
from tests.unit.core.ideas.field import Field
from tests.unit.core.market import SERVICE, Asked


class Print(NamedTuple):
    """A quote, or a candle when it has a high; `began` counts prints, a candle spans its last."""

    bid: int
    ask: int
    high: int = 0
    low: int = 0


PRICES = st.integers(9_000, 11_000)
QUOTES = st.builds(lambda bid, spread: Print(bid, bid + spread), PRICES, st.integers(0, 60))
CANDLES = st.builds(lambda a, b, c: Print(b, b, max(a, b, c), min(a, b, c)), PRICES, PRICES, PRICES)
PRINTS = st.lists(st.one_of(QUOTES, QUOTES, CANDLES), min_size=1, max_size=12)
LEVELS = st.tuples(
    st.sampled_from(["buy", "sell"]),
    st.sampled_from([0, 9_600, 10_000, 10_400]),
    st.sampled_from([0, 10_500, 10_900]),
    st.sampled_from([0, 9_500, 9_100]),
)


class Plain:
    """One idea by the rules as they are written, print by print; no index, no turned prices."""

    def __init__(self, idea: Idea) -> None:
        self.long = idea.trade_type == "buy"
        self.target, self.stop = idea.target_ticks, idea.stop_ticks
        self.wanted = 0 if idea.entry_type == "market" else idea.entry_ticks
        self.stage, self.kind, self.price = "PUBLISHED", "", 0

    def see(self, seen: Print) -> None:
        if self.stage == "PUBLISHED":
            enters = seen.ask if self.long else seen.bid
            if self.wanted:
                above = enters >= self.wanted if self.long else enters <= self.wanted
                self.stage, self.kind = "ARMED", "limit" if above else "stop"
                self.enter(Print(seen.bid, seen.ask))
            elif inside(self.long, enters, self.target, self.stop):
                self.stage, self.price = "LIVE", enters
        elif self.stage == "ARMED":
            self.enter(seen)
        elif self.stage == "LIVE":
            self.leave(seen)

    def enter(self, seen: Print) -> None:
        enters, wanted = seen.ask if self.long else seen.bid, self.wanted
        lowest, highest = (seen.low, seen.high) if seen.high else (enters, enters)
        down = (self.kind == "limit") == self.long
        if not (lowest <= wanted if down else highest >= wanted):
            return
        self.price = wanted if lowest <= wanted <= highest else enters
        if not inside(self.long, self.price, self.target, self.stop):
            self.stage = "VOID"
            return
        self.stage = "LIVE"
        if not seen.high:
            return
        if self.stop and (seen.low <= self.stop if self.long else seen.high >= self.stop):
            self.stage, self.price = "STOPPED", self.stop
        else:
            self.leave(Print(seen.bid, seen.ask))

    def leave(self, seen: Print) -> None:
        leaves = seen.bid if self.long else seen.ask
        lowest, highest = (seen.low, seen.high) if seen.high else (leaves, leaves)
        for stage, level, falls in (
            ("STOPPED", self.stop, self.long),
            ("TARGET_HIT", self.target, not self.long),
        ):
            if level and (lowest <= level if falls else highest >= level):
                self.stage = stage
                self.price = level if lowest <= level <= highest else leaves
                return


def plain(idea: Idea, prints: list[Print]) -> tuple[str, int]:
    """Return stage and price of the last step."""
    engine = Plain(idea)
    for seen in [Print(10_000, 10_000), *prints]:
        engine.see(seen)
    return engine.stage, engine.price


def inside(long: bool, price: int, target: int, stop: int) -> bool:
    beyond_stop = stop and (price <= stop if long else price >= stop)
    beyond_target = target and (price >= target if long else price <= target)
    return not beyond_stop and not beyond_target


def show(field: Field, seen: Print) -> None:
    if seen.high:
        field.candle(seen.low, seen.high, seen.bid)
    else:
        field.wait(1_000)
        field.mark(seen.bid, seen.ask)


@settings(max_examples=150, deadline=None)
@given(st.lists(LEVELS, min_size=1, max_size=6), PRINTS)
def test_the_index_finds_what_looking_at_everything_finds(
    levels: list[tuple[str, int, int, int]], prints: list[Print]
) -> None:
    field = Field()
    names = []
    for trade_type, entry, up, down in levels:
        target, stop = (up, down) if trade_type == "buy" else (down, up)
        names.append(field.publish(trade_type, entry, target, stop, timeframe="1y"))
    for seen in prints:
        show(field, seen)
    for name in names:
        idea = field.idea(name)
        step = idea.resolution.tick if idea.resolution else idea.entry
        found = idea.stage, step.price_ticks if step else 0
        assert plain(idea, prints) == found, idea
    field.check()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), PRICES, PRICES, st.booleans()), max_size=40))
def test_excursions_are_those_of_all_quotes_since(
    marks: list[tuple[int, int, int, bool]],
) -> None:
    watched = IdeaWatch()
    quotes: list[tuple[int, int, int]] = []
    now = 10
    for step, first, second, candle in marks:
        now += step
        low, high = min(first, second), max(first, second)
        began = now - 5 if candle else now
        if candle:
            record_quote(watched, MarkRow("", low, low, low, high, low), began)
        else:
            record_quote(watched, MarkRow("", low, low, low), began)
        quotes.append((began, low, high if candle else low))
        for at in range(now + 2):
            known = [(low, high) for began, low, high in quotes if began >= at]
            expected = None
            if known:
                low, high = min(low for low, _ in known), max(high for _, high in known)
                expected = (high, low, high, low)
            found = since(watched, at)
            assert expected == (None if found is None else tuple(found))


def entry(ms: int, principal: str, command: Command) -> tuple[int, list[Asked]]:
    return ms, [Asked(f"e{ms}", None, principal, int(principal == SERVICE), command)]


def test_the_record_alone_rebuilds_ideas_and_a_snapshot_goes_on() -> None:
    random = Random(5)
    field = Field()
    applied: list[Applied] = []
    before = digest(field.state)
    base = restore(snapshot(field.state))
    live, resumed = Kernel(restore(snapshot(base))), None
    ms, price = field.ms + 1_000, 10_000.0
    for number in range(240):
        ms += 60_000
        price *= math.exp(random.gauss(0, 0.004))
        ticks = max(round(price), 1)
        commands: list[tuple[str, Command]] = [
            (SERVICE, PublishMarks([MarkRow("BTC", ticks, ticks + 1, ticks)])),
            (SERVICE, Tick(ms // 100)),
        ]
        if number % 8 == 0:
            commands.append(("alice", _random_idea(random, ticks)))
        for index, (principal, command) in enumerate(commands):
            at, asked = entry(ms + index, principal, command)
            applied.append(live.apply(at, 0, f"b{at}", asked))
            if resumed is not None:
                resumed.apply(at, 0, f"b{at}", asked)
        if number == 120:
            resumed = Kernel(restore(snapshot(live.state)))
    folded = Kernel(base)
    for each in applied:
        folded.fold(each.ms, each.seq, f"b{each.ms}", each.recorded, each.events)
    assert resumed is not None
    assert before != digest(live.state) == digest(folded.state) == digest(resumed.state)
    stages = live.state.author_records["alice"].stages
    assert {"TARGET_HIT", "STOPPED", "EXPIRED"} <= stages.keys()


def _random_idea(random: Random, ticks: int) -> Command:
    up, down = random.uniform(0.005, 0.03), random.uniform(0.005, 0.03)
    return PublishIdea(
        title="A title",
        thesis="A thesis of some length",
        symbol="BTC",
        trade_type="buy",
        entry_ticks=0,
        target_ticks=round(ticks * math.exp(up)) + 2,
        stop_ticks=round(ticks * math.exp(-down)) - 2,
        timeframe=random.choice(["30m", "2h", "1d"]),
        confidence_bps=random.randrange(1, 10_000),
        stance=0,
        tags=[],
        publish=True,
    )


def test_without_drift_there_is_no_edge_however_an_author_stops() -> None:
    """The expected hit is p0 on a fair walk, also for ideas that expire or are closed early."""
    random = Random(11)
    field = Field()
    field.ms += 1_000
    state: State = field.state
    price = 10_000_000.0
    for _ in range(6_000):
        field.wait(60_000)
        price *= math.exp(random.gauss(0, 0.003))
        ticks = round(price)
        asked = Asked("", None, SERVICE, 1, PublishMarks([MarkRow("BTC", ticks, ticks, ticks)]))
        field.kernel.apply(field.ms, 0, f"w{field.ms}", [asked])
        if not state.idea_watches:
            # One at a time: ideas that live together are judged by one and the same walk.
            idea = Asked("", None, "alice", 0, _random_idea(random, ticks))
            field.kernel.apply(field.ms, 1, f"i{field.ms}", [idea])
    record = state.author_records["alice"].total
    assert record.edges > 150
    z = record.edge_ppm / 1e6 / math.sqrt(record.variance_ppm / 1e6)
    assert abs(z) < 3
