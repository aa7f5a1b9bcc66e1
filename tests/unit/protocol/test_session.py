import json
from typing import Any

import msgspec
import pytest

from streams.ports import CommandError, CommandOutcome, Principal
from streams.protocol.codec import JSON, MSGPACK, Codec
from streams.protocol.codes import CloseCode
from streams.protocol.effects import (
    Attach,
    AuthRequested,
    Close,
    CommandRequested,
    Detach,
    Effect,
    Reply,
)
from streams.protocol.limits import REQUESTS_WAITING_MAX, StreamLimits
from streams.protocol.session import Session
from tests.counter_replica import CounterReplica
from tests.manual_clock import ManualClock


ALICE = Principal("t_alice")
REFUSED = CommandError("UNAUTHENTICATED", "expected a known token")


class Talk:
    """A session with its clock and source, and short ways to speak to it."""

    def __init__(
        self, *, required: bool = False, codec: Codec = JSON, limits: StreamLimits | None = None
    ) -> None:
        self.clock = ManualClock()
        self.source = CounterReplica()
        self.session = Session(
            self.source,
            codec,
            limits=limits or StreamLimits(),
            node="n1",
            clock=self.clock,
            authentication_required=required,
        )

    def say(self, text: str | bytes, opcode: int = 1) -> list[Effect]:
        raw = text.encode() if isinstance(text, str) else text
        return self.session.receive(raw, opcode=opcode)

    def ask(self, op: str, **fields: Any) -> list[Effect]:
        return self.say(json.dumps({"op": op, "id": 1, **fields}))

    def login(self, principal: Principal = ALICE) -> list[Effect]:
        self.ask("auth", token="x")
        return self.session.authenticated(1, principal)


def codes(effects: list[Effect]) -> list[str | int]:
    """Return the error code of each reply (`ok` and others by kind) and the code of a close."""
    seen: list[str | int] = []
    for effect in effects:
        if isinstance(effect, Reply):
            seen.append(effect.message.get("code", effect.message["t"]))
        elif isinstance(effect, Close):
            seen.append(int(effect.code))
    return seen


def test_hello_comes_first() -> None:
    talk = Talk()
    (hello,) = talk.session.begin()
    assert isinstance(hello, Reply)
    assert list(hello.message) == ["t", "v", "node", "epoch", "offset", "ts", "limits"]
    assert ("hello", 1, "n1", "e1", talk.clock.now_us()) == tuple(
        hello.message[key] for key in ("t", "v", "node", "epoch", "ts")
    )


def test_ping_is_answered_without_authentication() -> None:
    talk = Talk(required=True)
    assert [Reply({"t": "pong", "re": 1, "ts": talk.clock.now_us()})] == talk.ask("ping")


# Authentication


def test_a_header_authenticates_without_a_request() -> None:
    talk = Talk()
    effects = talk.session.begin("Dev alice")
    assert effects[1:] == [AuthRequested(None, "Dev alice", None)]
    assert [Reply({"t": "ok", "trader": "t_alice", "expires_in": None})] == (
        talk.session.authenticated(None, ALICE)
    )


def test_a_header_nobody_understands_closes() -> None:
    assert codes(Talk().session.begin("Basic x")) == ["hello", "UNAUTHENTICATED", 4101]


def test_authentication_tells_the_trader_and_the_seconds_left() -> None:
    talk = Talk()
    assert talk.ask("auth", key="k", ts=5, sig="s") == [AuthRequested(1, None, "k", 5, "s")]
    ends = talk.clock.now_us() + 900_500_000
    assert [Reply({"t": "ok", "re": 1, "trader": "t_alice", "expires_in": 900})] == (
        talk.session.authenticated(1, Principal("t_alice", expires_at_us=ends))
    )


def test_a_first_authentication_refused_closes() -> None:
    talk = Talk()
    talk.ask("auth", token="x")
    assert codes(talk.session.authentication_failed(1, REFUSED)) == ["UNAUTHENTICATED", 4101]
    assert talk.ask("ping") == []


def test_a_refresh_refused_keeps_the_socket() -> None:
    talk = Talk()
    talk.login()
    talk.ask("auth", token="y")
    assert codes(talk.session.authentication_failed(1, REFUSED)) == ["UNAUTHENTICATED"]
    assert talk.session.principal == ALICE


