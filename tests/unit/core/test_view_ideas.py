from typing import Any

import msgspec
import pytest

from streams.core.commands import (
    CloseIdea,
    Command,
    CommentIdea,
    EditIdea,
    HideIdea,
    LikeIdea,
    MarkRow,
    PublishDraft,
    PublishIdea,
    PublishMarks,
    UndoIdea,
    UnlikeIdea,
    UpdateIdea,
    VoidIdea,
)
from streams.core.events import IdeaEngaged, IdeaTargetHit
from streams.core.idea_state import IdeaTick
from streams.core.view import event_data, update_view
from tests.unit.core.market import keys_of
from tests.unit.core.support import SERVICE, START_US, Desk, desk


NOON = "2026-02-01T12:00:00.000000Z"

IDEA = PublishIdea(
    "A title", "A thesis", "BTC", "buy", 120_000, 125_000, 118_000, "1w", 6_550, 1, ["a"],
    publish=True,
)  # fmt: skip
IDEA_DATA = {
    "type": "idea_published",
    "trader": "alice",
    "title": "A title",
    "thesis": "A thesis",
    "symbol": "BTC",
    "trade_type": "buy",
    "entry": "60000",
    "target": "62500",
    "stop": "59000",
    "timeframe": "1w",
    "confidence": 65.5,
    "sentiment": "bullish",
    "tags": ["a"],
    "published_at": NOON,
    "targets": [{"price": "62500", "weight": 1.0}],
    "breakeven_after": None,
    "expires_at": "2026-02-08T12:00:00.000000Z",
    "market": {"bid": "60000", "ask": "60001"},
    "author_record": None,
}
TICK = {
    "price": "60000",
    "bid": "60000",
    "ask": "60001",
    "high": None,
    "low": None,
    "at": NOON,
    "source": "mark",
    "log_offset": "",
    "flags": [],
}
PUBLIC = ("ideas", "ideas:BTC", "ideas_by:alice")


@pytest.fixture
def at() -> Desk:
    return desk("alice", "bob")


def told(at: Desk, principal: str, command: Command) -> tuple[tuple[str, ...], dict[str, Any]]:
    before = len(at.events)
    at.do(principal, command)
    event = at.events[before]
    keys = keys_of(at.state, event)
    return keys, event_data(at.state, event)


def test_a_published_idea(at: Desk) -> None:
    keys, data = told(at, "alice", IDEA)
    assert keys == PUBLIC
    assert data == IDEA_DATA | {
        "idea": at.result,
        "terms_hash": at.state.ideas[at.result].frozen.terms_hash,
    }


def test_a_draft_is_told_to_nobody_until_it_is_published(at: Desk) -> None:
    idea = at.do("alice", msgspec.structs.replace(IDEA, publish=False))
    at.do("alice", EditIdea(idea, title="A title"))
    assert [keys_of(at.state, event) for event in at.events[-2:]] == [(), ()]
    keys, data = told(at, "alice", PublishDraft(idea))
    assert keys == PUBLIC
    assert data == IDEA_DATA | {
        "idea": idea,
        "terms_hash": at.state.ideas[idea].frozen.terms_hash,
    }


def test_a_withdrawn_draft_is_told_to_nobody(at: Desk) -> None:
    idea = at.do("alice", msgspec.structs.replace(IDEA, publish=False))
    at.do("alice", CloseIdea(idea, ""))
    assert keys_of(at.state, at.events[-1]) == ()


def test_the_life_of_a_public_idea(at: Desk) -> None:
    idea = at.do("alice", IDEA)
    base = {"idea": idea, "symbol": "BTC"}
    keys, data = told(at, "alice", EditIdea(idea, title="Better", tags=[]))
    assert keys == PUBLIC
    assert data == base | {
        "type": "idea_edited",
        "trader": "alice",
        "title": "Better",
        "tags": [],
        "text_version": 2,
        "edited_at": NOON,
    }
    reaction = base | {"trader": "bob", "at": NOON}
    keys, data = told(at, "bob", LikeIdea(idea))
    assert keys == ("ideas", "ideas:BTC", "notifications:alice")
    assert data == reaction | {"type": "idea_liked", "likes": 1}
    keys, data = told(at, "bob", UnlikeIdea(idea))
    assert keys == ("ideas", "ideas:BTC")
    assert data == reaction | {"type": "idea_unliked", "likes": 0}
    keys, data = told(at, "bob", CommentIdea(idea, "Why?"))
    assert keys == ("ideas", "ideas:BTC", "notifications:alice")
    assert data == reaction | {
        "type": "idea_commented",
        "comment": at.result,
        "text": "Why?",
        "parent_id": None,
        "comments": 1,
    }
    keys, data = told(at, "alice", CloseIdea(idea, "target", 125_000))
    assert keys == PUBLIC
    assert data == base | {
        "type": "idea_closed",
        "trader": "alice",
        "close_reason": "target",
        "exit_price": "62500",
        "closed_at": NOON,
        "resolution": {
            "stage": "CLOSED_BY_AUTHOR",
            "reason": "target",
            "tick": TICK | {"source": "author", "log_offset": at.offset},
            "hit": None,
            "odds": None,
            "edge": None,
            "score": None,
            "brier": None,
            "r_multiple": None,
            "duration_seconds": 0.0,
            "max_favourable": None,
            "max_adverse": None,
        },
    }


