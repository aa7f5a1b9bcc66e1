import msgspec
import pytest

from streams.protocol.codec import MSGPACK
from streams.protocol.effects import (
    Reply,
)
from tests.unit.protocol.talk import Talk, codes


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
