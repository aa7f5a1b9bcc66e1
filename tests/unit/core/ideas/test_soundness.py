"""Broken states are noticed, and old records still fold."""

from __future__ import annotations

import pytest

from streams.core.commands import CloseIdea, MarkRow, UndoIdea
from streams.core.events import IdeaCreated
from streams.core.idea_state import IdeaTick, IdeaWatch
from streams.core.ideas import endings, watch
from streams.core.ideas.endings import ended
from streams.core.ideas.excursions import record_quote, since
from streams.core.ideas.soundness import idea_breaches
from tests.unit.core.ideas.field import Field


def test_every_breach_is_told() -> None:
    field = Field()
    idea = field.idea(field.publish("buy", 9_000, 11_000, 8_000))
    state = field.state
    assert list(idea_breaches(state)) == []
    state.instruments["BTC"].level_ticks = 7
    state.idea_books["BTC"].buys.clear()
    state.idea_watches["BTC"].ask_falls.clear()
    state.idea_watches["BTC"].open["i_0"] = None
    state.idea_watches["ETH"] = IdeaWatch()
    state.idea_expiries.clear()
    state.author_records["alice"].published = 5
    state.author_records["alice"].total.edges = 1
    state.closed_ideas[idea.idea] = None
    idea.stage = "WITHDRAWN"
    found = "\n".join(idea_breaches(state))
    for part in (
        "is missing at", "is no level", "watched instruments differ", "is not what open ideas",
        "the open ideas differ", "expiries are not those", "5 published, 0 + 1 known",
        "edges of the classes", "stage WITHDRAWN does not go with published",
        "the list of closed ones says otherwise", "expected (0, 0)",
    ):  # fmt: skip
        assert part in found
    del state.idea_watches["BTC"]
    assert "watched instruments differ" in "\n".join(idea_breaches(state))


def test_what_is_not_there_stops_the_writer() -> None:
    field = Field()
    idea = field.idea(field.publish("buy", 9_000, 11_000, 8_000))
    expiries = field.state.idea_expiries[:]
    field.state.idea_expiries.clear()
    with pytest.raises(AssertionError, match="among the expiries"):
        endings.leave(field.state, idea)
    field.state.idea_expiries[:] = expiries
    with pytest.raises(KeyError):
        watch.stop_watching(field.state, idea)
    watch.watch(field.state, idea)
    field.state.idea_watches["BTC"].ask_falls.clear()
    with pytest.raises(AssertionError, match="in ask_falls at 9000"):
        watch.stop_watching(field.state, idea)


def test_a_record_from_before_ideas_resolved_still_folds() -> None:
    field = Field()
    old = IdeaCreated(
        "i_old", "alice", "A title", "A thesis", "BTC", "buy", 9_000, 11_000, 8_000, "1d", 6_000,
        0, [], True, "", field.ms * 1_000,
    )  # fmt: skip
    field.ms += 1
    field.kernel.fold(field.ms, 0, f"b{field.ms}", [], [(0, old)])
    assert field.idea("i_old").stage == "PUBLISHED"
    field.do("alice", CloseIdea("i_old", "enough"))
    assert field.end("i_old").stage == "CLOSED_BY_AUTHOR"


def test_an_end_beyond_the_target_counts_as_the_target() -> None:
    field = Field()
    idea = field.idea(field.publish("buy", 0, 11_000, 9_000))
    for price, hit in ((11_500, 1_000_000), (8_500, 0)):
        tick = IdeaTick(price, price, price, field.ms * 1_000, "expiry", "")
        assert ended(field.state, idea, "EXPIRED", tick).hit_ppm == hit


def test_without_a_confidence_there_is_edge_but_no_score() -> None:
    field = Field()
    idea = field.publish("buy", 0, 11_000, 9_000, confidence_bps=0)
    field.mark(11_000)
    assert (field.end(idea).hit_ppm, field.end(idea).score_micronats) == (1_000_000, None)
    record = field.state.author_records["alice"].total
    assert (record.edges, record.scored, record.decayed_ppm) == (1, 0, 0)


def test_undoing_a_limit_keeps_its_entry() -> None:
    field = Field()
    idea = field.publish("buy", 9_000, 11_000, 8_000)
    field.do("alice", UndoIdea(idea))
    assert field.idea(idea).entry_ticks == 9_000
    field.check()


def test_a_note_about_an_idea_that_left_is_dropped() -> None:
    field = Field()
    field.state.idea_touches["i_0"] = IdeaTick(1, 1, 1, 1, "mark", "")
    field.tick()
    assert field.state.idea_touches == {}


def test_runs_of_extremes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.ideas.excursions.IDEA_PEAKS_MAX", 4)
    watched = IdeaWatch()
    for at in range(10):
        record_quote(watched, MarkRow("", 100 + at, 100 + at, 0), at)
    assert max(len(run) for run in watched.peaks) <= 4
    found = since(watched, 0)
    assert found is not None
    # What left can only make an extreme smaller.
    assert found.bid_high == 109
    assert 100 <= found.bid_low <= 109


# Marks come as `began:value`, in the order of their coming; then the highest since each time.
LATE_BARS = """
5:100 3:90 | 0:100 3:100 5:100
5:100 3:120 | 0:120 3:120 4:100 5:100
2:90 5:80 4:85 | 0:90 2:90 3:85 5:80
2:90 5:80 4:95 | 0:95 2:95 4:95 5:80
2:90 5:80 2:85 | 0:90 2:90 5:80
"""


@pytest.mark.parametrize("row", LATE_BARS.strip().splitlines())
def test_a_late_candle_counts_from_its_begin(row: str) -> None:
    marks, answers = (part.split() for part in row.split(" | "))
    watched = IdeaWatch()
    for mark in marks:
        began, value = map(int, mark.split(":"))
        record_quote(watched, MarkRow("", value, value, 0), began)
    for answer in answers:
        at, high = map(int, answer.split(":"))
        found = since(watched, at)
        assert found is not None
        assert (at, high) == (at, found.bid_high)


def test_an_idea_without_target_lives_on_in_the_candle_of_its_entry() -> None:
    field = Field()
    name = field.publish(entry=9_900, stop=9_000)
    field.candle(9_850, 10_100, 10_050)
    assert (field.idea(name).entry is not None, field.idea(name).resolution) == (True, None)
    field.check()