def test_credentials_that_cannot_be_checked_close_nothing() -> None:
    talk = Talk()
    talk.ask("auth", token="x")
    error = CommandError("NOT_READY", "accounts cannot be reached", retry_ms=500)
    assert codes(talk.session.authentication_failed(1, error)) == ["NOT_READY"]


def test_a_refresh_is_for_the_same_account_only() -> None:
    talk = Talk()
    talk.login()
    renewed = Principal("t_alice", login="other")
    assert codes(talk.login(Principal("t_bob"))) == ["FORBIDDEN"]
    assert ALICE is talk.session.principal
    assert codes(talk.login(renewed)) == ["ok"]
    assert renewed is talk.session.principal


def test_requests_wait_for_the_authentication_under_way() -> None:
    talk = Talk(required=True)
    talk.ask("auth", token="x")
    assert talk.ask("subscribe", ch=[{"ch": "copies"}]) == []
    assert talk.ask("auth", token="y") == []
    assert talk.ask("unsubscribe", ch=["copies"]) == []
    assert codes(talk.ask("ping")) == ["pong"]
    first = talk.session.authenticated(1, ALICE)
    assert codes(first) == ["ok", "ok"]
    assert isinstance(first[-1], AuthRequested)
    assert codes(talk.session.authentication_failed(1, REFUSED)) == ["UNAUTHENTICATED", "ok"]


def test_requests_wait_in_a_bounded_queue() -> None:
    talk = Talk(limits=StreamLimits(requests_burst=REQUESTS_WAITING_MAX + 2))
    talk.ask("auth", token="x")
    waited = [talk.ask("command", name="n") for _ in range(REQUESTS_WAITING_MAX)]
    assert not any(waited)
    assert codes(talk.ask("command", name="n")) == ["RATE_LIMITED"]


def test_results_after_the_end_are_dropped() -> None:
    talk = Talk()
    talk.login()
    talk.ask("command", name="n")
    talk.ask("command", name="n")
    talk.ask("auth", token="x")
    assert codes(talk.session.close(CloseCode.DRAIN)) == [4000]
    assert talk.session.close(CloseCode.DRAIN) == []
    assert talk.session.authenticated(1, ALICE) == []
    assert talk.session.authentication_failed(1, REFUSED) == []
    assert talk.session.command_done(1, CommandOutcome("OK", "1-0.0", {})) == []
    assert talk.session.command_failed(1, REFUSED) == []
    assert talk.session.recheck("book:A") == []
    assert talk.session.too_large() == []
    assert talk.session.control_received() == []
    assert talk.session.begin is not None
    assert talk.session.commands_in_flight == 0


def test_time_to_authenticate_runs_out() -> None:
    talk = Talk(required=True)
    assert talk.session.due_at_s() == 10.0
    talk.clock.advance(9.9)
    assert talk.session.expire() == []
    talk.clock.advance(0.2)
    assert codes(talk.session.expire()) == [4101]
    assert talk.session.expire() == []


def test_without_the_requirement_no_time_runs() -> None:
    talk = Talk()
    assert talk.session.due_at_s() is None
    talk.login()
    assert talk.session.due_at_s() is None


def test_a_credential_ends_unless_renewed() -> None:
    talk = Talk()
    talk.login(Principal("t_alice", expires_at_us=talk.clock.now_us() + 5_000_000))
    assert talk.session.due_at_s() == 5.0
    talk.login(Principal("t_alice", expires_at_us=talk.clock.now_us() + 9_000_000))
    talk.clock.advance(6)
    assert talk.session.expire() == []
    talk.clock.advance(3)
    assert codes(talk.session.expire()) == [4100]


# Subscriptions


def test_subscribe_answers_before_it_attaches() -> None:
    talk = Talk()
    talk.source.bump("book:A")
    reply, attach = talk.ask("subscribe", ch=[{"ch": "book:A"}, {"ch": "copies"}])
    assert isinstance(reply, Reply)
    assert [
        (entry["ch"], entry["mode"]) for entry in reply.message["ch"]
    ] == [("book:A", "snapshot"), ("copies", "refused")]
    assert isinstance(attach, Attach)
    assert (attach.info.key, attach.seq, attach.mode) == ("book:A", 1, "snapshot")


