"""One socket of the swarm: how it opens, answers, and ends."""

from __future__ import annotations

import pytest

from loadtests.swarm import wire
from loadtests.swarm.member import MemberClosed, MemberState
from streams.protocol.codec import MSGPACK
from tests.unit.loadtests.conversation import (
    AT_US,
    UPGRADED,
    BookServer,
    Socket,
    new_verifier,
    upgrade_line,
)


def test_it_presents_its_credential_and_subscribes() -> None:
    socket, server = Socket(new_verifier()), BookServer()
    socket.open(server)
    assert socket.sent[0].startswith(upgrade_line())
    assert b"Authorization: Dev ada\r\n" in socket.sent[0]
    assert socket.asked()["ch"] == [{"ch": "book:hl:BTC"}]
    assert MemberState.WHOLE is socket.member.state


def test_it_is_whole_only_when_the_snapshot_is_there() -> None:
    socket, server = Socket(new_verifier()), BookServer()
    socket.connect()
    assert MemberState.JOINING is socket.member.state
    socket.join(seq=0, mode="snapshot")
    assert MemberState.CATCHING_UP is socket.member.state
    socket.receive(server.snapshot())
    assert MemberState.WHOLE is socket.member.state


@pytest.mark.parametrize("piece", [1, 2, 7, 64])
def test_frames_are_put_together_from_pieces(piece: int) -> None:
    verifier, server = new_verifier(), BookServer()
    socket = Socket(verifier)
    socket.open(server)
    data = b"".join(MSGPACK.wire(server.delta()) for _ in range(12))
    for at in range(0, len(data), piece):
        socket.member.receive(data[at : at + piece], AT_US)
    assert (verifier.counts.frames, verifier.counts.faults) == (13, 0)


def test_pings_are_answered() -> None:
    socket = Socket(new_verifier())
    socket.open(BookServer())
    socket.member.receive(bytes((0x80 | wire.OPCODE_PING, 3)) + b"abc", AT_US)
    assert wire.client_frame(wire.OPCODE_PONG, b"abc") == socket.sent[-1]


def test_a_close_frame_says_its_code() -> None:
    socket = Socket(new_verifier())
    socket.open(BookServer())
    with pytest.raises(MemberClosed, match="4001") as caught:
        socket.member.receive(bytes((0x80 | wire.OPCODE_CLOSE, 2)) + (4001).to_bytes(2), AT_US)
    assert caught.value.opened


def test_a_refused_upgrade_says_when_to_come_again() -> None:
    socket = Socket(new_verifier())
    socket.member.connected("node:8000", socket.sent.append)
    answer = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n\r\n"
    with pytest.raises(MemberClosed, match="503 Service Unavailable") as caught:
        socket.member.receive(answer, AT_US)
    assert (caught.value.opened, caught.value.retry_s) == (False, 2.0)


def test_what_is_no_frame_ends_the_connection() -> None:
    verifier = new_verifier()
    socket = Socket(verifier)
    socket.open(BookServer())
    with pytest.raises(MemberClosed, match="whole frame"):
        socket.member.receive(b"\x02\x01x", AT_US)
    assert verifier.counts.malformed == 1


def test_a_masked_frame_ends_the_connection() -> None:
    socket = Socket(new_verifier())
    socket.open(BookServer())
    with pytest.raises(MemberClosed, match="without a mask"):
        socket.member.receive(wire.client_frame(2, b"x"), AT_US)


def test_refusals_are_counted_by_code() -> None:
    verifier = new_verifier()
    socket = Socket(verifier, "nowhere")
    socket.connect()
    socket.join(ch="nowhere", mode="refused", code="UNKNOWN_CHANNEL")
    socket.receive({"t": "err", "code": "RATE_LIMITED", "msg": "slower"})
    assert verifier.counts.refused == {"UNKNOWN_CHANNEL": 1, "RATE_LIMITED": 1}


def test_an_answer_that_nobody_asked_for_is_malformed() -> None:
    verifier = new_verifier()
    socket = Socket(verifier)
    socket.open(BookServer())
    socket.receive({"t": "ok", "re": 9})
    socket.member.receive(UPGRADED[:0] + b"\x82\x01\xc1", AT_US)
    assert verifier.counts.malformed == 2


def test_a_subscription_that_ends_begins_anew_next_time() -> None:
    verifier, server = new_verifier(), BookServer()
    socket = Socket(verifier)
    socket.open(server)
    socket.receive({"t": "gone", "ch": "book:hl:BTC", "code": "FORBIDDEN"})
    socket.member.closed()
    socket.connect()
    assert socket.asked()["ch"] == [{"ch": "book:hl:BTC"}]
    assert verifier.counts.refused == {"gone: FORBIDDEN": 1}
