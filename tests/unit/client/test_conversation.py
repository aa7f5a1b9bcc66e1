"""Whatever the server sends in whatever order: no number of a channel is silently missed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streams.client.conversation import Conversation, Phase
from streams.client.effects import Deliver, Done, Effect, Failed, GiveUp, Joined, Ready, Send
from streams.client.errors import AlreadySubscribed, CommandRefused, OutcomeUnknown, TooManyRequests
from streams.client.items import Delta, Event, Item, Reset, ResumePoint, Snap
from streams.client.settings import ClientSettings


HELLO: dict[str, Any] = {
    "t": "hello",
    "v": 1,
    "node": "n1",
    "epoch": "e1",
    "offset": "0-0.0",
    "ts": 0,
    "limits": {},
}


def opened(**limits: float) -> Conversation:
    conversation = Conversation(ClientSettings())
    conversation.opened(0.0)
    effects = conversation.received({**HELLO, "limits": limits}, 0.0)
    assert effects == [Ready(None, None)]
    return conversation


def sent(effects: list[Effect]) -> list[dict[str, Any]]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def items(effects: list[Effect]) -> list[Item]:
    return [effect.item for effect in effects if isinstance(effect, Deliver)]


class Server:
    """A server that answers what the client sends, but loses, doubles and shuffles frames.

    It holds one lossless and one conflatable channel. `clean` makes it behave, so that a test can
    let everything settle.
    """

    def __init__(self) -> None:
        self.conversation = Conversation(ClientSettings())
        self.epoch = "e1"
        self.seqs = {"ideas": 0, "marks": 0}
        self.kept = {"ideas": 0, "marks": 0}
        self.subscribed: dict[str, bool] = {}
        self.items: list[Item] = []
        self.began: dict[str, ResumePoint] = {}
        self.now_s = 0.0
        self.unanswered: list[dict[str, Any]] = []
        self.open_socket()
        self.take(self.conversation.subscribe(["ideas", "marks"], {}, self.now_s))

    def open_socket(self) -> None:
        self.subscribed.clear()
        self.unanswered.clear()
        self.conversation.opened(self.now_s)
        self.receive({**HELLO, "epoch": self.epoch})

    def receive(self, message: dict[str, Any]) -> None:
        if self.conversation.phase is not Phase.CLOSED:
            self.take(self.conversation.received(message, self.now_s))

    def take(self, effects: list[Effect]) -> None:
        assert not any(isinstance(effect, GiveUp) for effect in effects)
        for effect in effects:
            if isinstance(effect, Joined) and effect.mode == "live":
                self.began.setdefault(effect.channel, effect.point)
        self.items += items(effects)
        self.unanswered += sent(effects)

    def answer(self) -> None:
        if self.unanswered:
            self.now_s += 1.0  # so that pacing is not what is tested here
            request = self.unanswered.pop(0)
            make = self.subscribe if request["op"] == "subscribe" else self.unsubscribe
            make(request)

    def unsubscribe(self, request: dict[str, Any]) -> None:
        for name in request["ch"]:
            self.subscribed.pop(name, None)
        entries = [{"ch": name} for name in request["ch"]]
        self.receive({"t": "ok", "re": request["id"], "ch": entries})

    def subscribe(self, request: dict[str, Any]) -> None:
        entries, frames = [], []
        for item in request["ch"]:
            name, point = item["ch"], item.get("from")
            assert name not in self.subscribed, "expected the client to leave a channel first"
            self.subscribed[name] = True
            seq, mode, why = self.seqs[name], "live" if name == "ideas" else "snapshot", None
            if point is not None:
                if point["epoch"] != self.epoch:
                    why = "EPOCH"
                elif point["seq"] > seq:
                    why = "AHEAD"
                elif point["seq"] < self.kept[name]:
                    why = "TOO_OLD"
                else:
                    mode = "resumed"
                    frames += [self.frame(name, n) for n in range(point["seq"] + 1, seq + 1)]
            if mode == "snapshot":
                frames.append({**self.frame(name, seq), "t": "snap"})
            entries.append({"ch": name, "epoch": self.epoch, "seq": seq, "mode": mode, "why": why})
        self.receive({"t": "ok", "re": request["id"], "ch": entries})
        for frame in frames:
            self.receive(frame)

    def frame(self, name: str, seq: int) -> dict[str, Any]:
        kind = "ev" if name == "ideas" else "delta"
        return {"t": kind, "ch": name, "seq": seq, "ts": seq, "data": seq}

    def publish(self, name: str, *, lost: bool) -> None:
        self.seqs[name] += 1
        if name in self.subscribed and not lost:
            self.receive(self.frame(name, self.seqs[name]))

    def repeat(self, name: str, back: int) -> None:
        if name in self.subscribed and self.seqs[name] > back:
            self.receive(self.frame(name, self.seqs[name] - back))

    def conflate(self) -> None:
        if "marks" in self.subscribed:
            self.receive({**self.frame("marks", self.seqs["marks"]), "t": "snap"})

    def forget(self) -> None:
        self.kept = dict(self.seqs)

    def lose_socket(self, *, new_epoch: bool) -> None:
        self.take(self.conversation.closed())
        if new_epoch:
            self.epoch = f"{self.epoch}+"
            self.seqs = dict.fromkeys(self.seqs, 0)
            self.kept = dict.fromkeys(self.kept, 0)
        self.open_socket()

    def settle(self) -> None:
        for _ in range(20):
            for name in self.seqs:
                self.publish(name, lost=False)
            self.answer()
            self.answer()


NAMES = st.sampled_from(["ideas", "marks"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), NAMES, st.booleans()),
        st.tuples(st.just("repeat"), NAMES, st.integers(0, 5)),
        st.tuples(st.just("answer")),
        st.tuples(st.just("conflate")),
        st.tuples(st.just("forget")),
        st.tuples(st.just("lose"), st.booleans()),
        st.tuples(st.just("restart"), NAMES),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_no_number_is_silently_missed(steps: list[tuple[Any, ...]]) -> None:
    server = Server()
    for step in steps:
        match step:
            case ("publish", name, lost):
                server.publish(name, lost=lost)
            case ("repeat", name, back):
                server.repeat(name, back)
            case ("answer",):
                server.answer()
            case ("conflate",):
                server.conflate()
            case ("forget",):
                server.forget()
            case ("lose", new_epoch):
                server.lose_socket(new_epoch=new_epoch)
            case ("restart", name):
                server.take(server.conversation.restart(name, server.now_s))
    server.settle()
    for name in ("ideas", "marks"):
        run_is_whole([item for item in server.items if item.channel == name], server, name)


def run_is_whole(run: list[Item], server: Server, name: str) -> None:
    """Each item joins the one before; what does not is announced; the last one is the newest."""
    last = server.began.get(name)
    snap_due = name == "marks"
    for item in run:
        if isinstance(item, Reset):
            assert item.after == last
            last, snap_due = ResumePoint(item.epoch, item.seq), name == "marks"
        elif isinstance(item, Snap):
            last, snap_due = item.resume_point, False
        else:
            assert isinstance(item, Event if name == "ideas" else Delta)
            assert not snap_due
            assert last is None or item.resume_point == ResumePoint(last.epoch, last.seq + 1)
            last = item.resume_point
    assert last == ResumePoint(server.epoch, server.seqs[name])


def test_a_channel_is_asked_for_once() -> None:
    conversation = opened()
    conversation.subscribe(["ideas"], {}, 0.0)
    for channels in (["ideas"], ["copies", "ideas"], ["copies", "copies"]):
        with pytest.raises(AlreadySubscribed):
            conversation.subscribe(channels, {}, 0.0)
    assert sent(conversation.subscribe(["copies"], {}, 0.0))[0]["ch"] == [{"ch": "copies"}]


def test_requests_are_paced_below_the_rate_of_hello() -> None:
    conversation = opened(requests_per_s=10, requests_burst=5)
    effects = [conversation.ask({"op": "ping"}, 0.0)[1] for _ in range(10)]
    assert sum(len(sent(each)) for each in effects) == 4
    now_s, rest = 0.0, 0
    while (due_at_s := conversation.due_at_s()) is not None and due_at_s < 10.0:
        now_s = due_at_s
        rest += len(sent(conversation.tick(now_s)))
    assert rest == 6
    assert now_s == pytest.approx(6 / 8, abs=0.01)


def test_subscriptions_go_out_in_batches() -> None:
    conversation = opened(subscribe_batch=100)
    names = [f"ideas:S{number}" for number in range(250)]
    requests = sent(conversation.subscribe(names, {}, 0.0))
    assert [len(request["ch"]) for request in requests] == [100, 100, 50]


def test_no_more_commands_are_in_flight_than_hello_allows() -> None:
    conversation = opened(commands_in_flight=2)
    for number in range(3):
        conversation.ask({"op": "command", "name": "x", "args": {}, "key": str(number)}, 0.0)
    effects = conversation.received({"t": "ok", "re": 1, "offset": "1-0.0"}, 0.0)
    assert [type(effect) for effect in effects] == [Done, Send]


def test_too_many_requests_are_refused_here() -> None:
    settings_ = ClientSettings(requests_waiting_max=1)
    conversation = Conversation(settings_)
    conversation.ask({"op": "ping"}, 0.0)
    with pytest.raises(TooManyRequests):
        conversation.ask({"op": "ping"}, 0.0)


def test_a_command_that_was_never_sent_is_certainly_not_applied() -> None:
    conversation = Conversation(ClientSettings(request_timeout_s=1.0))
    conversation.ask({"op": "command", "name": "x", "args": {}, "key": "k"}, 0.0)
    assert conversation.due_at_s() == 1.0
    (failed,) = conversation.tick(1.0)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, CommandRefused)
    assert (failed.error.code, failed.error.after_unknown) == ("NOT_READY", False)


def test_a_command_cut_off_too_often_has_an_unknown_outcome() -> None:
    conversation = Conversation(ClientSettings(request_attempts_max=2))
    conversation.ask({"op": "command", "name": "x", "args": {}, "key": "k"}, 0.0)
    for _ in range(2):
        conversation.opened(0.0)
        assert len(sent(conversation.received(HELLO, 0.0))) == 1
        effects = conversation.closed()
    (failed,) = effects
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, OutcomeUnknown)
    assert failed.error.key == "k"


def test_a_refusal_after_an_unknown_attempt_says_so() -> None:
    conversation = opened()
    conversation.ask({"op": "command", "name": "x", "args": {}, "key": "k"}, 0.0)
    conversation.closed()
    conversation.opened(0.0)
    conversation.received(HELLO, 0.0)
    (failed,) = conversation.received({"t": "err", "re": 2, "code": "FORBIDDEN", "msg": "no"}, 0.0)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, CommandRefused)
    assert failed.error.after_unknown


@pytest.mark.parametrize(
    "message",
    [
        {"t": "ev", "ch": "ideas", "seq": "1", "ts": 0, "data": None},
        {"t": "ev", "ch": "ideas"},
        {"t": "ok", "re": 1, "ch": []},
        {"t": "ok", "re": 1, "ch": [{"ch": "ideas"}]},
        {"t": "drain"},
        {"t": "gone"},
        {"t": "err", "re": 1},
    ],
)
def test_a_message_that_breaks_the_protocol_ends_the_socket(message: dict[str, Any]) -> None:
    conversation = opened()
    conversation.subscribe(["ideas"], {}, 0.0)
    (effect,) = conversation.received(message, 0.0)
    assert isinstance(effect, GiveUp)


def test_a_subscribe_without_answer_ends_the_socket() -> None:
    conversation = opened()
    conversation.subscribe(["ideas"], {}, 1.0)
    assert conversation.due_at_s() == 11.0
    (effect,) = conversation.tick(11.0)
    assert isinstance(effect, GiveUp)
