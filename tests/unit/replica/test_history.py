"""Resuming through the history gives what a listener would have got who never left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings, strategies as st

from streams.core.commands import (
    Command,
    LikeIdea,
    MarkRow,
    PlaceOrder,
    PostMessage,
    PublishIdea,
    PublishMarks,
    Tick,
    UnlikeIdea,
)
from streams.core.events import Event, IdeaLiked
from streams.core.state import State
from streams.ports import Frame
from streams.replica.history import DELTAS_PER_CHANNEL_MAX, EVENT_AGE_US_MAX, History, wire_name
from streams.replica.publisher import NoSink, Publisher
from tests.unit.core.market import SERVICE, Asked, Market


class Listeners:
    """A hub with listeners to some channels, which keeps what it sends."""

    def __init__(self, *keys: str) -> None:
        self.keys = set(keys)
        self.frames: dict[str, list[Frame]] = defaultdict(list)

    def wanted(self, key: str) -> bool:
        return key in self.keys

    def feeds(self) -> Mapping[str, object]:
        return {key: self for key in self.keys if key.startswith("feed:")}

    def publish(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self.frames[frame.key].append(frame)


LOSSLESS = ("ideas", "ideas:BTC", "signals:lea", "account:ann", "account:lea")
CONFLATED = ("marks", "marks:BTC@raw", "book:BTC@1s", "positions:BTC", "sentiment:BTC@1s")


class Published(Market):
    """A market whose entries are published."""

    def __init__(self, sink: Listeners, history: History) -> None:
        super().__init__("lea", "ann")
        self.publisher = Publisher(sink, history)
        self.kernel.on_cut = self.publisher.on_cut
        self.idea = self.do("lea", _idea())

    def enter(self, principal: str, command: Command) -> None:
        self.ms += 100
        asked = Asked(f"e{self.ms}", None, principal, int(principal == SERVICE), command)
        applied = self.kernel.apply(self.ms, 0, f"b{self.ms}", [asked])
        self.publisher.on_applied(self.state, applied)
        self.publisher.flush()


def _idea() -> Command:
    return PublishIdea("title", "a thesis of words", "BTC", "buy", 0, 0, 0, "", 5_000, 1, [], True)


STEPS = st.sampled_from(["mark", "tick", "like", "trade", "say"])


def _command(step: str, number: int, market: Published) -> tuple[str, Command]:
    match step:
        case "mark":
            price = 10_000 + number
            return SERVICE, PublishMarks([MarkRow("BTC", price, price, price)])
        case "tick":
            return SERVICE, Tick((market.ms + 100) // 100)
        case "like":
            liked = "ann" in market.state.ideas[market.idea].likes
            return "ann", UnlikeIdea(market.idea) if liked else LikeIdea(market.idea)
        case "trade":
            return "lea", PlaceOrder("BTC", "buy" if number % 2 else "sell", 1)
        case _:
            return "ann", PostMessage("words", ["BTC"], (-1) ** number)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=30), st.data())
def test_resuming_equals_never_having_been_away(steps: list[str], data: st.DataObject) -> None:
    listeners, history = Listeners(*LOSSLESS, *CONFLATED), History()
    market = Published(listeners, history)
    for number, step in enumerate(steps):
        market.enter(*_command(step, number, market))

    for key in LOSSLESS + CONFLATED:
        frames = listeners.frames[key]
        first = frames[0].seq if frames else 1
        newest = frames[-1].seq if frames else 0
        seq = data.draw(st.integers(first - 1, max(newest, first - 1)))
        expected = [frame for frame in frames if frame.seq > seq]
        found = (
            history.events_after(market.state, key, seq, newest)
            if key in LOSSLESS
            else history.deltas_after(key, seq, newest)
        )
        assert expected == found
        assert [frame.seq for frame in frames] == list(range(first, first + len(frames)))
    assert market.publisher.frames_total == sum(map(len, listeners.frames.values()))


def liked(number: int) -> Event:
    return IdeaLiked("i", "BTC", "ann", number, 0)


def filled(history: History, count: int, *, key: str = "system", step_us: int = 1) -> None:
    for seq in range(1, count + 1):
        history.add_event(key, seq, seq * step_us, liked(seq))


def test_the_oldest_events_leave_first_whatever_their_channel() -> None:
    history = History(events_max=4)
    history.add_event("quiet", 1, 0, liked(0))
    filled(history, 5)

    assert len(history) == 4
    assert history.newest_first("quiet") == []
    assert [kept.seq for kept in history.newest_first("system")] == [5, 4, 3, 2]


@pytest.mark.parametrize(("count", "held"), [(5, 5), (6, 5), (9, 5)])
def test_old_events_leave_only_above_half_of_the_bound(count: int, held: int) -> None:
    """The first five are older than an age when the sixth comes."""
    history = History(events_max=10)
    filled(history, 5)
    for seq in range(6, count + 1):
        history.add_event("system", seq, EVENT_AGE_US_MAX + 10 + seq, liked(seq))

    assert held == len(history)


def test_events_that_left_memory_are_not_resumed_from() -> None:
    history = History(events_max=3)
    filled(history, 5)

    assert [_events(history, seq) for seq in (1, 2, 4, 5, 9)] == [None, [3, 4, 5], [5], [], []]
    assert history.events_after(State(), "unheard", 0, 1) is None


def _events(history: History, seq: int) -> list[int] | None:
    market = Market()
    found = history.events_after(market.state, "system", seq, 5)
    return None if found is None else [frame.seq for frame in found]


def delta(seq: int, key: str = "marks") -> Frame:
    return Frame(key, key, "delta", seq, 0, {})


def test_deltas_are_bounded_and_have_no_gap() -> None:
    history = History()
    newest = DELTAS_PER_CHANNEL_MAX + 5
    for seq in range(1, newest + 1):
        history.add_delta(delta(seq))

    assert history.deltas_after("marks", 4, newest) is None
    assert [delta(newest)] == history.deltas_after("marks", newest - 1, newest)
    assert history.deltas_after("marks", newest, newest) == []
    assert history.deltas_after("marks", newest - 1, newest + 1) is None, "the newest is not held"
    history.forget_deltas("marks")
    assert history.deltas_after("marks", newest - 1, newest) is None


def test_nothing_is_held_after_clear() -> None:
    history = History()
    filled(history, 3)
    history.add_delta(delta(1))
    history.clear()

    assert len(history) == 0
    assert history.deltas_after("marks", 0, 1) is None
    assert history.newest_first("system") == []


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("copies:t_9", "copies"),
        ("account:a:b", "account"),
        ("ideas:BTC", "ideas:BTC"),
        ("ideas", "ideas"),
    ],
)
def test_own_channels_lose_the_trader_on_the_wire(key: str, name: str) -> None:
    assert name == wire_name(key)


def test_a_channel_nobody_listened_to_for_a_while_is_not_resumed_from() -> None:
    listeners, history = Listeners("marks@raw"), History()
    market = Published(listeners, history)
    market.enter(*_command("mark", 1, market))
    listeners.keys.clear()
    market.enter(*_command("mark", 2, market))
    listeners.keys.add("marks@raw")
    market.enter(*_command("mark", 3, market))

    newest = market.state.conflated["marks"].seqs[0]
    assert history.deltas_after("marks@raw", newest - 2, newest) is None
    assert history.deltas_after("marks@raw", newest - 1, newest) is not None


def test_frames_of_a_state_that_is_given_up_are_never_sent() -> None:
    listeners = Listeners("marks@raw")
    market = Published(listeners, History())
    market.publisher.flush()
    market.quote("BTC", 1, 1)  # cut, and not yet flushed
    market.publisher.reset()
    market.publisher.flush()

    assert listeners.frames == {}
    assert market.publisher.frames_total == 0


def test_a_node_without_a_gateway_publishes_nothing() -> None:
    sink = NoSink()

    assert not sink.wanted("marks")
    with pytest.raises(AssertionError, match="expected no frames, were 1"):
        sink.publish([delta(1)])