def test_unsubscribe_detaches_before_it_answers() -> None:
    talk = Talk()
    talk.ask("subscribe", ch=[{"ch": "book:A"}])
    assert [
        Detach("book:A"),
        Reply(
            {"t": "ok", "re": 1, "ch": [{"ch": "book:A"}, {"ch": "x", "code": "NOT_SUBSCRIBED"}]}
        ),
    ] == talk.ask("unsubscribe", ch=["book:A", "x"])


@pytest.mark.parametrize(
    ("op", "names"),
    [
        ("subscribe", [{"ch": f"book:{n}"} for n in range(101)]),
        ("unsubscribe", [f"book:{n}" for n in range(101)]),
    ],
)
def test_a_request_names_at_most_100_channels(op: str, names: list[Any]) -> None:
    (reply,) = Talk().ask(op, ch=names)
    assert isinstance(reply, Reply)
    assert (reply.message["code"], reply.message["field"]) == ("INVALID_ARGUMENT", "ch")


def test_a_socket_holds_at_most_500_channels() -> None:
    talk = Talk()
    for batch in range(5):
        talk.ask("subscribe", ch=[{"ch": f"book:{batch}.{n}"} for n in range(100)])
    reply = talk.ask("subscribe", ch=[{"ch": "book:501"}])[0]
    assert isinstance(reply, Reply)
    assert reply.message["ch"][0]["code"] == "TOO_MANY_SUBSCRIPTIONS"


def test_a_node_that_catches_up_subscribes_nobody() -> None:
    talk = Talk()
    talk.source.ready = False
    (reply,) = talk.ask("subscribe", ch=[{"ch": "book:A"}])
    assert isinstance(reply, Reply)
    assert (reply.message["code"], reply.message["retry_ms"]) == ("NOT_READY", 1000)


def test_a_permission_lost_is_told() -> None:
    talk = Talk()
    talk.ask("subscribe", ch=[{"ch": "signals:t_bob"}])
    talk.source.forbidden.add(("signals:t_bob", ""))
    assert [
        Detach("signals:t_bob"),
        Reply({"t": "gone", "ch": "signals:t_bob", "code": "FORBIDDEN"}),
    ] == talk.session.recheck("signals:t_bob")


def test_where_authentication_is_required_nothing_else_goes() -> None:
    talk = Talk(required=True)
    assert codes(talk.ask("subscribe", ch=[{"ch": "book:A"}])) == ["UNAUTHENTICATED"]


# Commands


def test_commands_need_a_principal() -> None:
    talk = Talk()
    assert codes(talk.ask("command", name="n")) == ["UNAUTHENTICATED"]
    assert codes(talk.ask("cancel_after", ms=0)) == ["UNAUTHENTICATED"]


def test_commands_are_handed_on() -> None:
    talk = Talk()
    talk.login()
    assert [CommandRequested(1, "n", {"a": 1}, "k")] == talk.ask(
        "command", name="n", args={"a": 1}, key="k"
    )
    assert [CommandRequested(1, "cancel_after", {"ms": 500}, None)] == talk.ask(
        "cancel_after", ms=500
    )


def test_an_applied_command_answers_with_its_result() -> None:
    talk = Talk()
    talk.login()
    talk.ask("command", name="n")
    outcome = CommandOutcome("OK", "5-0.1", {"order": {"id": "o"}, "t": "x"}, replayed=True)
    expected = {"t": "ok", "re": 1, "offset": "5-0.1", "replayed": True, "order": {"id": "o"}}
    assert [Reply(expected)] == talk.session.command_done(1, outcome)


def test_a_refused_command_answers_with_the_reason_of_the_core() -> None:
    talk = Talk()
    talk.login()
    talk.ask("command", name="n")
    talk.ask("command", name="n")
    outcome = CommandOutcome("NO_FUNDS", "5-0.1", {}, message="expected 5", field="quantity")
    expected = {"t": "err", "re": 1, "code": "NO_FUNDS", "msg": "expected 5", "field": "quantity"}
    assert [Reply({**expected, "offset": "5-0.1"})] == talk.session.command_done(1, outcome)
    outcome = CommandOutcome("NO_FUNDS", "5-0.1", {})
    assert codes(talk.session.command_done(1, outcome)) == ["NO_FUNDS"]


