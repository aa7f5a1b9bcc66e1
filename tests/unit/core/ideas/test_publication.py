"""What publishing fixes, and that anybody can check it."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

from streams.core.commands import LikeIdea, PublishDraft, ShareIdea, UnlikeIdea, ViewIdea
from streams.core.ideas import trending
from streams.core.view.idea_objects import idea_view
from tests.unit.core.ideas.field import Field


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def terms_of_view(view: dict[str, Any]) -> str:
    """Write the text of docs/explanation/ideas.md from what REST shows."""
    targets = ",".join(
        f"{target['price']}*{round(target['weight'] * 10_000)}" for target in view["targets"]
    )
    stated = "" if view["entry_type"] == "market" else view["entry"]
    return "\n".join(
        [
            "optix-idea-terms-1",
            f"trader={view['trader']}",
            f"symbol={view['symbol']}",
            f"trade_type={view['trade_type']}",
            f"entry={stated}",
            f"stop={view['stop']}",
            f"targets={targets}",
            f"breakeven_after={view['breakeven_after'] or 0}",
            f"timeframe={view['timeframe']}",
            f"confidence_bps={round(view['confidence'] * 100)}",
            "stance=0",
            f"bid={view['market']['bid']}",
            f"ask={view['market']['ask']}",
            f"quoted_at_us={micros(view['market']['quoted_at'])}",
            f"published_at_us={micros(view['published_at'])}",
            f"expires_at_us={micros(view['expires_at'])}",
            f"author_record={view['author_record'] or ''}",
        ]
    )


def test_anybody_can_compute_the_hash_of_the_terms() -> None:
    field = Field()
    for entry in (0, 9_000):
        field.mark(10_000 + entry // 1_000)
        field.wait(1_000)
        idea = field.publish(
            "buy", entry, stop=8_000, targets=[(11_000, 2_500), (12_000, 7_500)], breakeven_after=1
        )
        view = idea_view(field.state, field.idea(idea))
        text = terms_of_view(view)
        assert sha256(text.encode()).hexdigest() == view["terms_hash"]
        field.mark(8_000)


def test_the_hash_of_the_record_moves_with_every_end() -> None:
    field = Field()
    first = field.publish("buy", 0, 11_000, 9_000)
    field.mark(9_000)
    second = field.publish("buy", 0, 11_000, 8_000)
    field.mark(8_000)
    third = field.publish("buy", 0, 11_000, 7_000)
    hashes = [field.idea(idea).frozen.record_hash for idea in (first, second, third)]
    assert hashes[0] == ""
    assert len(set(hashes)) == 3


def test_a_draft_is_frozen_when_it_is_published() -> None:
    field = Field()
    idea = field.publish("buy", 0, 11_000, 9_000, publish=False)
    assert field.idea(idea).frozen.terms_hash == ""
    field.mark(10_500, 10_600)
    field.do("alice", PublishDraft(idea))
    stored = field.idea(idea)
    assert (stored.frozen.bid_ticks, stored.frozen.ask_ticks) == (10_500, 10_600)
    assert (stored.stage, stored.entry_ticks) == ("LIVE", 10_600)


def test_what_trends_is_a_function_of_reactions_and_market_time() -> None:
    field = Field()
    quiet, loud, seen = (field.publish("buy", 0, 11_000, 9_000) for _ in range(3))
    field.do("bob", LikeIdea(loud))
    field.do("bob", ShareIdea(loud))
    field.do("bob", ViewIdea(seen))
    field.tick()
    # (1 like x 2 + 1 share x 5) / 2 h, and one view x 0.1 / 2 h.
    assert trending.snapshot(field.state) == {
        "ideas": [[loud, 3.499, "BTC"], [seen, 0.049, "BTC"]],
        "symbols": [["BTC", 3.548]],
    }
    rows = field.state.conflated["trending"].pending[1] or {}
    assert list(rows) == []
    field.wait(30_000)
    field.tick()
    assert field.state.trending.ideas[loud] == 3_499
    field.wait(7_200_000)
    field.tick()
    assert field.state.trending.ideas[loud] == 1_746
    field.do("bob", UnlikeIdea(loud))
    field.wait(7 * 86_400_000)
    field.tick()
    assert trending.snapshot(field.state) == {"ideas": [], "symbols": []}
    assert field.state.trending.candidates == {}
    gone = [f"i{loud}", f"i{seen}", "sBTC"]
    assert trending.delta(field.state, "", gone) == {
        "ideas": [[loud, 0.0, "BTC"], [seen, 0.0, "BTC"]],
        "symbols": [["BTC", 0.0]],
    }
    assert trending.delta(field.state, "", ["ii_0"])["ideas"] == [["i_0", 0.0, None]]
    assert quiet in field.state.ideas


def test_candidates_are_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr("streams.core.ideas.trending.TRENDING_CANDIDATES_MAX", 2)
    field = Field()
    ideas = [field.publish("buy", 0, 11_000, 9_000) for _ in range(3)]
    for idea in ideas:
        field.do("bob", LikeIdea(idea))
    assert list(field.state.trending.candidates) == ideas[1:]
