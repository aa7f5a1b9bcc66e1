from typing import Any

import pytest

from streams.core.books.frames import book_snapshot
from streams.core.commands import (
    CloseIdea,
    Command,
    CommentIdea,
    EditIdea,
    LikeIdea,
    MarkRow,
    PublishDraft,
    PublishIdea,
    PublishMarks,
    UnlikeIdea,
)
from streams.core.events import (
    IdeaCommented,
    IdeaEdited,
    IdeaEntered,
    IdeaLiked,
    IdeaPublished,
    IdeaUnliked,
)
from tests.unit.core.support import SERVICE, START_US, Desk, check_table, desk


def publish(
    trade_type: str = "buy",
    entry: int = 0,
    target: int = 0,
    stop: int = 0,
    *,
    draft: bool = False,
    **more: Any,
) -> PublishIdea:
    terms = {
        "title": "A title",
        "thesis": "A thesis of some length",
        "symbol": "BTC",
        "timeframe": "1w",
        "confidence_bps": 6_500,
        "stance": 0,
        "tags": ["trend"],
    } | more
    return PublishIdea(
        trade_type=trade_type,
        entry_ticks=entry,
        target_ticks=target,
        stop_ticks=stop,
        publish=not draft,
        **terms,
    )


def command_of(verb: str, arguments: list[str]) -> Command:
    match verb, arguments:
        case "publish" | "draft", [symbol, trade_type, entry, target, stop]:
            return publish(
                trade_type, int(entry), int(target), int(stop), draft=verb == "draft", symbol=symbol
            )
        case "edit", [idea, field, value]:
            number = field.endswith("_ticks") or field == "stance"
            return EditIdea(idea, **{field: int(value) if number else value})
        case "publish", [idea]:
            return PublishDraft(idea)
        case "close", [idea, exit_ticks]:
            return CloseIdea(idea, "done", int(exit_ticks))
        case "like", [idea]:
            return LikeIdea(idea)
        case "unlike", [idea]:
            return UnlikeIdea(idea)
        case "comment", [idea, *parent]:
            return CommentIdea(idea, "Well said", *parent)
    raise AssertionError((verb, arguments))


@pytest.fixture
def at() -> Desk:
    """Four commands have made it: the next idea of a table is `i_5`, then by row."""
    made = desk("alice", "bob")
    assert made.commands == 5
    return made


def test_rules_of_publishing(at: Desk) -> None:
    at.state.instruments["ETH"].settled = True
    check_table(
        at,
        """
        # who  verb     symbol type  entry  target stop    expected
        carol  publish  BTC    buy   0      0      0       UNKNOWN_TRADER
        alice  publish  SOL    buy   0      0      0       UNKNOWN_INSTRUMENT
        alice  publish  ETH    buy   9      1      0       INSTRUMENT_SETTLED
        alice  publish  BTC    buy   -1     0      0       IDEA_LEVELS_INVALID
        alice  publish  BTC    buy   0      4611686018427387905 0  IDEA_LEVELS_INVALID
        alice  publish  BTC    buy   100    100    0       IDEA_LEVELS_INVALID
        alice  publish  BTC    buy   100    90     0       IDEA_LEVELS_INVALID
        alice  publish  BTC    buy   100    0      100     IDEA_LEVELS_INVALID
        alice  publish  BTC    cover 100    0      110     IDEA_LEVELS_INVALID
        alice  publish  BTC    buy   0      90     100     IDEA_LEVELS_INVALID
        alice  publish  BTC    sell  100    110    0       IDEA_LEVELS_INVALID
        alice  publish  BTC    short 100    0      90      IDEA_LEVELS_INVALID
        alice  publish  BTC    short 0      110    100     IDEA_LEVELS_INVALID
        alice  draft    BTC    buy   100    90     0       IDEA_LEVELS_INVALID
        alice  publish  BTC    buy   100    110    90      OK
        alice  publish  BTC    cover 100    0      0       OK
        alice  publish  BTC    sell  100    90     110     OK
        alice  publish  BTC    short 0      90     110     OK
        alice  draft    BTC    buy   0      0      0       OK
        """,
        command_of,
    )


