"""How ideas end other than by a mark, and what the author's record keeps of all ends."""

from __future__ import annotations

import pytest

from streams.core.commands import (
    CloseIdea,
    CommentIdea,
    EditIdea,
    HideIdea,
    LikeIdea,
    ShareIdea,
    UpdateIdea,
    ViewIdea,
    VoidIdea,
)
from streams.core.events import IdeaEngaged
from streams.core.idea_state import AuthorRecord
from streams.core.ideas.horizon import horizon_us
from streams.core.view.idea_objects import idea_view
from tests.unit.core.ideas.field import HOUR_US, Field
from tests.unit.core.market import SERVICE


DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("timeframe", "hours"),
    [
        ("30m", 0.5), ("90 min", 1.5), ("4h", 4), ("1D", 24), ("1w", 168), ("6mo", 4_320),
        ("1y", 8_760), ("99y", 8_760), ("swing", 336), ("intraday", 24), ("scalp", 1),
        ("position", 2_160), ("", 720), ("0d", 720), ("soon", 720), ("3 moons", 720),
    ],
)  # fmt: skip
def test_horizons(timeframe: str, hours: float) -> None:
    assert hours * HOUR_US == horizon_us(timeframe)


def test_an_idea_expires_on_a_tick_at_the_quote_of_its_side() -> None:
    field = Field()
    live = field.publish("buy", 0, 12_500, 8_000)
    armed = field.publish("buy", 9_000, 11_000, 8_000)
    longer = field.publish("buy", 0, 12_500, 8_000, timeframe="1w")
    field.mark(10_500, 10_600)
    field.wait(DAY_MS)
    field.tick()
    end = field.end(live)
    assert (end.stage, end.tick.price_ticks, end.tick.source) == ("EXPIRED", 10_500, "expiry")
    assert end.tick.at_us == field.idea(live).frozen.expires_at_us
    # ln(10500/8000) / ln(12500/8000) against ln(10000/8000) / ln(12500/8000).
    assert (end.hit_ppm, end.odds_ppm) == (609_325, 500_000)
    assert (end.r_milli, end.duration_us) == (250, 24 * HOUR_US)
    assert (end.favourable_ppm, end.adverse_ppm) == (50_000, 0)
    assert field.end(armed).stage == "EXPIRED_UNFILLED"
    assert field.end(armed).hit_ppm is None
    assert field.idea(longer).stage == "LIVE"
    record = field.state.author_records["alice"]
    assert record.stages == {"EXPIRED": 1, "EXPIRED_UNFILLED": 1}
    assert (record.published, record.total.edges, record.hits) == (3, 1, 0)
    field.check()


def test_an_idea_whose_market_was_not_seen_to_its_end_is_void() -> None:
    field = Field()
    live = field.publish("buy", 0, 12_500, 8_000, timeframe="1w")
    armed = field.publish("buy", 9_000, 12_500, 8_000, timeframe="1w")
    field.wait(8 * DAY_MS)
    field.mark(7_000)
    end = field.end(live)
    assert (end.stage, end.reason, end.hit_ppm) == ("VOID", "MARKET_UNSEEN", None)
    assert field.end(armed).stage == "EXPIRED_UNFILLED"


def test_what_is_due_expires_before_the_mark_that_comes_later() -> None:
    field = Field()
    idea = field.publish("buy", 0, 12_500, 8_000)
    field.wait(2 * DAY_MS)
    field.mark(7_000)
    assert (field.end(idea).stage, field.end(idea).tick.price_ticks) == ("EXPIRED", 10_000)


def test_few_expire_at_once_and_the_others_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.ideas.resolution.IDEA_STEPS_PER_ENTRY_MAX", 2)
    field = Field()
    ideas = [field.publish("buy", 0, 12_500, 8_000) for _ in range(3)]
    field.wait(2 * DAY_MS)
    field.tick()
    assert [field.idea(idea).status for idea in ideas].count("closed") == 2
    field.tick()
    assert [field.end(idea).stage for idea in ideas] == ["EXPIRED"] * 3


@pytest.mark.parametrize(
    ("price", "stage", "hit"),
    [(12_500, "TARGET_HIT", 1_000_000), (0, "STOPPED", 0), (10_000, "EXPIRED", 500_000)],
)
def test_a_settlement_ends_all_ideas(price: int, stage: str, hit: int) -> None:
    field = Field()
    live = field.publish("buy", 0, 12_500, 8_000)
    armed = field.publish("buy", 9_000, 12_500, 8_000)
    field.settle(price)
    end = field.end(live)
    assert (end.stage, end.hit_ppm, end.tick.source) == (stage, hit, "settlement")
    assert field.end(armed).stage == "EXPIRED_UNFILLED"
    field.check()


