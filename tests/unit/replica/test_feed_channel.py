"""The feed of followed traders: live, resumed, and from what the archive keeps, against an oracle
that writes every post into every follower's list.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given, settings, strategies as st

from storage.feed import Change, Key, spans_after
from streams.core.commands import Command, FollowTrader, ReportFill, UnfollowTrader
from streams.core.events import Event, FillBooked, TraderFollowed, TraderUnfollowed
from streams.core.kernel import Applied
from streams.core.view import event_data
from streams.replica.feed_history import feed_after, feed_number
from streams.replica.history import History
from streams.replica.publisher import Publisher
from tests.unit.core.market import SERVICE, Asked, Market
from tests.unit.replica.test_history import Listeners


AUTHORS, READERS = ("lea", "leo"), ("ann", "bob")


class Scene(Market):
    """A market whose readers have their feeds open, with the oracle's lists beside it."""

    def __init__(self, *feeds: str) -> None:
        super().__init__(*AUTHORS, *READERS)
        self.listeners = Listeners(*feeds)
        self.history = History()
        self.publisher = Publisher(self.listeners, self.history)
        self.following: dict[str, dict[str, None]] = {reader: {} for reader in READERS}
        self.feeds: dict[str, list[Event]] = {reader: [] for reader in READERS}
        self.changes: dict[str, list[Change]] = defaultdict(list)
        self.posts: list[tuple[Key, str, Event]] = []

    def enter(self, commands: list[tuple[str, Command]]) -> None:
        self.ms += 1
        asked = [
            Asked(f"e{self.ms}.{index}", None, who, int(who == SERVICE), command)
            for index, (who, command) in enumerate(commands)
        ]
        applied = self.kernel.apply(self.ms, 3, f"b{self.ms}", asked)
        self._note(applied)
        self.publisher.on_applied(self.state, applied)
        self.publisher.flush()

    def _note(self, applied: Applied) -> None:
        posted = {index for key, _, index in applied.numbered if key.startswith("posts:")}
        for index, (_, event) in enumerate(applied.events):
            place = self.ms, 3, index
            match event:
                case TraderFollowed():
                    self.following[event.trader][event.target] = None
                    change = Change(place, event.target, True, event.feed_seq)
                    self.changes[event.trader].append(change)
                case TraderUnfollowed():
                    del self.following[event.trader][event.target]
                    change = Change(place, event.target, False, event.feed_seq)
                    self.changes[event.trader].append(change)
                case FillBooked():
                    readers = [
                        who for who, links in self.following.items() if event.trader in links
                    ]
                    assert bool(readers) == (index in posted)
                    for reader in readers:
                        self.feeds[reader].append(event)
                    if readers:
                        self.posts.append((place, event.trader, event))

    def archived(self, reader: str, after_seq: int) -> list[Event]:
        """Return what the archive would answer, from the spans alone."""
        spans, base = spans_after(self.changes[reader], after_seq)
        found = [
            event
            for place, author, event in self.posts
            for span in spans
            if span.author == author and span.begin < place < span.end
        ]
        return found[after_seq - base :]


STEPS = st.one_of(
    st.tuples(st.just("post"), st.sampled_from(AUTHORS), st.just("")),
    st.tuples(st.just("follow"), st.sampled_from(READERS), st.sampled_from(AUTHORS)),
    st.tuples(st.just("unfollow"), st.sampled_from(READERS), st.sampled_from(AUTHORS)),
)


def command_of(step: tuple[str, str, str]) -> tuple[str, Command]:
    kind, who, target = step
    match kind:
        case "post":
            return SERVICE, ReportFill("BTC", 1, 10_000, 0, "venue", "", who)
        case "follow":
            return who, FollowTrader(target)
        case _:
            return who, UnfollowTrader(target)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=5), max_size=12))
def test_a_feed_is_what_writing_to_every_follower_gives(
    entries: list[list[tuple[str, str, str]]],
) -> None:
    scene = Scene("feed:ann")
    for steps in entries:
        scene.enter([command_of(step) for step in steps])

    state = scene.state
    shown = scene.listeners.frames["feed:ann"]
    assert [frame.data for frame in shown] == [event_data(state, e) for e in scene.feeds["ann"]]
    for reader in READERS:
        wanted = scene.feeds[reader]
        key = f"feed:{reader}"
        assert feed_number(state, key) == len(wanted)
        floor = state.traders[reader].about.feed_floor
        for seq in range(len(wanted) + 1):
            assert scene.archived(reader, seq) == wanted[seq:]
            found = feed_after(state, scene.history, key, seq)
            if seq < floor:
                assert (found is None) == (seq < len(wanted))
                continue
            assert found is not None
            assert [frame.seq for frame in found] == list(range(seq + 1, len(wanted) + 1))
            assert [f.data for f in found] == [event_data(state, e) for e in wanted[seq:]]
    assert [frame.seq for frame in shown] == list(range(1, len(shown) + 1))


def post(author: str = "lea") -> list[tuple[str, Command]]:
    return [command_of(("post", author, ""))]


def followed() -> Scene:
    scene = Scene()
    scene.enter([("ann", FollowTrader("lea"))])
    return scene


def test_a_feed_that_was_closed_and_opened_again_goes_on_with_its_number() -> None:
    scene = followed()
    scene.listeners.keys.add("feed:ann")
    scene.enter(post())
    scene.listeners.keys.clear()
    scene.enter(post())
    scene.publisher.sink = again = Listeners("feed:ann")
    scene.enter(post())
    assert [frame.seq for frame in again.frames["feed:ann"]] == [3]
    assert feed_number(scene.state, "feed:nobody") == 0


def test_numbers_of_closed_feeds_are_forgotten(monkeypatch: Any) -> None:
    monkeypatch.setattr("streams.replica.feed_fanout.STALE_NUMBERS_MAX", 0)
    scene = followed()
    scene.enter([("bob", FollowTrader("lea"))])
    for feeds in (["feed:ann", "feed:bob"], ["feed:bob"]):
        scene.publisher.sink = listeners = Listeners(*feeds)
        scene.enter(post())
        assert set(listeners.frames) == set(feeds)
    assert set(scene.publisher._feeds._numbers) == {"feed:bob"}


def test_what_left_memory_or_may_have_holes_is_not_guessed(monkeypatch: Any) -> None:
    scene = followed()
    for _ in range(3):
        scene.enter(post())
    state, history = scene.state, scene.history
    assert feed_after(state, history, "feed:ann", 3) == []
    assert feed_after(state, history, "feed:ann", 9) == []
    assert len(feed_after(state, history, "feed:ann", 1) or ()) == 2
    history.whole_after = (scene.ms * 1000 - 1000, 3, 0)
    assert len(feed_after(state, history, "feed:ann", 2) or ()) == 1
    assert feed_after(state, history, "feed:ann", 1) is None
    monkeypatch.setattr("streams.replica.feed_history.MISSED_MAX", 0)
    assert feed_after(state, history, "feed:ann", 2) is None


def test_what_all_channels_carried_is_walked_back() -> None:
    scene = followed()
    for author in ("lea", "leo", "lea"):
        scene.enter(post(author))
    rows = list(scene.history.newest_of_all())
    places = [kept.place for _, kept in rows]
    assert places == sorted(places, reverse=True)
    middle = places[3]
    assert [row for row in rows if row[1].place < middle] == list(
        scene.history.newest_of_all(middle)
    )
    scene.history.clear()
    assert list(scene.history.newest_of_all()) == []
