from typing import Any

import pytest

from streams.ports import CommandError, CommandOutcome, Principal
from streams.protocol.codes import CloseCode
from streams.protocol.effects import (
    Attach,
    AuthRequested,
    CommandRequested,
    Detach,
    Reply,
)
from streams.protocol.limits import REQUESTS_WAITING_MAX, StreamLimits
from tests.unit.protocol.talk import ALICE, REFUSED, Talk, codes


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
    assert [(entry["ch"], entry["mode"]) for entry in reply.message["ch"]] == [
        ("book:A", "snapshot"),
        ("copies", "refused"),
    ]
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