def test_rules_of_editing_and_closing(at: Desk) -> None:
    draft = at.do("alice", publish("buy", 100, 110, 90, draft=True))
    public = at.do("alice", publish("buy", 100, 110, 90))
    at.state.instruments["ETH"].settled = True
    check_table(
        at,
        f"""
        # who  verb    idea      field        value     expected
        bob    edit    i_0       title        New       UNKNOWN_IDEA
        bob    edit    {draft}   title        New       NOT_OWNER
        bob    edit    {public}  title        New       NOT_OWNER
        alice  edit    {draft}   symbol       SOL       UNKNOWN_INSTRUMENT
        alice  edit    {draft}   symbol       ETH       INSTRUMENT_SETTLED
        alice  edit    {draft}   entry_ticks  110       IDEA_LEVELS_INVALID
        alice  edit    {draft}   trade_type   short     IDEA_LEVELS_INVALID
        alice  edit    {draft}   entry_ticks  105       OK
        alice  edit    {public}  symbol       BTC       IDEA_TERMS_IMMUTABLE
        alice  edit    {public}  trade_type   buy       IDEA_TERMS_IMMUTABLE
        alice  edit    {public}  entry_ticks  0         IDEA_TERMS_IMMUTABLE
        alice  edit    {public}  target_ticks 1         IDEA_TERMS_IMMUTABLE
        alice  edit    {public}  stop_ticks   1         IDEA_TERMS_IMMUTABLE
        alice  edit    {public}  timeframe    1d        IDEA_TERMS_IMMUTABLE
        alice  edit    {public}  stance       0         IDEA_TERMS_IMMUTABLE
        alice  edit    {public}  title        New       OK
        bob    publish i_0                              UNKNOWN_IDEA
        bob    publish {draft}                          NOT_OWNER
        alice  publish {draft}                          OK
        alice  publish {draft}                          IDEA_NOT_DRAFT
        alice  edit    {draft}   stop_ticks   0         IDEA_TERMS_IMMUTABLE
        bob    close   i_0       0                      UNKNOWN_IDEA
        bob    close   {public}  0                      NOT_OWNER
        alice  close   {public}  -1                     INVALID_PRICE
        alice  close   {public}  108                    OK
        alice  close   {public}  108                    IDEA_NOT_PUBLISHED
        alice  edit    {public}  title        Newer     IDEA_NOT_PUBLISHED
        alice  publish {public}                         IDEA_NOT_DRAFT
        """,
        command_of,
    )


def test_rules_of_reactions(at: Desk) -> None:
    draft = at.do("alice", publish(draft=True))
    public = at.do("alice", publish())
    comment = at.do("bob", CommentIdea(public, "First"))
    check_table(
        at,
        f"""
        # who  verb    idea      parent     expected
        carol  like    {public}             UNKNOWN_TRADER
        bob    like    i_0                  UNKNOWN_IDEA
        bob    like    {draft}              IDEA_NOT_PUBLISHED
        bob    unlike  {draft}              IDEA_NOT_PUBLISHED
        bob    comment {draft}              IDEA_NOT_PUBLISHED
        bob    unlike  {public}             NOT_LIKED
        bob    like    {public}             OK
        bob    like    {public}             ALREADY_LIKED
        alice  like    {public}             OK
        bob    unlike  {public}             OK
        bob    unlike  {public}             NOT_LIKED
        carol  comment {public}             UNKNOWN_TRADER
        bob    comment i_0                  UNKNOWN_IDEA
        bob    comment {public}  c_0        UNKNOWN_COMMENT
        alice  comment {public}  {comment}  OK
        alice  close   {public}  0          OK
        bob    like    {public}             OK
        bob    comment {public}             OK
        alice  close   {draft}   0          OK
        bob    like    {draft}              IDEA_NOT_PUBLISHED
        """,
        command_of,
    )


