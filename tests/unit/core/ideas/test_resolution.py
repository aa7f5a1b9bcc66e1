"""The resolution engine, one table row an idea: what the market does, and what becomes of it."""

from __future__ import annotations

import pytest

from streams.core.commands import CloseIdea, LikeIdea, UndoIdea
from streams.core.events import IdeaEntered, IdeaTargetHit
from tests.unit.core.ideas.field import Field


# Quotes are `bid/ask` or one price for both; candles `low-high:close`. BTC stands at 10000.
ROWS = """
# type  entry  target stop   market                     stage          price  flags
buy     0      11000  9500   10500 11000                TARGET_HIT     11000
buy     0      11000  9500   10500 11010                TARGET_HIT     11010  GAP
buy     0      11000  9500   9501 9500                  STOPPED        9500
buy     0      11000  9500   9000                       STOPPED        9000   GAP
buy     0      11000  9500   9501/9600 10990/11000      LIVE           0
buy     0      11000  9500   9500/9600                  STOPPED        9500
short   0      9000   10500  9500 9000                  TARGET_HIT     9000
short   0      9000   10500  8900/9001 8900/8990        TARGET_HIT     8990   GAP
short   0      9000   10500  10400/10500                STOPPED        10500
sell    0      9000   10500  10400/10600                STOPPED        10600  GAP
cover   0      11000  9500   11000                      TARGET_HIT     11000
buy     9800   11000  9500   9900 9801                  ARMED          0
buy     9800   11000  9500   9800                       LIVE           0
buy     9800   11000  9500   9700 11000                 TARGET_HIT     11000
buy     9800   11000  9500   9400                       VOID           9400   GAP
buy     9800   11000  9500   11500 9800 9500            STOPPED        9500
buy     10200  11000  9900   10199 10200                LIVE           0
buy     10200  11000  9900   9800 10200 11000           TARGET_HIT     11000
buy     10200  11000  9900   11500                      VOID           11500  GAP
buy     10000  11000  9500   9500                       STOPPED        9500
short   10200  9000   10500  10200 9000                 TARGET_HIT     9000
short   9800   9000   10500  9800 10500                 STOPPED        10500
short   9800   9000   10500  8900                       VOID           8900   GAP
buy     0      9900   9500   10500 9950                 PUBLISHED      0
buy     0      9900   9500   9899 9900                  TARGET_HIT     9900
buy     0      11000  10100  10050 10101 10100          STOPPED        10100
buy     0      11000  10100  11500 10500                LIVE           0
short   0      10100  11000  10050 10101 10100          TARGET_HIT     10100
buy     0      0      9500   11000 9500                 STOPPED        9500
buy     0      11000  0      9000 11000                 TARGET_HIT     11000
buy     0      11000  9500   9600-10900:10000           LIVE           0
buy     0      11000  9500   9600-11000:10000           TARGET_HIT     11000
buy     0      11000  9500   9500-10900:10000           STOPPED        9500
buy     0      11000  9500   9400-11100:10000           STOPPED        9500   AMBIGUOUS_BAR
buy     0      11000  9500   11100-11300:11200          TARGET_HIT     11200  GAP
buy     0      11000  9500   9100-9300:9200             STOPPED        9200   GAP
short   0      9000   10500  8900-10600:10000           STOPPED        10500  AMBIGUOUS_BAR
short   0      9000   10500  8900-10400:10000           TARGET_HIT     9000
buy     9800   11000  9500   9700-10000:9900            LIVE           0
buy     9800   11000  9500   9400-10000:9900            STOPPED        9500   AMBIGUOUS_BAR
buy     9800   11000  9500   9700-11100:9900            LIVE           0
buy     9800   11000  9500   9700-11100:11050           TARGET_HIT     11050  GAP
buy     9800   11000  9500   9600-9700:9650             LIVE           0
buy     9800   11000  9500   9300-9450:9400             VOID           9400   GAP
short   10200  9000   10500  10000-10600:10100          STOPPED        10500  AMBIGUOUS_BAR
"""