def test_history_renders_to_the_same_bytes_whatever_happened_since(at: Desk) -> None:
    idea = at.do("alice", IDEA)
    at.do("bob", CommentIdea(idea, "Why?"))
    events = at.events[-2:]
    live = [msgspec.json.encode(event_data(at.state, event)) for event in events]
    at.do("alice", EditIdea(idea, title="Newer"))
    at.do("alice", CloseIdea(idea, ""))
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 9, 9, 9)], START_US + 9, recorded=True))
    del at.state.ideas[idea]
    assert live == [msgspec.json.encode(event_data(at.state, event)) for event in events]


def test_the_steps_of_an_idea(at: Desk) -> None:
    idea = at.do("alice", IDEA)
    step = {"idea": idea, "trader": "alice", "symbol": "BTC", "at": NOON}
    armed = event_data(at.state, at.events[-1])
    assert armed == step | {"type": "idea_armed", "entry_type": "limit"}
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 120_000, 120_000, 0)]))
    entered = event_data(at.state, at.events[-1])
    assert (entered["type"], entered["odds"]) == ("idea_entered", 0.291643)
    assert entered["tick"] == TICK | {"ask": "60000", "log_offset": at.offset}
    keys, data = told(at, "alice", UpdateIdea(idea, "Hold on."))
    assert keys == PUBLIC
    assert data == step | {
        "type": "idea_updated",
        "number": 1,
        "text": "Hold on.",
        "bid": "60000",
        "ask": "60000",
    }
    (update,) = at.state.ideas[idea].updates
    shown = update_view(update, 1, at.state.instruments["BTC"].tick)
    assert shown == {
        "number": 1, "text": "Hold on.", "bid": "60000", "ask": "60000", "at": NOON,
    }  # fmt: skip
    keys, data = told(at, "alice", HideIdea(idea))
    assert (keys, data) == (PUBLIC, step | {"type": "idea_hidden"})
    second = at.do("alice", IDEA)
    keys, data = told(at, "alice", UndoIdea(second))
    assert (keys, data) == (PUBLIC, step | {"idea": second, "type": "idea_undone"})
    keys, data = told(at, SERVICE, VoidIdea(idea, "wrong quote"))
    assert (keys, data["type"]) == ((*PUBLIC, "notifications:alice"), "idea_resolved")
    assert data["resolution"]["reason"] == "wrong quote"


def test_a_target_and_the_counters(at: Desk) -> None:
    tick = IdeaTick(125_000, 125_000, 125_000, START_US, "mark", "9")
    hit = IdeaTargetHit("i_1", "alice", "BTC", 1, 2_500, tick, 120_000, START_US)
    assert keys_of(at.state, hit) == PUBLIC
    assert event_data(at.state, hit) == {
        "type": "idea_target_hit",
        "idea": "i_1",
        "trader": "alice",
        "symbol": "BTC",
        "at": NOON,
        "target": 1,
        "weight": 0.25,
        "tick": TICK | {"price": "62500", "bid": "62500", "ask": "62500", "log_offset": "9"},
        "stop": "60000",
    }
    counters = IdeaEngaged("i_1", "BTC", 1, 2, 3, 4, START_US)
    assert keys_of(at.state, counters) == ("ideas", "ideas:BTC")
    assert keys_of(at.state, msgspec.structs.replace(counters, symbol="")) == ()
    assert event_data(at.state, counters) == {
        "type": "idea_engaged",
        "idea": "i_1",
        "symbol": "BTC",
        "likes": 1,
        "comments": 2,
        "shares": 3,
        "views": 4,
        "at": NOON,
    }