def test_limits(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.ideas.lifecycle.OPEN_IDEAS_PER_TRADER_MAX", 2)
    monkeypatch.setattr("streams.core.ideas.reactions.LIKES_PER_IDEA_MAX", 1)
    monkeypatch.setattr("streams.core.ideas.reactions.COMMENTS_PER_IDEA_MAX", 1)
    idea = at.do("alice", publish())
    check_table(
        at,
        f"""
        alice  draft    BTC    buy   0  0  0   OK
        alice  publish  BTC    buy   0  0  0   LIMIT_REACHED
        bob    publish  BTC    buy   0  0  0   OK
        alice  like     {idea}                 OK
        bob    like     {idea}                 LIMIT_REACHED
        alice  comment  {idea}                 OK
        bob    comment  {idea}                 LIMIT_REACHED
        alice  close    {idea}  0              OK
        alice  publish  BTC    buy   0  0  0   OK
        """,
        command_of,
    )


def test_the_idea_closed_first_leaves_when_memory_is_full(
    at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.core.ideas.lifecycle.IDEAS_MAX", 3)
    first, second, third = (at.do("alice", publish()) for _ in range(3))
    assert at.code("bob", publish()) == "LIMIT_REACHED"
    at.do("alice", CloseIdea(second, ""))
    at.do("alice", CloseIdea(first, ""))
    fourth = at.do("bob", publish())
    assert list(at.state.ideas) == [first, third, fourth]
    assert list(at.state.closed_ideas) == [first]
    assert at.code("bob", LikeIdea(second)) == "UNKNOWN_IDEA"
    assert at.state.totals.ideas == 4


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (publish("buy"), 120_002),
        (publish("cover"), 120_002),
        (publish("sell"), 120_000),
        (publish("short", 0, 110_000, 130_000), 120_000),
        (publish("buy", 100), 100),
        (publish("buy", 0, 110_000), 0),
        (publish("buy", 0, 0, 130_000), 0),
        (publish("buy", symbol="ETH", confidence_bps=0), 0),
        (publish("buy", draft=True), 0),
    ],
)
def test_the_entry_is_frozen_at_the_quote(at: Desk, command: PublishIdea, expected: int) -> None:
    idea = at.do("alice", command)
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 129_000, 129_002, 1)]))
    assert at.state.ideas[idea].entry_ticks == expected


def test_only_open_public_ideas_stand_in_the_book(at: Desk) -> None:
    empty: dict[str, list[Any]] = {"b": [], "s": []}
    draft = at.do("alice", publish("buy", 120_000, 125_000, 118_000, draft=True))
    assert book_snapshot(at.state, "BTC") == empty
    assert at.state.totals.ideas == 0
    at.do("alice", PublishDraft(draft))
    assert book_snapshot(at.state, "BTC") == {
        "b": [["60000", "0.65", 1]],
        "s": [["59000", "0.65", 1], ["62500", "0.65", 1]],
    }
    assert at.state.totals.ideas == 1
    at.do("alice", CloseIdea(draft, "target", 125_000))
    assert book_snapshot(at.state, "BTC") == empty
    idea = at.state.ideas[draft]
    assert (idea.status, idea.close_reason, idea.exit_ticks) == ("closed", "target", 125_000)
    assert at.state.traders["alice"].open_ideas == 0


def test_a_draft_published_late_takes_the_quote_of_that_time(at: Desk) -> None:
    draft = at.do("alice", publish("buy", draft=True))
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 121_000, 121_002, 0)]))
    at.at_us = START_US + 7
    at.do("alice", PublishDraft(draft))
    idea = at.state.ideas[draft]
    assert (idea.entry_ticks, idea.published_at_us) == (121_002, START_US + 7)
    assert idea.created_at_us == START_US
    published, entered = at.events[-2:]
    assert isinstance(published, IdeaPublished)
    assert (published.title, published.entry_ticks, published.tags) == ("A title", 0, ["trend"])
    assert isinstance(entered, IdeaEntered)
    assert entered.tick.price_ticks == 121_002


def test_a_draft_on_a_settled_instrument_cannot_be_published(at: Desk) -> None:
    draft = at.do("alice", publish(draft=True))
    at.state.instruments["BTC"].settled = True
    assert at.code("alice", PublishDraft(draft)) == "INSTRUMENT_SETTLED"


def test_a_withdrawn_draft_stays_private(at: Desk) -> None:
    draft = at.do("alice", publish(draft=True))
    at.do("alice", CloseIdea(draft, "withdrawn"))
    assert at.state.ideas[draft].published_at_us == 0
    assert at.state.totals.ideas == 0
    assert at.state.traders["alice"].open_ideas == 0


@pytest.mark.parametrize(
    ("trade_type", "declared", "expected"),
    [("buy", 0, 1), ("cover", 0, 1), ("sell", 0, -1), ("short", 0, -1), ("buy", -1, -1)],
)
def test_publishing_is_a_voice(at: Desk, trade_type: str, declared: int, expected: int) -> None:
    draft = at.do("alice", publish(trade_type, draft=True, stance=declared))
    assert "BTC" not in at.state.sentiment
    at.do("alice", PublishDraft(draft))
    voice = at.state.sentiment["BTC"].voices["alice"]
    assert (voice.stance, voice.at_us) == (expected, START_US)


