"""Records that are sent again, under the same run and numbers, change nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from server.bench.offline import OfflineNode
from streams.core.commands import RegisterTrader
from streams.replica.feeds.player import _with_first_holdings
from streams.replica.feeds.recorded_feed import RecordedFeed
from tests.unit.replica.feeds.playing import (
    Record,
    at,
    comparable,
    fill,
    idea,
    instrument,
    mark,
    with_feed,
)


def sent_again(
    portions: list[list[Record]], again: list[int], *, restarted: bool
) -> tuple[dict[str, object], dict[str, object]]:
    """Return the state after the portions, and after some were sent again."""

    async def work(
        node: OfflineNode, feed: RecordedFeed
    ) -> tuple[dict[str, object], dict[str, object]]:
        firsts = [sum(map(len, portions[:number])) for number in range(len(portions))]
        for first, portion in zip(firsts, portions, strict=True):
            await feed.ingest("run", first, portion)
        before = comparable(node.replica.state)
        for number in again:
            if restarted:
                feed = RecordedFeed(node.edge)
            await feed.ingest("run", firsts[number], portions[number])
        return before, comparable(node.replica.state)

    return with_feed(work)


TARGETS = st.sampled_from(["12", "13"])
TEXTS = st.sampled_from(["it goes up from here", "it still goes up"])
SIGNALS = st.sampled_from(["hold", "buy_to_enter", "close_position"])
SYMBOLS = st.sampled_from(["x:A", "x:B"])
PRICES = st.sampled_from(["9", "10", "10.5", "11"])


@st.composite
def recordings(draw: st.DrawFn) -> list[list[Record]]:
    """Two rounds of one segment, cut into portions."""
    second, rounds = 0.0, []
    for loop in (0, 1):
        second += 1
        begins = at(second, "segment", name="s", **({"loop": 1} if loop else {}))
        records = [begins, instrument("x:A", second), instrument("x:B", second)]
        for _ in range(draw(st.integers(1, 8))):
            second += draw(st.sampled_from([0, 1]))
            records.append(_drawn(draw, second))
        rounds.append(records)
    whole = _with_first_holdings([record for records in rounds for record in records])
    cuts = sorted(draw(st.sets(st.integers(1, len(whole) - 1), max_size=3)))
    return [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


def _drawn(draw: st.DrawFn, second: float) -> Record:
    kind = draw(st.sampled_from(["mark", "fill", "idea", "position", "account", "message"]))
    symbol = draw(SYMBOLS)
    match kind:
        case "mark":
            return mark(second, draw(PRICES), symbol)
        case "fill":
            trader, side = (
                draw(st.sampled_from(["hl:a", "hl:b"])),
                draw(st.sampled_from(["buy", "sell"])),
            )
            return fill(second, "1", draw(PRICES), trader=trader, inst=symbol, side=side, pos0="2")
        case "idea":
            return idea(second, draw(SIGNALS), target=draw(TARGETS), text=draw(TEXTS), inst=symbol)
        case "position":
            side = draw(st.sampled_from(["long", "short"]))
            return at(
                second, kind, trader="hl:a", inst=symbol, qty="3", side=side, entry_px=draw(PRICES)
            )
        case "account":
            return at(second, kind, trader="hl:a", equity="1000.5")
        case _:
            fields = {"id": f"m{second}", "author": "st:u", "text": "up", "label": "bullish"}
            return at(second, kind, insts=[symbol], **fields)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(recordings(), st.data(), st.booleans())
def test_any_portions_sent_again_leave_the_same_state(
    portions: list[list[Record]], data: st.DataObject, restarted: bool
) -> None:
    again = data.draw(st.lists(st.integers(0, len(portions) - 1), min_size=1, max_size=3))

    before, after = sent_again(portions, again, restarted=restarted)

    assert before == after


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([mark(1, "10"), mark(2, "11")], id="marks do not go back"),
        pytest.param(
            [at(1, "segment", name="s", loop=1), fill(1)], id="a segment begins flat only once"
        ),
        pytest.param(
            [idea(1), idea(2, target="13")], id="an idea does not end the one that followed it"
        ),
        pytest.param(
            [idea(1), idea(2), idea(3, text="changed my mind")], id="a text stays changed"
        ),
        pytest.param(
            [idea(1), idea(2), idea(3, "close_position")], id="a closed idea stays closed"
        ),
        pytest.param([idea(1, "close_position"), idea(2)], id="a close before the idea"),
    ],
)
@pytest.mark.parametrize("restarted", [False, True])
def test_one_portion_sent_again(records: list[Record], restarted: bool) -> None:
    before, after = sent_again([[instrument(), mark(0, "9"), *records]], [0], restarted=restarted)

    assert before == after


def test_a_round_begins_flat_for_recorded_accounts_only() -> None:
    async def work(node: OfflineNode, feed: RecordedFeed) -> list[list[str]]:
        follower = RegisterTrader("f", "fff", "f", "follower", 0)
        await node.edge.submit(follower, "test", privileged=True)
        await feed.ingest("run", 0, [instrument(), fill(1), fill(1, trader="f")])
        await feed.ingest("run", 3, [at(2, "segment", name="s", loop=1)])
        traders = node.replica.state.traders
        return [list(traders[name].ledger.positions) for name in ("hl:a", "f")]

    assert with_feed(work) == [[], ["x:A"]]