def test_an_unknown_outcome_answers_so() -> None:
    talk = Talk()
    talk.login()
    talk.ask("command", name="n")
    error = CommandError("OUTCOME_UNKNOWN", "retry with the same key", retry_ms=50)
    (reply,) = talk.session.command_failed(1, error)
    assert isinstance(reply, Reply)
    assert (reply.message["code"], reply.message["retry_ms"]) == ("OUTCOME_UNKNOWN", 50)


def test_commands_in_flight_are_bounded() -> None:
    talk = Talk(limits=StreamLimits(commands_in_flight_max=2))
    talk.login()
    assert [len(codes(talk.ask("command", name="n"))) for _ in range(3)] == [0, 0, 1]
    talk.session.command_done(1, CommandOutcome("OK", "5-0.1", {}))
    assert isinstance(talk.ask("command", name="n")[0], CommandRequested)


# What is malformed, too much, too large

BAD_MESSAGES = """
{                           | 1 | MALFORMED
[]                          | 1 | MALFORMED
{"op":"ping","id":1}        | 2 | MALFORMED
{"op":"fly","id":1}         | 1 | UNKNOWN_OP
{"op":"ping"}               | 1 | INVALID_ARGUMENT
{"op":"ping","id":1,"x":1}  | 1 | INVALID_ARGUMENT
"""


@pytest.mark.parametrize("line", BAD_MESSAGES.strip().splitlines())
def test_bad_messages_are_answered(line: str) -> None:
    text, opcode, code = (cell.strip() for cell in line.split("|"))
    assert codes(Talk().say(text, int(opcode))) == [code]


def test_a_msgpack_socket_takes_binary_messages_only() -> None:
    talk = Talk(codec=MSGPACK)
    assert codes(talk.say(msgspec.msgpack.encode({"op": "ping", "id": 1}), 2)) == ["pong"]
    assert codes(talk.say('{"op":"ping","id":1}', 1)) == ["MALFORMED"]


@pytest.mark.parametrize("text", ["{", '{"op":"fly","id":1}'])
def test_malformed_messages_again_and_again_close(text: str) -> None:
    talk = Talk()
    assert all(len(talk.say(text)) == 1 for _ in range(10))
    assert codes(talk.say(text))[1:] == [4200]


def test_malformed_messages_are_forgiven_with_time() -> None:
    talk = Talk()
    for _ in range(50):
        assert codes(talk.say("{")) == ["MALFORMED"]
        talk.clock.advance(10)


def test_a_message_too_large_is_named_and_closes() -> None:
    assert codes(Talk().session.too_large()) == ["TOO_LARGE", 4200]


def test_requests_over_the_rate_are_refused_by_id() -> None:
    talk = Talk()
    assert all(codes(talk.ask("ping")) == ["pong"] for _ in range(100))
    (reply,) = talk.ask("ping")
    assert isinstance(reply, Reply)
    assert (
        reply.message["code"],
        reply.message["re"],
        reply.message["retry_ms"],
    ) == ("RATE_LIMITED", 1, 20)
    assert codes(talk.say("{")) == ["RATE_LIMITED"]
    talk.clock.advance(0.02)
    assert codes(talk.ask("ping")) == ["pong"]


def test_abuse_of_the_rate_closes() -> None:
    talk = Talk()
    seen = [code for _ in range(201) for code in codes(talk.ask("ping"))]
    assert seen == ["pong"] * 100 + ["RATE_LIMITED"] * 101 + [4201]
    assert talk.session.closed


def test_websocket_pings_cost_a_token_each() -> None:
    talk = Talk()
    assert not any(talk.session.control_received() for _ in range(100))
    assert codes(talk.session.control_received()) == ["RATE_LIMITED"]


def test_messages_are_counted() -> None:
    talk = Talk()
    talk.say("{")
    talk.ask("ping")
    assert talk.session.messages_in == 2