def test_a_settlement_may_take_a_target_that_is_not_the_last() -> None:
    field = Field()
    idea = field.publish("buy", 0, stop=8_000, targets=[(11_000, 5_000), (12_000, 5_000)])
    field.settle(11_000)
    end = field.end(idea)
    assert (end.stage, end.hit_ppm, end.r_milli) == ("EXPIRED", 1_000_000, 500)


def test_closing_early_is_scored_by_the_quote_and_not_by_the_author() -> None:
    field = Field()
    idea = field.publish("buy", 0, 12_500, 8_000)
    field.mark(8_100, 8_200)
    field.do("alice", CloseIdea(idea, "it was a great trade", 12_500))
    end = field.end(idea)
    assert (end.stage, end.tick.price_ticks, end.r_milli) == ("CLOSED_BY_AUTHOR", 8_100, -950)
    assert end.hit_ppm is not None
    assert end.hit_ppm < 28_000
    assert field.idea(idea).exit_ticks == 12_500
    assert field.state.author_records["alice"].r_milli == -950


def test_an_unfilled_idea_that_its_author_closes_has_no_score() -> None:
    field = Field()
    idea = field.publish("buy", 9_000, 12_500, 8_000)
    field.do("alice", CloseIdea(idea, "changed my mind"))
    assert (field.end(idea).stage, field.end(idea).r_milli) == ("CLOSED_BY_AUTHOR", None)
    assert field.state.author_records["alice"].stages == {"CLOSED_BY_AUTHOR": 1}


def test_without_a_quote_an_idea_waits_and_its_end_has_no_price() -> None:
    field = Field(quoted=False)
    first = field.publish("buy", 0, 12_500, 8_000)
    second = field.publish("short", 11_000, 8_000, 12_500)
    assert field.idea(first).stage == field.idea(second).stage == "PUBLISHED"
    assert field.idea(first).frozen.entry_type == ""
    field.mark(10_000)
    assert (field.idea(first).stage, field.idea(second).stage) == ("LIVE", "ARMED")
    field.check()


def test_only_a_service_declares_a_void_and_says_why() -> None:
    field = Field()
    idea = field.publish("buy", 0, 12_500, 8_000)
    assert field.code("alice", VoidIdea(idea, "mine is wrong")) == "NOT_ALLOWED"
    assert field.code(SERVICE, VoidIdea("i_0", "gone")) == "UNKNOWN_IDEA"
    field.do(SERVICE, VoidIdea(idea, "the quote was wrong"))
    end = field.end(idea)
    assert (end.stage, end.reason, end.hit_ppm) == ("VOID", "the quote was wrong", None)
    assert field.idea(idea).close_reason == "the quote was wrong"
    record = field.state.author_records["alice"]
    assert (record.stages, record.total.edges) == ({"VOID": 1}, 0)
    assert field.code(SERVICE, VoidIdea(idea, "again")) == "IDEA_NOT_PUBLISHED"


def test_a_deleted_idea_keeps_its_terms_and_is_resolved() -> None:
    field = Field()
    draft = field.publish("buy", 0, 12_500, 8_000, publish=False)
    idea = field.publish("buy", 0, 12_500, 8_000)
    assert field.code("bob", HideIdea(idea)) == "NOT_OWNER"
    field.do("alice", HideIdea(draft))
    assert field.idea(draft).stage == "WITHDRAWN"
    assert field.code("alice", HideIdea(draft)) == "IDEA_NOT_PUBLISHED"
    field.do("alice", HideIdea(idea))
    assert field.code("alice", HideIdea(idea)) == "IDEA_NOT_PUBLISHED"
    field.mark(8_000)
    view = idea_view(field.state, field.idea(idea))
    assert (view["title"], view["thesis"], view["tags"]) == (None, None, [])
    assert (view["stop"], view["stage"]) == ("80", "STOPPED")
    assert field.state.author_records["alice"].stages == {"STOPPED": 1}


