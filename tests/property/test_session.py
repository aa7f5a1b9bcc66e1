"""Any sequence of client messages never raises and is always answered or closes the socket."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings, strategies as st

from streams.ports import CommandError, CommandOutcome, Principal
from streams.protocol.codec import JSON, MSGPACK, Codec
from streams.protocol.effects import (
    Attach,
    AuthRequested,
    Close,
    CommandRequested,
    Detach,
    Effect,
    Reply,
)
from streams.protocol.limits import StreamLimits
from streams.protocol.session import Session
from tests.counter_replica import CounterReplica
from tests.manual_clock import ManualClock


NAMES = ["book:A", "book:B@1s", "signals:t_1", "signals:@1", "copies", "book:NOPE", "x", "", "ü"]
LIMITS = StreamLimits(
    subscriptions_max=3, commands_in_flight_max=2, rate_strikes_max=5, malformed_strikes_max=3
)

ids = st.one_of(st.integers(-5, 5), st.text(max_size=3), st.none(), st.booleans())
names = st.sampled_from(NAMES)
resumes = st.fixed_dictionaries(
    {"epoch": st.sampled_from(["e1", "e0"]), "seq": st.integers(-1, 12)}
)
items = st.fixed_dictionaries({"ch": names}, optional={"from": resumes, "extra": st.none()})
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
operations = st.one_of(
    st.fixed_dictionaries({"op": st.just("ping"), "id": ids}),
    st.fixed_dictionaries({"op": st.just("auth"), "id": ids}, optional={"token": st.text()}),
    st.fixed_dictionaries(
        {"op": st.just("subscribe"), "id": ids, "ch": st.lists(items, max_size=4)}
    ),
    st.fixed_dictionaries(
        {"op": st.just("unsubscribe"), "id": ids, "ch": st.lists(names, max_size=3)}
    ),
    st.fixed_dictionaries(
        {"op": st.just("command"), "id": ids, "name": st.text(max_size=3)},
        optional={"args": plain, "key": st.text(max_size=3)},
    ),
    st.fixed_dictionaries({"op": st.just("cancel_after"), "id": ids, "ms": st.integers(-1, 9)}),
    st.fixed_dictionaries({"op": st.text(max_size=5)}),
)
messages = st.one_of(
    operations.map(lambda value: ("map", value)),
    plain.map(lambda value: ("map", value)),
    st.binary(max_size=20).map(lambda value: ("raw", value)),
)
steps = st.one_of(
    messages,
    st.tuples(st.just("time"), st.sampled_from([0.001, 0.5, 30.0])),
    st.tuples(st.just("finish"), st.booleans()),
    st.tuples(st.just("bump"), st.sampled_from(["book:A", "signals:t_1"])),
    st.tuples(st.just("control"), st.none()),
)


class Driver:
    """Carries effects out against plain tables and checks them on the way."""

    def __init__(self, codec: Codec, *, required: bool) -> None:
        self.codec = codec
        self.clock = ManualClock()
        self.source = CounterReplica(history_max=4)
        self.attached: dict[str, int] = {}
        self.work: list[AuthRequested | CommandRequested] = []
        self.closed = False
        self.session = Session(
            self.source,
            codec,
            limits=LIMITS,
            node="n",
            clock=self.clock,
            authentication_required=required,
        )
        self.carry_out(self.session.begin())

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            assert not self.closed, "nothing comes after a close"
            if isinstance(effect, Reply):
                assert self.codec.decode(self.codec.encode(effect.message))["t"]
            elif isinstance(effect, Attach):
                assert effect.info.key not in self.attached
                assert effect.after_seq <= effect.seq == self.source.seq(effect.info.key)
                self.attached[effect.info.key] = effect.seq
            elif isinstance(effect, Detach):
                del self.attached[effect.key]
            elif isinstance(effect, Close):
                self.closed = True
            else:
                self.work.append(effect)
        assert len(self.attached) == len(self.session.subscriptions) <= 3
        assert self.session.commands_in_flight <= 2

    def encode(self, kind: str, value: Any) -> bytes:
        if kind == "raw":
            return bytes(value)
        if self.codec is JSON:
            return json.dumps(value).encode()
        try:
            return msgspec.msgpack.encode(value)
        except OverflowError:
            return b"\xc1"

    def finish(self, *, good: bool) -> None:
        if not self.work:
            return
        work = self.work.pop(0)
        error = CommandError("UNAUTHENTICATED", "expected better")
        if isinstance(work, AuthRequested):
            effects = (
                self.session.authenticated(work.re, Principal("t_1"))
                if good
                else self.session.authentication_failed(work.re, error)
            )
        else:
            effects = (
                self.session.command_done(work.re, CommandOutcome("OK", "1-0.0", {}))
                if good
                else self.session.command_failed(work.re, error)
            )
        assert effects or self.closed
        self.carry_out(effects)


@given(
    codec=st.sampled_from([JSON, MSGPACK]),
    required=st.booleans(),
    script=st.lists(steps, max_size=40),
)
@settings(max_examples=150, deadline=None)
def test_every_message_is_answered_or_closes(
    codec: Codec, required: bool, script: list[tuple[str, Any]]
) -> None:
    driver = Driver(codec, required=required)
    for kind, value in script:
        if kind == "time":
            driver.clock.advance(value)
            driver.carry_out(driver.session.expire())
        elif kind == "finish":
            driver.finish(good=value)
        elif kind == "bump":
            driver.source.bump(value)
        elif kind == "control":
            driver.carry_out(driver.session.control_received())
        else:
            was_closed, waiting = driver.closed, bool(driver.work)
            effects = driver.session.receive(driver.encode(kind, value), opcode=codec.opcode)
            assert bool(effects) != was_closed or waiting, (
                "answered, or waits for an authentication"
            )
            driver.carry_out(effects)
