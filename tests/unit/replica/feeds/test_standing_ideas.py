"""A recorded trader's repeated decisions are the life of few ideas."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.bench.offline import OfflineNode
from streams.core.idea_state import Idea
from streams.core.limits import THESIS_LENGTH_MAX, THESIS_LENGTH_MIN
from streams.ports import CommandError
from streams.replica.feeds.recorded_feed import RecordedFeed
from tests.unit.replica.feeds.playing import Record, idea, instrument, mark, played, with_feed


MARKET = [instrument(), mark(0, "10")]


def ideas_after(records: Sequence[Record]) -> list[Idea]:
    return list(played([*MARKET, *records])[0].ideas.values())


# each row: what is recorded (signal/target/text), then the ideas it makes (status reason/target/
# version of the text)
LIVES = """
hold/12/a                                        -> published//12/1
buy_to_enter/12/a hold/12/a                      -> published//12/1
hold/12/a hold/12/b                              -> published//12/2
hold/12/a hold/13/a                              -> closed/superseded/12/1 published//13/1
hold/12/a close_position/12/a                    -> closed/closed/12/1
hold/12/a close_position/12/a hold/12/a          -> closed/closed/12/1 published//12/1
hold/12/a close_position/12/a close_position/1/a -> closed/closed/12/1
close_position/12/a                              ->
"""


@pytest.mark.parametrize("row", LIVES.strip().splitlines())
def test_life(row: str) -> None:
    recorded, made = row.split("->")
    fields = [each.split("/") for each in recorded.split()]

    found = ideas_after(
        [
            idea(n, signal, target=target, text=text)
            for n, (signal, target, text) in enumerate(fields)
        ]
    )

    shown = [
        f"{each.status}/{each.close_reason}/{each.target_ticks // 10}/{each.text_version}"
        for each in found
    ]
    assert made.split() == shown


def test_terms_of_a_published_idea() -> None:
    (long,) = ideas_after([idea(1, conf="0.655", id="r7")])
    (short,) = ideas_after([idea(1, target="9", stop="12")])

    assert (long.title, long.trade_type, long.confidence_bps) == ("A long, target 12", "buy", 6550)
    assert (long.target_ticks, long.stop_ticks, long.external_id) == (120, 90, "r7")
    assert long.thesis == "it goes up from here Invalidation: it falls below nine"
    assert (short.title, short.trade_type) == ("A short, target 9", "short")


@pytest.mark.parametrize(
    ("text", "length"), [("", THESIS_LENGTH_MIN), ("x" * 99_999, THESIS_LENGTH_MAX)]
)
def test_a_thesis_has_a_length_that_may_be(text: str, length: int) -> None:
    (found,) = ideas_after([idea(1, text=text, invalid="")])

    assert max(length, len("Invalidation: ")) == len(found.thesis)


def test_traders_and_instruments_have_ideas_of_their_own() -> None:
    found = ideas_after([idea(1), idea(2, trader="nof1:n"), instrument("x:B"), idea(3, inst="x:B")])

    assert [each.status for each in found] == ["published"] * 3


def test_another_process_finds_the_standing_idea() -> None:
    async def work(node: OfflineNode, feed: RecordedFeed) -> list[str]:
        await feed.ingest("one", 0, [*MARKET, idea(1), idea(1, trader="nof1:n")])
        again = RecordedFeed(node.edge)
        await again.ingest("two", 0, [idea(2, target="13", trader="nof1:n")])
        return [each.status for each in node.replica.state.ideas.values()]

    assert with_feed(work) == ["published", "closed", "published"]


def test_the_idea_of_an_answer_that_was_lost_is_taken_up_when_it_comes_again() -> None:
    async def work(node: OfflineNode, feed: RecordedFeed) -> list[str]:
        await feed.ingest("run", 0, [*MARKET, idea(1)])
        # another process takes the next record, and its answer never reaches this one
        await RecordedFeed(node.edge).ingest("run", 3, [idea(2, target="13")])
        await feed.ingest("run", 3, [idea(2, target="13")])
        await feed.ingest("run", 4, [idea(3, target="14")])
        return [each.close_reason for each in node.replica.state.ideas.values()]

    assert with_feed(work) == ["superseded", "superseded", ""]


def test_a_refused_idea_is_counted() -> None:
    state, refused = played([*MARKET, idea(1, target="0", stop="0", conf="0.1", inst="x:A")])

    assert (len(state.ideas), refused) == (1, {})
    state, refused = played([*MARKET, idea(1, target="12", stop="-9")])
    assert (len(state.ideas), refused) == (0, {"IDEA_LEVELS_INVALID": 1})


@pytest.mark.parametrize(
    "bad", [{"target": "up"}, {"conf": "high"}, {"inst": "x:Z"}, {"stop": None}, {"conf": "nan"}]
)
def test_an_idea_of_another_format_is_refused_by_its_number(bad: Record) -> None:
    async def work(_: OfflineNode, feed: RecordedFeed) -> str | None:
        with pytest.raises(CommandError) as caught:
            await feed.ingest("run", 0, [*MARKET, idea(1, **bad)])
        assert caught.value.code == "INVALID_ARGUMENT"
        return caught.value.field

    assert with_feed(work) == "records[2]"