def test_updates_are_appended_and_change_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.ideas.withdrawal.UPDATES_PER_IDEA_MAX", 2)
    field = Field()
    draft = field.publish("buy", 0, 12_500, 8_000, publish=False)
    idea = field.publish("buy", 0, 12_500, 8_000)
    assert field.code("alice", UpdateIdea("i_0", "more")) == "UNKNOWN_IDEA"
    assert field.code("alice", UpdateIdea(draft, "more")) == "IDEA_NOT_PUBLISHED"
    before = field.idea(idea).frozen
    field.do("alice", UpdateIdea(idea, "Move your stop to 90."))
    field.mark(8_000)
    field.do("alice", UpdateIdea(idea, "Told you so."))
    assert field.code("alice", UpdateIdea(idea, "And again.")) == "LIMIT_REACHED"
    stored = field.idea(idea)
    assert [update.bid_ticks for update in stored.updates] == [10_000, 8_000]
    assert (stored.frozen, field.end(idea).r_milli) == (before, -1_000)


def test_versions_of_a_text_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.ideas.lifecycle.TEXT_VERSIONS_MAX", 2)
    field = Field()
    idea = field.publish("buy", 0, 12_500, 8_000)
    field.do("alice", EditIdea(idea, title="A better title"))
    assert field.code("alice", EditIdea(idea, title="The best title")) == "LIMIT_REACHED"


def test_shares_and_views_count_once_and_not_the_author() -> None:
    field = Field()
    draft = field.publish("buy", 0, 12_500, 8_000, publish=False)
    idea = field.publish("buy", 0, 12_500, 8_000)
    for command in (ShareIdea, ViewIdea):
        assert field.code("bob", command("i_0")) == "UNKNOWN_IDEA"
        assert field.code("bob", command(draft)) == "IDEA_NOT_PUBLISHED"
        for trader in ("alice", "bob", "bob"):
            field.do(trader, command(idea))
    stored = field.idea(idea)
    assert (list(stored.shares), list(stored.views)) == (["bob"], ["bob"])
    field.do("bob", LikeIdea(idea))
    field.tick()
    told = [event for event in field.events if isinstance(event, IdeaEngaged)]
    assert [(t.likes, t.comments, t.shares, t.views) for t in told] == [(1, 0, 1, 1)]
    field.tick()
    assert not any(isinstance(event, IdeaEngaged) for event in field.events)


def test_shares_and_views_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.ideas.attention.SHARES_PER_IDEA_MAX", 0)
    monkeypatch.setattr("streams.core.ideas.attention.VIEWS_PER_IDEA_MAX", 0)
    field = Field()
    idea = field.publish("buy", 0, 12_500, 8_000)
    assert field.code("bob", ShareIdea(idea)) == "LIMIT_REACHED"
    field.do("bob", ViewIdea(idea))
    assert field.idea(idea).views == {}


def test_a_ring_of_votes_moves_no_score_and_no_weight() -> None:
    """Two fields, one with a ring that praises the loser: the same records, books and weights."""

    def played(*, ring: bool) -> Field:
        field = Field()
        ideas = [field.publish("buy", 0, 12_500, 8_000) for _ in range(3)]
        if ring:
            for idea in ideas:
                for command in (LikeIdea(idea), ShareIdea(idea), ViewIdea(idea)):
                    field.do("bob", command)
                field.do("bob", CommentIdea(idea, "Genius!"))
        field.ms = 1_769_947_300_000
        field.mark(8_000)
        field.publish("buy", 0, 12_500, 7_000)
        return field

    def scores(field: Field) -> AuthorRecord:
        record = field.state.author_records["alice"]
        record.chain = ""
        return record

    fair, rigged = played(ring=False), played(ring=True)
    assert scores(fair) == scores(rigged)
    assert fair.state.idea_books == rigged.state.idea_books
    assert fair.state.boards == rigged.state.boards


def test_the_record_by_class_and_the_weight_it_gives() -> None:
    field = Field()
    for _ in range(3):
        field.publish("buy", 0, 10_500, 8_000, confidence_bps=9_900)
    field.mark(8_000)
    record = field.state.author_records["alice"]
    in_class = record.classes["spot"]
    assert (in_class, in_class.scored) == (record.total, 3)
    assert in_class.score_micronats < 0
    assert record.brier_ppm == 3 * 980_100
    assert record.chain
    field.mark(10_000)
    idea = field.publish("buy", 0, 12_500, 8_000, confidence_bps=5_000)
    frozen = field.idea(idea).frozen
    assert frozen.record_hash == record.chain
    assert frozen.weight_bps == 500