@pytest.mark.parametrize("row", [r for r in ROWS.strip().splitlines() if not r.startswith("#")])
def test_first_touch(row: str) -> None:
    trade_type, entry, target, stop, *market, stage, price = row.split()[:]
    flags: tuple[str, ...] = ()
    if not price.lstrip("-").isdigit():
        *market, stage, price, flag = *market, stage, price
        flags = (flag,)
    field = Field()
    idea = field.publish(trade_type, int(entry), int(target), int(stop))
    for seen in market:
        field.wait(1_000)
        if ":" in seen:
            extremes, close = seen.split(":")
            low, high = extremes.split("-")
            field.candle(int(low), int(high), int(close))
        else:
            bid, _, ask = seen.partition("/")
            field.mark(int(bid), int(ask or 0))
    stored = field.idea(idea)
    assert stored.stage == stage
    if stored.resolution is None:
        assert price == "0"
    else:
        decided = stored.resolution.tick
        assert (int(price), flags) == (decided.price_ticks, decided.flags)
        assert decided.at_us == stored.closed_at_us
        assert decided.offset.endswith("-0.0")
    field.check()


def test_undo_within_a_minute_while_nothing_happened() -> None:
    field = Field()
    idea = field.publish("buy", 0, 11_000, 9_500)
    assert field.state.totals.ideas == 1
    field.wait(59_000)
    field.do("alice", UndoIdea(idea))
    stored = field.idea(idea)
    assert (stored.status, stored.stage, stored.entry_ticks) == ("draft", "DRAFT", 0)
    assert field.state.totals.ideas == 0
    assert field.state.idea_watches == {}
    assert field.state.idea_expiries == []
    assert field.state.author_records["alice"].published == 0
    assert field.code("alice", UndoIdea(idea)) == "IDEA_NOT_PUBLISHED"
    field.check()


def test_undo_is_refused_in_this_order() -> None:
    field = Field()
    idea = field.publish("buy", 0, 11_000, 9_500)
    assert field.code("alice", UndoIdea("i_0")) == "UNKNOWN_IDEA"
    assert field.code("bob", UndoIdea(idea)) == "NOT_OWNER"
    field.mark(10_001)
    assert field.code("alice", UndoIdea(idea)) == "IDEA_UNDO_MOVED"
    field.mark(10_000)
    assert field.code("alice", UndoIdea(idea)) == "IDEA_UNDO_MOVED"
    field.do("bob", LikeIdea(idea))
    assert field.code("alice", UndoIdea(idea)) == "IDEA_UNDO_REACTED"
    field.wait(61_000)
    assert field.code("alice", UndoIdea(idea)) == "IDEA_UNDO_LATE"


def test_more_ideas_than_one_mark_may_move_follow_on_the_ticks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("resolution", "steps"):
        monkeypatch.setattr(f"streams.core.ideas.{module}.IDEA_STEPS_PER_ENTRY_MAX", 2)
    field = Field()
    ideas = [field.publish("buy", 0, 11_000, 9_500) for _ in range(5)]
    field.mark(9_400)
    assert [field.idea(idea).status for idea in ideas].count("closed") == 2
    waiting = list(field.state.idea_touches)
    assert len(waiting) == 3
    assert field.code("alice", CloseIdea(waiting[0], "")) == "IDEA_RESOLVING"
    field.mark(12_000)
    field.tick()
    field.tick()
    field.tick()
    assert [field.end(idea).stage for idea in ideas] == ["STOPPED"] * 5
    assert {field.end(idea).tick.price_ticks for idea in ideas} == {9_400}
    assert field.state.idea_touches == {}
    field.check()


def test_targets_are_taken_off_one_by_one() -> None:
    field = Field()
    idea = field.publish(
        "buy", 0, stop=9_500, targets=[(10_500, 5_000), (11_000, 5_000)], breakeven_after=1
    )
    assert isinstance(field.events[-1], IdeaEntered)
    field.mark(10_500)
    assert isinstance(field.events[-1], IdeaTargetHit)
    assert field.idea(idea).stop_now_ticks == 10_000
    field.check()
    field.mark(10_000)
    end = field.end(idea)
    # Half at +1 R, half at breakeven; the first target came first, so it is a hit.
    assert (end.stage, end.r_milli, end.hit_ppm) == ("STOPPED", 500, 1_000_000)
    field.check()


def test_a_gap_may_take_all_targets_at_once() -> None:
    field = Field()
    idea = field.publish("short", 0, stop=10_500, targets=[(9_500, 4_000), (9_000, 6_000)])
    field.mark(8_900)
    end = field.end(idea)
    assert (end.stage, end.tick.price_ticks, end.r_milli) == ("TARGET_HIT", 8_900, 2_200)
