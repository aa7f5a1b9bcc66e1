"""Each type of record becomes what it says."""

from __future__ import annotations

import asyncio

import pytest

from server.bench.offline import OfflineNode
from streams.core.commands import MarkRow, PublishMarks
from streams.core.limits import MARKS_PER_COMMAND_MAX
from streams.core.money import Step
from streams.ports import CommandError
from streams.replica.feeds import recorded_feed
from streams.replica.feeds.recorded_feed import RecordedFeed
from tests.unit.replica.feeds.playing import (
    T0,
    Record,
    at,
    comparable,
    fill,
    instrument,
    mark,
    played,
    with_feed,
)


def test_instruments_take_their_steps_and_the_fee_of_their_venue() -> None:
    state, refused = played(
        [
            instrument(),
            instrument(),
            at(0, "inst", inst="pm:1", symbol="Yes", venue="polymarket", cls="outcome", name="N"),
        ]
    )

    first, second = state.instruments.values()
    assert (first.tick, first.lot, first.fee_ppm, first.name) == (
        Step(1, 1),
        Step(1, 2),
        230,
        "x:A",
    )
    assert (second.tick, second.lot, second.fee_ppm) == (Step(1, 10), Step(1, 6), 0)
    assert (second.name, refused) == ("N", {})


def test_a_candle_brings_its_high_and_low_also_to_what_it_prices() -> None:
    async def work(node: OfflineNode, feed: RecordedFeed) -> list[PublishMarks]:
        candle = mark(1, "5", "x:B") | {"hi": "7", "lo": "4", "src": "candle_5m"}
        await feed.ingest(
            "run",
            0,
            [
                instrument("x:B"),
                instrument("x:A", mark_ref="x:B"),
                candle,
                mark(2, "6", "x:B"),
                at(3, "segment", name="next"),
                mark(4, "8", "x:B"),
            ],
        )
        commands = [each.command for _, batch in node.decoded() for each in batch.envelopes]
        return [each for each in commands if isinstance(each, PublishMarks) and each.rows]

    first, second, third = with_feed(work)
    assert (first.candle_us, second.candle_us) == (300_000_000, 0)
    assert first.rows == [
        MarkRow("x:B", 50, 50, 50, 70, 40),
        MarkRow("x:A", 50, 50, 50, 70, 40),
    ]
    assert [row.symbol for row in second.rows] == ["x:B", "x:A"]
    assert [row.symbol for row in third.rows] == ["x:B"]


def test_marks_of_one_time_are_one_command() -> None:
    async def work(node: OfflineNode, feed: RecordedFeed) -> list[int]:
        symbols = [f"x:{n}" for n in range(MARKS_PER_COMMAND_MAX + 1)]
        await feed.ingest("run", 0, [instrument(symbol) for symbol in symbols])
        node.entries.clear()
        marks = [mark(1, "5", symbol) for symbol in symbols]
        await feed.ingest("run", 2_000, [*marks, mark(2, "6", "x:0")])
        commands = [each.command for _, batch in node.decoded() for each in batch.envelopes]
        rows = [len(each.rows) for each in commands if isinstance(each, PublishMarks)]
        assert node.replica.state.instruments["x:0"].last_ticks == 60
        assert node.replica.state.market_at_us == T0 // 1000 + 2_000_000
        return rows

    assert with_feed(work) == [MARKS_PER_COMMAND_MAX, 1, 1]


def test_a_price_below_the_tick_is_one_tick() -> None:
    state, _ = played([instrument(), mark(1, "0.001")])

    assert state.instruments["x:A"].last_ticks == 1


def test_fills_register_their_traders_with_the_cash_of_the_venue() -> None:
    state, refused = played(
        [instrument(), fill(1), fill(2, side="sell", fee="0.25"), fill(2, trader="other")]
    )

    trader = state.traders["hl:a"]
    assert (trader.origin, trader.handle, trader.joined_at_us) == (
        "recorded",
        "hl_a",
        T0 // 1000 + 10**6,
    )
    assert trader.ledger.cash_micros == 1_000_000_000_000 - 250_000
    assert (trader.ledger.positions, trader.track.fills) == ({}, 2)
    assert state.traders["other"].ledger.cash_micros == 0
    assert refused == {}