def test_text_edits_are_versions_and_empty_edits_nothing(at: Desk) -> None:
    idea = at.do("alice", publish())
    at.do("alice", EditIdea(idea, title="Better", tags=[]))
    stored = at.state.ideas[idea]
    assert (stored.title, stored.tags, stored.text_version) == ("Better", [], 2)
    assert isinstance(at.events[-1], IdeaEdited)
    count = len(at.events)
    at.do("alice", EditIdea(idea))
    assert len(at.events) == count
    assert stored.text_version == 2


@pytest.mark.parametrize(
    ("targets", "breakeven", "expected"),
    [
        ([(105, 10_000)], 0, "first target"),
        ([(110, 5_000), (110, 5_000)], 0, "farther"),
        ([(110, 5_000), (109, 5_000)], 0, "farther"),
        ([(110, 5_000), (2**62 + 1, 5_000)], 0, "farther"),
        ([(110, 5_000), (120, 4_999)], 0, "add up"),
        ([(110, 10_000), (120, 0)], 0, "add up"),
        ([(110, 5_000), (120, 5_000)], 2, "before the last"),
        ([(110, 5_000), (120, 5_000)], -1, "before the last"),
        ([], 1, "before the last"),
    ],
)
def test_several_targets_must_make_sense(
    at: Desk, targets: list[tuple[int, int]], breakeven: int, expected: str
) -> None:
    command = publish("buy", 100, 110, 90, targets=targets, breakeven_after=breakeven)
    refusal = at.refusal("alice", command)
    assert refusal is not None
    assert refusal.reason == "IDEA_LEVELS_INVALID"
    assert expected in refusal.message


def test_a_draft_may_change_its_targets(at: Desk) -> None:
    targets = [(110, 5_000), (120, 5_000)]
    draft = at.do(
        "alice", publish("buy", 100, 110, 90, draft=True, targets=targets, breakeven_after=1)
    )
    at.do("alice", EditIdea(draft, target_ticks=115))
    idea = at.state.ideas[draft]
    assert (idea.target_ticks, idea.targets, idea.breakeven_after) == (115, [], 0)
    at.do("alice", EditIdea(draft, target_ticks=110, targets=targets))
    assert (idea.target_ticks, idea.targets) == (110, targets)
    assert at.code("alice", EditIdea(draft, breakeven_after=2)) == "IDEA_LEVELS_INVALID"


def test_a_draft_that_changes_its_instrument_loses_old_prices(at: Desk) -> None:
    draft = at.do("alice", publish("buy", 100, 110, 90, draft=True))
    at.do("alice", EditIdea(draft, symbol="ETH", target_ticks=300_000))
    idea = at.state.ideas[draft]
    assert (idea.symbol, idea.entry_ticks, idea.target_ticks) == ("ETH", 0, 300_000)
    assert (idea.stop_ticks, idea.text_version) == (0, 1)


def test_services_act_for_recorded_traders(at: Desk) -> None:
    idea = at.do(SERVICE, publish(trader="alice", external_id="x1", at_us=START_US - 5))
    assert at.state.ideas[idea].trader == "alice"
    assert at.state.ideas[idea].published_at_us == START_US - 5
    assert at.code("bob", EditIdea(idea, title="Mine now", trader="alice")) == "NOT_OWNER"
    at.do(SERVICE, EditIdea(idea, title="Newer title", trader="alice"))
    at.do(SERVICE, CloseIdea(idea, "resolved", trader="alice", at_us=START_US + 9))
    assert at.state.ideas[idea].closed_at_us == START_US + 9


def test_reactions_carry_the_count_after(at: Desk) -> None:
    idea = at.do("alice", publish())
    at.do("bob", LikeIdea(idea))
    assert at.events[-1] == IdeaLiked(idea, "BTC", "bob", 1, START_US)
    at.do("bob", UnlikeIdea(idea))
    assert at.events[-1] == IdeaUnliked(idea, "BTC", "bob", 0, START_US)
    first = at.do("bob", CommentIdea(idea, "Why?"))
    second = at.do("alice", CommentIdea(idea, "Trend", first))
    assert at.events[-1] == IdeaCommented(idea, "BTC", second, "alice", "Trend", first, 2, START_US)
    assert [comment.parent for comment in at.state.ideas[idea].comments] == ["", first]