def test_what_was_held_before_is_bought_at_the_first_price() -> None:
    records = [instrument(), fill(1, pos0="3"), fill(2, pos0="9"), fill(3, pos0="0", trader="hl:b")]

    state, _ = played(records)

    held = state.traders["hl:a"].ledger.positions["x:A"]
    assert (held.lots, held.cost_micros) == (500, 50_000_000)
    assert state.traders["hl:b"].ledger.positions["x:A"].lots == 100


def test_settlement_pays_and_ends_trading() -> None:
    state, refused = played([instrument(), fill(1), at(2, "settle", inst="x:A", px="0"), fill(3)])

    assert state.instruments["x:A"].settled
    assert state.traders["hl:a"].ledger.realised_micros == -10_000_000
    assert refused == {"INSTRUMENT_SETTLED": 1}


def test_accounts_and_positions_are_the_venues_word() -> None:
    place = {"inst": "x:A", "entry_px": "0", "qty": "2"}
    state, _ = played(
        [
            instrument(),
            mark(1, "10"),
            at(1, "position", trader="hl:a", side="long", **place),
            at(1, "position", trader="hl:b", side="short", **{**place, "entry_px": "10"}),
            at(2, "account", trader="hl:b", equity="77.5"),
        ]
    )

    long, short = (state.traders[name].ledger for name in ("hl:a", "hl:b"))
    assert (long.positions["x:A"].lots, long.positions["x:A"].cost_micros) == (200, 200_000)
    assert (short.positions["x:A"].lots, short.cash_micros) == (-200, 77_500_000)


@pytest.mark.parametrize(("label", "stance"), [("bullish", 1), ("bearish", -1), ("?", None)])
def test_messages_are_heard(label: str, stance: int | None) -> None:
    said = at(1, "message", id="m", author="st:u", text="t", insts=["x:A"], label=label)
    state, _ = played([instrument(), said, at(2, "message", id="n", author="st:u", text="t")])

    assert state.totals.messages == 2
    voices = state.sentiment["x:A"].voices if stance else {}
    assert [voice.stance for voice in voices.values()] == ([stance] if stance else [])


def test_what_was_taken_is_counted() -> None:
    async def work(_: OfflineNode, feed: RecordedFeed) -> None:
        records = [at(0, "segment", name="s"), instrument(), mark(1, "1"), fill(2, "0")]
        answer = await feed.ingest("run", 0, records)
        await feed.ingest("run", 4, [mark(2, "2")])
        by_type = {"segment": 1, "inst": 1, "mark": 1, "fill": 1}
        refused = {"INVALID_QUANTITY": 1}
        assert answer == {"records": 4, "by_type": by_type, "refused": refused}
        assert feed.counts == {**by_type, "mark": 2}
        assert feed.refused == refused

    with_feed(work)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"t": T0},
        {"t": T0, "type": ["mark"]},
        {"t": T0, "type": "dream"},
        {"t": "now", "type": "mark"},
        mark(1, "x"),
        mark(1, "1", "x:Z"),
        fill(1, "1e40"),
        {"t": T0, "type": "fill"},
        at(1, "inst", inst="x:N", symbol="N", venue="v", cls="c", tick="-1"),
    ],
)
def test_a_record_at_fault_is_named_and_those_before_are_applied(bad: Record) -> None:
    async def work(node: OfflineNode, feed: RecordedFeed) -> int:
        with pytest.raises(CommandError) as caught:
            await feed.ingest("run", 7, [instrument(), mark(0, "3"), fill(0), bad, mark(1, "4")])
        assert (caught.value.code, caught.value.field) == ("INVALID_ARGUMENT", "records[10]")
        assert feed.counts == {}
        return node.replica.state.traders["hl:a"].ledger.positions["x:A"].lots

    assert with_feed(work) == 100


def test_more_commands_than_may_be_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [instrument(), *(fill(1 + n) for n in range(20)), mark(30, "7")]
    whole, _ = played(records)
    monkeypatch.setattr(recorded_feed, "UNDER_WAY_MAX", 3)

    some, _ = played(records)

    assert comparable(whole)["traders"] == comparable(some)["traders"]


def test_a_feed_that_is_cancelled_can_begin_again() -> None:
    async def work(node: OfflineNode, feed: RecordedFeed) -> int:
        records = [instrument(), *(fill(1 + n, pos0="2") for n in range(30))]
        taking = asyncio.create_task(feed.ingest("run", 0, records))
        await asyncio.sleep(0)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        await feed.ingest("run", 0, records)
        return node.replica.state.traders["hl:a"].ledger.positions["x:A"].lots

    assert with_feed(work) == 32 * 100
